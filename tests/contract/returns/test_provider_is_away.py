"""A provider who cannot be reached, or who says what nobody can read: nothing but the port's errors comes of it."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress

import httpx
import pytest
import structlog

from bridge.errors import CarrierError, CarrierRefused, CarrierUnavailable, NoPermit
from bridge.returns.ticket import Ticket
from tests.contract.returns.providers import Opened
from tests.contract.returns.stage import ProviderStage
from tests.contract.returns.wire import Drip

MANY = 150
JUNK = (
    b"",
    b"\x00",
    b"<",
    b"{",
    b"]]>",
    b"&#0;",
    b"\xff\xfe",
    b"null",
    b"-1",
    b"9" * 400,
    b"<!DOCTYPE a>",
    b"[" * 4000,
)


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("nobody is there", request=request)


def broken_off(request: httpx.Request) -> httpx.Response:
    raise httpx.ReadError("reset", request=request)


def redirected(_: httpx.Request) -> httpx.Response:
    return httpx.Response(307, headers={"location": "https://elsewhere.test/"})


def empty(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200)


def page(_: httpx.Request) -> httpx.Response:
    return httpx.Response(200, text="<!DOCTYPE html><html><body>Maintenance</body></html>")


def strict_page(_: httpx.Request) -> httpx.Response:
    """Answer a page that is XML, too."""
    return httpx.Response(200, text="<html><body><p>Maintenance</p></body></html>")


async def test_without_a_connection_nothing_was_sent(stage: ProviderStage) -> None:
    stage.wire.instead = unreachable
    with pytest.raises(NoPermit):
        await stage.make()
    stage.wire.instead = None
    assert await stage.find() is None


@pytest.mark.parametrize("answer", [broken_off, redirected, empty, page, strict_page])
async def test_what_is_no_answer_leaves_a_write_open(
    answer: Callable[[httpx.Request], httpx.Response], stage: ProviderStage
) -> None:
    stage.wire.instead = answer
    with pytest.raises(CarrierUnavailable) as caught:
        await stage.make()
    assert not isinstance(caught.value, NoPermit)
    assert caught.value.__cause__ is None, "what a library says may quote what came"
    assert len(stage.asked()) == 1, "neither tried again nor sent elsewhere"


@pytest.mark.parametrize("answer", [unreachable, broken_off, redirected, empty, page])
async def test_and_shows_nothing_to_a_read(
    answer: Callable[[httpx.Request], httpx.Response], stage: ProviderStage
) -> None:
    stage.wire.instead = answer
    with pytest.raises(CarrierUnavailable):
        await stage.find()


@pytest.mark.parametrize("kind", ["unavailable", "limited", "failed", "lost", "page", "dropped", "cut"])
async def test_a_read_that_failed_is_made_again_by_whoever_asks(kind: str, stage: ProviderStage) -> None:
    await stage.make()
    await stage.meets(kind, stage.FINDS)
    with pytest.raises(CarrierUnavailable) as caught:
        await stage.find()
    assert caught.value.retry_after == (1.0 if kind == "limited" else None)
    assert await stage.find() is not None


async def test_an_answer_that_was_cut_anywhere_is_none(stage: ProviderStage) -> None:
    await stage.make()
    whole = stage.wire.bodies[-1].rstrip()
    for end in {*range(1, len(whole), max(1, len(whole) // 40)), len(whole) - 1}:
        stage.wire.instead = lambda _, end=end: httpx.Response(200, content=whole[:end])
        with pytest.raises(CarrierUnavailable):
            await stage.make()


async def test_an_answer_with_junk_in_it_is_read_or_refused_or_none(stage: ProviderStage) -> None:
    dice = random.Random(6)
    await stage.make()
    await stage.find()
    for call, body in [(stage.make, stage.wire.bodies[0]), (stage.find, stage.wire.bodies[-1])] * MANY:
        status, junk = dice.choice([200, 200, 200, 201, 204, 400, 404, 409, 422]), spoiled(body, dice)
        stage.wire.instead = lambda _, junk=junk, status=status: httpx.Response(status, content=junk)
        found: Ticket | None = None
        with structlog.testing.capture_logs(), suppress(CarrierError):
            found = await call()
        assert found is None or isinstance(found, Ticket)


async def test_an_answer_without_end_is_not_read_to_it(stage: ProviderStage) -> None:
    drip = Drip(b" " * 2**20, 50)
    stage.wire.instead = lambda _: httpx.Response(200, stream=drip)
    with pytest.raises(CarrierUnavailable, match="too_long"):
        await stage.make()
    assert drip.taken < 40


@pytest.mark.parametrize("coding", ["gzip, gzip", "deflate,identity,gzip"])
async def test_what_was_packed_into_each_other_is_not_unpacked(coding: str, stage: ProviderStage) -> None:
    drip = Drip(b"\x1f\x8b", 50)
    stage.wire.instead = lambda _: httpx.Response(200, stream=drip, headers={"content-encoding": coding})
    with pytest.raises(CarrierUnavailable, match="coded_twice"):
        await stage.make()
    assert drip.taken == 0


async def test_what_is_refused_as_it_is_away_is_no_refusal(opened: Opened) -> None:
    """A page of the edge with 502 says nothing of the return."""
    stage = await opened()
    stage.wire.instead = lambda _: httpx.Response(502, text="<html>Bad gateway</html>")
    with pytest.raises(CarrierUnavailable) as caught:
        await stage.make()
    assert not isinstance(caught.value, CarrierRefused | NoPermit)


def spoiled(body: bytes, dice: random.Random) -> bytes:
    """Put junk into a body, or bytes of it in another place, once or a few times."""
    for _ in range(dice.randint(1, 3)):
        start = dice.randrange(len(body) + 1)
        end = min(len(body), start + dice.choice([0, 0, 1, 8, 60]))
        other = dice.choice([*JUNK, body[end : end + 40], body[:start][-40:]])
        body = body[:start] + other + body[end:]
    return body
