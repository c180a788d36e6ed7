"""The command `events.replay`: stored events once more, by the page; whoever takes over goes on after the last one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from bridge.commands.handling import Hand
from bridge.commands.models import ReplayEvents, done, failed, rejected
from bridge.egress.resending import Pace, Resending
from bridge.errors import BrokerError, CursorOfAnotherPast, QueueMissing
from bridge.lifecycle import Stop
from bridge.model import ClaimedCommand, Outcome, Progress
from bridge.ports import Resender
from bridge.store.feed import Filter, encode
from bridge.store.replaying import Selection, Span, SqlReplays

NO_BROKER = "no broker is configured: BRIDGE_AMQP_URL is not set where the role `commands` runs"
EVERYBODY = "bridge.events"


class ReplayedEvents:
    """Carries out `events.replay`. `resender` makes a connection for one replay; None where there is no broker."""

    def __init__(
        self, replays: SqlReplays, resender: Callable[[], Resender] | None, stop: Stop, pace: Pace | None = None
    ) -> None:
        self._replays = replays
        self._resender = resender
        self._stop = stop
        self._pace = pace or Pace()

    async def __call__(self, claimed: ClaimedCommand, hand: Hand) -> Outcome:
        """Send what was asked for. Raises Unreadable."""
        asked = ReplayEvents.read(claimed.body)
        if self._resender is None:
            return rejected(NO_BROKER)
        resender = self._resender()
        sending = Resending(resender, replay=claimed.id, queue=asked.to_queue, stop=self._stop, pace=self._pace)
        try:
            return await self._send(asked, claimed.progress, sending, hand)
        except CursorOfAnotherPast as error:
            return rejected(f"`after` {error}")
        finally:
            sending.close()
            await resender.close()

    async def _send(self, asked: ReplayEvents, before: Progress, sending: Resending, hand: Hand) -> Outcome:
        selection = _selection(asked)
        span = _span(before.at) or await self._replays.span(selection)
        try:
            await sending.send(())  # nothing yet, but there has to be somebody to send to
            while not span.is_over:
                page = await self._replays.page(selection, span)
                await sending.send(page.events)
                span = replace(span, after=page.after)
                await hand.report(Progress(before.done + sending.sent, span.share, _at(span)))
        except BrokerError as error:
            sent, cursor = before.done + sending.sent, encode(span.after)
            if isinstance(error, QueueMissing) and not sent:
                return rejected(str(error))
            return failed(f"{error}; {sent} were sent; go on after the cursor {cursor}", events=sent, cursor=cursor)
        sent, to = before.done + sending.sent, asked.to_queue or EVERYBODY
        return done(events=sent, to=to, cursor=encode(span.last), pruned=span.has_gap)


def _selection(asked: ReplayEvents) -> Selection:
    wanted = Filter(asked.type, asked.subject, asked.organizations or None)
    return Selection(wanted, asked.since, asked.until, asked.after)


def _at(span: Span) -> Mapping[str, object]:
    return {"start": span.start, "after": span.after, "last": span.last, "pruned": span.has_gap}


def _span(at: Mapping[str, Any]) -> Span | None:
    """Go on from what was written down, up to where it was to end when it began."""
    return Span(at["start"], at["after"], at["last"], at.get("pruned", False)) if at else None
