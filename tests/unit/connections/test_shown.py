"""How connections are shown: in a table, in the health of a process, and as gauges."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bridge.connections.document import document, state
from bridge.connections.health import degraded, show, warnings
from bridge.connections.words import row
from bridge.limits.breaker import Breaker
from bridge.limits.connection import Connection, Held
from bridge.limits.pause import AccountReason, Pause
from bridge.model import Micros, micros
from bridge.observability import Metrics
from bridge.store.connections import Seen

AT = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
NOW = micros(AT)
LATER = Micros(NOW + 1_000_000)
PAUSE = Pause(NOW, "operator", "somebody")
FUNDS = Pause.by_carrier(AccountReason.debt_collection, NOW)
TOKEN = Pause.by_carrier(AccountReason.forbidden, NOW)


def seen(name: str = "shipx/4821", *, is_configured: bool = True, **kept: Any) -> Seen:
    return Seen(Connection(name, **kept), NOW, is_configured)


READY = seen()
PAUSED = seen(pause=PAUSE)
OPEN = seen(breaker=Breaker(6, 1, LATER), degraded_since=NOW)
HALF_OPEN = seen(breaker=Breaker(6, 1, NOW), degraded_since=NOW)
SUSPECTED = seen(breaker=Breaker(5, 0, NOW), degraded_since=NOW)
LIMITED = seen(not_before=LATER, degraded_since=NOW)
REFUSED = seen(degraded_since=NOW)
FORGOTTEN = seen("shipx/7", is_configured=False, pause=PAUSE, breaker=Breaker(6, 1, LATER), degraded_since=NOW)
"""One that the settings have no token for any more."""


@pytest.mark.parametrize(
    ("found", "word"),
    [
        (READY, "ready"),
        (PAUSED, "paused"),
        (seen(pause=PAUSE, breaker=Breaker(6, 1, LATER)), "paused"),
        (OPEN, "carrier_away"),
        (HALF_OPEN, "carrier_away"),
        (SUSPECTED, "degraded"),
        (LIMITED, "asked_to_wait"),
        (REFUSED, "degraded"),
        (FORGOTTEN, "not_configured"),
    ],
)
def test_one_word_says_what_stands_against_a_purchase(found: Seen, word: str) -> None:
    assert state(found) == word == document(found)["state"]


def test_people_get_a_row() -> None:
    held = (Held(1, "x", LATER, NOW), Held(2, "x", NOW, NOW))
    found = seen("shipx/1", held=held), PAUSED, seen("shipx/500", degraded_since=NOW), FORGOTTEN
    assert [row(one) for one in found] == [
        ("shipx/1", "ready", "1", "", ""),
        ("shipx/4821", "paused", "0", "2026-11-20 12:00:00Z", "operator, by somebody"),
        (
            *("shipx/500", "degraded", "0", "2026-11-20 12:00:00Z"),
            "the carrier gives no usable answer, asks to wait, or refuses the token",
        ),
        ("shipx/7", "not_configured", "0", "", "the settings have no token for it"),
    ]


@pytest.mark.parametrize(
    ("pause", "why", "next_probe"),
    [
        (FUNDS, "debt_collection, by carrier; tried again at 2026-11-20 12:01:00Z", AT + timedelta(minutes=1)),
        (replace(FUNDS, probe_at=NOW), "debt_collection, by carrier; tried again with the next purchase", AT),
        (replace(TOKEN, probe_at=NOW), "forbidden, by carrier; tried again with the next look", AT),
        (PAUSE, "operator, by somebody", None),
    ],
)
def test_a_pause_says_when_it_is_tried_again(pause: Pause, why: str, next_probe: datetime | None) -> None:
    found = seen(pause=pause)
    assert row(found)[-1] == why
    told = {"reason": pause.reason, "since": AT, "by": pause.by, "next_probe": next_probe}
    assert document(found)["paused"] == told


@pytest.mark.parametrize(
    ("reason", "advice"),
    [
        (AccountReason.debt_collection, "top up the account, or pay what is due"),
        (AccountReason.company_data_missing, "complete the company and bank data in the carrier's Manager"),
        (AccountReason.no_carriers, "have the carrier give the organization a contract to ship with"),
        (AccountReason.forbidden, "set the token of this organization and restart"),
    ],
)
def test_a_process_says_what_to_do_about_an_account_that_is_refused(reason: AccountReason, advice: str) -> None:
    assert warnings([seen(pause=Pause.by_carrier(reason, NOW))]) == [
        f"shipx/4821 is paused ({reason.value}, by carrier): {advice}; then it resumes by itself, or at once by "
        "bridge connections resume shipx/4821"
    ]


def test_a_process_says_of_every_connection_what_is_away_and_since_when() -> None:
    assert degraded([READY]) == {}
    assert degraded([PAUSED, OPEN, seen("inpost_returns/main", degraded_since=NOW)]) == {
        "connection/shipx/4821": AT,
        "carrier/4821": AT,
        "carrier/inpost_returns/main": AT,
    }


def test_what_is_not_configured_any_more_says_nothing_about_a_process() -> None:
    assert (degraded([FORGOTTEN]), warnings([FORGOTTEN])) == ({}, [])
    metrics = Metrics()
    show([FORGOTTEN], metrics)
    assert metrics.registry.get_sample_value("bridge_connection_paused", {"connection": "shipx/7"}) is None


def test_a_process_says_in_words_what_keeps_purchases_back() -> None:
    assert warnings([READY, REFUSED, LIMITED, SUSPECTED]) == []
    assert warnings([PAUSED, OPEN]) == [
        "shipx/4821 is paused (operator, by somebody): nothing is bought until bridge connections resume shipx/4821",
        "shipx/4821: the carrier gives no usable answer; it is tried again by itself",
    ]


@pytest.mark.parametrize(
    ("found", "paused", "opened"),
    [(READY, 0, 0), (PAUSED, 1, 0), (seen(pause=FUNDS), 1, 0), (OPEN, 0, 1), (HALF_OPEN, 0, 1), (SUSPECTED, 0, 0)],
)
def test_gauges_say_which_connection_is_paused_and_which_carrier_is_left_alone(
    found: Seen, paused: int, opened: int
) -> None:
    metrics, label = Metrics(), {"connection": "shipx/4821"}
    show([found], metrics)
    assert metrics.registry.get_sample_value("bridge_connection_paused", label) == paused
    assert metrics.registry.get_sample_value("bridge_connection_breaker_open", label) == opened
