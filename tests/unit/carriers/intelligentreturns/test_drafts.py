"""A return or an order in the contract's words, as the provider gets it, or what is wrong with it, field by field."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date, time
from decimal import Decimal
from typing import Any

import pytest

from bridge.carriers.intelligentreturns import drafts, words
from bridge.carriers.intelligentreturns.wire import Booking, CollectionAddress, CollectionDate, Reason, ReturnItem
from bridge.errors import FieldProblem
from bridge.events.catalogue import Money
from bridge.returns.draft import Address, Collection, Item, Party, ReturnDraft
from bridge.returns.draft import Reason as OurReason
from bridge.returns.order import OrderDraft

from .stage import NOW, at

HOME = Address("Prosta", "10", "Warszawa", "00-838", "PL")
SENDER = Party(first_name="Ewa", last_name="Testowa", phone="+48500600700", email="sender@example.com", address=HOME)
SHIRT = Item(
    sku="SKU-1",
    name="Shirt M",
    quantity=1,
    price=Money(amount="100.00", currency="EUR"),
    weight_kg=Decimal("0.3"),
    hs_code="620520",
    country_of_origin="CN",
    reasons=(OurReason("refund", "Too small", "sleeves"),),
)
DRAFT = ReturnDraft(reference="A-1001", sender=SENDER, items=(SHIRT,), service_id=243)
ORDER = OrderDraft(reference="A-1001", ordered_at=at(1794700800), currency="EUR", items=(SHIRT,), customer=SENDER)


def at_home(draft: ReturnDraft, **changes: Any) -> ReturnDraft:
    return replace(draft, sender=replace(draft.sender, address=replace(HOME, **changes)))


def options(draft: ReturnDraft, **more: Any) -> ReturnDraft:
    return replace(draft, provider_options=more)


def test_a_return_is_written_in_their_names() -> None:
    whole = replace(
        DRAFT,
        service_id=20062,
        receiver=Party(
            first_name="Jan", last_name="Hub", address=Address("Dock", "1", "Łódź", "90-001", "PL", "łódzkie")
        ),
        collection=Collection(date(2026, 12, 7), time(9), time(17), Address("Boczna", "2", "Kraków", "30-300")),
        drop_off_point_id="P1",
        provider_options={
            "display_id": "RMA7F3K21",
            "special_instruction": "ring twice",
            "collection_address": {"addr2": "back door"},
            "export_date": 1794700800,
            "item": [{"cost_price": "13.12", "dangerous_goods": "No", "reason": [{"wish": "none"}]}],
        },
    )
    assert drafts.problems(whole) == []
    assert drafts.booking(whole, "X1") == Booking(
        order_reference="A-1001",
        external_id="X1",
        currency_code="EUR",
        service_id=20062,
        name="Ewa Testowa",
        phone="+48500600700",
        email="sender@example.com",
        country="PL",
        zip="00-838",
        city="Warszawa",
        addr1="Prosta 10",
        final_dest_name="Jan Hub",
        final_dest_country="PL",
        final_dest_state="łódzkie",
        final_dest_zip="90-001",
        final_dest_city="Łódź",
        final_dest_addr1="Dock 1",
        collection_date=CollectionDate(date=date(2026, 12, 7), time_from=time(9), time_to=time(17)),
        collection_address=CollectionAddress(zip="30-300", city="Kraków", addr1="Boczna 2", addr2="back door"),
        drop_off_point_id="P1",
        display_id="RMA7F3K21",
        special_instruction="ring twice",
        export_date=at(1794700800),
        item=(
            ReturnItem(
                sku_code="SKU-1",
                sku_desc="Shirt M",
                quantity=1,
                price=Decimal("100.00"),
                weight=Decimal("0.3"),
                weight_uom="K",
                hs_code="620520",
                country_code="CN",
                cost_price=Decimal("13.12"),
                dangerous_goods="No",
                reason=(Reason(action="Refund", reason="Too small", additional="sleeves", wish="none"),),
            ),
        ),
    )


def test_a_courier_may_come_to_the_sender_said_twice() -> None:
    assert drafts.problems(replace(DRAFT, collection=Collection(address=HOME))) == []


def test_the_smallest_return_is_enough() -> None:
    draft = replace(DRAFT, items=(), sender=replace(SENDER, phone=None))
    assert drafts.problems(draft) == []
    assert drafts.booking(draft, "X1").item is None


def test_the_united_kingdom_is_written_as_the_standard_has_it() -> None:
    draft = at_home(DRAFT, country_code="UK", post_code="TF3 3BJ")
    assert drafts.problems(draft) == []
    assert drafts.booking(draft, "X1").country == "GB"


def test_a_price_may_be_asked_for_before_anybody_chose_a_service() -> None:
    draft = replace(DRAFT, service_id=None)
    assert drafts.quote_problems(draft) == []
    asked = drafts.inquiry(draft)
    assert (asked.country, asked.item[0].sku_code, hasattr(asked.item[0], "reason")) == ("PL", "SKU-1", False)


def test_coordinates_may_stand_for_an_address_where_prices_are_asked_for() -> None:
    nowhere = replace(DRAFT, sender=replace(SENDER, address=None))
    assert drafts.quote_problems(options(nowhere, lat="52.2", lng="21.0")) == []
    assert drafts.quote_problems(options(nowhere, lat="52.2")) == [FieldProblem("provider_options.lng", "missing")]


def test_an_order_is_written_in_their_names() -> None:
    order = replace(ORDER, overwrite=True, provider_options={"rma": "R-77", "item": [{"days_for_return": 30}]})
    assert drafts.problems(order) == []
    made = drafts.order(order)
    assert (made.order_reference, made.order_date, made.contact_name) == ("A-1001", at(1794700800), "Ewa Testowa")
    assert (made.overwrite_data, made.rma, made.item[0].days_for_return) == (True, "R-77", 30)


Change = Callable[[ReturnDraft], ReturnDraft]
PROBLEMS: dict[str, tuple[Change, list[tuple[str, str]]]] = {
    "no reference": (lambda one: replace(one, reference=""), [("reference", "too_short")]),
    "a reference that is too long": (lambda one: replace(one, reference="x" * 256), [("reference", "too_long")]),
    "a reference with a line break": (lambda one: replace(one, reference="a\nb"), [("reference", "invalid_format")]),
    "nobody": (
        lambda one: replace(one, sender=Party()),
        [("sender.email", "missing"), ("sender.first_name", "missing")],
    ),
    "no e-mail address": (
        lambda one: replace(one, sender=replace(SENDER, email="nobody")),
        [("sender.email", "invalid_format")],
    ),
    "no address": (
        lambda one: replace(one, sender=replace(SENDER, address=None)),
        [("sender.address.country_code", "missing")],
    ),
    "no country": (
        lambda one: at_home(one, country_code="Poland"),
        [("sender.address.country_code", "invalid_format")],
    ),
    "no code": (lambda one: at_home(one, post_code=None), [("sender.address.post_code", "missing")]),
    "no town": (lambda one: at_home(one, city=""), [("sender.address.city", "missing")]),
    "no street": (
        lambda one: at_home(one, street=None, building_number=None),
        [("sender.address.street", "missing")],
    ),
    "a country with states": (lambda one: at_home(one, country_code="UA"), [("sender.address.state", "missing")]),
    "a state in full": (
        lambda one: at_home(one, country_code="US", state="New York"),
        [("sender.address.state", "invalid_format")],
    ),
    "Australia has suburbs": (
        lambda one: at_home(one, country_code="AU", state="NSW"),
        [("provider_options.suburb", "missing")],
    ),
    "no service": (lambda one: replace(one, service_id=None), [("service_id", "missing")]),
    "a service that needs a point": (
        lambda one: replace(one, service_id=20063),
        [("drop_off_point_id", "missing")],
    ),
    "an instruction nobody reads": (
        lambda one: options(one, special_instruction="x"),
        [("provider_options.special_instruction", "unexpected")],
    ),
    "a label format where there are none": (
        lambda one: options(one, label_format="png"),
        [("provider_options.label_format", "unexpected")],
    ),
    "a label format of others": (
        lambda one: options(replace(one, service_id=69), label_format="png"),
        [("provider_options.label_format", "invalid")],
    ),
    "no label format at all": (
        lambda one: options(one, label_format="bmp"),
        [("provider_options.label_format", "invalid")],
    ),
    "too much on a label of Hermes": (
        lambda one: options(replace(one, service_id=10092), display_id="x" * 21),
        [("provider_options.display_id", "too_long")],
    ),
    "too much on any label": (
        lambda one: options(one, display_id="x" * 33),
        [("provider_options.display_id", "too_long")],
    ),
    "a carrier by name without its service": (
        lambda one: options(replace(one, service_id=None), carrier="ACP"),
        [("provider_options.service", "missing")],
    ),
    "a carrier by name with another's service": (
        lambda one: options(replace(one, service_id=None), carrier="ASM", service="Ground"),
        [("provider_options.service", "invalid")],
    ),
    "times without a day": (
        lambda one: replace(one, collection=Collection(time_from=time(9), time_to=time(10))),
        [("collection.date", "missing")],
    ),
    "times the wrong way round": (
        lambda one: replace(one, collection=Collection(date(2026, 12, 7), time(10), time(9))),
        [("collection.time_to", "invalid")],
    ),
    "half an address to collect from": (
        lambda one: replace(one, collection=Collection(address=Address(street="Boczna"))),
        [("collection.address.post_code", "missing"), ("collection.address.city", "missing")],
    ),
    "another country to collect from": (
        lambda one: replace(one, collection=Collection(address=replace(HOME, country_code="DE"))),
        [("collection.address.country_code", "unexpected")],
    ),
    "an address of a collection that is none": (
        lambda one: options(replace(one, collection=Collection(address=HOME)), collection_address=5),
        [("provider_options.collection_address", "invalid")],
    ),
    "over a border without articles": (
        lambda one: replace(one, items=(), receiver=Party(first_name="J", address=Address(country_code="GB"))),
        [("items", "missing")],
    ),
    "an article without a price": (
        lambda one: replace(one, items=(replace(SHIRT, price=None),)),
        [("items.0.price", "missing")],
    ),
    "none of an article": (
        lambda one: replace(one, items=(SHIRT, replace(SHIRT, quantity=0))),
        [("items.1.quantity", "too_small")],
    ),
    "an article without a number": (
        lambda one: replace(one, items=(replace(SHIRT, sku=""),)),
        [("items.0.sku", "too_short")],
    ),
    "an article from nowhere": (
        lambda one: replace(one, items=(replace(SHIRT, country_of_origin="China"),)),
        [("items.0.country_of_origin", "invalid_format")],
    ),
    "a wish that nobody knows": (
        lambda one: replace(one, items=(replace(SHIRT, reasons=(OurReason("repair"),)),)),
        [("items.0.reasons.0.action", "invalid")],
    ),
    "two currencies": (
        lambda one: replace(one, items=(SHIRT, replace(SHIRT, price=Money(amount="1", currency="PLN")))),
        [("items.1.price.currency", "invalid")],
    ),
    "what has no field here": (
        lambda one: replace(one, parcel_size="A", expires_at=NOW, description="x"),
        [("parcel_size", "unexpected"), ("expires_at", "unexpected"), ("description", "unexpected")],
    ),
    "a receiver with a phone": (
        lambda one: replace(one, receiver=replace(SENDER, email=None)),
        [("receiver.phone", "unexpected")],
    ),
    "an option that nobody knows": (
        lambda one: options(one, colour="red"),
        [("provider_options.colour", "unexpected")],
    ),
    "an option for what has a name": (
        lambda one: options(one, zip="00-001"),
        [("provider_options.zip", "unexpected")],
    ),
    "an option for our own id": (
        lambda one: options(one, external_id="X"),
        [("provider_options.external_id", "unexpected")],
    ),
    "an option for an article that there is not": (
        lambda one: options(one, item=[{}, {"cost_price": "1"}]),
        [("items.1.sku", "missing"), ("items.1.name", "missing"), ("items.1.quantity", "missing")],
    ),
    "an option for an article that has a name": (
        lambda one: options(one, item=[{"hs_code": "1"}]),
        [("provider_options.item.0.hs_code", "unexpected")],
    ),
    "articles that are none": (lambda one: options(one, item="x"), [("items", "invalid")]),
    "a neighborhood of the destination outside Mexico": (
        lambda one: options(one, final_dest_neighborhood="x"),
        [("provider_options.final_dest_neighborhood", "unexpected")],
    ),
    "a neighborhood outside Mexico": (
        lambda one: options(one, neighborhood="x"),
        [("provider_options.neighborhood", "unexpected")],
    ),
    "a sort code with a dash": (
        lambda one: options(one, sort_code="AB-1"),
        [("provider_options.sort_code", "invalid_format")],
    ),
    "a day without a time zone": (
        lambda one: options(one, export_date="2026-11-01T00:00:00"),
        [("provider_options.export_date", "invalid")],
    ),
}


@pytest.mark.parametrize(("change", "fields"), PROBLEMS.values(), ids=PROBLEMS)
def test_what_is_wrong_is_named_by_its_field(change: Change, fields: list[tuple[str, str]]) -> None:
    found = [(one.field, one.code) for one in drafts.problems(change(DRAFT))]
    assert found[: len(fields)] == fields


@pytest.mark.parametrize("country", sorted(words.WITHOUT_STATE - {"UK"}))
def test_countries_that_need_no_state_get_by_without_one(country: str) -> None:
    assert drafts.problems(at_home(DRAFT, country_code=country)) == []


@pytest.mark.parametrize("country", sorted(words.WITHOUT_ZIP))
def test_countries_that_have_no_codes_get_by_without_one(country: str) -> None:
    assert drafts.problems(at_home(DRAFT, country_code=country, post_code=None, state="Dubai")) == []


@pytest.mark.parametrize("service", sorted(words.NEED_DROP_OFF_POINT))
def test_a_service_that_needs_a_point_takes_one(service: int) -> None:
    draft = replace(DRAFT, service_id=service)
    assert [one.field for one in drafts.problems(draft)] == ["drop_off_point_id"]
    assert drafts.problems(replace(draft, drop_off_point_id="P1")) == []


@pytest.mark.parametrize("here", ["PL", "DE", "FR"])
def test_inside_a_customs_union_no_articles_are_needed(here: str) -> None:
    there = Party(first_name="J", address=Address(country_code="PL"))
    assert drafts.problems(replace(at_home(DRAFT, country_code=here), items=(), receiver=there)) == []


def test_where_the_destination_is_the_providers_default_it_decides_about_customs() -> None:
    draft = replace(at_home(DRAFT, country_code="CH"), items=(), provider_options={"final_dest_id": "Default"})
    assert drafts.problems(draft) == []


def test_a_problem_never_repeats_what_was_sent() -> None:
    draft = replace(options(DRAFT, sort_code="secret!"), reference="secret\n")
    assert "secret" not in repr(drafts.problems(draft))


def test_articles_of_an_order_that_are_one_there_must_say_the_same() -> None:
    order = replace(ORDER, items=(SHIRT, replace(SHIRT, quantity=2)))
    assert drafts.problems(order) == [FieldProblem("items.1", "not_unique")]


def test_an_order_of_nothing_is_none() -> None:
    assert drafts.problems(replace(ORDER, items=())) == [FieldProblem("items", "missing")]


JUNK: tuple[Any, ...] = (
    False,
    "",
    "x\x00",
    -1,
    10**30,
    1e300,
    [],
    {},
    [[None]],
    [{}, 1, "x"],
    {"a": [{}]},
    [{"reason": 1}],
)


@pytest.mark.parametrize("name", sorted({one.name for one in fields(Booking)}))
def test_whatever_an_option_holds_it_is_taken_or_named(name: str) -> None:
    for junk in JUNK:
        draft = options(DRAFT, **{name: junk})
        found = drafts.problems(draft)
        if not found:
            assert drafts.booking(draft, "X1").order_reference == "A-1001"
        drafts.quote_problems(draft)
