"""Shipping on demand, beside a simulated carrier, in virtual time."""
