"""What a carrier's no, or its silence, is to whoever waits for a label: for now, or for good."""

from __future__ import annotations

from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.shipping.labels.reasons import NO_LABEL, not_yet
from bridge.web.kinds import LABEL_NOT_READY
from bridge.web.problems import CARRIER_AGAIN_S, Problem


def told(error: CarrierError, *, is_bought: bool) -> CarrierError | Problem:
    """Give what is to be raised: that there is no label yet, or the error as it is."""
    why = _missing(error, is_bought=is_bought)
    if why is None:
        return error
    again = {"retry-after": f"{CARRIER_AGAIN_S}"}
    return Problem(LABEL_NOT_READY, f"The carrier has no label yet: {why}.", headers=again)


def _missing(error: CarrierError, *, is_bought: bool) -> str | None:
    """Say in a word why there is no label yet; None where it is about something else."""
    match error:
        case CarrierUnavailable(reason=reason):
            return reason if reason == NO_LABEL else None
        case CarrierRefused(is_unauthorized=False):
            return not_yet(error, is_bought=is_bought)
        case _:
            return None
