"""Intelligentreturns as the returns need it: all its methods for one account, in either format.

Every call is made under a permit and once. A write that is refused did nothing; one without a usable answer may have
done it, and is looked for by the `external_id` that it was made with.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from datetime import datetime
from functools import partial
from typing import Final, TypeVar

import httpx
import structlog
from pydantic import SecretStr

from bridge.carriers.answer import Answer
from bridge.carriers.asking import Asker
from bridge.carriers.intelligentreturns import (
    answers,
    calls,
    checking,
    found,
    offers,
    paging,
    places,
    reading,
    scans,
    words,
)
from bridge.carriers.intelligentreturns.caller import Caller
from bridge.carriers.intelligentreturns.calls import Call, Moment
from bridge.carriers.intelligentreturns.formats import FORMATS, Name
from bridge.carriers.intelligentreturns.questions import (
    AddedStatus,
    Billed,
    Cancellation,
    EventFilter,
    OrderKey,
    PointKey,
    PointSearch,
    ReturnFilter,
    ReturnKey,
    Tracked,
    Where,
)
from bridge.carriers.intelligentreturns.reading import Trouble
from bridge.carriers.intelligentreturns.wire import Booking, Inquiry, MoreItems, Order
from bridge.errors import CarrierRefused, CarrierUnavailable
from bridge.lifecycle import Clock
from bridge.limits.connection import Purpose
from bridge.observability import Metrics
from bridge.ports import Permits
from bridge.returns.bill import Bill
from bridge.returns.found import FoundOrder, FoundReturn
from bridge.returns.progress import Progress
from bridge.returns.refusals import UNSENDABLE
from bridge.returns.service import DropOffPoint, Quote, Service
from bridge.returns.ticket import Ticket

log = structlog.get_logger()

T = TypeVar("T")


class IntelligentReturns:
    """One account."""

    def __init__(
        self,
        http: httpx.AsyncClient,
        *,
        base_url: str,
        login: str,
        api_key: SecretStr,
        form: Name,
        permits: Permits,
        metrics: Metrics,
        clock: Clock,
    ) -> None:
        self._form = FORMATS[form]
        self._caller = Caller(
            http, base_url=base_url, login=login, api_key=api_key, form=self._form, metrics=metrics, clock=clock
        )
        self._asker: Asker[Call] = Asker(self._caller, permits)

    # -- orders --------------------------------------------------------------------------------------------------------

    async def create_order(self, order: Order) -> str:
        """Tell of an order, and give the provider's id of it."""
        return await self._sure(calls.create_order(order), _order_id, Purpose.create)

    async def read_order(self, key: OrderKey) -> FoundOrder | None:
        """Read an order; None where there is none."""
        return await self._ask(calls.read_order(key), reading.of(answers.Order, found.an_order), Purpose.create)

    async def delete_order(self, key: OrderKey) -> None:
        """Delete an order, of which nothing may have come back yet."""
        await self._ask(calls.delete_order(key), _done, Purpose.cancel)

    async def add_items(self, items: MoreItems) -> str:
        """Tell of more articles of an order, and give the provider's id of it."""
        return await self._sure(calls.add_items(items), _order_id, Purpose.create)

    # -- returns -------------------------------------------------------------------------------------------------------

    async def create(self, booking: Booking) -> Ticket:
        """Make a return. After a doubt, read it by its `external_id`, and send it again only with the same one."""
        read = partial(reading.made, found.ticket)
        return await self._sure(calls.create(booking), reading.of(answers.ReturnMade, read), Purpose.create)

    async def read(self, key: ReturnKey, purpose: Purpose = Purpose.create) -> FoundReturn | None:
        """Read a return, with its label; None where there is none."""
        one = await self._ask(calls.read(key), reading.of(answers.Return, found.a_return), purpose)
        if one is not None:
            told = {"id": one.id, "order_reference": one.reference, "external_id": one.external_id}
            reading.same({key.type: key.id}, told)
        return one

    async def search(self, wanted: ReturnFilter, purpose: Purpose = Purpose.sweep) -> AsyncIterator[FoundReturn]:
        """Give the returns that fit, newest first and without labels, page by page."""
        page = paging.Page(wanted)
        while page.wanted is not None:
            read = reading.of(answers.Returns, paging.listed)
            listed = await self._ask(calls.search(page.wanted), read, purpose) or paging.Found()
            if listed.unread:
                log.warning(
                    "carrier.items_unreadable", carrier=words.SOURCE, operation="returns_items", items=listed.unread
                )
            for one in listed.items:
                yield one
            page = page.after(listed)

    async def prices(self, inquiry: Inquiry) -> tuple[Quote, ...]:
        """Ask what a return would cost; none where no service takes it."""
        read = reading.of(places.Prices, lambda all_: tuple(map(offers.quote, all_.result)))
        return await self._ask(calls.prices(inquiry), read, Purpose.select) or ()

    async def cancel(self, wanted: Cancellation) -> None:
        """Ask for a return to be cancelled. Returning means asked for: only its events show that it was done."""
        told = await self._sure(calls.cancel(wanted), reading.of(answers.Cancelled, _asked), Purpose.cancel)
        reading.same({"external_id": wanted.external_id, "tracking": wanted.tracking}, told)

    async def bills(self, wanted: Billed) -> tuple[Bill, ...]:
        """Read what returns cost; none where there is no such return."""
        read = reading.of(answers.Bills, lambda all_: tuple(map(found.bill, all_.returns)))
        return await self._ask(calls.billing(wanted), read, Purpose.sweep) or ()

    # -- tracking ------------------------------------------------------------------------------------------------------

    async def track(self, parcel: str, purpose: Purpose = Purpose.tracking) -> Progress:
        """Read where a parcel has been; without scans where nobody has seen it yet, which is no fault."""
        read = reading.of(answers.Tracked, lambda one: scans.progress(one, parcel))
        return await self._ask(calls.track(Tracked(code=parcel)), read, purpose) or Progress(parcel, ())

    async def events(
        self,
        since: datetime,
        until: datetime,
        by: Moment = "added",
        *,
        source_country: str | None = None,
        at_once: int = paging.EVENTS_AT_ONCE,
        purpose: Purpose = Purpose.tracking,
    ) -> AsyncIterator[Progress]:
        """Give what happened in a time, parcel by parcel and page by page: one parcel may come in several parts.

        Ask by when the provider learned of it, and let windows overlap: late events have an old time.
        """
        wanted = EventFilter(
            date_from=since, date_to=until, source_country=source_country, page=1, count_per_page=at_once
        )
        while True:
            read = reading.of(answers.TrackedPage, partial(paging.events, wanted.page))
            found_page = await self._ask(calls.events(wanted, by), read, purpose)
            if found_page is None:
                return
            parcels, pages = found_page
            for one in parcels:
                yield one
            if wanted.page >= pages:
                return
            wanted = paging.following(wanted)

    async def add_status(self, status: AddedStatus) -> None:
        """Tell that the money was paid back; that it is known already is as good."""
        try:
            await self._ask(calls.add_status(status), _done, Purpose.tracking)
        except CarrierRefused as error:
            if error.key != words.ALREADY_SAID:
                raise

    # -- services ------------------------------------------------------------------------------------------------------

    async def available(self) -> datetime:
        """Ask whether the provider is there, and give its clock. Needs no login."""
        return await self._sure(calls.AVAILABLE, reading.clock, Purpose.create)

    async def services(self, where: Where) -> tuple[Service, ...]:
        """Ask which services there are at a place."""
        read = reading.of(places.Services, lambda all_: tuple(map(offers.service, all_.services)))
        return await self._ask(calls.services(where), read, Purpose.select) or ()

    async def points(self, wanted: PointSearch) -> tuple[DropOffPoint, ...]:
        """Ask for drop-off points, the nearest of each service first."""
        read = reading.of(places.Points, lambda all_: tuple(offers.points(all_)))
        return await self._ask(calls.points(wanted), read, Purpose.select) or ()

    async def point(self, key: PointKey) -> DropOffPoint | None:
        """Read one drop-off point; None where there is none."""
        read = reading.of(places.OnePoint, lambda one: offers.drop_off_point(one.point))
        return await self._ask(calls.point(key), read, Purpose.select)

    # -- asking --------------------------------------------------------------------------------------------------------

    async def _sure(self, call: Call, read_as: Callable[[object], T], purpose: Purpose) -> T:
        """Ask for what there is always an answer to."""
        answered = await self._ask(call, read_as, purpose)
        if answered is None:
            raise CarrierUnavailable("unreadable_answer")
        return answered

    async def _ask(self, call: Call, read_as: Callable[[object], T], purpose: Purpose) -> T | None:
        """Ask once. None means that there is nothing of what was asked for."""
        self._checked(call)
        ask = self._asker.send if call.changes else self._asker.ask
        answered = await ask(call, partial(self._read, call, read_as), purpose)
        if isinstance(answered, Trouble):  # told outside of the permit: it is no fault of the provider's as a whole
            raise CarrierUnavailable(answered.reason, status=answered.status)
        return answered

    def _read(self, call: Call, read_as: Callable[[object], T], answer: Answer) -> T | Trouble | None:
        return reading.read(self._form, call, read_as, answer)

    def _checked(self, call: Call) -> None:
        """Let nothing go that is wrong in itself, and so surely refused."""
        if call.asked is None:
            return
        if wrong := checking.problems(call.asked):
            fields = [checking.renamed(one, call.ours) for one in wrong]
            raise CarrierRefused(UNSENDABLE, status=0, fields=fields)


_order_id: Final = reading.of(answers.OrderMade, lambda made: str(made.order_id))


def _done(_body: object) -> None:
    """Believe a success: there is nothing in it."""


def _asked(told: answers.Cancelled) -> dict[str, str | None]:
    return {"external_id": told.result.external_id, "tracking": told.result.tracking}
