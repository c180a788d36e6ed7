"""Connections that take too long to be made: how they end, and what they show of the carrier. In virtual time."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from pydantic import SecretStr

from bridge.carriers.http import CONNECT_S, bounds, make_http
from bridge.carriers.shipx.client import ShipxClient
from bridge.connections.permit import Asked, Permit
from bridge.errors import CarrierUnavailable
from bridge.limits.connection import LEASE_S, Outcome, Purpose, Verdict
from bridge.model import OrganizationId
from bridge.observability import Metrics
from tests.unit.purchasing.virtual_time import LoopClock, in_virtual_time


class OnePermit:
    """A permit as a process holds it, and nobody renews."""

    def __init__(self, clock: LoopClock) -> None:
        asked = Asked(asyncio.get_running_loop().time(), clock())
        self.held = Permit(1, asked, is_probe=False, clock=clock)

    @asynccontextmanager
    async def permit(self, purpose: Purpose, patience_s: float) -> AsyncIterator[Permit]:
        yield self.held


@pytest.mark.parametrize("timeout_s", [10, 120])
def test_a_carrier_that_never_ends_its_handshake_is_given_up_while_the_permit_lasts(timeout_s: float) -> None:
    async def story(port: int) -> None:
        clock, loop = LoopClock(), asyncio.get_running_loop()
        permits, began = OnePermit(clock), loop.time()
        async with make_http(timeout_s=timeout_s, at_once=1) as http:
            client = ShipxClient(
                http,
                base_url=f"https://127.0.0.1:{port}",
                organization=OrganizationId(4821),
                token=SecretStr("token"),
                permits=permits,
                metrics=Metrics(),
                clock=clock,
                version="0",
            )
            with pytest.raises(CarrierUnavailable) as caught:
                await client.organizations()
        assert caught.value.reason == "ConnectTimeout"
        assert loop.time() - began == pytest.approx(CONNECT_S)
        assert (permits.held.outcome, permits.held.ran_out()) == (Outcome(Verdict.unusable), False)

    with socket.create_server(("127.0.0.1", 0)) as silent:  # the system connects, and nobody accepts
        in_virtual_time(story(silent.getsockname()[1]))


def test_connecting_and_tls_together_end_clearly_before_a_permit_does() -> None:
    assert 2 * CONNECT_S <= 0.75 * LEASE_S


@pytest.mark.parametrize(("timeout_s", "connect_s"), [(1, 1), (10, CONNECT_S), (120, CONNECT_S)])
def test_connecting_is_bounded_by_the_call_and_by_the_permit(timeout_s: float, connect_s: float) -> None:
    found = bounds(timeout_s)
    assert (found.connect, found.read, found.write, found.pool) == (connect_s, timeout_s, timeout_s, timeout_s)
