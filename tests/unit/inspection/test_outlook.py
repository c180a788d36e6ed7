"""What is going to happen to a purchase, in a sentence for every way it may stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.inspection.outlook import outlook
from bridge.limits.pause import Pause
from bridge.model import micros
from bridge.store.purchase import PurchaseState
from bridge.store.story import Arrived, Standing, Story

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SETTLE = timedelta(seconds=20)
STANDING = Standing(
    state="wanted",
    reason=None,
    cause="a delivery",
    offer=42,
    service="inpost_locker_standard",
    intent="an intent",
    deadline=NOW + timedelta(minutes=4),
    due_at=NOW + timedelta(seconds=2),
    send_before=NOW + timedelta(seconds=5),
    left_by=NOW,
    reads=2,
    attempts=0,
    holder="host-7",
    held_until=None,
    updated_at=NOW,
    wanted_again=None,
)


LATER = NOW + timedelta(minutes=2)
BY_PERSON = Pause(micros(NOW), "operator", "anna-token")
BY_CARRIER = Pause(micros(NOW), "debt_collection", "carrier", probe_at=micros(LATER))
ABOUT_TOKEN = Pause(micros(NOW), "forbidden", "carrier", probe_at=micros(NOW))


def told(account: Pause | None = None, **changes: Any) -> str:
    story = Story("/shipx/1", "shipment/5", (), (), (), replace(STANDING, **changes), (), account=account)
    return " | ".join(outlook(story, NOW, SETTLE))


CASES: list[tuple[dict[str, Any], str]] = [
    ({"state": "wanted"}, "it will be read and decided about at 2026-11-20 12:00:02.000Z"),
    ({"state": "wanted"}, "its window closes at 2026-11-20 12:04:00.000Z"),
    ({"state": "wanted", "deadline": NOW - timedelta(seconds=1)}, "its window closed at 2026-11-20 11:59:59.000Z"),
    ({"state": "wanted", "due_at": NOW}, "now: it has been due since 2026-11-20 12:00:00.000Z"),
    ({"state": "wanted", "held_until": NOW + timedelta(seconds=8)}, "host-7 has it in hand until 2026-11-20 12:00:08"),
    ({"state": "intended"}, "offer 42 is being asked for, before 2026-11-20 12:00:05.000Z"),
    ({"state": "doubt"}, "so far 2 reads showed no trace of it"),
    ({"state": "doubt"}, "it can count as not bought from 2026-11-20 12:00:20.000Z on, after three such reads"),
    ({"state": "doubt", "wanted_again": "a delivery"}, "it was asked for again by a delivery"),
    ({"state": "succeeded"}, "nothing: this bridge bought it: offer 42 (inpost_locker_standard)"),
    ({"state": "succeeded", "reason": "adopted"}, "somebody else bought it, as a read showed: offer 42"),
    ({"state": "succeeded", "reason": "adopted_by_webhook"}, "somebody else bought it, as a webhook says"),
    ({"state": "failed", "reason": "insufficient_funds"}, "it was not bought: insufficient_funds"),
    ({"state": "declined", "reason": "no_rule_match"}, "nothing acceptable was on offer: no_rule_match"),
    ({"state": "held", "reason": "dry_run"}, "it waits for a person: dry_run"),
    ({"state": "held", "look_at": LATER}, "it is read once more at 2026-11-20 1"),
    ({"state": "declined", "said_at": NOW, "look_at": LATER}, "a webhook says that it is bought: a read is to show it"),
    ({"state": "declined", "said_at": NOW}, "that it is bought; no read showed that, so it does not count"),
    ({"state": "expired"}, "its window closed unbought; new offers"),
    ({"state": "expired", "reason": "carrier_unreachable"}, "its window closed unbought: carrier_unreachable; new"),
    ({"state": "not_ours", "reason": "carrier_owned_purchase"}, "it is left to others: carrier_owned_purchase"),
]


@pytest.mark.parametrize(("changes", "expected"), CASES)
def test_how_a_purchase_stands_says_what_happens_next(changes: dict[str, Any], expected: str) -> None:
    assert expected in told(**changes)


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (None, ["1 of its deliveries will be worked off"]),
        ("waits_for_read", ["what 1 of its deliveries said is told once a read of the carrier shows it"]),
        ("was_read", ["1 of its deliveries will be worked off"]),
        ("projected", []),
    ],
)
def test_what_a_delivery_still_brings_is_said(verdict: str | None, expected: list[str]) -> None:
    arrived = Arrived("id", "shipment_confirmed", NOW, NOW, 0, verdict, None)
    story = Story("/shipx/1", "shipment/5", (arrived,), (), (), None, ())
    assert outlook(story, NOW, SETTLE) == [*expected, "no purchase was ever asked for"]


PERSONS: list[tuple[dict[str, Any], str]] = [
    (
        {"state": "held", "reason": "approval_required"},
        "`bridge purchases approve 5` has inpost_locker_standard bought",
    ),
    ({"state": "held", "reason": "approval_required"}, "`bridge purchases retry 5` has it decided about anew"),
    (
        {"state": "held", "deadline": NOW},
        "its offers ran out at 2026-11-20 12:00:00.000Z: after an approval they would",
    ),
    ({"state": "held", "reason": "by_person", "intent": None}, "no offer was chosen yet: `bridge purchases retry 5`"),
    (
        {"state": "held", "reason": "dry_run"},
        "approving it changes nothing as long as BRIDGE_PURCHASING__MODE is dry_run",
    ),
    ({"state": "expired"}, "`bridge purchases retry 5` has it decided about anew"),
    ({"state": "failed", "reason": "other"}, "`bridge purchases retry 5` has it decided about anew"),
    ({"state": "declined", "reason": "no_rule_match"}, "`bridge purchases retry 5` has it decided about anew"),
    ({"state": "not_ours", "reason": "not_found"}, "`bridge purchases retry 5` has it decided about anew"),
    (
        {"state": "wanted", "account": BY_PERSON},
        "nothing is bought for its account: operator, by anna-token, since 2026-11-20 12:00:00.000Z;"
        " `bridge connections resume shipx/1` ends it, and nothing else does",
    ),
    (
        {"state": "wanted", "account": BY_CARRIER},
        "debt_collection, by carrier, since 2026-11-20 12:00:00.000Z; it ends by itself when a try succeeds,"
        " the next one at 2026-11-20 12:02:00.000Z, or by `bridge connections resume shipx/1`",
    ),
    ({"state": "wanted", "account": ABOUT_TOKEN}, "the next one with the next look at the account, or by"),
    (
        {"state": "expired", "reason": "account_paused", "account": BY_CARRIER},
        "after the pause it is wanted again, unless the policy has it otherwise (regenerate_after_pause)",
    ),
    (
        {"state": "failed", "reason": "insufficient_funds", "account": BY_PERSON},
        "its account is paused: operator, by anna-token",
    ),
]


@pytest.mark.parametrize(("changes", "expected"), PERSONS)
def test_what_a_person_can_do_is_said_and_what_happens_by_itself(changes: dict[str, Any], expected: str) -> None:
    assert expected in told(**changes)


def test_a_pause_that_has_nothing_to_do_with_how_it_ended_is_not_named() -> None:
    assert "paused" not in told(BY_CARRIER, state="expired")
    assert "paused" not in told(state="expired", reason="carrier_unreachable")
    assert "approve" not in told(state="held", reason="dry_run")


@pytest.mark.parametrize("state", list(PurchaseState))
def test_no_state_is_without_a_word(state: PurchaseState) -> None:
    assert told(state=state.value)


def test_who_let_go_of_it_is_not_named() -> None:
    assert "host-7" not in told(held_until=NOW - timedelta(seconds=1))
    assert "host-7" not in told(state="succeeded", held_until=NOW + timedelta(seconds=1))
