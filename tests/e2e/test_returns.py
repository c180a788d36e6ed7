"""Returns as a program has them made that knows nothing but RabbitMQ: the code in the reply, the rest on a queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import httpx

from tests.e2e.test_shipping import Heard, Json, asking
from tests.support.bridge import BridgeProcess
from tests.support.carrier import SlowCarrier
from tests.support.consumer import Consumer
from tests.support.http import NO_TLS
from tests.support.returns import credentials
from tests.unit.shipping.returning import CODES, MADE, PLATFORM, PROVIDERS, SCENARIO, TICKETS, wanted

WAYS: Final[Mapping[str, Sequence[str]]] = {
    TICKETS: ("USED", "DELIVERED"),
    CODES: ("dispatched_by_sender", "delivered"),
    PLATFORM: ("20", "60"),
}


def scenario() -> dict[str, Any]:
    """Let every return be sent after three seconds, and arrive eight seconds later."""
    found = {}
    for provider, words in WAYS.items():
        steps = [{"status": word, "after": after} for word, after in zip(words, (3, 8), strict=True)]
        found[provider] = {**SCENARIO[provider], "courses": [{"name": "home", "steps": steps}]}
    return found


async def test_over_rabbitmq_alone(tmp_path: Path, amqp_url: str) -> None:
    due = {CODES: {"expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat()}}
    async with (
        SlowCarrier(takes_s=0.01, **scenario()).open() as carrier,
        BridgeProcess(tmp_path, amqp_url=amqp_url, **credentials(carrier.url), BRIDGE_RETURNS__POLL_S="2"),
        Consumer(amqp_url, "*.return.#") as queue,
        asking(amqp_url) as ask,
    ):
        heard, subjects = Heard(queue), dict[str, str]()
        for provider in PROVIDERS:
            made = await ask("return.create", wanted(provider, **due.get(provider, {})))
            assert (made["provider"], made["state"]) == (provider, "created")
            subjects[provider] = subject = f"return/{made['return_id']}"
            event = await heard.until(subject, "return.created", provider=provider)
            assert event["source"] == f"/{provider}/main"
        for provider, subject in subjects.items():
            for status in ("dropped_off", "delivered"):
                await heard.until(subject, "return.status_changed", return_status=status)
            check(heard.of(subject), heard.kinds(subject), provider)


def check(events: Sequence[Json], kinds: Sequence[str], provider: str) -> None:
    """See that each step was told once, in order, and no code with any of them."""
    assert not any("code" in event["data"] for event in events)
    made = MADE[provider]
    assert kinds[: len(made)] == made
    assert set(kinds[len(made) :]) == {"return.status_changed"}
    told = [event["data"]["carrier_status"] for event in events[len(made) :]]
    assert [word for word in told if word in WAYS[provider]] == list(WAYS[provider])
    assert len(told) == len(set(told))
    assert events[-1]["data"]["terminal"]


async def test_a_code_becomes_a_return_and_a_return_is_called_off_over_rabbitmq(tmp_path: Path, amqp_url: str) -> None:
    due = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    async with (
        SlowCarrier(takes_s=0.01, **SCENARIO).open() as carrier,
        BridgeProcess(tmp_path, amqp_url=amqp_url, **credentials(carrier.url)) as bridge,
        Consumer(amqp_url, "*.return.#") as queue,
        asking(amqp_url) as ask,
    ):
        heard = Heard(queue)
        async with httpx.AsyncClient(
            base_url=bridge.url, trust_env=False, verify=NO_TLS, headers=bridge.headers
        ) as http:
            stocked = await http.post("/v1/returns/codes", json={"count": 1}, headers={"idempotency-key": "stock"})
        [spare] = stocked.json()["items"]
        sender = {"phone": "500100200", "email": "jan@example.com"}
        use = {"reference": "ORDER123", "sender": sender, "parcel_size": "A", "expires_at": due}
        made = await ask("return.code.activate", {"code": spare["code"], **use})
        assert (made["provider"], made["state"], made["code"]) == (CODES, "created", spare["code"])
        event = await heard.until(f"return/{made['return_id']}", "return.created", provider=CODES)
        assert spare["code"] not in str(event)
        made = await ask("return.create", wanted(PLATFORM))
        called_off = await ask("return.cancel", {"return_id": made["return_id"]})
        assert (called_off["return_id"], called_off["cancellation"]) == (made["return_id"], "requested")
        assert spare["code"] not in bridge.log
