"""Answers read off a connection, as much of them as a stranger cares for."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Final

_MOST_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Answer:
    """A status, and the body where it is small and its length is told."""

    status: int
    content_type: bytes
    body: bytes


async def read(reader: asyncio.StreamReader, *, has_body: bool) -> Answer | None:
    """Read the next answer, past interim ones; None where the connection ends without one. Raises OSError."""
    status = 100
    while status < 200:
        try:
            lines = (await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            return None
        words = lines[0].split(b" ", 2)
        if len(words) < 2 or not words[0].startswith(b"HTTP/") or not words[1].isdigit():
            return None
        status = int(words[1])
    headers = dict(_field(line) for line in lines[1:] if line)
    length = int(headers.get(b"content-length", b"0"))
    try:
        body = await reader.readexactly(length) if has_body and length <= _MOST_BYTES else b""
    except asyncio.IncompleteReadError:
        return None
    return Answer(status, headers.get(b"content-type", b""), body)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, _, value = line.partition(b":")
    return name.strip().lower(), value.strip()
