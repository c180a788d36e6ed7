"""What one look at a provider showed of a return. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from bridge.events.return_projection import Sighting
from bridge.returns.codes import ReportedCode
from bridge.returns.found import FoundReturn
from bridge.returns.listed import Listed
from bridge.returns.progress import Progress
from bridge.returns.ticket import ReturnLabel


@dataclass(frozen=True, slots=True)
class Look:
    """What was shown to a question of `asked_at`; what is None was not. `is_now`: it shows how things are now.

    Such a look is worth nothing where a later one was taken in before; what happened once is true for ever.
    """

    asked_at: datetime
    sightings: tuple[Sighting, ...] = ()
    is_now: bool = False
    number: str | None = None
    code: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    label: ReturnLabel | None = None


def at_ticket(listed: Listed, asked_at: datetime) -> Look:
    """Read a ticket off a list. When it was sent or delivered, they say; of the rest only we know since when."""
    word = listed.status.upper()
    times = {"NEW": listed.created_at, "USED": listed.sent_at, "DELIVERED": listed.delivered_at}
    sighting = Sighting(word, times.get(word) or asked_at, is_now=True, is_sent=listed.sent_at is not None)
    return Look(asked_at, (sighting,), True, listed.tracking_number, listed.code, listed.expires_at)


def at_code(reported: ReportedCode, word: str, asked_at: datetime) -> Look:
    """Read a code off a report, which says of nothing since when it is so."""
    return Look(asked_at, (Sighting(word, asked_at, is_now=True),), True, reported.tracking_number)


def at_parcel(progress: Progress, asked_at: datetime) -> Look:
    """Read what happened to a parcel."""
    scans = [Sighting(one.status, one.at, country=one.place.country, place=one.place.city) for one in progress.scans]
    return Look(asked_at, tuple(scans), number=progress.tracking_number)


def at_return(found: FoundReturn, asked_at: datetime) -> Look:
    """Read a return: what it is called and its label; where it is, its scans say."""
    return Look(asked_at, number=found.tracking_number, label=found.label)
