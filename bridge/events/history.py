"""The statuses a parcel went through, in the order of its life, whatever the order in which we learned of them.

Tracking is no state machine: scans are skipped, arrive late, repeat, and share a second. A status is a *span* between
the first and the last moment at which it was reported with nothing else in between; each span is one occurrence and
one fact.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

Rank = Callable[[str], tuple[int, int]]
"""Orders words reported for the same second: further along is later."""

MOST_SPANS = 500
"""More than any parcel has; a stream of forged words must not grow a row for ever."""


MOST_BETWEEN = 16
"""How many repeats inside a span are remembered; past that, a span may be parted in the wrong place, never lost."""


class Span(NamedTuple):
    """One stay in one status: seconds since 1970 of its first and last report, and which stay of this word it is.

    `between` are the seconds of the repeats inside: a late report of another word may show that they were two stays.
    """

    word: str
    first: int
    last: int
    occurrence: int
    between: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Seen:
    """The history after a report, and the places in it of spans that are new: facts nobody was told yet."""

    spans: tuple[Span, ...]
    new: tuple[int, ...]


def report(spans: tuple[Span, ...], word: str, at: int, rank: Rank) -> Seen:
    """Take in that `word` was reported for second `at`."""
    for index, span in enumerate(spans):
        if span.word == word and span.first <= at <= span.last:
            return Seen(_widened(spans, index, at), ())
    place = _place(spans, word, at, rank)
    before = spans[place - 1] if place else None
    after = spans[place] if place < len(spans) else None
    if before and (before.last, rank(before.word)) > (at, rank(word)):
        return _split(spans, place - 1, word, at, rank)
    if before and before.word == word:
        return Seen(_widened(spans, place - 1, at), ())
    if after and after.word == word:
        return Seen(_widened(spans, place, at), ())
    span = Span(word, at, at, _next_occurrence(spans, word))
    return Seen((*spans[:place], span, *spans[place:]), (place,))


def is_full(spans: Sequence[Span]) -> bool:
    """Say whether another span could be one too many (a report adds two at most)."""
    return len(spans) + 2 > MOST_SPANS


def _place(spans: tuple[Span, ...], word: str, at: int, rank: Rank) -> int:
    mine = (at, rank(word))
    return sum(1 for span in spans if (span.first, rank(span.word)) <= mine)


def _split(spans: tuple[Span, ...], place: int, word: str, at: int, rank: Rank) -> Seen:
    """Put another word into the middle of a span: what looked like one stay was two."""
    whole = spans[place]
    order = rank(whole.word)
    earlier = [second for second in _seconds(whole) if (second, order) <= (at, rank(word))]
    later = [second for second in _seconds(whole) if (second, order) > (at, rank(word))]
    early = _span(whole.word, earlier, whole.occurrence)
    middle = _span(word, [at], _next_occurrence(spans, word))
    late = _span(whole.word, later, _next_occurrence(spans, whole.word))
    return Seen((*spans[:place], early, middle, late, *spans[place + 1 :]), (place + 1, place + 2))


def _span(word: str, seconds: Sequence[int], occurrence: int) -> Span:
    return Span(word, seconds[0], seconds[-1], occurrence, tuple(seconds[1:-1][-MOST_BETWEEN:]))


def _seconds(span: Span) -> list[int]:
    return sorted({span.first, *span.between, span.last})


def _widened(spans: tuple[Span, ...], place: int, at: int) -> tuple[Span, ...]:
    """Let a span take in one more report of its word."""
    span = spans[place]
    wider = _span(span.word, sorted({*_seconds(span), at}), span.occurrence)
    return (*spans[:place], wider, *spans[place + 1 :])


def _next_occurrence(spans: tuple[Span, ...], word: str) -> int:
    return 1 + sum(1 for span in spans if span.word == word)
