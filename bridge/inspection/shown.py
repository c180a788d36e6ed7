"""`bridge shipments show`: how a shipment stands, and what was last on offer for it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from pydantic_core import to_json

from bridge.approvals.words import lines
from bridge.inspection.document import document
from bridge.store.database import Database
from bridge.store.story import Story, sources, story

Record = Callable[[Mapping[str, object]], str]
Table = Callable[[Sequence[str], Sequence[Sequence[object]]], str]
_HEADS: Final = ("offer", "status", "service", "price", "runs out")


async def show(
    database: Database,
    shipment: int,
    organization: int | None,
    *,
    now: datetime,
    settle: timedelta,
    page: tuple[Record, Table] | None,
) -> int:
    """Print it, for people by the two functions of `page`, else for programs; gives the exit code."""
    name = f"shipment/{shipment}"
    known = await database.read(lambda transaction: sources(transaction, name))
    if organization is not None:
        known = [one for one in known if one == f"/shipx/{organization}"]
    if not known:
        print(f"bridge: nothing is known of shipment {shipment}", file=sys.stderr)
        return 1
    if len(known) > 1:
        whose = ", ".join(_number(one) for one in known)
        print(f"bridge: several have it: say --organization, one of {whose}", file=sys.stderr)
        return 2
    found = await database.read(lambda transaction: story(transaction, known[0], name))
    if page is None:
        about = {"shipment_id": shipment, "organization_id": found.organization}
        print(to_json(about | document(found, now, settle), indent=2).decode())
        return 0
    record, table = page
    print(record(_lines(found, shipment, now, settle)))
    if rows := _offers(found):
        print(f"\n{table(_HEADS, rows)}")
    return 0


def _number(source: str) -> str:
    return source.rpartition("/")[2]


def _lines(found: Story, shipment: int, now: datetime, settle: timedelta) -> dict[str, object]:
    told = document(found, now, settle)
    known = found.known
    about: dict[str, object] = {
        "shipment": shipment,
        "organization": found.organization,
        "state": told["state"],
        "tracking status": None if known is None else known.tracking_status,
        "carrier status": known.spans[-1].word if known is not None and known.spans else None,
        "tracking number": None if known is None else known.tracking_number,
        "way back": None if known is None else known.return_tracking_number,
    }
    if found.listed is None:
        return about | {"purchase": "never asked for"}
    of_purchase = {f"purchase {name}" if name == "state" else name: value for name, value in _purchase(found, now)}
    return about | of_purchase


def _purchase(found: Story, now: datetime) -> list[tuple[str, object]]:
    assert found.listed is not None
    told = lines(found.listed, now)
    return [(name, value) for name, value in told.items() if name not in ("organization", "shipment")]


def _offers(found: Story) -> list[tuple[object, ...]]:
    """Give what was on offer when that was told last."""
    told = [one for one in found.events if one.type == "shipment.offers_prepared"]
    return [_offer(one) for one in told[-1].data["offers"]] if told else []


def _offer(one: Mapping[str, Any]) -> tuple[object, ...]:
    rate = one["rate"]
    price = None if rate is None else f"{rate['amount']} {rate['currency']}"
    until = None if one["expires_at"] is None else datetime.fromisoformat(one["expires_at"])
    return one["offer_id"], one["status"], one["service_id"], price, until
