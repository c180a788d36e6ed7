"""Verbs beside a running bridge, on both databases and a real broker, and verbs that nobody hears."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aio_pika
import httpx
import pytest
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage
from pydantic import SecretStr

from bridge.broker.headers import ORIGIN, REASON, REDRIVEN, REPLAY
from bridge.broker.rabbit import apply_topology
from bridge.broker.topology import DEAD
from bridge.lifecycle import utc_now
from bridge.model import micros
from bridge.nodes.rabbitmq import RabbitNode
from bridge.settings import load
from bridge.store.opening import existing
from tests.support.bridge import BridgeProcess, Program, until
from tests.support.http import NO_TLS
from tests.support.ran import Ran
from tests.support.verbs import begun, ended, verb

SAMPLES = Path(__file__).parents[1] / "samples" / "shipx"
BODY = (SAMPLES / "webhook_shipment_status_changed.json").read_bytes()
SHIPMENT = "shipment/3900000017"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for one of the databases; those of the process for SQLite."""
    if request.param == "sqlite":
        return {}
    return {"BRIDGE_DATABASE_URL": request.getfixturevalue("migrated_postgres_url")}


async def send(bridge: BridgeProcess, body: bytes = BODY) -> dict[str, Any]:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        answer = await http.post(bridge.webhook_url, content=body)
    found: dict[str, Any] = answer.json()
    return found


async def events(bridge: BridgeProcess) -> list[dict[str, Any]]:
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
        found: list[dict[str, Any]] = (await http.get(f"{bridge.url}/v1/events")).json()["items"]
    return found


@asynccontextmanager
async def channel(url: str) -> AsyncIterator[AbstractChannel]:
    async with await aio_pika.connect(url) as connection, connection.channel() as opened:
        yield opened


async def take(url: str, queue: str) -> list[AbstractIncomingMessage]:
    """Take everything out of a queue."""
    found = []
    async with channel(url) as opened:
        source = await opened.get_queue(queue)
        while (message := await source.get(fail=False, no_ack=True)) is not None:
            found.append(message)
    return found


async def rows(environ: Mapping[str, str], sql: str) -> list[tuple[Any, ...]]:
    """Look into the database past the bridge."""
    database = existing(load(environ).database)
    try:
        return await database.read(lambda transaction: transaction.run(sql))
    finally:
        await database.close()


# -- beside a running bridge -------------------------------------------------------------------------------------------


async def test_a_connection_is_listed_paused_and_resumed(tmp_path: Path, database: dict[str, str]) -> None:
    roles = "receiver,worker,relay,commands"  # a reconciler would ask the carrier, and nobody is there
    async with BridgeProcess(tmp_path, BRIDGE_SHIPX__TOKEN="token", BRIDGE_ROLES=roles, **database) as bridge:

        async def state() -> str:
            (one,) = (await verb(bridge.environ, "connections", "list", "--json")).json["items"]
            return f"{one['name']} {one['state']}"

        assert await state() == "shipx/4821 ready"
        paused = await verb(bridge.environ, "connections", "pause", "shipx/4821")
        assert (paused.code, paused.out.strip(), paused.err) == (0, "shipx/4821 is paused.", "")
        assert await state() == "shipx/4821 paused"
        assert "operator, by cli" in (await verb(bridge.environ, "connections", "list")).out
        resumed = await verb(bridge.environ, "connections", "resume", "shipx/4821", "--json")
        assert resumed.json["result"]["state"] == "ready"
        missing = await verb(bridge.environ, "connections", "pause", "shipx/1")
        assert (missing.code, "there is no connection shipx/1" in missing.err) == (1, True)
        told = [event["type"] for event in await events(bridge)]
        assert told == ["bridge.connection.paused.v1", "bridge.connection.resumed.v1"]


async def test_a_connection_whose_token_was_taken_out_degrades_nothing_and_is_still_listed(
    tmp_path: Path, database: dict[str, str]
) -> None:
    bridge = await stopped(tmp_path, {"BRIDGE_SHIPX__TOKEN": "token", **database})
    await change(bridge.environ, "UPDATE connections SET degraded_since = 1, paused_since = 1, paused_reason = 'x'")
    degraded = {"carrier/4821", "connection/shipx/4821"}
    for token, told, word in (("token", degraded, "paused"), (None, set(), "not_configured")):
        if token is None:
            del bridge.environ["BRIDGE_SHIPX__TOKEN"]
        async with bridge, httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers) as http:
            ready = (await http.get(f"{bridge.url}/readyz")).json()
            assert (set(ready["degraded"]), any("shipx/4821" in one for one in ready["warnings"])) == (told, bool(told))
            metrics = (await http.get(f"{bridge.url}/metrics")).text
            assert ('bridge_connection_paused{connection="shipx/4821"}' in metrics) == bool(told)
            [served] = (await http.get(f"{bridge.url}/v1/connections")).json()["items"]
            [listed] = (await verb(bridge.environ, "connections", "list", "--json")).json["items"]
            assert (served["state"], listed["state"]) == (word, word)


async def test_parked_deliveries_are_listed_shown_and_replayed(tmp_path: Path, database: dict[str, str]) -> None:
    async with BridgeProcess(tmp_path, BRIDGE_WEBHOOK__NETWORKS="91.216.25.0/24", **database) as bridge:
        parked = (await send(bridge))["delivery_id"]
        broken = (await send(bridge, b"{"))["delivery_id"]

        listed = await verb(bridge.environ, "deliveries", "list", "--state", "parked", "--json")
        assert [(one["delivery_id"], one["verdict"]) for one in listed.json["items"]] == [
            (broken, "outside_networks"),
            (parked, "outside_networks"),
        ]
        everything = await verb(bridge.environ, "deliveries", "list", "--json", "--limit", "1")
        assert everything.json["items"] == listed.json["items"][:1], "parked ones are found without being asked for"
        rest = await verb(bridge.environ, "deliveries", "list", "--json", "--after", everything.json["next"])
        assert (rest.json["items"], rest.json["next"]) == (listed.json["items"][1:], None)
        shown = await verb(bridge.environ, "deliveries", "show", parked)
        assert (shown.code, "outside_networks" in shown.out, "ready_to_pickup" in shown.out) == (0, True, False)
        shown = await verb(bridge.environ, "deliveries", "show", parked, "--body")
        assert "ready_to_pickup" in shown.out

        replayed = await verb(
            bridge.environ, "deliveries", "replay", "--state", "parked", "--reason", "outside_networks", "--json"
        )
        assert (replayed.code, replayed.json["outcome"], replayed.json["result"]) == (
            1,
            "done",
            {
                "deliveries": 2,
                "outcomes": {"accepted": 1, "not_json": 1},
                "without_effect": [{"delivery_id": broken, "why": "not_json"}],
            },
        )
        await until(lambda: events(bridge))
        again = await verb(bridge.environ, "deliveries", "replay", parked)
        assert (again.code, again.out, again.err) == (0, "replayed 1: 1 duplicate\n", "")


async def test_events_are_sent_once_more_to_a_queue_and_to_everybody(
    tmp_path: Path, database: dict[str, str], amqp_url: str
) -> None:
    async with BridgeProcess(tmp_path, amqp_url=amqp_url, **database) as bridge, channel(amqp_url) as opened:
        queue = await opened.declare_queue("warehouse", durable=True)
        await send(bridge)
        stored = await until(lambda: events(bridge))
        replayed = await verb(bridge.environ, "events", "replay", "--to-queue", "warehouse", "--subject", SHIPMENT)
        assert (replayed.code, replayed.out, replayed.err) == (0, f"{len(stored)} events sent to warehouse\n", "")
        await until(lambda: published(bridge))  # or what is bound now would get it for the first time, too
        await queue.bind("bridge.events", "#")
        everybody = await verb(bridge.environ, "events", "replay", "--type", stored[-1]["type"], "--json")
        assert (everybody.code, everybody.json["result"]["events"]) == (0, 1)

        messages = await take(amqp_url, "warehouse")
        assert [json.loads(message.body) for message in messages] == [*stored, stored[-1]]
        assert messages[-1].headers[REPLAY] == everybody.json["command_id"]
        assert messages[0].headers[REPLAY] != everybody.json["command_id"]

        await change(bridge.environ, "INSERT INTO pruned (what, n, until) VALUES ('events', 1, 1)")
        older = await verb(bridge.environ, "events", "replay", "--to-queue", "warehouse")
        assert (older.code, "older ones were deleted for their age" in older.out) == (0, True)

        missing = await verb(bridge.environ, "events", "replay", "--to-queue", "nobody")
        assert (missing.code, missing.out) == (1, "")
        assert missing.err == "bridge: there is no queue nobody in the virtual host of BRIDGE_AMQP_URL\n"


async def published(bridge: BridgeProcess) -> bool:
    return await rows(bridge.environ, "SELECT count(*) FROM outbox WHERE state = 0") == [(0,)]


async def test_the_dead_are_listed_and_sent_back(tmp_path: Path, database: dict[str, str], amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    async with BridgeProcess(tmp_path, amqp_url=amqp_url, **database) as bridge:
        async with channel(amqp_url) as opened:
            theirs = await opened.declare_exchange("erp", aio_pika.ExchangeType.TOPIC, durable=True)
            await (await opened.declare_queue("erp.in", durable=True)).bind(theirs, "#")
            message = aio_pika.Message(b"Kowalska", message_id="m-1", headers={REASON: "not_json", ORIGIN: "erp"})
            await (await opened.get_exchange(DEAD)).publish(message, "return.create")
        for _ in range(4):  # looking takes nothing away
            listed = await verb(bridge.environ, "dead", "list", "--json")
            assert listed.code == 0, listed.err
            (letter,) = listed.json["queue"]["items"]
            assert (listed.json["queue"]["messages"], listed.json["events"]) == (1, {"count": 0, "items": []})
            assert (letter["message_id"], letter["exchange"], letter["routing_key"], letter["reason"]) == (
                "m-1",
                "erp",
                "return.create",
                "not_json",
            )
            assert "Kowalska" not in listed.out
        for_people = await verb(bridge.environ, "dead", "list")
        assert for_people.out.startswith("bridge.dead: 1 messages\n")
        assert ("return.create" in for_people.out, "outbox: 0 dead events" in for_people.out) == (True, True)

        redriven = await verb(bridge.environ, "dead", "redrive")
        assert (redriven.code, redriven.out) == (0, "1 messages and 0 events were sent back\n"), redriven.err
        (back,) = await take(amqp_url, "erp.in")
        assert (back.routing_key, back.body, back.headers[REDRIVEN]) == ("return.create", b"Kowalska", 1)
        listed = await verb(bridge.environ, "dead", "list", "--json")
        assert listed.json["queue"] == {"messages": 0, "items": []}


async def test_what_the_database_holds_of_the_dead_is_listed_while_the_broker_is_away(
    tmp_path: Path, database: dict[str, str], own_rabbit: RabbitNode
) -> None:
    async with BridgeProcess(tmp_path, amqp_url=own_rabbit.url, **database) as bridge:
        await send(bridge)
        await until(lambda: events(bridge))
        await until(lambda: published(bridge))
        await bridge.terminate()
        await change(bridge.environ, "UPDATE outbox SET state = 2 WHERE position = 1")
        assert (await verb(bridge.environ, "dead", "list")).code == 0
        own_rabbit.stop()
        people = await verb(bridge.environ, "dead", "list")
        programs = await verb(bridge.environ, "dead", "list", "--json")
    assert (people.code, programs.code) == (1, 1)
    assert people.out.startswith("outbox: 1 dead events\n")
    assert SHIPMENT in people.out
    assert programs.json["queue"] is None
    assert [one["subject"] for one in programs.json["events"]["items"]] == [SHIPMENT]
    for ran in (people, programs):
        assert ran.err.startswith("bridge: the queue bridge.dead cannot be shown: the broker cannot be reached"), (
            ran.err
        )
        assert ran.err.count("\n") == 1


async def test_a_dead_event_is_published_after_all(tmp_path: Path, database: dict[str, str], amqp_url: str) -> None:
    async with Program(tmp_path, amqp_url=amqp_url, **database) as bridge:
        await send(bridge)
        await until(lambda: events(bridge))
        await until(lambda: published(bridge))
        await change(bridge.environ, "UPDATE outbox SET state = 2 WHERE position = 1")
        listed = await verb(bridge.environ, "dead", "list", "--json")
        assert [one["subject"] for one in listed.json["events"]["items"]] == [SHIPMENT]
        redriven = await verb(bridge.environ, "dead", "redrive", "--json")
        assert redriven.json["result"] == {"events": 1, "messages": 0, "kept": {}}
        await until(lambda: published(bridge))
        assert await rows(bridge.environ, "SELECT state FROM outbox WHERE position = 1") == [(1,)]


async def change(environ: Mapping[str, str], sql: str) -> None:
    """Change the database past the bridge."""
    database = existing(load(environ).database)
    await database.open()
    try:
        await database.write(lambda transaction: transaction.run(sql))
    finally:
        await database.close()


async def test_a_replay_over_http_is_the_same_replay(tmp_path: Path, amqp_url: str) -> None:
    async with BridgeProcess(tmp_path, amqp_url=amqp_url) as bridge, channel(amqp_url) as opened:
        await opened.declare_queue("warehouse", durable=True)
        await send(bridge)
        stored = await until(lambda: events(bridge))
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS, headers=bridge.headers, timeout=20) as http:
            for _ in range(2):
                answer = await http.post(
                    f"{bridge.url}/v1/events/replay",
                    json={"to_queue": "warehouse"},
                    headers={"idempotency-key": "once"},
                )
                assert (answer.status_code, answer.json()["result"]["events"]) == (200, len(stored))
        messages = await take(amqp_url, "warehouse")
        assert [message.headers[REPLAY] for message in messages] == ["once"] * len(stored)


# -- where nobody hears ------------------------------------------------------------------------------------------------

CHANGES = [
    ("deliveries", "replay", "--state", "parked"),
    ("events", "replay", "--all"),
    ("dead", "redrive"),
]


async def stopped(tmp_path: Path, database: dict[str, str], **more: str) -> BridgeProcess:
    """Give a bridge that has run, and does not any more."""
    async with BridgeProcess(tmp_path, **database, **more) as bridge:
        await bridge.terminate()
    return bridge


async def test_without_a_running_bridge_each_says_so_and_nothing_happens_later(
    tmp_path: Path, database: dict[str, str]
) -> None:
    bridge = await stopped(tmp_path, database)
    for arguments in CHANGES:
        ran = await verb(bridge.environ, *arguments, "--wait", "0.5")
        assert (ran.code, ran.out) == (1, "")
        assert ran.err == (
            "bridge: no running bridge took it up within 0.5 s, so it was withdrawn:"
            " is `bridge serve` running on this database, with the role `commands`?\n"
        )
    async with bridge:
        later = await verb(bridge.environ, "dead", "redrive", "--json")
        assert later.json["outcome"] == "done"
        found = await rows(bridge.environ, "SELECT state, count(*) FROM commands GROUP BY state ORDER BY state")
        assert found == [("done", 1), ("withdrawn", 3)]
        assert "command.begun" in bridge.log
        assert bridge.log.count("command.begun") == 1


async def test_by_default_it_waits_for_ten_seconds(tmp_path: Path) -> None:
    bridge = await stopped(tmp_path, {})
    started = time.monotonic()
    ran = await verb(bridge.environ, "dead", "redrive", "--json")
    assert 10 <= time.monotonic() - started < 30
    assert (ran.code, ran.json["outcome"], ran.json["result"]) == (1, "withdrawn", None)
    assert "within 10 s" in ran.json["error"]
    bridge.close()


async def test_without_the_role_a_running_bridge_does_not_hear(tmp_path: Path) -> None:
    async with BridgeProcess(tmp_path, BRIDGE_ROLES="receiver,worker") as bridge:
        ran = await verb(bridge.environ, "dead", "redrive", "--wait", "0.5")
        assert (ran.code, "with the role `commands`?" in ran.err) == (1, True)


async def test_whoever_is_interrupted_withdraws_what_was_not_taken_up(tmp_path: Path) -> None:
    bridge = await stopped(tmp_path, {})
    process = await begun(bridge.environ, "dead", "redrive", "--wait", "600")
    sql = "SELECT state FROM commands"
    await until(lambda: has(bridge.environ, sql, "waiting"))
    process.send_signal(signal.SIGINT)
    ran: Ran = await ended(process)
    assert ran.code != 0
    assert "withdrawn" in ran.err
    assert "Traceback" not in ran.err
    assert await rows(bridge.environ, sql) == [("withdrawn",)]
    bridge.close()


async def has(environ: Mapping[str, str], sql: str, value: str) -> bool:
    return (value,) in await rows(environ, sql)


async def is_over(environ: Mapping[str, str], sql: str) -> bool:
    """Whether the moment that a row names has passed: a bridge that starts sooner would rightly begin it."""
    ((moment,),) = await rows(environ, sql)
    return bool(moment < micros(utc_now()))


async def test_a_verb_that_is_killed_leaves_nothing_that_happens_later(tmp_path: Path) -> None:
    bridge = await stopped(tmp_path, {})
    process = await begun(bridge.environ, "dead", "redrive", "--wait", "0.5")
    sql = "SELECT state FROM commands"
    await until(lambda: has(bridge.environ, sql, "waiting"))
    process.kill()
    await ended(process)
    await until(lambda: is_over(bridge.environ, "SELECT begin_by FROM commands"))
    await asyncio.gather(bridge.start(), until(lambda: has(bridge.environ, sql, "withdrawn"), 20))
    assert "command.begun" not in bridge.log
    bridge.close()


# -- purchases ---------------------------------------------------------------------------------------------------------


async def put_purchase(environ: Mapping[str, str], state: str, shipment: int) -> None:
    """Have a purchase that stands like this."""
    now = micros(utc_now())
    await change(
        environ,
        "INSERT INTO purchases (organization, shipment, state, deadline, due_at, updated_at, intent_id, offer_id,"
        f" service_id, reason) VALUES (4821, {shipment}, '{state}', {now + 90_000_000}, {now + 90_000_000}, {now},"
        f" 'intent-{shipment}', 553001, 'inpost_locker_standard', 'approval_required')",
    )


async def test_purchases_are_listed_shown_held_and_approved(tmp_path: Path, database: dict[str, str]) -> None:
    async with BridgeProcess(tmp_path, **database) as bridge:
        await put_purchase(bridge.environ, "held", 17)
        await put_purchase(bridge.environ, "failed", 18)

        listed = await verb(bridge.environ, "purchases", "list", "--state", "held", "--json")
        assert [(one["shipment_id"], one["reason"]) for one in listed.json["items"]] == [(17, "approval_required")]
        table = await verb(bridge.environ, "purchases", "list", "--organization", "4821")
        assert (table.code, "inpost_locker_standard" in table.out, len(table.out.splitlines())) == (0, True, 3)

        refused = await verb(bridge.environ, "purchases", "hold", "17")
        assert (refused.code, "the purchase is held" in refused.err) == (1, True)
        approved = await verb(bridge.environ, "purchases", "approve", "17", "--json")
        assert (approved.code, approved.json["result"]["approved"]["by"]) == (0, "cli")
        retried = await verb(bridge.environ, "purchases", "retry", "18", "--organization", "4821")
        assert (retried.code, retried.out.strip()) == (0, "The purchase of shipment 18 is decided about anew.")
        shown = await verb(bridge.environ, "purchases", "show", "17")
        assert (shown.code, "inpost_locker_standard" in shown.out) == (0, True)
        told = await verb(bridge.environ, "why", "shipment/17", "--organization", "4821")
        assert f"cli, command {approved.json['command_id']}: approved; held -> wanted" in told.out

        missing = await verb(bridge.environ, "purchases", "show", "19")
        assert (missing.code, "was ever asked for" in missing.err) == (1, True)
        wrong = await verb(bridge.environ, "purchases", "list", "--state", "sold")
        assert (wrong.code, "must be one of wanted" in wrong.err) == (2, True)
