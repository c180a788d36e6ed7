"""A provider's no to a question, as whoever asked it is told."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from bridge.errors import CarrierRefused
from bridge.returns.refusals import ACCOUNT_WIDE, TEMPORARY, UNSENDABLE
from bridge.shipping.returns.desk import told
from bridge.web import bodies
from bridge.web.kinds import BAD_REQUEST, CARRIER_REFUSED, CARRIER_UNAVAILABLE
from bridge.web.problems import Problem

_ACCOUNT_AGAIN_S: Final = 60
"""After so long an account that was refused may be asked for again: a person has to act."""


@contextmanager
def asking() -> Iterator[None]:
    """Make a Problem of a refusal: of the account's as a whole, too, which is no fault of the question."""
    try:
        yield
    except CarrierRefused as refusal:
        raise _problem(refusal) from refusal


def _problem(refusal: CarrierRefused) -> Problem:
    errors = [told(one) for one in refusal.fields]
    if refusal.key == UNSENDABLE:
        return Problem(BAD_REQUEST, bodies.told(errors), errors)
    if refusal.key in ACCOUNT_WIDE | TEMPORARY:
        again = {"retry-after": f"{_ACCOUNT_AGAIN_S}"}
        return Problem(CARRIER_UNAVAILABLE, f"The provider serves the account nothing now: {refusal.key}.", (), again)
    return Problem(CARRIER_REFUSED, f"The provider refused it: {refusal.key}.", errors)
