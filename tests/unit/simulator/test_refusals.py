"""Nothing a client sends may break the carrier: it answers in its own envelope, never with a 500."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .stage import DRAFT, PREPAID, Stage, as_object, error_of

PATH = f"/v1/organizations/{PREPAID}/shipments"

NUMBERS = st.integers() | st.floats() | st.just(10**400)
SCALARS = st.none() | st.booleans() | NUMBERS | st.text() | st.sampled_from(["", "12,5", "1e999", "POP-1"])
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)
FIELDS = [
    *DRAFT,
    "service",
    "cod",
    "insurance",
    "mpk",
    "is_return",
    "additional_services",
    "shipment",
    "offer_id",
    "shipments",
]
BODIES = st.dictionaries(st.sampled_from(FIELDS), VALUES, max_size=4)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b"null",
        b'"x"',
        b"\xff\xfe",
        b"<html>",
        b"[" * 100_000,
        b'{"receiver": 1}',
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
async def test_a_body_that_is_no_shipment(stage: Stage, body: bytes) -> None:
    assert error_of(await stage.client.post(PATH, content=body)) == (400, "validation_failed")


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        ({"parcels": None}, {"parcels": ["required"]}),
        ({"parcels": []}, {"parcels": ["too_short"]}),
        ({"parcels": [{}]}, {"parcels": ["required"]}),
        ({"parcels": [{"template": "huge"}]}, {"parcels": [{"template": ["invalid"]}]}),
        ({"receiver": None}, {"receiver": ["required"]}),
        ({"receiver": {"first_name": "Anna"}}, {"receiver": ["invalid"]}),
        ({"receiver": {"phone": "+48 888"}}, {"receiver": [{"phone": ["invalid_format"]}]}),
        ({"reference": "ab"}, {"reference": ["too_short"]}),
        ({"reference": "a" * 101}, {"reference": ["too_long"]}),
        ({"cod": {"amount": 0.5}}, {"cod": [{"amount": ["too_small"]}]}),
        ({"cod": {"amount": "much"}}, {"cod": [{"amount": ["not_a_number"]}]}),
        ({"cod": {"amount": 20}, "service": "inpost_courier_standard"}, {"insurance": ["required"]}),
        (
            {"receiver": {"company_name": "X", "address": {"city": "Y"}}, "reference": "ab"},
            {"receiver": [{"address": [{"post_code": ["required"]}]}], "reference": ["too_short"]},
        ),
    ],
)
async def test_details_name_each_wrong_attribute(
    stage: Stage, changes: dict[str, Any], details: dict[str, Any]
) -> None:
    answer = await stage.client.post(PATH, json={**DRAFT, **changes})
    assert error_of(answer) == (400, "validation_failed")
    assert as_object(answer)["details"] == details


async def test_attributes_inside_a_shipment_object_count_too(stage: Stage) -> None:
    answer = await stage.client.post(PATH, json={"shipment": {**DRAFT, "reference": ""}})
    assert (answer.status_code, answer.json()["reference"]) == (201, "")


@pytest.mark.parametrize(
    ("body", "key"),
    [
        ({}, "required"),
        ({"offer_id": True}, "not_an_integer"),
        ({"offer_id": "x"}, "not_an_integer"),
        ({"offer_id": -1}, "too_small"),
    ],
)
async def test_a_purchase_needs_an_offer(stage: Stage, body: dict[str, Any], key: str) -> None:
    shipment = await stage.prepared()
    answer = await stage.client.post(f"/v1/shipments/{shipment['id']}/buy", json=body)
    assert error_of(answer) == (400, "validation_failed")
    assert as_object(answer)["details"] == {"offer_id": [key]}


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=BODIES)
async def test_any_body_gets_an_answer_of_the_carrier(stage: Stage, changes: dict[str, Any]) -> None:
    """Also with lone surrogates, infinities and numbers no machine word holds."""
    known = await stage.prepared()
    shipment = f"/v1/shipments/{known['id']}"
    calls = [
        ("POST", PATH, {**DRAFT, **changes}),
        ("POST", f"{shipment}/buy", changes),
        ("POST", f"{shipment}/select_offer", changes),
        ("POST", f"{PATH}/bulk_buy", changes),
        ("POST", f"{PATH}/select_offers", changes),
        ("POST", f"{PATH}/calculate", changes),
        ("PUT", shipment, changes),
        ("POST", f"/v1/organizations/{PREPAID}/batches", changes),
        ("POST", f"/v1/organizations/{PREPAID}/dispatch_orders", changes),
        ("POST", f"/v1/organizations/{PREPAID}/dispatch_orders/calculate", changes),
        ("POST", f"/_control{shipment.removeprefix('/v1')}/statuses", changes),
        ("POST", "/_control/webhooks/resend", changes),
    ]
    for method, path, body in calls:
        answer = await stage.client.request(method, path, content=json.dumps(body).encode())
        assert answer.status_code in (200, 201, 400), answer.text
        told = answer.json()
        assert isinstance(told, list) or {"error", "id", "price_list"} & told.keys()


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    query=st.dictionaries(
        st.sampled_from(
            [
                "id",
                "page",
                "per_page",
                "created_at_gteq",
                "sort_by",
                "status",
                "lang",
                "format",
                "type",
                "shipment_ids[]",
            ]
        ),
        st.text(),
    )
)
async def test_any_query_gets_an_answer_of_the_carrier(stage: Stage, query: dict[str, str]) -> None:
    printable = {key: value.encode("utf-8", "replace").decode() for key, value in query.items()}
    orders = f"/v1/organizations/{PREPAID}/dispatch_orders"
    files = (f"{PATH}/labels", f"{PATH}/return_labels", f"{orders}/printouts")
    for path in (PATH, *files, orders, "/v1/statuses", "/_control/webhooks", "/_control/deeds"):
        assert (await stage.client.get(path, params=printable)).status_code in (200, 400, 404)
