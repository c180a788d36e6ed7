"""The command `return.cancel`: a provider is asked to call a return off, which its statuses show later, or never.

What no provider was asked for yet is called off with its command. Asking twice changes nothing at the provider.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

import structlog
from pydantic_core import to_jsonable_python
from typing_extensions import TypedDict

from bridge.commands.handling import Ending, Hand, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, refused
from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable
from bridge.events import statuses
from bridge.events.statuses import ReturnStatus
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.model import ClaimedCommand, CommandState, Outcome, Progress
from bridge.ports.return_platform import ReturnPlatform
from bridge.shipping import refusals
from bridge.shipping.attempt import PATIENCE, Attempt
from bridge.shipping.once import Done, Errand, Once, Refused, Unclear
from bridge.shipping.returns.account import NOT_HERE, is_about_the_account, takes_nothing
from bridge.shipping.returns.asked import CancelReturn
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import Maker, PlatformMaker
from bridge.store.returns import Kept, State
from bridge.web.kinds import IN_OTHER_HANDS, NOT_CANCELLABLE, NOT_FOUND, NOT_SUPPORTED

log = structlog.get_logger()

_GAP: Final = timedelta(seconds=0.3)
"""What cannot be sent is tried again every second, and in between nothing of it is on its way."""
_REQUESTED: Final = "cancel_requested"
"""The reason of the status that says so."""
_TOO_LATE: Final = frozenset({"cancellation_time_expired", "can_not_cancel_return"})
_ELSEWHERE: Final[Mapping[str, str]] = {
    "inpost_returns": "InPost Returns calls no ticket off: one that is not used in time expires",
    "szybkie_zwroty": "no call cancels a code that is active: one that is not used in time expires; a code made in"
    " advance can be made useless only before it is activated",
}
_UNCLEAR: Final = "nobody knows whether the provider was asked: its answers were lost; the return's status will show it"


class ShownCancel(TypedDict):
    """What came of calling a return off.

    `requested`: the provider was asked, and the return's state changes when its status shows it; `withdrawn`: no
    provider had been asked to make it; `cancelled`: it was so already.
    """

    return_id: str
    provider: str
    state: State
    cancellation: Literal["requested", "withdrawn", "cancelled"]


class Cancelling:
    """Carries out `return.cancel`."""

    def __init__(self, makers: Mapping[str, Maker], keeping: Keeping, clock: Clock) -> None:
        self._platforms = {name: one.platform for name, one in makers.items() if isinstance(one, PlatformMaker)}
        self._keeping = keeping
        self._clock = clock

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Ask for it, or go on with it. Raises Unreadable."""
        kept = await self._keeping.find(CancelReturn.read(claimed.body).return_id)
        if kept is None:
            return refused(NOT_FOUND.name, "there is no such return here")
        match kept.state:
            case "cancelled":
                return done(**_result(kept, "cancelled"))
            case "failed":
                return refused(NOT_CANCELLABLE.name, "the provider refused to make it, so there is nothing to call off")
            case "pending":
                return await self._withdraw(kept, claimed, hand)
            case "unknown" | "created":
                return await self._ask(kept, claimed, hand)

    async def _withdraw(self, kept: Kept, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Call off what nothing was sent of, with its command; what is being sent just now is waited for, a while."""
        attempt = Attempt.of(claimed.progress.at, self._clock())
        progress = Progress(at=attempt.written())
        found = await hand.step(lambda it: self._keeping.call_off(it, kept.id), lambda _: progress)
        if found is not None:
            return done(**_result(found, "withdrawn"))
        if self._clock() <= attempt.since + PATIENCE:
            return Later(_GAP, progress)
        why = "it is being found out whether it was made: ask again when that is over"
        return refused(IN_OTHER_HANDS.name, why)

    async def _ask(self, kept: Kept, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Ask the provider, if it knows such a thing and it is time."""
        if kept.provider in _ELSEWHERE:
            return refused(NOT_SUPPORTED.name, _ELSEWHERE[kept.provider])
        if kept.state == "unknown":
            why = "nobody knows whether the provider has made it: it can be called off once that is known"
            return refused(NOT_CANCELLABLE.name, why)
        attempt = Attempt.of(claimed.progress.at, self._clock())
        platform = self._platforms.get(kept.connection)
        if platform is None:
            return Outcome(CommandState.unknown, error=_UNCLEAR) if attempt.sent else nothing_sent(NOT_HERE)
        until = kept.cancellable_until
        if not attempt.sent and until is not None and self._clock() > until:
            why = f"it could be called off until {until:%Y-%m-%dT%H:%M:%SZ}"
            return refused(NOT_CANCELLABLE.name, why)
        return await self._asked(kept, platform, hand, attempt)

    async def _asked(self, kept: Kept, platform: ReturnPlatform, hand: Hand, attempt: Attempt) -> Ending:
        async def send() -> bool:
            await platform.cancel(kept.id)
            return True

        errand = Errand(CancelReturn.operation, send, lambda _: _look(kept, platform))
        match await Once(errand, hand, self._clock).run(attempt):
            case Done():
                return done(**_result(kept, "requested"))
            case Refused(refusal):
                if refusal.key in _TOO_LATE and await _was_asked(kept, platform):
                    return done(**_result(kept, "requested"))
                return _no(refusal)
            case Unclear():
                log.warning("return.cancel_unclear", return_id=kept.id)
                return Outcome(CommandState.unknown, error=_UNCLEAR)
            case ending:
                return ending


async def _was_asked(kept: Kept, platform: ReturnPlatform) -> bool:
    """Say whether a no may be one to a repeat; where that cannot be seen, it is a no."""
    try:
        return await _look(kept, platform) is True
    except CarrierError as error:
        log.info("return.look_failed", return_id=kept.id, reason=str(error))
        return False


async def _look(kept: Kept, platform: ReturnPlatform) -> bool | None:
    """Say whether its scans show that somebody asked for it; None where they do not."""
    number = kept.tracking_number
    if number is None:
        found = await platform.find(kept.id, Purpose.cancel)
        number = None if found is None else found.tracking_number
    if number is None:
        return None
    progress = await platform.track(number, Purpose.cancel)
    meanings = [statuses.lookup(kept.provider, one.status) for one in progress.scans]
    if any(one.reason == _REQUESTED or one.returned is ReturnStatus.cancelled for one in meanings):
        return True
    if progress.unread:
        raise CarrierUnavailable("unreadable_scans")
    return None


def _no(refusal: CarrierRefused) -> Outcome:
    if is_about_the_account(refusal):
        return takes_nothing(refusal)
    if refusal.key in _TOO_LATE:
        why = f"the provider does not call it off any more: {refusal.key}"
        return refused(NOT_CANCELLABLE.name, why)
    return refusals.theirs(refusal, [0])[0].outcome


def _result(kept: Kept, cancellation: Literal["requested", "withdrawn", "cancelled"]) -> dict[str, object]:
    shown = ShownCancel(return_id=kept.id, provider=kept.provider, state=kept.state, cancellation=cancellation)
    written: dict[str, object] = to_jsonable_python(shown)
    return written
