"""Shipments made on demand: what is asked of a carrier, and what comes of it. Values; they know no carrier."""
