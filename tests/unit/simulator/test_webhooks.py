"""Notifications: what is sent, how often, and what is kept about it."""

from __future__ import annotations

from datetime import UTC, datetime

import httpx
import pytest

from bridge.simulator import TargetRefused
from bridge.simulator.targets import checked_target
from bridge.simulator.times import event_ts, timestamp

from .stage import HOOK, PREPAID, Stage, error_of, scenario


@pytest.mark.parametrize(
    ("moment", "event_time", "iso"),
    [
        (datetime(2026, 3, 18, 11, 31, 58, 279_000, UTC), "2026-03-18 12:31:58 +0100", "2026-03-18T12:31:58.279+01:00"),
        (datetime(2026, 5, 23, 12, 56, 1, 999_900, UTC), "2026-05-23 14:56:01 +0200", "2026-05-23T14:56:01.999+02:00"),
    ],
)
def test_times_are_polish_and_written_in_two_ways(moment: datetime, event_time: str, iso: str) -> None:
    assert (event_ts(moment), timestamp(moment)) == (event_time, iso)


async def test_every_attempt_is_recorded_with_its_answer(stage: Stage) -> None:
    await stage.bought()
    first, second = (await stage.control("webhooks"))["items"]
    assert (first["id"], first["event"], second["event"]) == (1, "offers_prepared", "shipment_confirmed")
    assert (second["status"], second["answer"]) == (200, {"outcome": "accepted", "delivery_id": 7})
    assert second["body"] == stage.received[1]
    assert second["sent_at"] <= second["answered_at"]
    assert (await stage.control("webhooks?after=1"))["items"] == [second]


async def test_every_nth_notification_is_repeated() -> None:
    async with Stage(scenario(webhooks={"repeat_every": 2, "repeat_after": 3})) as stage:
        await stage.bought()
        assert stage.events() == ["offers_prepared", "shipment_confirmed"]
        await stage.advance(3)
        assert stage.received[2] == stage.received[1]
        assert [one["repeat"] for one in (await stage.control("webhooks"))["items"]] == [False, False, True]


async def test_by_default_nothing_is_retried() -> None:
    async with Stage(answer=lambda _: httpx.Response(503)) as stage:
        await stage.prepared()
        await stage.advance(3600)
        assert [one["status"] for one in (await stage.control("webhooks"))["items"]] == [503]


async def test_retries_follow_the_schedule_until_exactly_200() -> None:
    statuses = iter([503, 201, 200])
    async with Stage(
        scenario(webhooks={"retries": [15, 30, 60]}), answer=lambda _: httpx.Response(next(statuses))
    ) as stage:
        await stage.create()
        await stage.advance(3600)
        attempts = (await stage.control("webhooks"))["items"]
        sent = [datetime.fromisoformat(one["sent_at"]) for one in attempts]
        assert [one["status"] for one in attempts] == [503, 201, 200]
        assert [(later - sent[0]).total_seconds() for later in sent] == [0, 15, 45]


async def test_a_receiver_that_cannot_be_reached_is_a_failed_attempt() -> None:
    def unreachable(_: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("no one listens")

    async with Stage(scenario(webhooks={"retries": [15]}), answer=unreachable) as stage:
        await stage.prepared()
        await stage.advance(60)
        attempts = (await stage.control("webhooks"))["items"]
        assert [(one["error"], one["status"], one["answered_at"]) for one in attempts] == [
            ("ConnectError", None, None)
        ] * 2
        assert stage.simulator.idle


@pytest.mark.parametrize("answer", [b"", b"<html>", b"\xff", b"[" * 100_000])
async def test_an_answer_that_is_not_json_is_kept_as_nothing(answer: bytes) -> None:
    async with Stage(answer=lambda _: httpx.Response(200, content=answer)) as stage:
        await stage.prepared()
        assert (await stage.control("webhooks"))["items"][0]["answer"] is None


async def test_a_recorded_notification_can_be_sent_again(stage: Stage) -> None:
    await stage.prepared()
    assert (await stage.client.post("/_control/webhooks/resend", json={"id": 1})).status_code == 202
    await stage.advance(0)
    assert stage.received[1] == stage.received[0]
    assert error_of(await stage.client.post("/_control/webhooks/resend", json={"id": 9})) == (404, "resource_not_found")


async def test_without_a_url_nothing_is_sent(stage: Stage) -> None:
    await stage.client.put(f"/_control/organizations/{PREPAID}/webhook", json={"url": None})
    await stage.bought()
    assert stage.received == []


async def test_some_statuses_before_the_journey_may_be_announced_too() -> None:
    async with Stage(scenario(webhooks={"also_announce": ["created", "confirmed"]})) as stage:
        await stage.bought()
        assert stage.events() == ["created", "offers_prepared", "shipment_confirmed", "confirmed"]


@pytest.mark.parametrize(
    "url", [HOOK, "http://localhost:8080/webhooks", "https://[::1]/", "http://127.8.8.8/x?token=A"]
)
def test_this_machine_may_be_called(url: str) -> None:
    assert checked_target(url, allow_remote=False) == url


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://192.168.0.7/",
        "ftp://localhost/",
        "localhost/x",
        "http://[::1",
        "http://localhost:99999/",
        "http://localhost/Secret",
        "",
    ],
)
async def test_other_targets_are_refused(stage: Stage, url: str) -> None:
    answer = await stage.client.put(f"/_control/organizations/{PREPAID}/webhook", json={"url": url})
    assert error_of(answer) == (400, "validation_failed")
    with pytest.raises(TargetRefused):
        Stage(scenario(organization={"webhook_url": url}))


def test_another_machine_may_be_called_when_allowed() -> None:
    assert checked_target("http://bridge:8080/webhooks/x", allow_remote=True)
