"""The method `returns/create`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from bridge.simulator.documents import Document
from bridge.simulator.intelligentreturns import checks
from bridge.simulator.intelligentreturns.catalogue import LABEL_FORMATS, Service
from bridge.simulator.intelligentreturns.desk import Desk
from bridge.simulator.intelligentreturns.drafts import ReturnDraft
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.items import OrderItem
from bridge.simulator.intelligentreturns.papers import label
from bridge.simulator.intelligentreturns.returns import Return
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.intelligentreturns.values import Codes, part, read

WORDS: Final = Codes("return_invalid", "item_invalid")
FIRST_ID: Final = 111_495
HUB_ADDRESS: Final[Document] = {
    "addr1": "Hub street 1",
    "addr2": "",
    "city": "Neuss",
    "zip": "41460",
    "state": "Neuss",
    "country": checks.HUB,
    "additional_address": [],
}


class Booking:
    """What happens when a return is booked, or registered after it was booked elsewhere."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def create(self, account: AccountTerms, tree: Mapping[str, object]) -> Document:
        draft, service = self._checked(account, part(tree, "return"))
        record = self._recorded(account, draft, service)
        if draft.add_items_data_to_order:
            self._extend_order(account, draft)
        self._desk.returns.append(record)
        self._desk.did(
            "return_registered" if draft.tracking else "return_booked", account, record.tracking, draft.external_id
        )
        self._desk.start(record)
        return {
            "label": record.label_at(self._desk.world.now()),
            "tracking": record.tracking,
            "first_mile_address": HUB_ADDRESS,
            "cancel_available_until": int(record.cancel_until.timestamp()),
            "secondary_barcode": record.barcode,
        }

    def _checked(self, account: AccountTerms, asked: Mapping[str, object]) -> tuple[ReturnDraft, Service]:
        if "currency_code" in asked:
            read(ReturnDraft, {"currency_code": asked["currency_code"]}, Codes("currency_code_invalid", ""))
        draft = read(ReturnDraft, asked, WORDS)
        checks.check_party(draft)
        service = self._service(account, draft)
        checks.check_label_format(draft, service)
        checks.check_items(draft, self._desk.orders_of(account).get(draft.order_reference))
        checks.check_collection(draft, service, self._desk.world.now())
        checks.check_point(draft, service, self._desk.terms.points)
        self._check_external_id(account, draft)
        return draft, service

    def _service(self, account: AccountTerms, draft: ReturnDraft) -> Service:
        """Find the service: by its id, or as before ids by its carrier."""
        mine = self._desk.services_of(account)
        if draft.service_id is None and not draft.carrier:
            raise Failed("service_id_empty")
        if draft.service_id is not None and draft.service_id not in self._desk.services:
            raise Failed("service_nx")
        if draft.service_id is not None:
            found = [one for one in mine if one.id == draft.service_id]
        else:
            found = [one for one in self._desk.terms.services if one.carrier.lower() == draft.carrier.lower()]
            if not found:
                raise Failed("carrier_nx")
            found = [one for one in found if one in mine]
        if not found:
            raise Failed("no_shipping_services_available")
        covering = [one for one in found if draft.country in one.countries]
        if not covering:
            raise Failed("account_setup_required")
        return covering[0]

    def _check_external_id(self, account: AccountTerms, draft: ReturnDraft) -> None:
        """Refuse an id that another return has; which code says so is not documented."""
        taken = {one.external_id for one in self._desk.returns_of(account)}
        if self._desk.terms.same_external_id == "refuse" and draft.external_id in taken:
            raise Failed("return_invalid", "Return details are invalid. Check fields: external_id")

    def _recorded(self, account: AccountTerms, draft: ReturnDraft, service: Service) -> Return:
        now, number = self._desk.world.now(), FIRST_ID + len(self._desk.returns)
        tracking = draft.tracking or f"526u{number}"
        form = draft.label_format or LABEL_FORMATS.get(service.carrier, ("pdf_6x4",))[0]
        booked_at = draft.date_added or now
        record = Return(
            id=number,
            account=account,
            draft=draft,
            service=service,
            tracking=tracking,
            label="" if draft.tracking else label(tracking, draft.display_id, form),
            booked_at=booked_at,
            cancel_until=booked_at + timedelta(seconds=self._desk.terms.cancel_until),
            labelled_at=now + timedelta(seconds=self._desk.terms.label_lag),
        )
        record.scan("10", booked_at, now)
        return record

    def _extend_order(self, account: AccountTerms, draft: ReturnDraft) -> None:
        """Add to the order what it does not have yet; a reference that is new makes one."""
        order = self._desk.orders_of(account).get(draft.order_reference)
        order = order or self._desk.new_order(account, draft.order_reference)
        known = {one.sku_code for one in order.items}
        order.items += [OrderItem.model_validate(one.model_dump()) for one in draft.item if one.sku_code not in known]
