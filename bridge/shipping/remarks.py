"""The commands about comments on an order: one is added once, and what one says may be said again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Final

from bridge.commands.handling import Ending, Hand, Later
from bridge.commands.models import done
from bridge.commands.refusing import nothing_sent, unprocessable
from bridge.dispatch.asked import AboutDispatchOrder, AddDispatchComment, ChangeDispatchComment
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.model import ClaimedCommand, CommandState, CommentId, DispatchOrderId, OrganizationId, Outcome, Progress
from bridge.ports.shipping import Dispatcher
from bridge.shipping import refusals
from bridge.shipping.attempt import AGAIN, PATIENCE, Attempt
from bridge.shipping.once import Came, Done, Errand, Once, Refused, Unclear

_SHOWS_WITHIN: Final = timedelta(minutes=1)
_BEFORE: Final = "before"
_UNCLEAR: Final = "nobody knows whether the carrier has the comment: its answers were lost, and no read shows it"


class Remarks:
    """Carries out `dispatch_order.add_comment` and `dispatch_order.change_comment`."""

    def __init__(self, dispatchers: Mapping[OrganizationId, Dispatcher], clock: Clock) -> None:
        self._dispatchers = dispatchers
        self._clock = clock

    async def add(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Add a comment. Raises Unreadable."""
        asked = AddDispatchComment.read(claimed.body)
        dispatcher = self._dispatcher(asked)
        if isinstance(dispatcher, Outcome):
            return dispatcher
        order, attempt = DispatchOrderId(asked.dispatch_order_id), Attempt.of(claimed.progress.at, self._clock())
        before = claimed.progress.at.get(_BEFORE)
        if not isinstance(before, list):
            try:
                before = list((await dispatcher.read(order)).comments)
            except CarrierRefused as refusal:
                return refusals.of_one(refusal).outcome
            except CarrierUnavailable as error:
                return self._unread(attempt, error)
        errand = _adding(dispatcher, order, asked.comment, before)
        return _ended(order, await Once(errand, hand, self._clock).run(attempt))

    async def change(self, claimed: ClaimedCommand, hand: Hand) -> Ending:
        """Change a comment: to say the same twice does no harm, so a lost answer only means to say it again."""
        asked = ChangeDispatchComment.read(claimed.body)
        dispatcher = self._dispatcher(asked)
        if isinstance(dispatcher, Outcome):
            return dispatcher
        order, comment = DispatchOrderId(asked.dispatch_order_id), CommentId(asked.comment_id)

        async def send() -> CommentId:
            await dispatcher.update_comment(order, comment, asked.comment)
            return comment

        errand = Errand("dispatch_order.change_comment", send, _nothing, timedelta(0))
        came = await Once(errand, hand, self._clock).run(Attempt.of(claimed.progress.at, self._clock()))
        return _ended(order, came)

    def _dispatcher(self, asked: AboutDispatchOrder) -> Dispatcher | Outcome:
        organization = refusals.organization(asked.organization_id, self._dispatchers)
        if not isinstance(organization, int):
            return unprocessable([organization])
        return self._dispatchers[organization]

    def _unread(self, attempt: Attempt, error: CarrierUnavailable) -> Ending:
        """Wait for a carrier that does not show the order as it is now; nothing was sent yet."""
        if self._clock() > attempt.since + PATIENCE:
            return nothing_sent(f"the carrier could not be asked ({error}), so nothing was sent")
        return Later(AGAIN, Progress(0, None, attempt.written()))


def _adding(dispatcher: Dispatcher, order: DispatchOrderId, text: str, before: Collection[object]) -> Errand[CommentId]:
    """Have a comment added: where the answer is lost, it is the one that was not there before."""

    async def send() -> CommentId:
        return await dispatcher.add_comment(order, text)

    async def look(_since: datetime) -> CommentId | None:
        new = [one for one in (await dispatcher.read(order)).comments if one not in before]
        return min(new, default=None)

    return Errand("dispatch_order.add_comment", send, look, _SHOWS_WITHIN, noted={_BEFORE: list(before)})


async def _nothing(_since: datetime) -> None:
    """See nothing: no read shows what a comment says."""


def _ended(order: DispatchOrderId, came: Came[CommentId]) -> Ending:
    match came:
        case Done(comment):
            return done(dispatch_order_id=order, comment_id=comment)
        case Refused(refusal):
            return refusals.of_one(refusal).outcome
        case Unclear():
            return Outcome(CommandState.unknown, error=_UNCLEAR)
        case Later() | Outcome() as ending:
            return ending
