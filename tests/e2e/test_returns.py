"""Returns as a program has them made that knows nothing but RabbitMQ: the code in the reply, the fact on a queue."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.e2e.test_shipping import Heard, asking
from tests.support.bridge import BridgeProcess
from tests.support.carrier import SlowCarrier
from tests.support.consumer import Consumer
from tests.support.returns import credentials
from tests.unit.shipping.returning import CODES, PROVIDERS, SCENARIO, wanted


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
