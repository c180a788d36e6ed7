"""What a carrier's no, or its silence, is to whoever waits for a file."""

from __future__ import annotations

import math
from typing import Final

from bridge.commands.giving import AGAIN_S
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.shipping import refusals
from bridge.shipping.labels.reasons import NO_LABEL, TOKEN, not_yet
from bridge.web.kinds import CARRIER_REFUSED, CARRIER_UNAVAILABLE, LABEL_NOT_READY, NOT_FOUND
from bridge.web.problems import Problem

_NO_SUCH: Final = 404


def problem(error: CarrierError, *, is_bought: bool) -> Problem:
    """Say it over HTTP: 503 where it may be asked again, 404 and 422 where that is of no use."""
    if isinstance(error, CarrierRefused):
        return _refused(error, is_bought=is_bought)
    assert isinstance(error, CarrierUnavailable)
    if error.reason == NO_LABEL:
        return _not_ready(error.reason)
    told = f"The carrier could not be asked: {error.reason}."
    seconds = math.ceil(error.retry_after or AGAIN_S)
    return Problem(CARRIER_UNAVAILABLE, told, headers={"retry-after": f"{seconds}"})


def _refused(refusal: CarrierRefused, *, is_bought: bool) -> Problem:
    why = not_yet(refusal, is_bought=is_bought)
    if why is not None and refusal.status not in TOKEN:
        return _not_ready(why)
    if refusal.status == _NO_SUCH:
        return Problem(NOT_FOUND, "The carrier knows no such shipment.")
    no = refusals.theirs(refusal, [0])[0]
    return Problem(CARRIER_REFUSED, f"{no.why[:1].upper()}{no.why[1:]}.", no.errors)


def _not_ready(why: str) -> Problem:
    told = f"The carrier has no label yet: {why}."
    return Problem(LABEL_NOT_READY, told, headers={"retry-after": f"{AGAIN_S}"})
