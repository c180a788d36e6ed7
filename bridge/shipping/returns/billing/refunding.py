"""The command `return.mark_refunded`: the provider is told that a return's customer was paid back.

To tell it twice does no harm, for what is known already is as good: so after a lost answer it is told again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from bridge.commands.handling import Ending, Hand, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent
from bridge.errors import CarrierRefused, FieldProblem
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, Outcome
from bridge.ports.return_platform import ReturnPlatform
from bridge.returns.refusals import ACCOUNT_WIDE, TEMPORARY
from bridge.shipping import refusals
from bridge.shipping.attempt import Attempt
from bridge.shipping.once import Done, Errand, Once, Refused, Unclear
from bridge.shipping.returns.billing.asked import MarkRefunded
from bridge.shipping.returns.billing.document import refunded
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.platforms import Platforms

_UNCLEAR: Final = "nobody knows whether the provider knows: its answers were lost. To tell it again does no harm."
_GONE: Final = "the return, or its provider, is not here any more, so nothing was sent"
_DATE: Final = "date"
_TOO_EARLY: Final = "has_later_date"
"""Something happened to the parcel after the moment that is told: no field is named with it."""


class Refunding:
    """Carries out `return.mark_refunded`."""

    def __init__(self, platforms: Platforms, keeping: Keeping, clock: Clock) -> None:
        self._platforms = platforms
        self._keeping = keeping
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Tell it, or go on with it. Raises Unreadable."""
        asked = MarkRefunded.read(claimed.body)
        kept = await self._keeping.find(asked.return_id)
        platform = None if kept is None else self._platforms.find(kept.connection)
        if kept is None or kept.tracking_number is None or platform is None:
            is_sent = claimed.progress.is_sent
            return Outcome(CommandState.unknown, error=_UNCLEAR) if is_sent else nothing_sent(_GONE)
        attempt = Attempt.of(claimed.progress.at, self._clock())
        at = asked.at or attempt.since
        match await Once(_errand(platform, kept.tracking_number, at), hand, self._clock).run(attempt):
            case Done(at):
                return done(**refunded(kept.id, kept.provider, at))
            case Refused(refusal):
                return _no(refusal)
            case Unclear():
                return Outcome(CommandState.unknown, error=_UNCLEAR)
            case Later() | Outcome() as ending:
                return ending


def _errand(platform: ReturnPlatform, tracking_number: str, at: datetime) -> Errand[datetime]:
    async def send() -> datetime:
        await platform.refunded(tracking_number, at)
        return at

    async def look(_since: datetime) -> None:
        """See nothing: whether its scans show it is not documented."""

    return Errand(MarkRefunded.operation, send, look, absent_after=timedelta(0))


def _no(refusal: CarrierRefused) -> Outcome:
    if refusal.key in ACCOUNT_WIDE | TEMPORARY:
        return nothing_sent(f"the provider takes nothing just now ({refusal.key}), so nothing was done")
    fields = [replace(one, field="at") if one.field == _DATE else one for one in refusal.fields]
    if refusal.key == _TOO_EARLY:
        fields.append(FieldProblem("at", "too_early"))
    told = CarrierRefused(refusal.key, status=refusal.status, fields=fields)
    return refusals.theirs(told, [0])[0].outcome
