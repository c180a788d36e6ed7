"""What a carrier answered, kept for some seconds: callers that ask the same again cannot use up its calls."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from bridge.errors import CarrierError, CarrierUnavailable

UNKNOWN_S: Final = 2.0
"""How long it is kept that there was no answer."""

Question = TypeVar("Question", bound=Hashable)
Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Kept(Generic[Answer]):
    """What was answered, in a tuple, or a no; whoever comes while it is asked waits for the same answer."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    found: tuple[Answer] | CarrierError | None = None
    until: float = 0.0


class Answers(Generic[Question, Answer]):
    """Answers to at most so many questions, of this process alone. `time` is a monotonic clock in seconds."""

    def __init__(
        self,
        ask: Callable[[Question], Awaitable[Answer]],
        time: Callable[[], float],
        *,
        kept_s: float,
        most: int,
    ) -> None:
        self._ask = ask
        self._time = time
        self._kept_s = kept_s
        self._most = most
        self._kept: OrderedDict[Question, _Kept[Answer]] = OrderedDict()

    async def give(self, question: Question) -> Answer:
        """Give the answer. Raises CarrierRefused or CarrierUnavailable."""
        kept = self._place(question)
        async with kept.lock:
            found = kept.found
            if found is None or self._time() >= kept.until:
                found = kept.found = await self._asked(question)
                kept.until = self._time() + (UNKNOWN_S if isinstance(found, CarrierUnavailable) else self._kept_s)
            if isinstance(found, CarrierError):
                raise found.with_traceback(None)
            return found[0]

    def _place(self, question: Question) -> _Kept[Answer]:
        """Give the place for a question; the ones that were not asked for longest make room."""
        kept = self._kept.setdefault(question, _Kept())
        self._kept.move_to_end(question)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return kept

    async def _asked(self, question: Question) -> tuple[Answer] | CarrierError:
        try:
            return (await self._ask(question),)
        except CarrierError as error:
            return error
