"""What a refusal has against which field, by allow-list."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carriers.shipx import problems
from bridge.errors import FieldProblem

from .stage import sample

BATCH = {"1": 0, "2": 1}


def read(details: object, names: dict[str, int] | None = None) -> list[tuple[str, str, int | None]]:
    body = json.dumps({"status": 400, "error": "validation_failed", "details": details}).encode()
    return [(one.field, one.code, one.item) for one in problems.read(body, names or {})]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("error_flat_details", [("mpk", "does_not_exist")]),
        ("error_nested_details", [("custom_attributes.target_point", "required")]),
        (
            "error_deep_details",
            [
                ("receiver.phone", "invalid_format"),
                ("receiver.address.post_code", "invalid"),
                ("receiver.address.post_code", "too_short"),
                ("cod.amount", "not_a_number"),
                ("shipment", "other"),
            ],
        ),
        ("error_label_unpaid", [("tracking_number", "you_can_not_generate_labels_for_unpaid_shipments")]),
        ("error_label_generation", [("label_available_from", "other")]),
        ("error_label_action", []),
        ("error_null_details", []),
        ("error_resource_not_found", []),
        ("error_description", []),
    ],
)
def test_every_sample_says_what_was_typed_from_the_documents(name: str, expected: list[tuple[str, str]]) -> None:
    assert read(sample(name)["details"]) == [(*one, None) for one in expected]


def test_a_refused_batch_says_of_each_draft_what_is_wrong_by_its_place() -> None:
    assert read(sample("error_batch_details")["details"], BATCH) == [
        ("receiver.email", "required", 0),
        ("mpk", "does_not_exist", 1),
        ("other", "other", 1),
    ]


def test_shipments_are_named_by_their_ids() -> None:
    details = {"shipments": [{"3900000019": [{"offer_id": ["does_not_exist"]}]}]}
    assert read(details, {"3900000019": 3900000019}) == [("offer_id", "does_not_exist", 3900000019)]


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        pytest.param({"shipments": {"2": {"mpk": ["x"]}}}, [("mpk", "other", 1)], id="nested without arrays"),
        pytest.param({"shipments": [{"2": ["invalid"]}]}, [("other", "invalid", 1)], id="the whole draft"),
        pytest.param({"shipments": [{"2": ["Anna"]}]}, [("other", "other", 1)], id="one is named all the same"),
        pytest.param({"shipments": [{"9": [{"mpk": ["x"]}]}]}, [("shipments.other.mpk", "other", None)], id="not sent"),
        pytest.param({"1": [{"mpk": ["x"]}]}, [("other.mpk", "other", None)], id="not under shipments"),
        pytest.param({"shipments": ["2"]}, [("shipments", "other", None)], id="a value is no name"),
    ],
)
def test_only_what_was_sent_can_be_named(details: object, expected: list[tuple[str, str, int | None]]) -> None:
    assert read(details, BATCH) == expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        pytest.param({"Anna Kowalska": ["required"]}, [("other", "required", None)], id="a name for a field"),
        pytest.param({"Anna Kowalska": ["600000000"]}, [], id="input alone says nothing"),
        pytest.param({"phone": ["600000000"]}, [("phone", "other", None)], id="input for a code"),
        pytest.param({"phone": "required"}, [("phone", "required", None)], id="a code without a list"),
        pytest.param(
            {"parcels": [{"my parcel": [{"weight": ["too_big"]}]}]},
            [("parcels.other.weight", "too_big", None)],
            id="a parcel by its own id",
        ),
        pytest.param({"phone": ["invalid", "invalid"]}, [("phone", "invalid", None)], id="the same twice is said once"),
        pytest.param({"phone": [5, None, True, 1.5]}, [], id="what is no text is no code"),
        pytest.param({"phone": []}, [], id="a field without codes"),
        pytest.param([], [], id="an empty list"),
        pytest.param("required", [("other", "required", None)], id="a code alone"),
        pytest.param(5, [], id="a number"),
    ],
)
def test_whatever_is_in_neither_table_is_other_or_left_out(details: object, expected: list[Any]) -> None:
    assert read(details) == expected


@pytest.mark.parametrize("body", [b"", b"{", b"null", b"[]", b"<html>", b'"x"', b"\xff", b"[" * 100_000])
def test_what_cannot_be_read_says_nothing(body: bytes) -> None:
    assert problems.read(body, BATCH) == ()


def test_what_is_nested_without_end_is_not_followed() -> None:
    nested: Any = ["required"]
    for _ in range(50):
        nested = {"address": nested}
    assert read(nested) == []


def test_no_refusal_says_more_than_a_thousand_things() -> None:
    details = {"shipments": [{str(place): [{"mpk": ["required"]}]} for place in range(1, 2501)]}
    found = problems.read(
        json.dumps({"details": details}).encode(), {str(place): place - 1 for place in range(1, 2501)}
    )
    assert (len(found), found[-1]) == (1000, FieldProblem("mpk", "required", 999))


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(sorted(problems.CODES)),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text() | st.sampled_from([*sorted(problems.FIELDS), "1", "2"]), inner, max_size=4)
    ),
)


@given(details=_JSON)
def test_every_word_is_from_a_table_whatever_the_details_hold(details: object) -> None:
    for field, code, item in read(details, BATCH):
        assert set(field.split(".")) <= problems.FIELDS | {problems.OTHER}
        assert code in problems.CODES | {problems.OTHER}
        assert item in (None, 0, 1)
