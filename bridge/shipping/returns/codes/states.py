"""What is said of a code that is not there to be used."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.commands.refusing import refused
from bridge.model import Outcome
from bridge.store.spare_codes import Spare, SpareState
from bridge.web.kinds import IN_OTHER_HANDS, NOT_INACTIVE

_WHY: Final[Mapping[SpareState, str]] = {
    "active": "it is active already, for the return {return_id}; it lapses when it is not used in time",
    "invalidated": "it was made useless",
    "unknown": "nobody knows whether it is active: activate it again, and that is found out",
}


def not_inactive(spare: Spare) -> Outcome:
    """Refuse what only an inactive code is for."""
    if spare.state == "activating":
        return at_it()
    return refused(NOT_INACTIVE.name, _WHY[spare.state].format(return_id=spare.return_id))


def at_it() -> Outcome:
    """Refuse what another command is at."""
    return refused(IN_OTHER_HANDS.name, "another command is at this code just now")
