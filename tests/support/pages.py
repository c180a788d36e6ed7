"""What documents say that can be looked up: blocks that are run, files they show, links, headings, code.

A page is read once; no test writes one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

_RUN: Final = re.compile(r"^<!-- run: (?P<name>[^\n]+) -->\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE: Final = re.compile(r"^<!-- file: (?P<name>[^\n]+) -->\n+```\w+\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_FENCED: Final = re.compile(r"^ *```(?P<language>\w*)\n(?P<text>.*?)^ *```$", re.MULTILINE | re.DOTALL)
_SPAN: Final = re.compile(r"`([^`]+)`")
_LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
_HEADING: Final = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def blocks(page: Path) -> dict[str, str]:
    """Give the blocks that a page wants run, by name, in its order: `<!-- run: NAME -->` stands before each."""
    return {found["name"]: found["text"] for found in _RUN.finditer(_text(page))}


def shown_files(page: Path) -> dict[Path, str]:
    """Give what a page shows of files, by their path: `<!-- file: PATH -->`, relative to the page, before each."""
    return {page.parent / found["name"]: found["text"] for found in _FILE.finditer(_text(page))}


def links(page: Path) -> Iterator[tuple[Path, str]]:
    """Give the places in the repository that a page points to: a path, and an anchor that may be empty."""
    for target in _LINK.findall(_SPAN.sub("", _prose(page))):
        path, _, anchor = target.partition("#")
        if "://" not in target and not target.startswith("mailto:"):
            yield ((page.parent / path).resolve() if path else page), anchor


@cache
def anchors(page: Path) -> frozenset[str]:
    """Give what can stand behind `#`: every heading as GitHub writes it, with a number where it comes again."""
    times = Counter[str]()
    found = set()
    for heading in _HEADING.findall(_prose(page)):
        words = re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading).lower())
        name = words.strip().replace(" ", "-")
        found.add(f"{name}-{times[name]}" if times[name] else name)
        times[name] += 1
    return frozenset(found)


def command_lines(page: Path, program: str) -> Iterator[str]:
    """Give every command line of a program, from blocks for a shell and from code within a sentence."""
    shell = (found["text"] for found in _FENCED.finditer(_text(page)) if found["language"] in ("sh", ""))
    lines = (line for text in shell for line in text.replace("\\\n", " ").splitlines())
    for text in (*lines, *(" ".join(span.split()) for span in _SPAN.findall(_prose(page)))):
        bare = re.sub(r"\$\([^)]*\)", "X", re.sub(r" #.*$| *>.*$", "", text))
        for part in re.split(r" (?:\||&&|&)(?: |$)|; ?", bare):
            words = re.sub(r"^(?:[A-Z_]+=\S* |until |\.venv/bin/)*", "", part.strip())
            if words.startswith(f"{program} "):
                yield words


def _prose(page: Path) -> str:
    return _FENCED.sub("", _text(page))


@cache
def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")
