"""Where in a TOML text a value is written: the parser keeps no lines, so statements are counted."""

from __future__ import annotations

import tomllib
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Path = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Lines:
    """A text, and the lines on which its statements begin and end, counted from 1."""

    text: Sequence[str]
    spans: Sequence[tuple[int, int]]

    def of(self, path: Path) -> int:
        """Say on which line begins the statement that brings a value into being."""
        ends = range(len(self.spans))
        first = bisect_left(ends, True, key=lambda n: written(self._until(n), path) == path)
        return self.spans[min(first, len(self.spans) - 1)][0] if self.spans else 1

    def _until(self, statement: int) -> Mapping[str, Any]:
        return tomllib.loads("\n".join(self.text[: self.spans[statement][1]]))


def lines(text: str) -> Lines:
    """Divide a text that is valid as a whole into its statements."""
    each = text.replace("\r\n", "\n").split("\n")
    return Lines(each, list(_spans(each)))


def written(tree: Mapping[str, Any], path: Path) -> Path:
    """Give as much of a path as there is."""
    found: Any = tree
    for n, part in enumerate(path):
        if isinstance(found, Mapping) and part in found:
            found = found[str(part)]
        elif isinstance(found, list) and isinstance(part, int) and part < len(found):
            found = found[part]
        else:
            return path[:n]
    return path


def name(tree: Mapping[str, Any], path: Path) -> str:
    """Name what is at a path, or missing there: `rules.0.max_price`. One value taken for a list has no number."""
    there = written(tree, path)
    missing = path[len(there) :]
    return ".".join(map(str, there if missing and isinstance(missing[0], int) else path))


def _spans(each: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Give the first and last line of every statement: the fewest lines that can be read by themselves."""
    first = 0
    for last in range(len(each)):
        try:
            found = tomllib.loads("\n".join(each[first : last + 1]))
        except tomllib.TOMLDecodeError:
            continue
        if found:
            yield first + 1, last + 1
        first = last + 1
