"""Where a rule leads to several providers, none is passed over for what only another one of them takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bridge.errors import FieldProblem
from bridge.returns.draft import Party, ReturnDraft
from bridge.returns.omissions import fitted, forgiven

FIRST, SECOND = "inpost_returns/main", "intelligentreturns/main"
DRAFT = ReturnDraft(
    reference="ORDER123",
    sender=Party(email="jan@example.com"),
    parcel_size="A",
    expires_at=datetime(2026, 12, 24, tzinfo=UTC),
    description="two shirts",
    service_id=243,
    drop_off_point_id="KRA010",
    provider_options={"display_id": "1"},
)


def unexpected(*fields: str) -> list[FieldProblem]:
    return [FieldProblem(field, "unexpected") for field in fields]


@pytest.mark.parametrize("field", ["service_id", "provider_options", "expires_at", "description"])
def test_what_another_one_takes_is_no_problem_and_what_none_takes_is_one(field: str) -> None:
    assert forgiven({FIRST: unexpected(field), SECOND: []}) == {FIRST: [], SECOND: []}
    assert forgiven({FIRST: [], SECOND: unexpected(field)}) == {FIRST: [], SECOND: []}
    nobodys = {FIRST: unexpected(field), SECOND: unexpected(field)}
    assert forgiven(nobodys) == nobodys
    assert forgiven({FIRST: unexpected(field)}) == {FIRST: unexpected(field)}


@pytest.mark.parametrize(
    "wrong",
    [
        pytest.param(FieldProblem("expires_at", "too_early"), id="a value that the other one refuses"),
        pytest.param(FieldProblem("expires_at", "missing"), id="a value that is not there"),
    ],
)
def test_who_refuses_the_value_does_not_take_it(wrong: FieldProblem) -> None:
    problems = {FIRST: [wrong], SECOND: unexpected("expires_at")}
    assert forgiven(problems) == problems


def test_an_option_that_its_own_provider_does_not_know_is_a_problem_for_both() -> None:
    problems = {FIRST: unexpected("provider_options"), SECOND: unexpected("provider_options.colour")}
    assert forgiven(problems) == problems


def test_under_a_rule_a_size_is_a_word_to_route_by() -> None:
    assert forgiven({SECOND: unexpected("parcel_size")}) == {SECOND: []}
    unknown = [FieldProblem("parcel_size", "invalid")]
    assert forgiven({FIRST: unknown, SECOND: unexpected("parcel_size")}) == {FIRST: unknown, SECOND: []}


@pytest.mark.parametrize("field", ["drop_off_point_id", "collection", "receiver", "provider_options.colour"])
def test_where_it_is_fetched_and_where_it_goes_is_never_left_out(field: str) -> None:
    assert forgiven({FIRST: unexpected(field), SECOND: []}) == {FIRST: unexpected(field), SECOND: []}


def test_a_return_is_given_without_what_its_provider_has_no_field_for() -> None:
    assert fitted(DRAFT, []) == DRAFT
    assert fitted(DRAFT, unexpected("service_id", "provider_options")) == replace(
        DRAFT, service_id=None, provider_options={}
    )
    assert fitted(DRAFT, unexpected("parcel_size", "expires_at", "description")) == replace(
        DRAFT, parcel_size=None, expires_at=None, description=None
    )
    assert fitted(DRAFT, [FieldProblem("expires_at", "too_early"), *unexpected("drop_off_point_id")]) == DRAFT
