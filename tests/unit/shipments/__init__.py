"""Shipments that are asked for, and what they can be known by."""
