"""Carrier connections as one process uses and shows them; the rules are in `bridge.limits`, the rows in the store."""
