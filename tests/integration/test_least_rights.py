"""What the production overlay lets the bridge's user do on RabbitMQ is enough for all that the bridge does there."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

import aio_pika
import httpx
import pytest
import yaml
from aio_pika.abc import AbstractChannel
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from bridge.broker.topology import COMMANDS, DEAD
from bridge.errors import BrokerError
from bridge.nodes.rabbitmq import RabbitNode
from tests.deploy.rendering import ROOT, of_kind
from tests.support.bridge import BridgeProcess, until
from tests.support.consumer import Consumer
from tests.support.http import NO_TLS
from tests.support.verbs import verb

SAMPLE = (ROOT / "tests/samples/shipx/webhook_shipment_confirmed.json").read_bytes()
REPLIES = "erp.replies"


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as opened:
        yield opened


@pytest.fixture
async def restricted(rabbit: RabbitNode, amqp_url: str) -> str:
    """The URL of a user with the overlay's permissions, on a virtual host where somebody else declared everything."""
    manifests = (ROOT / "k8s/overlays/production/broker/user.yaml").read_text(encoding="utf-8")
    [permission] = of_kind([*yaml.safe_load_all(manifests)], "Permission")
    rights = permission["spec"]["permissions"]
    place = urlsplit(amqp_url)
    user = f"restricted-{place.path.strip('/')}"
    rabbit.control("add_user", user, "password")
    vhost = unquote(place.path.strip("/"))
    rabbit.control("set_permissions", "-p", vhost, user, rights["configure"], rights["write"], rights["read"])
    await apply_topology(SecretStr(amqp_url))
    return f"amqp://{user}:password@{place.hostname}:{place.port}{place.path}"


async def test_it_may_not_declare(restricted: str) -> None:
    async with channel(restricted) as opened:
        with pytest.raises(aio_pika.exceptions.ChannelClosed, match="ACCESS_REFUSED"):
            await opened.declare_queue("bridge.more", durable=True)
    with pytest.raises(BrokerError):
        await apply_topology(SecretStr(restricted))


async def test_it_publishes_obeys_answers_buries_and_sends_back(restricted: str, amqp_url: str, tmp_path: Path) -> None:
    settings = {"BRIDGE_AMQP__DECLARE": "false", "BRIDGE_AMQP__REPLY_QUEUES": REPLIES}
    async with (
        BridgeProcess(tmp_path, amqp_url=restricted, **settings) as bridge,
        Consumer(amqp_url, "#") as events,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http,
        channel(amqp_url) as opened,
    ):
        headers = {"content-type": "application/json"}
        assert (await http.post(bridge.webhook_url, content=SAMPLE, headers=headers)).status_code == 200
        assert json.loads((await events.next()).body)["source"] == "/shipx/4821"

        replies = await opened.declare_queue(REPLIES, durable=True)
        commands = await opened.get_exchange(COMMANDS)
        hold = json.dumps({"command_id": "c-1", "shipment_id": 1}).encode()
        await commands.publish(aio_pika.Message(hold, reply_to=REPLIES, correlation_id="1"), "shipment.hold")
        reply = await until(lambda: replies.get(fail=False))
        assert json.loads(reply.body)["command_id"] == "c-1"

        await commands.publish(aio_pika.Message(b"nonsense", message_id="c-2"), "shipment.hold")
        await until(lambda: holds(opened, DEAD, 1))
        assert "shipment.hold" in (await verb(bridge.environ, "dead", "list")).out
        assert (await verb(bridge.environ, "dead", "redrive")).code == 0
        await until(lambda: holds(opened, DEAD, 1))

        replayed = await verb(bridge.environ, "events", "replay", "--since", "1h", "--to-queue", "warehouse")
        assert replayed.code == 0, replayed
        assert (await until_replayed(events)).headers["bridge-replay"]
        assert "ACCESS_REFUSED" not in bridge.log


async def until_replayed(events: Consumer) -> aio_pika.abc.AbstractIncomingMessage:
    """Take what came before the replay, and give the first message of it."""
    while not (message := await events.next()).headers.get("bridge-replay"):
        pass
    return message


async def holds(opened: AbstractChannel, queue: str, messages: int) -> bool:
    return (await opened.declare_queue(queue, passive=True)).declaration_result.message_count == messages
