"""When webhooks count as silent, as missing, and as well again."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby

import pytest

from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.reconciling.hearing import judge, show, told, warnings
from bridge.store.hearing import Hearing
from tests.unit.reconciling.shipments import NOW, ORGANIZATION


def ago(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


WELL = Hearing()
FEW = Hearing(missed=2, unheard=2, missed_at=NOW - ago(5))
SILENT = Hearing("silent", NOW - ago(60), 5, 5, NOW - ago(10))
MISSING = Hearing("missing", NOW - ago(60), 5, 0, NOW - ago(10), NOW - ago(9))
LOST = Hearing("missing", NOW - ago(60), 5, 0, NOW - ago(10), NOW - ago(40))
CALM = Hearing("missing", NOW - ago(60), 5, 0, NOW - ago(31), NOW - ago(30))


@pytest.mark.parametrize(
    ("before", "missed", "heard", "expected", "remark"),
    [
        (WELL, 0, None, "healthy", "nothing happens"),
        (WELL, 2, None, "healthy", "two may be an accident"),
        (WELL, 3, None, "silent", "three, and not one webhook"),
        (FEW, 1, None, "silent", "three, one after the other"),
        (FEW, 1, 20, "silent", "the last webhook is older than all of them"),
        (FEW, 0, None, "healthy", "no more came together"),
        (FEW, 1, 1, "missing", "three in all, with a webhook in between"),
        (FEW, 0, 1, "healthy", "two, and webhooks come"),
        (SILENT, 0, None, "silent", "nothing shows that they come again"),
        (SILENT, 4, None, "silent", "still none"),
        (SILENT, 0, 1, "missing", "they come again: not well before a calm time"),
        (MISSING, 0, 1, "missing", "not calm for long enough"),
        (MISSING, 1, 1, "missing", "some are still lost"),
        (MISSING, 3, 10, "missing", "three more, and no webhook since, but that may be chance"),
        (LOST, 3, 40, "silent", "three more, and no webhook for long"),
        (CALM, 0, 1, "healthy", "half an hour without a miss, and webhooks come"),
        (CALM, 1, 1, "missing", "one was lost just now"),
        (Hearing("silent", NOW, 5, 5, NOW - ago(300)), 0, None, "silent", "a quiet day proves nothing"),
        (Hearing(missed=1, unheard=1, missed_at=NOW - ago(2000)), 2, None, "silent", "a small shop, three in days"),
    ],
)
def test_how_webhooks_do(before: Hearing, missed: int, heard: float | None, expected: str, remark: str) -> None:
    after = judge(before, missed, None if heard is None else NOW - ago(heard), NOW)
    assert after.state == expected, remark
    assert after.since == (before.since if after.state == before.state else NOW)


def test_a_little_loss_now_and_then_does_not_add_up() -> None:
    hearing = WELL
    for day in range(30):
        morning = NOW + timedelta(days=day)
        hearing = judge(hearing, 1, morning, morning + ago(1))
        hearing = judge(hearing, 0, morning + ago(2), morning + ago(40))
        assert hearing.state == "healthy"


def test_one_webhook_among_many_losses_does_not_make_it_flap() -> None:
    hearing, states = WELL, []
    for minute in range(120):
        now = NOW + ago(minute)
        heard = now - ago(0.1) if minute % 10 == 0 else None
        hearing = judge(hearing, minute % 2, heard, now)
        states.append(hearing.state)
    assert [state for state, _ in groupby(states)] == ["healthy", "silent", "missing"]


def test_it_is_said_in_words() -> None:
    assert told(WELL) is None
    said = warnings({ORGANIZATION: SILENT})
    assert said[0].startswith("organization 4821: no webhooks come since 2026-11-20 11:00:00 UTC: 5 shipments")
    assert "bridge webhook url" in said[0]


def test_the_gauges_of_an_organization_say_which_state_its_webhooks_are_in() -> None:
    metrics = Metrics()
    show({ORGANIZATION: SILENT}, [ORGANIZATION, OrganizationId(4822)], metrics)
    show({}, [ORGANIZATION], metrics)
    show({ORGANIZATION: MISSING}, [ORGANIZATION], metrics)
    found = {
        (connection, state): metrics.registry.get_sample_value(
            "bridge_webhook_health", {"connection": connection, "state": state}
        )
        for connection in ("shipx/4821", "shipx/4822")
        for state in ("healthy", "silent", "missing")
    }
    assert {key for key, value in found.items() if value} == {("shipx/4821", "missing"), ("shipx/4822", "healthy")}
    assert set(found.values()) == {0, 1}
