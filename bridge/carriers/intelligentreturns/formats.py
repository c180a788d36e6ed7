"""The two formats, one of which is spoken over a connection; the client beside them does not know which.

https://returns.returnsplatform.com/api (request and response formats): JSON is what the vendor recommends, XML is there
for older programs.
"""

from __future__ import annotations

from typing import Final, Literal, Protocol

from bridge.carriers.intelligentreturns.json_format import JsonFormat
from bridge.carriers.intelligentreturns.tree import Tree
from bridge.carriers.intelligentreturns.xml_format import XmlFormat

Name = Literal["json", "xml"]


class Format(Protocol):
    """How a request is written and an answer is read."""

    @property
    def name(self) -> Name:
        """What an address ends in."""
        ...

    def write(self, root: str, tree: Tree) -> str:
        """Write a request; `root` is the name of the whole."""
        ...

    def read(self, body: bytes) -> tuple[str, object]:
        """Give the name of an answer (`success`, `error`) and what it holds, unchecked. Raises Unreadable."""
        ...


FORMATS: Final[dict[Name, Format]] = {"json": JsonFormat(), "xml": XmlFormat()}
