"""What ends a measure without a figure."""

from __future__ import annotations


class Failed(Exception):
    """A server, a rival or a load did not do what it is measured by; a number would mean nothing."""
