"""What InPost Returns takes, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bridge.carriers.inpost_returns.rules import broken
from bridge.errors import FieldProblem
from bridge.returns.draft import Address, Collection, Item, ReturnDraft

from .stage import LEAST, NOW, SENDER, WHOLE

assert WHOLE.receiver is not None
RECEIVER = WHOLE.receiver
assert RECEIVER.address is not None
ADDRESS = RECEIVER.address


def changed(draft: ReturnDraft, **changes: Any) -> ReturnDraft:
    return replace(draft, **changes)


def sent_by(**changes: Any) -> ReturnDraft:
    return replace(LEAST, sender=replace(SENDER, **changes))


def received_by(**changes: Any) -> ReturnDraft:
    return replace(WHOLE, receiver=replace(RECEIVER, **changes))


def received_at(**changes: Any) -> ReturnDraft:
    return received_by(address=replace(ADDRESS, **changes))


@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(LEAST, id="only what is needed"),
        pytest.param(WHOLE, id="everything"),
        pytest.param(changed(LEAST, expires_at=NOW + timedelta(days=7)), id="the earliest expiry"),
        pytest.param(changed(LEAST, expires_at=NOW + timedelta(days=720)), id="the latest expiry"),
        pytest.param(changed(LEAST, reference="x" * 64), id="the longest reference"),
        pytest.param(sent_by(first_name="x" * 125, last_name="x" * 125), id="the longest names"),
        pytest.param(sent_by(email=f"{'x' * 243}@example.com"), id="the longest e-mail"),
        pytest.param(sent_by(phone="+1 212 555 0100"), id="a phone from elsewhere"),
        pytest.param(sent_by(phone="0048 500-600-700"), id="a phone as people write it"),
        pytest.param(sent_by(address=Address(city="Kraków")), id="a sender's address, which is not sent"),
        pytest.param(changed(LEAST, items=(Item("1", "Buty", 1),)), id="items, which are not sent"),
        pytest.param(received_by(first_name=None, last_name=None), id="a company without names"),
        pytest.param(received_by(company_name=None), id="names without a company"),
        pytest.param(received_by(address=None, email=None), id="no address and no e-mail"),
        pytest.param(received_at(state=None, country_code=None), id="no province and no country"),
    ],
)
def test_this_is_taken(draft: ReturnDraft) -> None:
    assert broken(draft, NOW) == []


@pytest.mark.parametrize(
    ("draft", "field", "code"),
    [
        pytest.param(changed(LEAST, reference=""), "reference", "missing", id="no reference"),
        pytest.param(changed(LEAST, reference="x" * 65), "reference", "too_long", id="a long reference"),
        pytest.param(changed(LEAST, reference="a\nb"), "reference", "invalid_format", id="a reference of two lines"),
        pytest.param(changed(LEAST, reference="a\ud800"), "reference", "invalid_format", id="half a character"),
        pytest.param(changed(LEAST, parcel_size="D"), "parcel_size", "invalid", id="a size that there is not"),
        pytest.param(changed(LEAST, parcel_size="a"), "parcel_size", "invalid", id="a small size"),
        pytest.param(changed(LEAST, description="x" * 256), "description", "too_long", id="a long description"),
        pytest.param(
            changed(LEAST, expires_at=NOW + timedelta(days=7, microseconds=-1)),
            "expires_at",
            "too_early",
            id="too early",
        ),
        pytest.param(
            changed(LEAST, expires_at=NOW + timedelta(days=720, microseconds=1)),
            "expires_at",
            "too_late",
            id="too late",
        ),
        pytest.param(changed(LEAST, service_id=1), "service_id", "unexpected", id="a service"),
        pytest.param(changed(LEAST, drop_off_point_id="1"), "drop_off_point_id", "unexpected", id="a point"),
        pytest.param(changed(LEAST, collection=Collection()), "collection", "unexpected", id="a courier"),
        pytest.param(changed(LEAST, provider_options={"x": 1}), "provider_options", "unexpected", id="an option"),
        pytest.param(sent_by(first_name=None), "sender.first_name", "missing", id="no first name"),
        pytest.param(sent_by(last_name=" "), "sender.last_name", "missing", id="an empty last name"),
        pytest.param(sent_by(last_name="x" * 126), "sender.last_name", "too_long", id="a long last name"),
        pytest.param(sent_by(phone=None), "sender.phone", "missing", id="no phone"),
        pytest.param(sent_by(phone="+4850060070"), "sender.phone", "invalid_format", id="eight Polish digits"),
        pytest.param(sent_by(phone="+0123456789"), "sender.phone", "invalid_format", id="no country"),
        pytest.param(sent_by(phone="+" + "1" * 16), "sender.phone", "invalid_format", id="sixteen digits"),
        pytest.param(sent_by(phone="+48\u0665\u0660\u0660600700"), "sender.phone", "invalid_format", id="other digits"),
        pytest.param(sent_by(email=None), "sender.email", "missing", id="no e-mail"),
        pytest.param(sent_by(email="ewa"), "sender.email", "invalid_format", id="no e-mail address"),
        pytest.param(sent_by(email=f"{'x' * 244}@example.com"), "sender.email", "too_long", id="a long e-mail"),
        pytest.param(received_by(phone=None), "receiver.phone", "missing", id="a receiver without phone"),
        pytest.param(received_by(email="x@y"), "receiver.email", "invalid_format", id="a receiver's e-mail"),
        pytest.param(received_by(company_name="x" * 256), "receiver.company_name", "too_long", id="a long company"),
        pytest.param(
            received_by(first_name="x" * 51), "receiver.first_name", "too_long", id="51, where senders have 125"
        ),
        pytest.param(
            received_by(company_name=None, last_name=None),
            "receiver.last_name",
            "missing",
            id="half a name, no company",
        ),
        pytest.param(received_at(building_number=None), "receiver.address.building_number", "missing", id="no number"),
        pytest.param(
            received_at(building_number="x" * 11), "receiver.address.building_number", "too_long", id="a number"
        ),
        pytest.param(received_at(street=None), "receiver.address.street", "missing", id="no street"),
        pytest.param(received_at(street="x" * 51), "receiver.address.street", "too_long", id="a long street"),
        pytest.param(received_at(city=None), "receiver.address.city", "missing", id="no city"),
        pytest.param(received_at(state="x" * 51), "receiver.address.state", "too_long", id="a long province"),
        pytest.param(received_at(post_code=None), "receiver.address.post_code", "missing", id="no post code"),
        pytest.param(received_at(post_code="30300"), "receiver.address.post_code", "invalid_format", id="no dash"),
        pytest.param(
            received_at(post_code="30-300\n"), "receiver.address.post_code", "invalid_format", id="a line more"
        ),
        pytest.param(
            received_at(country_code="POL"), "receiver.address.country_code", "invalid_format", id="3 letters"
        ),
        pytest.param(
            received_at(country_code="pl"), "receiver.address.country_code", "invalid_format", id="small ones"
        ),
    ],
)
def test_this_is_not_and_its_field_is_named(draft: ReturnDraft, field: str, code: str) -> None:
    assert broken(draft, NOW) == [FieldProblem(field, code)]


def test_everything_that_is_wrong_is_named_at_once() -> None:
    draft = replace(LEAST, reference="", parcel_size="X", sender=replace(SENDER, phone="1", email=None))
    assert [one.field for one in broken(draft, NOW)] == ["reference", "parcel_size", "sender.phone", "sender.email"]
