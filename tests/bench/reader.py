"""An operator's or a consumer's program that asks the bridge for things, one after the other."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from http.client import HTTPConnection
from statistics import median
from typing import Any
from urllib.parse import quote

from tests.bench.errors import Failed
from tests.bench.server import TOKEN

_PATIENCE_S = 60.0


class Reader:
    """One keep-alive connection with an operator's token."""

    def __init__(self, port: int) -> None:
        self._connection = HTTPConnection("127.0.0.1", port, timeout=_PATIENCE_S)

    def close(self) -> None:
        """Leave."""
        self._connection.close()

    def ask(self, path: str) -> tuple[bytes, float]:
        """Give an answer, and how many milliseconds it took. Raises Failed for any status but 200."""
        began = time.perf_counter()
        self._connection.request("GET", path, headers={"authorization": f"Bearer {TOKEN}"})
        answer = self._connection.getresponse()
        body = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise Failed(f"{path} was answered {answer.status}: {body[:200].decode(errors='replace')}")
        return body, took

    def document(self, path: str) -> Any:
        """Give an answer's JSON."""
        return json.loads(self.ask(path)[0])

    def median(self, paths: Iterable[str]) -> float:
        """Ask for all of these, and give the median of what they took."""
        return median(self.ask(path)[1] for path in paths)

    def pages(self, path: str, most: int) -> list[float]:
        """Walk through pages from the first on, as long as there are full ones, and give what each took."""
        took: list[float] = []
        after: str | None = ""
        while after is not None and len(took) < most:
            body, milliseconds = self.ask(f"{path}&after={quote(after)}")
            took.append(milliseconds)
            after = json.loads(body)["next"]
        return took
