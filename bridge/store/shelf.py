"""Where the content of labels lies: among what is sealed in the database, or in a folder. Encrypted in both.

A file is there before the row that names it, and goes before that row does: where a row is left without its file, the
label counts as not kept, and is fetched again.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol
from uuid import uuid4

import structlog

from bridge.errors import KeyMissing, StoreUnavailable
from bridge.store import sealed
from bridge.store.database import Database, Transaction, Unit, marks
from bridge.store.sealed import Vault

log = structlog.get_logger()


class Shelf(Protocol):
    """Keeps contents under their names (`store.labels.content_of`)."""

    async def put(self, name: str, content: bytes) -> Unit[None]:
        """Make a content ready; it is kept once the unit that this gives was part of a commit.

        Raises StoreUnavailable.
        """
        ...

    async def get(self, name: str) -> bytes | None:
        """Give a content; None where it is not there, or no key opens it. Raises StoreUnavailable."""
        ...

    def drop(self, transaction: Transaction, names: Sequence[str]) -> None:
        """Delete contents, as part of a transaction."""
        ...


class SealedShelf:
    """In the database."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database = database
        self._vault = vault

    async def put(self, name: str, content: bytes) -> Unit[None]:
        return lambda transaction: sealed.keep(transaction, self._vault, [(name, content)])

    async def get(self, name: str) -> bytes | None:
        sql = "SELECT key_id, data FROM sealed WHERE owner = ?"
        rows = await self._database.read(lambda transaction: transaction.run(sql, (name,)))
        return _opened(self._vault, name, *rows[0]) if rows else None

    def drop(self, transaction: Transaction, names: Sequence[str]) -> None:
        drop_sealed(transaction, names)


def drop_sealed(transaction: Transaction, names: Sequence[str]) -> None:
    """Delete what is sealed under these names."""
    transaction.run(f"DELETE FROM sealed WHERE owner IN ({marks(names)})", names)


class FolderShelf:
    """In a folder that every process of the bridge sees: a file holds the id of its key, and what that sealed."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault

    def prepare(self) -> None:
        """Make the folder, and see whether files can be written there. Raises OSError."""
        self._folder.mkdir(mode=_ONLY_OURS, parents=True, exist_ok=True)
        probe = self._folder / f".{uuid4()}"
        probe.touch()
        probe.unlink()

    async def put(self, name: str, content: bytes) -> Unit[None]:
        key_id, data = self._vault.seal(name, content)
        try:
            await asyncio.to_thread(write_whole, self._path(name), key_id.encode() + _END + data)
        except OSError as error:
            raise StoreUnavailable(f"a label cannot be written to its folder: {error.strerror}") from error
        return _nothing

    async def get(self, name: str) -> bytes | None:
        try:
            found = await asyncio.to_thread(self._path(name).read_bytes)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StoreUnavailable(f"a label cannot be read from its folder: {error.strerror}") from error
        key_id, _, data = found.partition(_END)
        return _opened(self._vault, name, key_id.decode("ascii", "replace"), data)

    def drop(self, _transaction: Transaction, names: Sequence[str]) -> None:
        for name in names:
            try:
                self._path(name).unlink(missing_ok=True)
            except OSError as error:  # the row goes all the same: nobody could ever delete what nothing names
                log.warning("labels.file_not_deleted", reason=error.strerror)

    def _path(self, name: str) -> Path:
        """Say which file it is: `label/4821/60303a…` lies in `4821/60`, so that no folder holds too many."""
        _, organization, digest = name.split("/")
        return self._folder / organization / digest[:2] / digest


_END: Final = b"\n"
_ONLY_OURS: Final = 0o700


def write_whole(path: Path, data: bytes) -> None:
    """Have a file there as a whole or not at all, and on disk, for nobody else to read. Raises OSError."""
    path.parent.mkdir(mode=_ONLY_OURS, parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.{uuid4()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _opened(vault: Vault, name: str, key_id: str, data: bytes) -> bytes | None:
    try:
        return vault.open(name, key_id, data)
    except KeyMissing as error:
        log.warning("labels.sealed", reason=str(error))
        return None


def _nothing(_transaction: Transaction) -> None:
    """Write nothing: the file is there."""
