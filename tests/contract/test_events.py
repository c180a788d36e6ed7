"""What is published keeps its promises: the schemas, the AsyncAPI document, ids, routing keys and partitions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from jsonschema import Draft7Validator, Draft202012Validator, FormatChecker

from bridge.events import asyncapi, examples, export, schemas, statuses
from bridge.events.catalogue import CATALOGUE, Confirmed, Money, Published, StatusChanged
from bridge.events.cloudevents import Envelope, partition, routing_key
from bridge.events.glossary import MEANINGS
from bridge.events.notification import Notification, StatusSeen
from bridge.events.projection import project
from bridge.events.reference import render_events_reference
from bridge.model import DeliveryId, Evidence, Fact, OrganizationId, ShipmentId, Subject
from tests.support.document import api_document

HERE = Path(__file__).parent
GOLDEN = HERE / "golden"
REFERENCE = HERE.parents[1] / "docs/reference/events.md"
AT = datetime(2026, 10, 10, 9, 30, 15, tzinfo=UTC)
TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"

OTHERS = {"openapi": api_document()}

FORMATS = FormatChecker(formats=())
"""The few formats we use, checked here, because without further packages a validator passes over them."""


@FORMATS.checks("date-time")
def _is_moment(value: object) -> bool:
    return not isinstance(value, str) or bool(
        re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", value)
    )


@FORMATS.checks("uuid", raises=ValueError)
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or str(UUID(value)) == value


@FORMATS.checks("uri-reference")
def _is_uri_reference(value: object) -> bool:
    return not isinstance(value, str) or bool(re.fullmatch(r"[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=%]*", value))


@FORMATS.checks("uri")
def _is_uri(value: object) -> bool:
    return not isinstance(value, str) or bool(re.match(r"[A-Za-z][A-Za-z0-9+.-]*:", value))


def _official(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HERE / "official" / name).read_text(encoding="utf-8"))
    return found


def _of(model: type[Published]) -> Draft202012Validator:
    return Draft202012Validator(schemas.event_schema(model), format_checker=FORMATS)


def _sent(fact: Fact) -> dict[str, Any]:
    envelope = Envelope("test")
    body = envelope.serialize(fact, envelope.event_id(fact), sequence=7, recorded_at=AT)
    found: dict[str, Any] = json.loads(body)
    return found


def _status_facts() -> Iterator[Fact]:
    """Every word of the table, and one that nobody knows, each on a subject first met so and on a known one."""
    known = project(_said("created", AT - timedelta(hours=1)), None).state
    for word in [*statuses.words("shipx"), "never_seen_before"]:
        for state in (None, known):
            yield from project(_said(word, AT), state).facts


def _said(word: str, at: datetime) -> Notification:
    return Notification(
        OrganizationId(1234),
        ShipmentId(987654321),
        at,
        Evidence.webhook,
        StatusSeen(word, "520000012680041086770098", "520000012680041086770099"),
        DeliveryId("0192f5c8-5a00-7c41-8d6e-2b1f9e3c4d55"),
    )


FACTS = [*(examples.fact(model) for model in CATALOGUE), *_status_facts()]
MODELS = {model.type: model for model in CATALOGUE}

by_model = pytest.mark.parametrize("model", CATALOGUE, ids=lambda model: model.type)


@by_model
def test_every_schema_is_a_valid_schema_of_its_dialect(model: type[Published]) -> None:
    schema = schemas.event_schema(model)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == f"urn:shipx-bridge:schemas:bridge.{model.type}.v1"


def test_every_event_has_one_schema_under_its_versioned_type() -> None:
    assert list(schemas.all_schemas()) == [f"bridge.{model.type}.v1" for model in CATALOGUE]


def test_the_facts_tried_here_are_of_every_type_and_of_every_tracking_status_of_the_table() -> None:
    assert {fact.type for fact in FACTS} == set(MODELS)
    table = {str(statuses.lookup("shipx", word).tracking) for word in statuses.words("shipx")}
    assert {fact.facet for fact in FACTS if fact.type == StatusChanged.type} == table


def test_every_event_validates_against_its_schema() -> None:
    for fact in FACTS:
        _of(MODELS[fact.type]).validate(_sent(fact))


def test_an_event_with_a_trace_or_without_a_cause_validates_too() -> None:
    document = _sent(replace(examples.fact(Confirmed), causation=None))
    assert not {"traceparent", "correlationid", "causationid"} & set(document)
    _of(Confirmed).validate(document)
    _of(Confirmed).validate(document | {"traceparent": TRACE})


def test_every_event_validates_against_the_schema_of_cloudevents() -> None:
    official = Draft7Validator(_official("cloudevents-1.0.2.json"), format_checker=FORMATS)
    for fact in FACTS:
        official.validate(_sent(fact))


def test_a_schema_named_by_its_path_alone_would_not_be_cloudevents() -> None:
    """The JavaScript SDK of CloudEvents refuses the whole event then; the checker above must notice it too."""
    official = Draft7Validator(_official("cloudevents-1.0.2.json"), format_checker=FORMATS)
    document = _sent(examples.fact(Confirmed))
    assert not official.is_valid({**document, "dataschema": "/schemas/bridge.shipment.confirmed.v1.json"})


@by_model
def test_every_attribute_name_is_one_that_cloudevents_allows(model: type[Published]) -> None:
    names = set(_properties(schemas.event_schema(model)))
    assert all(re.fullmatch(r"[a-z0-9]{1,20}", name) for name in names)


@by_model
def test_an_event_names_the_schema_that_describes_it(model: type[Published]) -> None:
    schema: Any = schemas.event_schema(model)
    named, _, pointer = _sent(examples.fact(model))["dataschema"].partition("#")
    assert (named, pointer) == (schema["$id"], "/properties/data")
    assert schema["properties"]["data"] == schemas.data_schema(model)


def test_times_are_utc_whatever_the_offset_they_came_with() -> None:
    warsaw = AT.astimezone(timezone(timedelta(hours=2)))
    assert _sent(replace(examples.fact(Confirmed), occurred_at=warsaw))["time"] == "2026-10-10T09:30:15Z"


BROKEN = [
    # what is changed, why a consumer must be able to rely on it
    ({"sequence": "7"}, "ten digits, or text order is not number order"),
    ({"sequence": 7}, "text, as CloudEvents has no 64-bit number"),
    ({"type": "bridge.shipment.confirmed.v2"}, "another version has another schema"),
    ({"specversion": "0.3"}, "another CloudEvents"),
    ({"time": "yesterday"}, "no moment"),
    ({"time": None}, "always known"),
    ({"id": "1"}, "no UUID"),
    ({"source": "1234"}, "names no provider"),
    ({"data": {}}, "says nothing"),
]


@pytest.mark.parametrize(("change", "why"), BROKEN, ids=[why for _change, why in BROKEN])
def test_a_broken_event_does_not_validate(change: Mapping[str, object], why: str) -> None:
    assert not _of(Confirmed).is_valid({**_sent(examples.fact(Confirmed)), **change}), why


OPEN = [
    # where, what, why it may happen within .v1
    (("data", "tracking_status"), "teleported", "a new word of ours"),
    (("data", "previous_tracking_status"), "teleported", "a new word of ours"),
    (("data", "carrier_status"), "beamed_up", "a new word of the carrier"),
    (("data", "reason"), "because", "a new reason"),
    (("data", "evidence"), "signed_webhook", "a new kind of evidence"),
    (("data", "something_new"), {"a": 1}, "an added field"),
    (("somethingnew",), "1", "an added attribute"),
]


@pytest.mark.parametrize(("where", "value", "why"), OPEN, ids=[f"{row[0][-1]}: {row[2]}" for row in OPEN])
def test_an_addition_breaks_no_consumer(where: tuple[str, ...], value: object, why: str) -> None:
    document = _sent(examples.fact(StatusChanged))
    place = document["data"] if len(where) > 1 else document
    place[where[-1]] = value
    assert _of(StatusChanged).is_valid(document), why


def test_no_schema_closes_anything() -> None:
    for document in schemas.all_schemas().values():
        for part in _parts(document):
            assert "enum" not in part
            assert "$ref" not in part
            assert part.get("additionalProperties", True) is True


FORBIDDEN = {
    # a part of a name: what it would say
    "name": "a person",
    "firstname": "a person",
    "lastname": "a person",
    "company": "a person's employer, or a person",
    "receiver": "a person",
    "recipient": "a person",
    "sender": "a person",
    "consignee": "a person",
    "customer": "a person",
    "email": "how to reach a person",
    "mail": "how to reach a person",
    "phone": "how to reach a person",
    "msisdn": "how to reach a person",
    "address": "where a person lives",
    "street": "where a person lives",
    "building": "where a person lives",
    "city": "where a person lives",
    "post": "where a person lives",
    "postcode": "where a person lives",
    "zip": "where a person lives",
    "point": "where a person picks up",
    "details": "the carrier's free text",
    "message": "the carrier's free text",
    "text": "free text",
    "comment": "free text",
    "comments": "free text",
    "description": "free text",
    "note": "free text",
    "reference": "a customer's own text",
    "code": "opens a locker",
    "qr": "opens a locker",
    "pin": "opens a locker",
    "url": "may carry a secret",
    "token": "a credential",
    "login": "a credential",
    "password": "a credential",
    "secret": "a credential",
    "key": "a credential",
    "iban": "an account",
    "account": "an account",
}


def test_no_name_in_any_schema_suggests_what_must_not_be_published() -> None:
    for document in schemas.all_schemas().values():
        for name in _names(document):
            assert not set(name.split("_")) & set(FORBIDDEN), name


def test_every_field_is_explained_and_no_explanation_is_left_over() -> None:
    used = set()
    for document in schemas.all_schemas().values():
        data = _properties(document)["data"]
        for part in _parts(data):
            for name, schema in _properties(part).items():
                assert schema.get("description"), name
                used.add(name)
    assert set(MEANINGS) <= used


AMOUNTS = [
    # given, published
    ("12.50", "12.50"),  # the zero stays
    ("1E+2", "100"),  # how a decimal may write a hundred
    ("0.1", "0.1"),  # no binary fraction
]


@pytest.mark.parametrize(("given", "published"), AMOUNTS)
def test_an_amount_is_published_as_plain_decimal_text(given: str, published: str) -> None:
    money = Money(amount=Decimal(given), currency="PLN")
    assert json.loads(money.model_dump_json()) == {"amount": published, "currency": "PLN"}


def test_the_asyncapi_document_validates_against_the_official_schema() -> None:
    Draft7Validator(_official("asyncapi-3.0.0.json")).validate(asyncapi.document("1.0.0"))


def test_the_official_schema_would_notice_a_mistake() -> None:
    """The document is validated through references; a validator that lost them would accept anything."""
    document: Any = json.loads(json.dumps(asyncapi.document("1.0.0")))
    document["channels"]["shipment.confirmed"]["bindings"]["amqp"]["exchange"]["type"] = "pigeon"
    assert not Draft7Validator(_official("asyncapi-3.0.0.json")).is_valid(document)


def test_every_reference_in_the_asyncapi_document_leads_somewhere() -> None:
    document: Any = asyncapi.document("1.0.0")
    for part in _parts(document):
        if isinstance(reference := part.get("$ref"), str):
            found = document
            for step in reference.removeprefix("#/").split("/"):
                found = found[step]


@by_model
def test_the_payload_in_the_asyncapi_document_is_the_very_schema(model: type[Published]) -> None:
    document: Any = asyncapi.document("1.0.0")
    message = document["components"]["messages"][model.type]
    assert message["payload"] == schemas.event_schema(model)
    assert message["contentType"] == "application/cloudevents+json"
    for example in message["examples"]:
        _of(model).validate(example["payload"])
        Draft7Validator(message["headers"]).validate(example["headers"])


def test_the_document_carries_the_version_it_is_given() -> None:
    document: Any = asyncapi.document("3.1.4")
    assert document["info"]["version"] == "3.1.4"


def test_the_published_documents_are_the_pinned_ones(tmp_path: Path) -> None:
    """A change here is a change for every consumer. Meant? `bridge schema export tests/contract/golden`."""
    written = {path.name: path.read_bytes() for path in export.export(tmp_path, OTHERS)}
    pinned = {path.name: path.read_bytes() for path in GOLDEN.iterdir()}
    assert sorted(written) == sorted(pinned), test_the_published_documents_are_the_pinned_ones.__doc__
    for name, body in written.items():
        assert body == pinned[name], f"{name}: {test_the_published_documents_are_the_pinned_ones.__doc__}"


def test_an_export_is_the_same_bytes_every_time(tmp_path: Path) -> None:
    first = export.export(tmp_path / "a", OTHERS)
    second = export.export(tmp_path / "b", OTHERS)
    assert [path.name for path in first] == sorted(path.name for path in first)
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert all(path.read_bytes().endswith(b"}\n") for path in first)


def test_the_reference_page_is_the_one_that_the_code_makes() -> None:
    """Stale? Write the result of `render_events_reference()` to docs/reference/events.md."""
    assert REFERENCE.read_text(encoding="utf-8") == render_events_reference()


KEYS = {
    "shipment.offers_prepared": "shipx.shipment.offers_prepared",
    "shipment.offer_selected": "shipx.shipment.offer_selected.cheapest",
    "shipment.offer_selection_failed": "shipx.shipment.offer_selection_failed.none_available",
    "shipment.purchase_held": "shipx.shipment.purchase_held.approval_required",
    "shipment.purchase_requested": "shipx.shipment.purchase_requested",
    "shipment.purchase_unknown": "shipx.shipment.purchase_unknown",
    "shipment.purchase_succeeded": "shipx.shipment.purchase_succeeded",
    "shipment.purchase_failed": "shipx.shipment.purchase_failed.insufficient_funds",
    "shipment.offers_expired": "shipx.shipment.offers_expired",
    "shipment.confirmed": "shipx.shipment.confirmed",
    "shipment.tracking_number_assigned": "shipx.shipment.tracking_number_assigned",
    "shipment.status_changed": "shipx.shipment.status_changed.available_for_pickup",
    "shipment.return_leg_started": "shipx.shipment.return_leg_started",
    "shipment.cancelled": "shipx.shipment.cancelled",
    "shipment.cancel_failed": "shipx.shipment.cancel_failed.overwritten",
    "dispatch_order.created": "shipx.dispatch_order.created",
    "dispatch_order.failed": "shipx.dispatch_order.failed",
    "dispatch_order.status_changed": "shipx.dispatch_order.status_changed",
    "shipment.label_ready": "shipx.shipment.label_ready.pdf",
    "return.created": "inpost_returns.return.created.inpost_returns",
    "return.creation_failed": "inpost_returns.return.creation_failed.validation_failed",
    "return.creation_unknown": "inpost_returns.return.creation_unknown",
    "return.label_ready": "inpost_returns.return.label_ready.pdf",
    "return.status_changed": "inpost_returns.return.status_changed.dropped_off",
    "return.expiry_approaching": "inpost_returns.return.expiry_approaching",
    "connection.paused": "shipx.connection.paused.operator",
    "connection.resumed": "shipx.connection.resumed.operator",
    "webhook.health_changed": "shipx.webhook.health_changed.silent",
}


@by_model
def test_every_event_has_its_routing_key(model: type[Published]) -> None:
    assert routing_key(examples.fact(model)) == KEYS[model.type]


def test_every_routing_key_has_the_form_that_the_asyncapi_document_gives() -> None:
    for fact in FACTS:
        form = re.sub(r"\\\{\w+\\\}", "[A-Za-z0-9_:-]{1,64}", re.escape(asyncapi.address(MODELS[fact.type])))
        assert re.fullmatch(form, routing_key(fact))


def test_a_dot_in_a_facet_adds_no_part_to_the_routing_key() -> None:
    fact = replace(examples.fact(Confirmed), type="shipment.offer_selected", facet="night.rule.2")
    assert routing_key(fact) == "shipx.shipment.offer_selected.night_rule_2"


def test_the_provider_in_a_routing_key_comes_from_the_source() -> None:
    subject = Subject("/inpost_returns/main", "return/17")
    fact = replace(examples.fact(Confirmed), subject=subject, type="return.created", facet="inpost")
    assert routing_key(fact) == "inpost_returns.return.created.inpost"


CONFIRMED = Fact(
    Subject.shipment(OrganizationId(1234), ShipmentId(987654321)),
    "shipment.confirmed",
    "confirmed",
    AT,
    examples.fact(Confirmed).data,
)

SAME = [
    # the fact, seen again: why it is the same event
    (CONFIRMED, "exactly the same"),
    (replace(CONFIRMED, occurred_at=AT + timedelta(days=1)), "by a poll, with another time"),
    (replace(CONFIRMED, causation="another-delivery"), "by another delivery"),
    (replace(CONFIRMED, facet="x"), "the routing key is no part of an identity"),
]
OTHER = [
    (replace(CONFIRMED, key="other"), "another key"),
    (replace(CONFIRMED, type="shipment.cancelled"), "another fact"),
    (replace(CONFIRMED, subject=Subject("/shipx/1234", "shipment/987654322")), "another shipment"),
    (replace(CONFIRMED, subject=Subject("/shipx/1235", "shipment/987654321")), "another organization"),
]


PINNED_ID = "bc4cadbd-7f98-59f2-bc5f-f2ec3aeac797"
"""Never change this value: consumers drop repeats by the ids, and one changed namespace would repeat everything."""


@pytest.mark.parametrize(("fact", "why"), SAME, ids=[why for _fact, why in SAME])
def test_the_same_fact_has_the_same_id_for_ever(fact: Fact, why: str) -> None:
    assert Envelope("production").event_id(fact) == PINNED_ID, why


@pytest.mark.parametrize(("fact", "why"), OTHER, ids=[why for _fact, why in OTHER])
def test_another_fact_has_another_id(fact: Fact, why: str) -> None:
    assert Envelope("production").event_id(fact) != PINNED_ID, why


def test_another_environment_has_other_ids() -> None:
    assert Envelope("test").event_id(CONFIRMED) != PINNED_ID


PARTITIONS = [
    # subject, partition: stored on rows, so these never change
    (Subject("/shipx/1234", "shipment/987654321"), 39),
    (Subject("/shipx/1234", "shipment/987654322"), 29),
    (Subject("/shipx/1", "shipment/1"), 33),
    (Subject("/inpost_returns/main", "return/17"), 58),
    (Subject("/shipx/1234", "connection/main"), 3),
]


@pytest.mark.parametrize(("subject", "expected"), PARTITIONS, ids=[str(row[0]) for row in PARTITIONS])
def test_a_subject_stays_in_its_partition(subject: Subject, expected: int) -> None:
    assert partition(subject) == expected


def _parts(value: object) -> Iterator[dict[str, Any]]:
    """Give every object inside a document, itself included."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from _parts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _parts(each)


def _properties(schema: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = schema.get("properties", {})
    return found if isinstance(found, dict) else {}


def _names(document: object) -> Iterator[str]:
    for part in _parts(document):
        yield from _properties(part)
