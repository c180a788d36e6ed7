"""The platform: what a test says to Intelligentreturns, in both formats, and what it hears."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

import httpx
from defusedxml.ElementTree import fromstring

from ..stage import Json, Stage, as_object

SAMPLES = Path(__file__).parents[3] / "samples" / "intelligentreturns"
PREFIX = "/intelligentreturns"
ACCOUNT: Json = {"login": "shop", "api_key": "secret"}
ITEM: Json = {"sku_code": "SKU-1", "sku_desc": "Shirt", "quantity": 2, "price": "10.00"}
ORDER: Json = {"order_reference": "A-1", "order_date": "2026/03/01", "currency_code": "EUR", "item": [ITEM]}
RETURN: Json = {
    "order_reference": "A-1",
    "service_id": 243,
    "name": "Ewa Testowa",
    "email": "ewa@example.com",
    "country": "PL",
    "zip": "00-838",
    "city": "Warszawa",
    "addr1": "Prosta 10",
}


def sample(name: str, form: str) -> str:
    """Read one sample."""
    return (SAMPLES / f"{name}.{form}").read_text(encoding="utf-8")


class Platform:
    """A stage, and a login."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def post(self, method: str, request: str, form: str = "json", **fields: str) -> httpx.Response:
        sent = {**ACCOUNT, "request": request, **fields}
        return await self.stage.client.post(f"{PREFIX}/{method}/{form}", data=sent)

    async def call(self, method: str, root: str, **values: Any) -> Json:
        """Call in JSON."""
        answer = await self.post(method, json.dumps({root: values}))
        assert answer.status_code == 200
        return as_object(answer)

    async def done(self, method: str, root: str, **values: Any) -> Json:
        """Call, and give what stands under `success`."""
        answer = await self.call(method, root, **values)
        assert "success" in answer, answer
        success = answer["success"]
        assert isinstance(success, dict)
        return success

    async def code(self, method: str, root: str, **values: Any) -> str:
        """Call, and give the code of the error."""
        answer = await self.call(method, root, **values)
        assert isinstance(answer["error"]["message"], list)
        return str(answer["error"]["code"])

    async def booked(self, **changes: Any) -> str:
        """Give the tracking number of a new return."""
        return str((await self.done("returns/create", "return", **{**RETURN, **changes}))["tracking"])

    async def ids(self) -> list[int]:
        """List the ids of all returns, by the control API."""
        return [one["id"] for one in (await self.stage.control("intelligentreturns/returns"))["items"]]

    async def move(self, status: str, ago: float = 0, place: int = 0) -> None:
        """Let the nth return have an event."""
        path = f"/_control/intelligentreturns/returns/{(await self.ids())[place]}/statuses"
        answer = await self.stage.client.post(path, json={"status": status, "ago": ago})
        assert answer.status_code == 200, answer.text

    async def refuse(self, method: str, code: str, **more: Any) -> None:
        path = "/_control/intelligentreturns/refusals"
        answer = await self.stage.client.post(path, json={"method": method, "code": code, **more})
        assert answer.status_code == 204, answer.text

    async def deeds(self) -> Json:
        counts = (await self.stage.control("deeds"))["counts"]
        assert isinstance(counts, dict)
        return counts


def lacking(expected: object, actual: object, at: str = "$") -> Iterator[str]:
    """Name what a sample has and an answer has not; of a list the first entry stands for all."""
    if isinstance(expected, dict) and isinstance(actual, dict):
        yield from (f"{at}.{key}" for key in expected.keys() - actual.keys())
        for key in expected.keys() & actual.keys():
            yield from lacking(expected[key], actual[key], f"{at}.{key}")
    elif isinstance(expected, list) and isinstance(actual, list) and expected and actual:
        yield from lacking(expected[0], actual[0], f"{at}[]")
    elif isinstance(expected, dict | list) and not isinstance(actual, dict | list | bool):
        yield f"{at}: {type(actual).__name__}"


def paths_of(element: Element, at: str = "") -> set[str]:
    """Name every element by its path."""
    here = f"{at}/{element.tag}"
    return {here}.union(*(paths_of(child, here) for child in element))


def read(body: str) -> Element:
    return fromstring(body.encode())
