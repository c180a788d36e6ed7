"""What a read shows that somebody else bought: the buyer tells the same of what it finds bought."""

from __future__ import annotations

from bridge.purchasing import announce
from bridge.purchasing.evidence import Bought, evidence
from bridge.reconciling.reading import Reading
from bridge.store.purchase import Purchase, PurchaseState
from bridge.store.wanting import Adoption


def adoption(reading: Reading) -> Adoption | None:
    """Say what of a shipment is bought, where that shows."""
    read, found = reading.read, evidence(reading.read, ())
    if not isinstance(found, Bought) or found.offer is None:
        return None
    bare = Purchase(reading.organization, read.id, PurchaseState.succeeded, read.at, read.at, reading.command)
    theirs = announce.theirs(bare, found.offer)
    (fact,), _ = announce.told([announce.succeeded(theirs, read, found.offer, adopted=True)], None)
    return Adoption(reading.command, theirs.offer, theirs.service, fact)
