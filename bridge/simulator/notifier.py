"""The way of a notification to the sender: at once, or late, out of order, more than once, or not at all."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import count

from bridge.simulator.documents import Document
from bridge.simulator.notices import name_of, shipment_of
from bridge.simulator.scenario import Webhooks as WebhookTerms
from bridge.simulator.schedule import Schedule
from bridge.simulator.trouble import Trouble
from bridge.simulator.webhooks import WebhookSender


@dataclass(frozen=True, eq=False)
class Letter:
    """A notification on its way; `again` is how many seconds after it the same one comes once more."""

    url: str
    notice: Document
    again: float | None


class Notifier:
    """Hands notifications to the sender, each as its fate wants it."""

    def __init__(self, terms: WebhookTerms, trouble: Trouble, schedule: Schedule, sender: WebhookSender) -> None:
        self._terms = terms
        self._trouble = trouble
        self._schedule = schedule
        self._sender = sender
        self._held: defaultdict[int, list[Letter]] = defaultdict(list)
        self._sent = count(1)

    def announce(self, url: str, notice: Document) -> None:
        """Send one notification, or do with it what was drawn."""
        fate = self._trouble.of_notice(shipment_of(notice), name_of(notice))
        letter = Letter(url, notice, fate.again)
        if fate.missing:
            return
        if fate.held is not None:
            self._hold(letter, fate.held)
        elif fate.delayed is not None:
            self._schedule.after(fate.delayed, lambda: self._send(letter))
        else:
            self._send(letter)

    def _hold(self, letter: Letter, seconds: float) -> None:
        """Keep a notification back until the next one about its shipment is answered, or for so long."""
        held = self._held[shipment_of(letter.notice)]
        held.append(letter)

        def release() -> None:
            if letter in held:
                held.remove(letter)
                self._send(letter)

        self._schedule.after(seconds, release)

    def _send(self, letter: Letter) -> None:
        """Send a notification, those that were held back after it, and it again where it is repeated."""
        held = self._held[shipment_of(letter.notice)]
        waiting = held.copy()
        held.clear()

        def follow() -> None:
            for other in waiting:
                self._send(other)

        self._sender.send(letter.url, letter.notice, then=follow)
        if letter.again is not None:
            self._repeat(letter, letter.again)
        every = self._terms.repeat_every
        if every and next(self._sent) % every == 0:
            self._repeat(letter, self._terms.repeat_after)

    def _repeat(self, letter: Letter, seconds: float) -> None:
        self._schedule.after(seconds, lambda: self._sender.send(letter.url, letter.notice, repeat=True))
