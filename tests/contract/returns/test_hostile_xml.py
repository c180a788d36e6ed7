"""XML from whoever took the provider's place: refused cleanly, in bounded memory, and soon."""

from __future__ import annotations

import re
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from bridge.errors import CarrierUnavailable, NoPermit
from tests.contract.returns.intelligentreturns import IntelligentReturnsXmlStage
from tests.contract.returns.stage import ProviderStage
from tests.contract.returns.szybkie_zwroty import SzybkieZwrotyStage
from tests.contract.returns.wire import Drip

GOOD: dict[type[ProviderStage], bytes] = {
    SzybkieZwrotyStage: b"<paczkomaty><return><code>2991000017</code></return></paczkomaty>",
    IntelligentReturnsXmlStage: b"<success><tracking>526u8we</tracking></success>",
}
VALUES = re.compile(rb"2991000017|526u8we")
"""What is read of them: for the one it is a code, for the other a tracking number."""
Hostile = Callable[[bytes], bytes]


def declared(doctype: bytes, inside: bytes) -> Hostile:
    """Put a document type before, and its entity into what is read."""
    return lambda good: doctype + VALUES.sub(inside, good)


def inside(text: bytes) -> Hostile:
    """Put something else where the value is."""
    return lambda good: VALUES.sub(lambda _: text, good)


LAUGHS = b"<!DOCTYPE a [<!ENTITY e0 'ha'>%s]>" % b"".join(
    b"<!ENTITY e%d '%s'>" % (n, b"&e%d;" % (n - 1) * 10) for n in range(1, 12)
)
HOSTILE: dict[str, Hostile] = {
    "a billion laughs": declared(LAUGHS, b"&e11;"),
    "one long entity, many times": declared(b"<!DOCTYPE a [<!ENTITY e '%s'>]>" % (b"x" * 50_000), b"&e;" * 20_000),
    "a file of ours": declared(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>", b"&e;"),
    "a host of ours": declared(b"<!DOCTYPE a [<!ENTITY e SYSTEM 'http://127.0.0.1:9/'>]>", b"&e;"),
    "an entity with parameters": declared(b"<!DOCTYPE a [<!ENTITY % p SYSTEM 'http://127.0.0.1:9/x.dtd'>%p;]>", b"&e;"),
    "a document type elsewhere": declared(b"<!DOCTYPE a SYSTEM 'http://127.0.0.1:9/x.dtd'>", b"1"),
    "a document type behind a declaration": declared(b"<?xml version='1.0'?>\n<!-- x --><!DOCTYPE a []>", b"1"),
    "UTF-16 with its mark": lambda good: good.decode().encode("utf-16"),
    "UTF-16 without it": lambda good: good.decode().encode("utf-16-le"),
    "UTF-32": lambda good: good.decode().encode("utf-32"),
    "UTF-16 that is none": lambda good: b'<?xml version="1.0" encoding="UTF-16"?>' + good,
    "Latin-1 that says so": lambda good: b'<?xml version="1.0" encoding="ISO-8859-1"?>' + good,
    "Latin-1 that says UTF-8": lambda good: b'<?xml version="1.0" encoding="UTF-8"?>' + inside(b"\xe9\xb1")(good),
    "UTF-7": lambda good: b'<?xml version="1.0" encoding="utf-7"?>' + good.replace(b"<", b"+ADw-"),
    "UTF-8 longer than it need be": inside(b"\xc0\xbcb\xc0\xbe"),
    "cut in the middle": lambda good: good[: len(good) // 2],
    "cut before its end": lambda good: good[:-1],
    "two documents": lambda good: good + good,
    "something behind it": lambda good: good + b"<?php echo 1;",
    "a NUL": inside(b"1\x002"),
    "a NUL behind it": lambda good: good + b"\x00",
    "a reference to a NUL": inside(b"1&#0;2"),
    "half a character": inside(b"1&#xD800;2"),
    "the value twice, and different": lambda good: re.sub(rb"<(code|tracking)>", rb"<\1>1</\1><\1>", good),
    "an element within the value": inside(b"52<b>6u</b>8we"),
    "the value in pieces": inside(b"29<!-- -->91<i/>0001"),
    "a namespace of somebody else's": lambda good: good.replace(b"<", b"<x:").replace(b"<x:/", b"</x:"),
    "nothing": lambda _: b"",
    "JSON": lambda _: b'{"success": {"tracking": "1"}}',
    "deep nesting": inside(b"<a>" * 49_000 + b"1" + b"</a>" * 49_000),
    "nesting without end": lambda good: b"<a>" * 150_000,
    "a million elements": inside(b"<a/>" * 1_100_000),
    "a million attributes": lambda good: b"<a %s/>" % b" ".join(b"a%x=''" % one for one in range(1_010_000)),
    "a million references": inside(b"&lt;" * 1_010_000),
    "a name as long as a book": lambda good: b"<%s/>" % (b"a" * 1_500_000),
    "a comment as long as a book": lambda good: b"<a><!--%s-->" % (b"-x" * 700_000),
}


@pytest.fixture(params=GOOD, ids=["szybkie_zwroty", "intelligentreturns"])
def spoken(request: pytest.FixtureRequest) -> type[ProviderStage]:
    """Each provider that speaks XML."""
    found: type[ProviderStage] = request.param
    return found


@contextmanager
def traced() -> Iterator[Callable[[], int]]:
    """Measure memory: gives how many bytes were taken at the most."""
    tracemalloc.start()
    try:
        yield lambda: tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


async def made(stage: ProviderStage, body: bytes) -> str:
    """Have a return answered like this; say why that is no answer."""
    stage.wire.instead = lambda _: httpx.Response(200, content=body)
    with pytest.raises(CarrierUnavailable) as caught:
        await stage.make()
    assert not isinstance(caught.value, NoPermit)
    assert caught.value.__cause__ is None
    return caught.value.reason


async def test_what_is_changed_is_understood_as_it_is(spoken: type[ProviderStage]) -> None:
    async with spoken() as stage:
        stage.wire.instead = lambda _: httpx.Response(200, content=GOOD[spoken])
        ticket = await stage.make()
    assert "2991000017" in (ticket.code, "") or ticket.tracking_number == "526u8we"


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
async def test_it_is_no_answer_and_quotes_nothing(hostile: Hostile, spoken: type[ProviderStage]) -> None:
    async with spoken() as stage:
        reason = await made(stage, hostile(GOOD[spoken]))
    assert re.fullmatch("[a-z_0-9]{3,40}", reason)


@pytest.mark.parametrize("name", ["a billion laughs", "one long entity, many times", "a million attributes"])
async def test_it_takes_little_more_than_its_own_bytes(name: str, spoken: type[ProviderStage]) -> None:
    body = HOSTILE[name](GOOD[spoken])
    async with spoken() as stage:
        with traced() as peak:
            await made(stage, body)
            assert peak() < 8 * len(body) + 2**20


async def test_fifty_megabytes_are_not_read_to_their_end(spoken: type[ProviderStage]) -> None:
    drip = Drip(b"<a>%s</a>" % (b"x" * 2**20), 50)
    async with spoken() as stage:
        stage.wire.instead = lambda _: httpx.Response(200, stream=drip)
        with pytest.raises(CarrierUnavailable, match="too_long"):
            await stage.make()
    assert drip.taken <= 33


async def test_a_report_like_this_says_nothing_of_what_is_not_in_it(spoken: type[ProviderStage]) -> None:
    """A look that was tampered with must never say that there is no return."""
    async with spoken() as stage:
        await stage.make()
        for hostile in ("a billion laughs", "cut in the middle", "UTF-16 with its mark", "nothing", "JSON"):
            body = HOSTILE[hostile](GOOD[spoken])
            stage.wire.instead = lambda _, body=body: httpx.Response(200, content=body)
            with pytest.raises(CarrierUnavailable):
                await stage.find()
