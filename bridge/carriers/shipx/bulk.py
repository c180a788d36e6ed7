"""Which of the many that were to be bought a refusal names as its reason.

It nests them under `shipments`, each under the id that it was sent with (observed by others, 2026-10). What was sent
is echoed into keys, so only a key that is the id of something sent is looked at, and nothing below it.
"""

from __future__ import annotations

from collections.abc import Collection

from pydantic import ValidationError

from bridge.carriers.shipx import wire
from bridge.model import ShipmentId


def named(body: bytes, sent: Collection[ShipmentId]) -> frozenset[ShipmentId]:
    """Give those of the shipments sent that a refusal names; none where it names none, or cannot be read."""
    try:
        details = wire.BulkRefusal.model_validate_json(body).details
    except ValidationError:
        return frozenset()
    entries = [] if details is None else details.shipments
    keys = {key for entry in entries if isinstance(entry, dict) for key in entry}
    return frozenset(one for one in sent if str(one) in keys)
