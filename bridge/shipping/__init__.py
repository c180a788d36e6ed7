"""Shipping on demand: what is asked for is done at the carrier, once, whatever becomes of the answer."""
