"""Labels by shipment: asked for, kept, given up. Their content lies on a shelf, under the hash of its bytes.

In the caller's transaction. Two shipments' labels are never the same bytes, two wishes of one shipment may be: what
they share goes with the last of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from urllib.parse import urlencode

from bridge.model import OrganizationId, ShipmentId, micros, moment
from bridge.store.database import Row, Transaction, marks

State = Literal["waiting", "kept", "failed"]
Drop = Callable[[Transaction, Sequence[str]], None]
"""Takes contents from the shelf."""


@dataclass(frozen=True, slots=True)
class Place:
    """Whose label, and which."""

    organization: OrganizationId
    shipment: ShipmentId
    format: str
    kind: str | None

    @property
    def name(self) -> str:
        """What it is called among those of its shipment: `pdf`, `zpl/dpi300`."""
        return self.format if self.kind is None else f"{self.format}/{self.kind}"

    @property
    def id(self) -> str:
        return f"{self.organization}/{self.shipment}/{self.name}"

    @property
    def url(self) -> str:
        """Where it is answered, below the bridge's own address."""
        kind = {} if self.kind is None else {"type": self.kind}
        query = urlencode({"organization_id": self.organization, "format": self.format, **kind})
        return f"/v1/shipments/{self.shipment}/label?{query}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A label that was asked for. `sha256` and `size` are those of what is kept; `reason` is why there is none.

    `tries` is how often the carrier was asked in vain since the last one that was kept.
    """

    place: Place
    state: State
    at: datetime
    tries: int = 0
    reason: str | None = None
    sha256: str | None = None
    size: int | None = None

    @property
    def content(self) -> str | None:
        """Name where its content lies; None where nothing is kept."""
        return None if self.sha256 is None else content_of(self.place.organization, self.sha256)


def content_of(organization: OrganizationId, sha256: str) -> str:
    """Name the place of a content: two organizations never share one."""
    return f"label/{organization}/{sha256}"


def look(transaction: Transaction, place: Place) -> Kept | None:
    """Say how a label stands; None where nobody asked for it, or long ago."""
    rows = transaction.run(f"SELECT {_COLUMNS} FROM labels WHERE id = ?", (place.id,))
    return _kept(rows[0]) if rows else None


def of_shipment(transaction: Transaction, organization: OrganizationId, shipment: ShipmentId) -> list[Kept]:
    """Give every label of a shipment that was asked for."""
    rows = transaction.run(
        f"SELECT {_COLUMNS} FROM labels WHERE organization = ? AND shipment = ? ORDER BY id", (organization, shipment)
    )
    return [_kept(row) for row in rows]


def keep(transaction: Transaction, one: Kept, drop: Drop) -> None:
    """Write down a label whose content is on the shelf; what was kept of it before goes."""
    before = look(transaction, one.place)
    _write(transaction, one)
    if before is not None and before.content not in (None, one.content):
        _drop_unused(transaction, [(before.place.organization, before.sha256)], drop)


def miss(transaction: Transaction, one: Kept) -> None:
    """Write down that there is no label yet, or that nobody asks any more. One that is kept stays."""
    _write(transaction, one, " WHERE labels.sha256 IS NULL")


def delete(transaction: Transaction, ids: Sequence[object], drop: Drop) -> None:
    """Forget labels, with their content."""
    gone = transaction.run(f"DELETE FROM labels WHERE id IN ({marks(ids)}) RETURNING organization, sha256", ids)
    _drop_unused(transaction, [row for row in gone if row[1] is not None], drop)


def _drop_unused(transaction: Transaction, contents: Sequence[Row], drop: Drop) -> None:
    """Take from the shelf what no label is any more."""
    unused = [
        content_of(*row)
        for row in sorted(set(contents))
        if not transaction.run("SELECT 1 FROM labels WHERE organization = ? AND sha256 = ? LIMIT 1", row)
    ]
    if unused:
        drop(transaction, unused)


def _write(transaction: Transaction, one: Kept, only: str = "") -> None:
    place = one.place
    changes = ", ".join(f"{name} = excluded.{name}" for name in ("state", "at", "tries", "reason", "sha256", "size"))
    row = (*_keys(place), one.state, micros(one.at), one.tries, one.reason, one.sha256, one.size)
    transaction.insert(f"labels ({_ALL})", [row], tail=f"ON CONFLICT (id) DO UPDATE SET {changes}{only}")


def _keys(place: Place) -> Row:
    return place.id, place.organization, place.shipment, place.format, place.kind


_COLUMNS: Final = "organization, shipment, format, kind, state, at, tries, reason, sha256, size"
_ALL: Final = f"id, {_COLUMNS}"


def _kept(row: Row) -> Kept:
    place = Place(OrganizationId(row[0]), ShipmentId(row[1]), row[2], row[3])
    return Kept(place, row[4], moment(row[5]), row[6], row[7], row[8], row[9])
