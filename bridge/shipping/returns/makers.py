"""Where returns are made, one way for every provider: made once, and found again where the answer was lost.

What each is found by: a code by the `rma` that it was made with, a return of Intelligentreturns by its `external_id`,
both of which are our own id of it; a ticket of InPost Returns by who sends it and when, for it has nothing of ours.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol

from bridge.errors import CarrierUnavailable, FieldProblem
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.ports.return_platform import ReturnPlatform
from bridge.ports.returns import CodeDesk, TicketDesk
from bridge.returns.codes import CodeQuery
from bridge.returns.contact import e164
from bridge.returns.draft import ReturnDraft
from bridge.returns.found import FoundReturn
from bridge.returns.listed import Listed, TicketQuery
from bridge.returns.ticket import ReturnLabel, Ticket
from bridge.shipping.attempt import ABSENT_AFTER

_MOST_PAGES: Final = 20
_AHEAD: Final = timedelta(minutes=5)
"""So much later than ours the provider's clock may say that something was made."""
_APART: Final = timedelta(minutes=4)
"""Where their clock and ours are further apart, what was made may be outside of the time that is looked at: that is
five minutes longer than ours at both ends, and a call takes a while."""
_DAY: Final = timedelta(days=1)
"""A report goes by days, and nobody says in which time zone."""
_STATUSES: Final = ("NEW", "ACCEPTED", "SCANNED", "USED", "DELIVERED", "CANCELED", "REJECTED", "EXPIRED")
"""What a ticket of the last minutes may be, the likeliest first: it is listed by one status at a time."""


@dataclass(frozen=True, slots=True)
class Making:
    """A return that is to be made at one provider, under our own id.

    `sender` is the digest of who sends it, where it is found by nothing else. It is found again without what of the
    draft is about people; `purpose` is how urgent that is.
    """

    id: str
    draft: ReturnDraft = field(repr=False)
    sender: str | None = field(default=None, repr=False)
    purpose: Purpose = Purpose.create


class Maker(Protocol):
    """One account at one provider."""

    @property
    def never_again(self) -> Collection[str]:
        """After which doubts, by their reasons, it is not made again though nothing shows it."""
        ...

    @property
    def absent_after(self) -> timedelta:
        """After what time that nothing showed it, a return was not made."""
        ...

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what would be refused, by field, without asking anybody."""
        ...

    def sender(self, draft: ReturnDraft) -> str | None:
        """Digest who sends it, where a return is found by nothing else: those of one sender are made one by one."""
        ...

    async def create(self, making: Making) -> Ticket:
        """Make it. Raises as every write does."""
        ...

    async def look(self, making: Making, since: datetime, until: datetime) -> Ticket | None:
        """Find what was made of it since a moment; None where a whole look shows nothing. Raises CarrierError."""
        ...

    async def label(self, id_: str, reference: str | None, url: str | None) -> ReturnLabel | None:
        """Fetch its label; None where there is none. Raises CarrierError."""
        ...


Linked = Callable[[Collection[str]], Awaitable[set[str]]]
"""Says which of the provider's ids are those of returns that are kept here."""


class TicketMaker:
    """InPost Returns."""

    never_again: Final = frozenset[str]()
    absent_after: Final = timedelta(seconds=90)
    """Nothing leaves any more after 30 s, and then two lists without it are a minute apart."""

    def __init__(self, desk: TicketDesk, linked: Linked, clock: Clock) -> None:
        self._desk = desk
        self._linked = linked
        self._clock = clock

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        return self._desk.broken(draft)

    def sender(self, draft: ReturnDraft) -> str | None:
        return _digest(draft.sender.email, draft.sender.phone)

    async def create(self, making: Making) -> Ticket:
        return await self._desk.create(making.draft)

    async def look(self, making: Making, since: datetime, until: datetime) -> Ticket | None:
        """Find the ticket of this sender that is no other return's. Raises CarrierUnavailable where there are several.

        Then a person has to say which, unless others of them are linked meanwhile. The same where none is this
        sender's, and one says not clearly whose it is, or their clock is another than ours: nobody says that there is
        none by a wrong clock.
        """
        until += _AHEAD
        every, apart = await self._listed(since, until, making.purpose)
        listed = [one for one in every if _is_within(one, since, until) and _may_be_of(one, making.sender)]
        others = await self._linked([one.id for one in listed])
        found = {one.id: one for one in listed if one.id not in others}
        named = [one for one in found.values() if _names_its_sender(one)]
        if len(named) > 1:
            raise CarrierUnavailable("several_tickets")
        if found and not named:
            raise CarrierUnavailable("nameless_tickets")
        if not named and apart > _APART:
            raise CarrierUnavailable("clocks_differ")
        return next(map(_ticket, named), None)

    async def label(self, id_: str, reference: str | None, url: str | None) -> ReturnLabel | None:
        return None if reference is None else await self._desk.label(reference, url)

    async def _listed(self, since: datetime, until: datetime, purpose: Purpose) -> tuple[list[Listed], timedelta]:
        """Give what is listed, and how far their clock was from ours at most."""
        found, apart = list[Listed](), timedelta(0)
        for status in _STATUSES:
            for number in range(_MOST_PAGES):
                query = TicketQuery(since, until, status, number)
                page = await self._desk.tickets(query, purpose)
                if page.unread:
                    raise CarrierUnavailable("unreadable_tickets")
                found += page.tickets
                apart = max(apart, abs(page.at - self._clock()))
                if page.is_last:
                    break
            else:
                raise CarrierUnavailable("too_many_tickets")
        return found, apart


class CodeMaker:
    """Szybkie Zwroty: codes that can be used at once."""

    never_again: Final = frozenset[str]()
    absent_after: Final = ABSENT_AFTER

    def __init__(self, desk: CodeDesk) -> None:
        self.desk = desk

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        return self.desk.broken(draft)

    def sender(self, draft: ReturnDraft) -> str | None:
        return None

    async def create(self, making: Making) -> Ticket:
        return await self.desk.create(making.draft, making.id)

    async def look(self, making: Making, since: datetime, until: datetime) -> Ticket | None:
        """Find the code with our `rma`. A row without any was not asked for, so then nothing is sure."""
        page = await self.desk.report(_query(making.id, since, until), making.purpose)
        found = [one for one in page.codes if one.rma == making.id]
        if len(found) == 1:
            return self.desk.ticket(found[0], making.draft)
        if page.codes or page.unread or not page.is_certain:
            raise CarrierUnavailable("uncertain_report")
        return None

    async def label(self, id_: str, reference: str | None, url: str | None) -> ReturnLabel | None:
        return None


class PlatformMaker:
    """Intelligentreturns."""

    never_again: Final = frozenset({"external_api_error"})
    """The carrier behind it may have booked it."""
    absent_after: Final = ABSENT_AFTER

    def __init__(self, platform: ReturnPlatform) -> None:
        self.platform = platform

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        return self.platform.broken(draft)

    def sender(self, draft: ReturnDraft) -> str | None:
        return None

    async def create(self, making: Making) -> Ticket:
        return await self.platform.create(making.draft, making.id)

    async def look(self, making: Making, since: datetime, until: datetime) -> Ticket | None:
        found = await self.platform.find(making.id, making.purpose)
        return None if found is None else _booked(found)

    async def label(self, id_: str, reference: str | None, url: str | None) -> ReturnLabel | None:
        found = await self.platform.find(id_, Purpose.label)
        return None if found is None else found.label


def _is_within(one: Listed, since: datetime, until: datetime) -> bool:
    """Say whether it was made in a time: that the list was asked for that alone does not yet prove it."""
    return one.created_at is None or since <= one.created_at <= until


def _names_its_sender(one: Listed) -> bool:
    return bool(one.sender_email) and e164(one.sender_phone or "") is not None


def _may_be_of(one: Listed, sender: str | None) -> bool:
    return not _names_its_sender(one) or _digest(one.sender_email, one.sender_phone) == sender


def _query(rma: str, since: datetime, until: datetime) -> CodeQuery:
    return CodeQuery((since - _DAY).date(), (until + _DAY).date(), rma=rma)


def _digest(email: str | None, phone: str | None) -> str:
    """Digest a sender, the same however we or a list write one."""
    who = (email or "").strip().casefold(), e164(phone or "") or ""
    return sha256("\0".join(who).encode("utf-8", "replace")).hexdigest()


def _ticket(listed: Listed) -> Ticket:
    return Ticket(
        provider_reference=listed.id,
        code=listed.code,
        tracking_number=listed.tracking_number,
        expires_at=listed.expires_at,
        parcel_size=listed.parcel_size,
    )


def _booked(found: FoundReturn) -> Ticket:
    return Ticket(
        provider_reference=found.id,
        tracking_number=found.tracking_number,
        cancellable_until=found.cancellable_until,
        secondary_barcode=found.secondary_barcode,
        label=found.label,
    )
