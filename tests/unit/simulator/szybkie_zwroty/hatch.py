"""The hatch where codes are ordered: what a test says to Szybkie Zwroty, and what it hears."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree.ElementTree import Element

import httpx
from defusedxml.ElementTree import fromstring

from ..stage import Json, Stage

SAMPLES = Path(__file__).parents[3] / "samples" / "szybkie_zwroty"
PREFIX = "/szybkie-zwroty"
ACCOUNT: Json = {"email": "zwroty@example.com", "password": "secret"}
ORDER: Mapping[str, str] = {
    "rma": "RMA1",
    "packType": "B",
    "expirationDate": "2026-04-10T11:00:00",
    "senderPhone": "500600700",
    "senderEmail": "ewa@example.com",
    "returnDescription1": "Order & 312",
}


def sample(name: str) -> str:
    """Read one sample."""
    return (SAMPLES / f"{name}.xml").read_text(encoding="utf-8")


def written(section: Mapping[str, str], name: str = "paczkomaty") -> str:
    """Write a section."""
    inner = "".join(f"<{key}>{text.replace('&', '&amp;')}</{key}>" for key, text in section.items())
    return f"<{name}>{inner}</{name}>"


def read(body: str) -> Element:
    """Read an answer as one has to: elements named by numbers are no XML."""
    return fromstring(re.sub(r"<(/?)(\d+)>", r"<\1item_\2>", body).encode())


class Hatch:
    """A stage, and a login."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage

    async def call(self, function: str, content: str, **login: str) -> httpx.Response:
        form = {**ACCOUNT, "content": content, **login}
        return await self.stage.client.post(f"{PREFIX}/", params={"do": function}, data=form)

    async def answered(self, function: str, content: str) -> Element:
        """Call, and read the answer, which is no refusal."""
        answer = await self.call(function, content)
        document = read(answer.text)
        assert document.find(".//error") is None, answer.text
        return document

    async def error(self, function: str, content: str, **login: str) -> str:
        """Call, and give the text of the refusal, which comes with 200."""
        answer = await self.call(function, content, **login)
        assert answer.status_code == 200
        return read(answer.text).findtext("error") or ""

    async def generated(self, **changes: str) -> str:
        """Give a new active code."""
        document = await self.answered("revloggenerateactivecode", written({**ORDER, **changes}))
        return document.findtext("return/code") or ""

    async def stocked(self, number: int = 1) -> list[str]:
        """Give new inactive codes."""
        document = await self.answered("revloggenerateinactivecodes", written({"numberOfCodes": str(number)}))
        return [one.text or "" for one in document.findall("return/*/code")]

    async def reported(self, content: str = "<paczkomaty/>") -> list[str]:
        """Give the codes of the report."""
        document = await self.answered("revloggetreport", content)
        return [one.text or "" for one in document.findall("return/*/code")]

    async def row(self, code: str) -> dict[str, str]:
        """Give a code's row of the report."""
        document = await self.answered("revloggetreport", written({"code": code}))
        return {one.tag: one.text or "" for one in document.find("return/item_0") or []}

    async def move(self, code: str, status: str) -> int:
        path = f"/_control/szybkie-zwroty/codes/{code}/statuses"
        return (await self.stage.client.post(path, json={"status": status})).status_code

    async def deeds(self) -> Json:
        counts = (await self.stage.control("deeds"))["counts"]
        assert isinstance(counts, dict)
        return counts
