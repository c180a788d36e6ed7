"""What is known of a return's way back: the state that every look at its provider is compared with. Pure.

Who has the parcel follows from the whole history, not from its last word: words that say nothing of it change nothing,
virtual ones (a delay, customs, a refund) never take it from anybody, and a time that ended after it was handed over is
a contradiction.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from pydantic_core import from_json, to_json

from bridge.events.history import Seen, Span, report
from bridge.events.statuses import ReturnStatus, Status

Meaning = Callable[[str], Status]
"""Says what a provider's word means."""

CODE_SCANNED: Final = "code_scanned"
"""A locker knows the code: the parcel may follow, or not."""


class Custody(Enum):
    """Who has the parcel."""

    customer = "customer"
    carrier = "carrier"
    retailer = "retailer"


_CUSTODY: Final[Mapping[ReturnStatus, Custody]] = {
    ReturnStatus.dropped_off: Custody.carrier,
    ReturnStatus.in_transit: Custody.carrier,
    ReturnStatus.at_hub: Custody.carrier,
    ReturnStatus.failed: Custody.carrier,
    ReturnStatus.delivered: Custody.retailer,
}


@dataclass(frozen=True, slots=True)
class Stay:
    """What one span of the history says: `status` is what held from then on, `is_told` whether its word says so.

    `is_contradiction`: it cannot be so after what was before.
    """

    status: ReturnStatus
    is_told: bool
    is_terminal: bool
    is_contradiction: bool = False
    is_handed_over: bool = False


_BEFORE: Final = Stay(ReturnStatus.created, is_told=True, is_terminal=False)
"""How every return begins."""


@dataclass(frozen=True, slots=True)
class ReturnState:
    """The history of a return, with the status that held after each span.

    `is_sent`: the provider says when it was sent, whatever words it was told by.
    """

    spans: tuple[Span, ...] = ()
    statuses: tuple[ReturnStatus, ...] = ()
    is_sent: bool = False

    def report(self, word: str, at: int, meaning: Meaning) -> Seen:
        """See what is new when `word` is reported for second `at`."""
        return report(self.spans, word, at, lambda one: meaning(one).rank)

    @property
    def word(self) -> str | None:
        """The provider's last word."""
        return self.spans[-1].word if self.spans else None

    @property
    def status(self) -> ReturnStatus:
        """The status that holds."""
        return self.statuses[-1] if self.statuses else _BEFORE.status

    def dump(self) -> str:
        """Write the state as the compact text that the store keeps."""
        return to_json([self.spans, self.statuses, self.is_sent]).decode()

    @classmethod
    def load(cls, text: str) -> ReturnState:
        """Read what `dump` wrote; a status of a newer version is unknown to this one."""
        spans, statuses, is_sent, *_newer = from_json(text)
        return cls(tuple(_span(*one) for one in spans), tuple(map(_status, statuses)), is_sent)


NOTHING_SEEN: Final = ReturnState()


def stays(spans: Sequence[Span], meaning: Meaning, *, is_sent: bool) -> tuple[Stay, ...]:
    """Say of each span what held from then on."""
    found, before = list[Stay](), replace(_BEFORE, is_handed_over=is_sent)
    for span in spans:
        before = _after(before, meaning(span.word))
        found.append(before)
    return tuple(found)


def _after(before: Stay, word: Status) -> Stay:
    status = word.returned
    unmoved = replace(before, is_told=False, is_contradiction=False)
    if status is None or word.keep_previous:
        return unmoved
    if word.is_virtual and _custody(status) is not _custody(before.status):
        return unmoved
    if status is ReturnStatus.expired and before.is_handed_over:
        return replace(unmoved, is_contradiction=True)
    is_handed_over = _custody(status) is not Custody.customer and word.reason != CODE_SCANNED
    return Stay(status, True, word.terminal, is_handed_over=before.is_handed_over or is_handed_over)


def _custody(status: ReturnStatus) -> Custody:
    return _CUSTODY.get(status, Custody.customer)


def _status(text: str) -> ReturnStatus:
    return next((one for one in ReturnStatus if one == text), ReturnStatus.unknown)


def _span(word: str, first: int, last: int, occurrence: int, between: Sequence[int] = ()) -> Span:
    return Span(word, first, last, occurrence, tuple(between))
