"""When webhooks count as silent, as missing, and as well again."""

from __future__ import annotations

from datetime import timedelta
from itertools import groupby
from typing import get_args

import pytest

from bridge.model import OrganizationId
from bridge.observability import Metrics
from bridge.reconciling.hearing import judge, show, told, warnings
from bridge.store.hearing import Arrived, Hearing, State
from bridge.store.strays import Strays
from tests.unit.reconciling.shipments import NOW, ORGANIZATION


def ago(minutes: float) -> timedelta:
    return timedelta(minutes=minutes)


def arrived(heard: float | None, foreign: tuple[float, ...] = (), unproxied: tuple[float, ...] = ()) -> Arrived:
    """Say how many minutes ago each came."""
    strays = Strays(tuple(NOW - ago(one) for one in foreign), tuple(NOW - ago(one) for one in unproxied))
    return Arrived(None if heard is None else NOW - ago(heard), strays)


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
    after = judge(before, missed, arrived(heard), NOW)
    assert after.state == expected, remark
    assert after.since == (before.since if after.state == before.state else NOW)


FOREIGN = Hearing("foreign_organization", NOW - ago(60))
UNPROXIED = Hearing("unconfigured_proxy", NOW - ago(60))


@pytest.mark.parametrize(
    ("before", "missed", "heard", "foreign", "unproxied", "expected", "remark"),
    [
        (WELL, 0, None, (1, 2), (), "healthy", "two may be an accident"),
        (WELL, 0, None, (1, 2, 300), (), "foreign_organization", "three, far apart"),
        (WELL, 0, 0.5, (1, 2, 3), (), "foreign_organization", "its own come, and another's"),
        (FOREIGN, 0, 20, (29, 30, 31), (), "foreign_organization", "not calm for long enough"),
        (FOREIGN, 0, 1, (31, 32, 33), (), "healthy", "half an hour without one, and its own come"),
        (FOREIGN, 0, None, (31, 32, 33), (), "foreign_organization", "none of its own shows that it was mended"),
        (FOREIGN, 0, None, (), (), "healthy", "a day without one, or they were replayed"),
        (FOREIGN, 3, None, (1, 2, 3), (), "silent", "and none of its own comes"),
        (FOREIGN, 3, 5, (1, 2, 3), (), "foreign_organization", "some of its own are lost"),
        (MISSING, 0, 1, (1, 2, 3), (), "foreign_organization", "why some are lost"),
        (WELL, 0, None, (), (1, 2), "healthy", "somebody tried it out"),
        (WELL, 0, None, (), (1, 2, 3), "unconfigured_proxy", "three, and nothing was ever accepted"),
        (WELL, 0, 29, (), (1, 2, 3), "healthy", "forged from inside, between two that were accepted"),
        (WELL, 0, 31, (), (1, 2, 3), "unconfigured_proxy", "nothing accepted for long"),
        (WELL, 0, 31, (), (1, 2, 40), "healthy", "one of them was before the last that was accepted"),
        (SILENT, 0, None, (), (1, 2, 3), "unconfigured_proxy", "why none comes"),
        (UNPROXIED, 0, 1, (), (2, 3, 4), "healthy", "the proxy is trusted now"),
        (UNPROXIED, 0, None, (), (), "healthy", "none came for a day, or they were replayed"),
        (UNPROXIED, 3, None, (), (), "silent", "none came for a day, and that was missed"),
        (WELL, 0, None, (1, 2, 3), (1, 2, 3), "unconfigured_proxy", "what keeps all away comes first"),
    ],
)
def test_what_parked_webhooks_show(
    before: Hearing,
    missed: int,
    heard: float | None,
    foreign: tuple[float, ...],
    unproxied: tuple[float, ...],
    expected: str,
    remark: str,
) -> None:
    after = judge(before, missed, arrived(heard, foreign, unproxied), NOW)
    assert after.state == expected, remark
    assert after.since == (before.since if after.state == before.state else NOW)


def test_a_little_loss_now_and_then_does_not_add_up() -> None:
    hearing = WELL
    for day in range(30):
        morning = NOW + timedelta(days=day)
        hearing = judge(hearing, 1, Arrived(morning), morning + ago(1))
        hearing = judge(hearing, 0, Arrived(morning + ago(2)), morning + ago(40))
        assert hearing.state == "healthy"


def test_one_webhook_among_many_losses_does_not_make_it_flap() -> None:
    hearing, states = WELL, []
    for minute in range(120):
        now = NOW + ago(minute)
        heard = now - ago(0.1) if minute % 10 == 0 else None
        hearing = judge(hearing, minute % 2, Arrived(heard), now)
        states.append(hearing.state)
    assert [state for state, _ in groupby(states)] == ["healthy", "silent", "missing"]


def test_it_is_said_in_words() -> None:
    assert told(WELL) is None
    said = warnings({ORGANIZATION: SILENT})
    assert said[0].startswith("organization 4821: no webhooks come since 2026-11-20 11:00:00 UTC: 5 shipments")
    assert "bridge webhook url" in said[0]
    assert warnings({ORGANIZATION: FOREIGN})[0].startswith(
        "organization 4821: webhooks of another organization come since 2026-11-20 11:00:00 UTC; the URL is registered"
    )
    assert "BRIDGE_WEBHOOK__TRUSTED_PROXIES" in warnings({ORGANIZATION: UNPROXIED})[0]


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
        for state in get_args(State)
    }
    assert {key for key, value in found.items() if value} == {("shipx/4821", "missing"), ("shipx/4822", "healthy")}
    assert set(found.values()) == {0, 1}
