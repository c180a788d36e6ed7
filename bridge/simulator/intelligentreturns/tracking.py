"""The methods of the group `tracking` that read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.returns import Return, Scan
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import DAYS, MOMENTS, moment_of, part, unix

Event = tuple[Return, Scan]


class Tracking:
    """What became of parcels: of one, or of all within a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def get(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        code = str(part(tree, "tracking").get("code") or "")
        if not code:
            raise Failed("code_empty")
        found = (one for one in self._desk.returns_of(account) if one.tracking == code)
        record = next(found, None)
        if record is None:
            raise Failed("empty")
        return {"track": [_event(scan) for scan in record.scans], **_parcel(record)}

    def by_date(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        """List by the time at which things happened."""
        return self._listed(account, tree, lambda scan: scan.at, _event)

    def by_date_added(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        """List by the time at which the system heard of it."""
        return self._listed(account, tree, lambda scan: scan.added, _added_event)

    def _listed(
        self,
        account: AccountTerms,
        tree: Mapping[str, object],
        time_of: Callable[[Scan], datetime],
        write: Callable[[Scan], Document],
    ) -> Document:
        asked = part(tree, "filter")
        page, size = self._paging(asked)
        since, until = _moment(asked, "date_from"), _moment(asked, "date_to")
        country = asked.get("source_country") or None
        found = [
            (record, scan)
            for record in self._desk.returns_of(account)
            for scan in record.scans
            if since <= time_of(scan) <= until and country in (None, record.draft.country)
        ]
        found.sort(key=lambda event: time_of(event[1]))
        rows = found[(page - 1) * size :][:size]
        if not rows:
            raise Failed("empty")
        return {
            "tracking_data": _by_parcel(rows, write),
            "total_events_count": len(found),
            "current_page": page,
            "total_pages_count": -(-len(found) // size),
            "count_per_page": size,
        }

    def _paging(self, asked: Mapping[str, object]) -> tuple[int, int]:
        most = self._desk.terms.most_events
        page, size = _positive(asked, "page", 1), _positive(asked, "count_per_page", most)
        if size > most:
            raise Failed("count_per_page_max")
        return page, size


def _by_parcel(events: list[Event], write: Callable[[Scan], Document]) -> list[Document]:
    """Put together what one parcel has on a page."""
    groups: dict[int, tuple[Return, list[Document]]] = {}
    for record, scan in events:
        groups.setdefault(record.id, (record, []))[1].append(write(scan))
    return [
        {"tracking_number": record.tracking, **_parcel(record), "events": written}
        for record, written in groups.values()
    ]


def _parcel(record: Return) -> Document:
    return {
        "pallet_number": "",
        "source_country": record.draft.country or "",
        "carrier_name": record.service.carrier,
        "service_id": str(record.service.id),
        "external_id": record.external_id,
        "order_reference": record.draft.order_reference,
    }


def _event(scan: Scan) -> Document:
    return {"dt": unix(scan.at), "status": scan.status, "location": scan.location or []}


def _added_event(scan: Scan) -> Document:
    return {**_event(scan), "date_added": unix(scan.added)}


def _moment(asked: Mapping[str, object], name: str) -> datetime:
    try:
        return moment_of(asked.get(name, ""), *MOMENTS, *DAYS)
    except ValueError:
        raise Failed("date_filter_is_missing", f"Date range is incorrect: {name}") from None


def _positive(asked: Mapping[str, object], name: str, default: int) -> int:
    value = asked.get(name)
    text = str(default if value in (None, "") else value)
    if not (text.isascii() and text.isdecimal() and len(text) < 10 and int(text)):
        raise Failed(f"{name}_wrong")
    return int(text)
