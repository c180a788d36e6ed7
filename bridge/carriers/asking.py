"""Who asks on everybody's behalf: a call waits for its permit, and where the carrier was away, a probe goes first."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Final, Generic, Protocol, TypeVar

from bridge.carriers.answer import Answer
from bridge.errors import CarrierRefused, CarrierUnavailable, NoPermit
from bridge.limits.connection import Purpose
from bridge.ports import Permit, Permits

_UNCONNECTED: Final = frozenset({"ConnectError", "ConnectTimeout", "PoolTimeout"})
"""How the shell names what ended before there was a connection to send anything over."""

T = TypeVar("T")
Call = TypeVar("Call")
Asked = TypeVar("Asked", contravariant=True)


class Caller(Protocol[Asked]):
    """What makes a carrier's calls, each once."""

    @property
    def timeout_s(self) -> float:
        """How long a call may take, and may wait for its permit."""
        ...

    async def make(self, call: Asked, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make a call and give what its answer was read as. Raises CarrierUnavailable or CarrierRefused."""
        ...

    async def probe(self, permit: Permit) -> None:
        """Make a call that is about nothing in particular, and shows whether the carrier is back. Raises as `make`."""
        ...


class Asker(Generic[Call]):
    """Asks over one connection. No call is made twice."""

    def __init__(self, caller: Caller[Call], permits: Permits) -> None:
        self._caller = caller
        self._permits = permits

    async def ask(
        self,
        call: Call,
        read: Callable[[Answer], T],
        purpose: Purpose,
        is_late: Callable[[], bool] = lambda: False,
        *,
        patience_s: float | None = None,
    ) -> T:
        """Wait for a permit and make a call. Where the carrier was away, a probe goes first.

        Without `patience_s` the wait may take as long as a call.
        """
        while True:
            async with self._permits.permit(purpose, patience_s or self._caller.timeout_s) as permit:
                if is_late():
                    raise NoPermit("too_late")
                if not permit.is_probe:
                    return await self._caller.make(call, read, permit)
                await self._probe(permit)

    async def send(self, call: Call, read: Callable[[Answer], T], purpose: Purpose) -> T:
        """Make a call that changes something. NoPermit means that nothing was sent, CarrierUnavailable: in doubt."""
        while True:
            async with self._permits.permit(purpose, self._caller.timeout_s) as permit:
                if not permit.is_probe:
                    return await self._sent(call, read, permit)
                try:
                    await self._probe(permit)
                except CarrierUnavailable as error:
                    raise NoPermit("carrier_away", retry_after=error.retry_after) from None

    async def _sent(self, call: Call, read: Callable[[Answer], T], permit: Permit) -> T:
        """Make a call, and tell what never left from what nobody knows of: without a connection nothing does."""
        try:
            return await self._caller.make(call, read, permit)
        except CarrierUnavailable as error:
            if error.reason in _UNCONNECTED:
                raise NoPermit("not_connected") from None
            raise

    async def _probe(self, permit: Permit) -> None:
        """See whether the carrier is back; that it refuses is an answer, too."""
        with suppress(CarrierRefused):
            await self._caller.probe(permit)
