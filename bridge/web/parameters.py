"""What a request is told beside its body: each parameter is described, and read, by the same value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Generic, Literal, TypeVar

from starlette.requests import Request

from bridge.web.problems import bad_field

T = TypeVar("T")
Word = TypeVar("Word", bound=str)
NUMBER: Final[Mapping[str, object]] = {"type": "integer", "minimum": 1, "maximum": 10**18 - 1}
"""One of the carrier's numbers."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as it is described: `told` says what it means, `schema` is JSON Schema."""

    name: str
    told: str
    schema: Mapping[str, object]
    place: Literal["path", "query", "header"] = "path"
    is_required: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Query(Parameter, Generic[T]):
    """A parameter that stands in the query, or nowhere. `parse` raises a Problem for what it cannot be."""

    place: Literal["path", "query", "header"] = "query"
    is_required: bool = False
    parse: Callable[[str], T]
    usual: T

    def read(self, request: Request) -> T:
        """Read it. Raises a Problem."""
        text = request.query_params.get(self.name)
        return self.usual if text is None else self.parse(text)


def limit(*, usual: int, most: int) -> Query[int]:
    """Make the parameter that says how many rows a list answers at once."""

    def parse(text: str) -> int:
        if not text.isascii() or not text.isdecimal() or len(text) > 9 or not 1 <= int(text) <= most:
            raise bad_field("limit", "out_of_range", f"must be a number from 1 to {most}")
        return int(text)

    schema = {"type": "integer", "minimum": 1, "maximum": most, "default": usual}
    return Query("limit", "How many at once.", schema, parse=parse, usual=usual)


def choice(name: str, told: str, words: Sequence[Word]) -> Query[Word | None]:
    """Make a parameter that is one of a few words."""

    def parse(text: str) -> Word:
        for word in words:
            if text == word:
                return word
        raise bad_field(name, "unknown_value", f"must be one of {', '.join(words)}")

    return Query(name, told, {"type": "string", "enum": list(map(str, words))}, parse=parse, usual=None)


def text(name: str, told: str) -> Query[str | None]:
    """Make a parameter that is taken as it comes."""
    return Query(name, told, {"type": "string"}, parse=str, usual=None)


def cursor(parse: Callable[[str], T]) -> Query[T | None]:
    """Make the parameter that a list goes on after: what it said in `next`. `parse` reads it, and raises a Problem."""
    told = "Go on after this cursor: `next` of the page before. Empty: from the beginning."
    return Query("after", told, {"type": "string"}, parse=lambda found: parse(found) if found else None, usual=None)
