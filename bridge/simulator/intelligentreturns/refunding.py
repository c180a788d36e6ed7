"""The method `tracking/add_status`, by which a shop says that it has paid."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.returns import SCANS, VIRTUAL, Return
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import MOMENTS, Codes, CountryCode, Loose, Text, moment_of, part, read

REFUNDED: Final = "70"
"""The only status that may be added."""


class Location(Loose):
    country: CountryCode | None = None
    state: Text = ""
    city: Text = ""


class Added(Loose):
    """What may be said of a status besides; only where it was is shown again."""

    place: Annotated[Location | None, Field(alias="location")] = None
    carrier_status: Text = ""

    @property
    def location(self) -> Document:
        return {name: one or "" for name, one in self.place.model_dump().items()} if self.place else {}


class Refunding:
    """Adding a status from outside."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def add(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        asked = part(tree, "tracking_status")
        for name in ("tracking", "date", "status"):
            if asked.get(name) in (None, ""):
                raise Failed(f"{name}_required")
        at = _moment(asked["date"], "incorrect_date")
        added = _moment(asked.get("date_added") or self._unix_now(), "incorrect_date_added")
        _check_status(str(asked["status"]))
        record = self._found(account, str(asked["tracking"]))
        if REFUNDED in record.seen:
            raise Failed("status_already_present")
        if any(scan.at > at for scan in record.scans):
            raise Failed("has_later_date")
        record.scan(REFUNDED, at, added, read(Added, asked, Codes("request_wrong", "")).location)
        self._desk.did("return_status_added", account, record.tracking, record.external_id or None)
        return {"code": "success", "message": [f"Return {record.tracking} update successfully"]}

    def _found(self, account: AccountTerms, tracking: str) -> Return:
        found = (one for one in self._desk.returns_of(account) if one.tracking == tracking)
        record = next(found, None)
        if record is None:
            raise Failed("return_not_found")
        return record

    def _unix_now(self) -> int:
        return int(self._desk.world.now().timestamp())


def _check_status(status: str) -> None:
    if status not in SCANS | VIRTUAL:
        raise Failed("incorrect_status")
    if status != REFUNDED:
        raise Failed("status_not_allowed")


def _moment(value: object, code: str) -> datetime:
    try:
        return moment_of(value, *MOMENTS)
    except ValueError:
        raise Failed(code) from None
