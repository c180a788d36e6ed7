"""A transaction pooler in front of PostgreSQL, as PgBouncer is one: each transaction may meet another server session.

It speaks just enough of the protocol to see where a transaction ends, and takes the next session in turn for every
transaction, so that whatever was kept in a session is gone at once.
https://www.postgresql.org/docs/current/protocol-flow.html
"""

from __future__ import annotations

import asyncio
import struct
from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import Final, Self


def _packed(kind: bytes, body: bytes) -> bytes:
    """Write one message."""
    return kind + struct.pack("!i", len(body) + 4) + body


_GREETING: Final = b"".join(
    (
        _packed(b"R", struct.pack("!i", 0)),  # authenticated
        _packed(b"S", b"server_version\x0015.0\x00"),
        _packed(b"S", b"client_encoding\x00UTF8\x00"),
        _packed(b"Z", b"I"),
    )
)
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Pooler:
    """Listens on a port of its own. `sessions` are all that every client shares, `transactions` counts what passed."""

    def __init__(self, host: str, port: int, database: str, *, sessions: int = 3) -> None:
        self._host, self._server_port, self._database = host, port, database
        self._number = sessions
        self._free: asyncio.Queue[Streams] = asyncio.Queue()
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self.transactions = 0
        self.met: dict[int, set[int]] = {}
        """Which sessions each client has met."""

    async def __aenter__(self) -> Self:
        for _ in range(self._number):
            self._free.put_nowait(await self._session())
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        for writer in self._clients:
            writer.close()
        await self._server.wait_closed()
        while not self._free.empty():
            self._free.get_nowait()[1].close()

    @property
    def url(self) -> str:
        """Where clients connect."""
        assert self._server is not None
        port = self._server.sockets[0].getsockname()[1]
        return f"postgresql://postgres@127.0.0.1:{port}/{self._database}"

    async def _session(self) -> Streams:
        """Open a server session, and read until it is ready."""
        reader, writer = await asyncio.open_connection(self._host, self._server_port)
        parameters = b"user\0postgres\0database\0" + self._database.encode() + b"\0\0"
        writer.write(struct.pack("!ii", len(parameters) + 8, 3 << 16) + parameters)
        while (await _message(reader))[:1] != b"Z":
            pass
        return reader, writer

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            await _greet(reader, writer)
            held: Streams | None = None
            waiting: deque[bytes] = deque()
            while (message := await _message(reader))[:1] != b"X":
                waiting.append(message)
                if message[:1] not in b"QS":  # whatever else comes is answered only after a Sync
                    continue
                if held is None:
                    held = await self._free.get()
                    self.met.setdefault(id(writer), set()).add(id(held))
                held[1].write(b"".join(waiting))
                waiting.clear()
                if await _answers(held[0], writer) == b"I":
                    self.transactions += 1
                    self._free.put_nowait(held)
                    held = None
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._clients.discard(writer)
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()


async def _message(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readexactly(5)
    return head + await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)


async def _greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Take the startup message, decline encryption, and say that everything is well."""
    while True:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        (kind,) = struct.unpack("!i", (await reader.readexactly(size - 4))[:4])
        if kind >> 16 == 3:
            writer.write(_GREETING)
            return
        writer.write(b"N")  # neither SSL nor GSS


async def _answers(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bytes:
    """Pass on what the server says until it is ready, and give the state of its transaction."""
    while True:
        message = await _message(reader)
        writer.write(message)
        if message[:1] == b"Z":
            return message[5:]
