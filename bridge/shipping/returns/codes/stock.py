"""The stock of codes that were made in advance, and where at the provider they are used."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.ports.returns import CodeDesk
from bridge.shipping.returns.makers import CodeMaker, Maker
from bridge.store import spare_codes
from bridge.store.database import Database, Transaction
from bridge.store.sealed import Vault
from bridge.store.spare_codes import Spare, Wanted

PROVIDER = "szybkie_zwroty"
"""The only one that makes codes in advance."""


class Stock:
    """The codes that there are, and the desks by the names of their connections."""

    def __init__(self, database: Database, vault: Vault, makers: Mapping[str, Maker]) -> None:
        self._database = database
        self._vault = vault
        self.desks: Mapping[str, CodeDesk] = {
            name: one.desk for name, one in makers.items() if isinstance(one, CodeMaker)
        }

    def connection(self, name: str | None) -> str | None:
        """Say where codes are made: at the account of this name, or the only one; None where there is none such."""
        names = [one for one in self.desks if name in (None, one.partition("/")[2])]
        return names[0] if len(names) == 1 else None

    async def find(self, which: str) -> Spare | None:
        """Give the code of an id, or the one that reads so. Raises KeyMissing."""
        return await self._database.read(lambda it: spare_codes.find(it, self._vault, which))

    async def page(self, wanted: Wanted, limit: int) -> list[Spare]:
        """List codes, the newest first; one that no key opens any more, without what it reads."""
        return await self._database.read(lambda it: spare_codes.page(it, self._vault, wanted, limit))

    def open(self, transaction: Transaction, id_: str) -> Spare:
        """Give the code of an id that is there. Raises KeyMissing."""
        found = spare_codes.find(transaction, self._vault, id_)
        assert found is not None, "no code is forgotten while a command is at it"
        return found

    def add(self, transaction: Transaction, codes: Sequence[Spare]) -> list[Spare]:
        """Keep codes that were made, and give those that are new."""
        return spare_codes.add(transaction, self._vault, codes)
