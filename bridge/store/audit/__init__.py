"""The audit: what the books of a bridge must add up to, looked at on one consistent view while the service runs."""

from bridge.store.audit.report import Audit, Counted, Difference, Example, Identity, Purchases
from bridge.store.audit.survey import survey

__all__ = ["Audit", "Counted", "Difference", "Example", "Identity", "Purchases", "survey"]
