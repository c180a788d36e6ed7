"""Whatever stands anywhere in an answer: it is read, or it is no answer; nothing else ever comes of it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from copy import deepcopy
from typing import Any, Final

import httpx
import pytest
import structlog

from bridge.errors import CarrierUnavailable

from .stage import client_on, sample
from .test_client import CALLS

JUNK: Final[tuple[object, ...]] = (None, False, "", "x\x00y", -1, 10**30, 1e300, [], {}, [[None]], {"a": [{}]})
JUNK_XML: Final = (b"", b"1<y>2</y>3<y/>", b"<![CDATA[-1]]>" + b"9" * 40)
LEAF: Final = re.compile(rb"(?<=>)[^<>]*(?=</)")
Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> Iterator[Path]:
    """Give the way to everything that stands in a document."""
    yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, one in inner:
        yield from places(one, (*path, name))


def spoiled(document: Any, path: Path, junk: Any) -> Any:
    """Put junk in one place."""
    copy = deepcopy(document)
    *way, last = path
    at = copy
    for name in way:
        at = at[name]
    at[last] = junk
    return copy


@pytest.mark.parametrize("method", CALLS)
async def test_junk_anywhere_in_an_answer_is_read_or_is_no_answer(method: str) -> None:
    document = json.loads(sample(f"{method.replace('/', '_')}_answer", "json"))
    body = b""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    async with httpx.AsyncClient(transport=transport) as http:
        client = client_on(http)
        for path in places(document["success"], ("success",)):
            for junk in JUNK:
                body = json.dumps(spoiled(document, path, junk)).encode()
                with structlog.testing.capture_logs(), suppress(CarrierUnavailable):
                    await CALLS[method].call(client)


@pytest.mark.parametrize("method", CALLS)
async def test_so_is_junk_in_any_element(method: str) -> None:
    document = sample(f"{method.replace('/', '_')}_answer", "xml")
    body = b""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, content=body))
    async with httpx.AsyncClient(transport=transport) as http:
        client = client_on(http, "xml")
        for place in LEAF.finditer(document):
            for junk in JUNK_XML:
                body = document[: place.start()] + junk + document[place.end() :]
                with structlog.testing.capture_logs(), suppress(CarrierUnavailable):
                    await CALLS[method].call(client)
