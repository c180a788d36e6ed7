"""What Szybkie Zwroty takes, field by field."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.carriers.szybkie_zwroty.rules import broken
from bridge.errors import FieldProblem
from bridge.returns.draft import Collection, Item, Party, ReturnDraft

from .stage import DRAFT, NOW


def changed(**changes: Any) -> ReturnDraft:
    return replace(DRAFT, **changes)


def sent_by(**changes: Any) -> ReturnDraft:
    return replace(DRAFT, sender=replace(DRAFT.sender, **changes))


@pytest.mark.parametrize(
    "draft",
    [
        pytest.param(DRAFT, id="as it is"),
        pytest.param(sent_by(first_name=None, last_name=None), id="nobody's name, which is not sent"),
        pytest.param(sent_by(phone="500600700"), id="a phone without its country"),
        pytest.param(changed(expires_at=NOW + timedelta(hours=2, seconds=1)), id="the earliest expiry"),
        pytest.param(changed(description="Buty", items=(Item("1", "Buty", 1),)), id="what is not sent"),
    ],
)
def test_this_is_taken(draft: ReturnDraft) -> None:
    assert broken(draft, NOW) == []


@pytest.mark.parametrize(
    ("draft", "field", "code"),
    [
        pytest.param(changed(reference=" "), "reference", "missing", id="no reference"),
        pytest.param(changed(reference="x" * 65), "reference", "too_long", id="a long reference"),
        pytest.param(changed(reference="a\x00b"), "reference", "invalid_format", id="what XML cannot hold"),
        pytest.param(changed(parcel_size=None), "parcel_size", "missing", id="no size: nobody decides it for us"),
        pytest.param(changed(parcel_size="D"), "parcel_size", "invalid", id="a size that there is not"),
        pytest.param(changed(expires_at=None), "expires_at", "missing", id="no expiry: nobody decides it for us"),
        pytest.param(changed(expires_at=NOW + timedelta(hours=2)), "expires_at", "too_early", id="nothing to promise"),
        pytest.param(changed(expires_at=datetime(9999, 12, 31, 23, tzinfo=UTC)), "expires_at", "too_late", id="never"),
        pytest.param(sent_by(phone=None), "sender.phone", "missing", id="no phone"),
        pytest.param(sent_by(phone="+49 30 901820"), "sender.phone", "invalid_format", id="a phone from elsewhere"),
        pytest.param(sent_by(phone="50060070"), "sender.phone", "invalid_format", id="eight digits"),
        pytest.param(sent_by(email=None), "sender.email", "missing", id="no e-mail"),
        pytest.param(sent_by(email="ewa@"), "sender.email", "invalid_format", id="no e-mail address"),
        pytest.param(changed(receiver=Party()), "receiver", "unexpected", id="a receiver: it is the account's"),
        pytest.param(changed(service_id=1), "service_id", "unexpected", id="a service"),
        pytest.param(changed(drop_off_point_id="1"), "drop_off_point_id", "unexpected", id="a point"),
        pytest.param(changed(collection=Collection()), "collection", "unexpected", id="a courier"),
        pytest.param(changed(provider_options={"x": 1}), "provider_options", "unexpected", id="an option"),
    ],
)
def test_this_is_not_and_its_field_is_named(draft: ReturnDraft, field: str, code: str) -> None:
    assert broken(draft, NOW) == [FieldProblem(field, code)]
