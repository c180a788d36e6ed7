"""Returns as a program has them made that knows nothing but RabbitMQ: the code in the reply, the fact on a queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from tests.e2e.test_shipping import Heard, asking
from tests.support.bridge import BridgeProcess
from tests.support.carrier import SlowCarrier
from tests.support.consumer import Consumer
from tests.support.returns import credentials
from tests.unit.shipping.returning import CODES, PLATFORM, PROVIDERS, SCENARIO, wanted


async def test_over_rabbitmq_alone(tmp_path: Path, amqp_url: str) -> None:
    due = {CODES: {"expires_at": (datetime.now(UTC) + timedelta(days=30)).isoformat()}}
    async with (
        SlowCarrier(takes_s=0.01, **SCENARIO).open() as carrier,
        BridgeProcess(tmp_path, amqp_url=amqp_url, **credentials(carrier.url)),
        Consumer(amqp_url, "*.return.#") as queue,
        asking(amqp_url) as ask,
    ):
        heard = Heard(queue)
        for provider in PROVIDERS:
            made = await ask("return.create", wanted(provider, **due.get(provider, {})))
            assert (made["provider"], made["state"]) == (provider, "created")
            event = await heard.until(f"return/{made['return_id']}", "return.created", provider=provider)
            assert event["source"] == f"/{provider}/main"
            assert heard.kinds(event["subject"]) == ["return.created"]
            assert "code" not in event["data"]


async def test_a_code_becomes_a_return_and_a_return_is_called_off_over_rabbitmq(tmp_path: Path, amqp_url: str) -> None:
    due = (datetime.now(UTC) + timedelta(days=30)).isoformat()
    async with (
        SlowCarrier(takes_s=0.01, **SCENARIO).open() as carrier,
        BridgeProcess(tmp_path, amqp_url=amqp_url, **credentials(carrier.url)) as bridge,
        Consumer(amqp_url, "*.return.#") as queue,
        asking(amqp_url) as ask,
    ):
        heard = Heard(queue)
        async with httpx.AsyncClient(base_url=bridge.url, trust_env=False, headers=bridge.headers) as http:
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
