"""Refusals that are about no return: of the login, of the whole account, or for the moment."""

from __future__ import annotations

from typing import Final

from bridge.commands.refusing import nothing_sent
from bridge.errors import CarrierRefused
from bridge.model import Outcome
from bridge.returns.refusals import ACCOUNT_WIDE, TEMPORARY

NOT_HERE: Final = "the provider is not set up here any more, so nothing was sent"


def is_about_the_account(refusal: CarrierRefused) -> bool:
    """Say whether it is no no to what was asked: to the login, to the whole account, or one for the moment."""
    return refusal.is_unauthorized or refusal.key in ACCOUNT_WIDE | TEMPORARY


def takes_nothing(refusal: CarrierRefused) -> Outcome:
    """Say that nothing was done, so that it may be asked for again."""
    return nothing_sent(f"the provider takes nothing just now ({refusal.key}), so nothing was done")
