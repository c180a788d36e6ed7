"""The private nodes keep what they should over restarts and crashes, and leave nothing behind."""

import asyncio
import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import aio_pika
import pytest
from aio_pika import DeliveryMode, Message

from bridge.nodes.node import Node
from bridge.nodes.postgres import PostgresNode
from bridge.nodes.rabbitmq import RabbitNode
from tests.nodes import Vhosts

PATIENCE_S = 20.0

# A program that starts a node, says where, and then waits for its end.
OWNER = """
import json, sys
from bridge.nodes.postgres import PostgresNode
from bridge.nodes.rabbitmq import RabbitNode

node = {"rabbitmq": RabbitNode, "postgres": PostgresNode}[sys.argv[1]]()
node.start()
print(json.dumps([str(node.folder), node.port]), file=sys.stderr, flush=True)
sys.stdin.read()
"""


async def test_a_confirmed_message_in_a_quorum_queue_survives_a_restart(own_rabbit: RabbitNode) -> None:
    await declare(own_rabbit.url)
    await publish(own_rabbit.url, b"kept")
    await asyncio.to_thread(own_rabbit.restart)
    assert await get(own_rabbit.url) == b"kept"


async def test_a_confirmed_message_in_a_quorum_queue_survives_a_crash(own_rabbit: RabbitNode) -> None:
    await declare(own_rabbit.url)
    await asyncio.to_thread(own_rabbit.restart)  # the declaration itself is on disk only then, or about a second later
    await publish(own_rabbit.url, b"kept")
    await asyncio.to_thread(own_rabbit.kill)
    await asyncio.to_thread(own_rabbit.start)
    assert await get(own_rabbit.url) == b"kept"


async def test_each_test_finds_an_empty_virtual_host(vhosts: Vhosts) -> None:
    first, second = vhosts.take(), vhosts.take()
    for url in (first, second):
        await declare(url)
        await publish(url, url.encode())
    assert (await get(first), await get(second)) == (first.encode(), second.encode())


def test_rows_survive_a_crash(own_postgres: PostgresNode) -> None:
    url = own_postgres.create_database("kept")
    query(own_postgres, url, "create table t as select 42 as answer")
    own_postgres.kill()
    own_postgres.start()
    assert query(own_postgres, url, "select answer from t") == "42"


def test_databases_on_the_shared_server_are_apart(postgres: PostgresNode, postgres_url: str) -> None:
    other = postgres.create_database("another")
    query(postgres, other, "create table t ()")
    assert query(postgres, postgres_url, "select to_regclass('t') is null") == "t"


@pytest.fixture(params=["rabbitmq", "postgres"])
def own_node(request: pytest.FixtureRequest) -> Node:
    node: Node = request.getfixturevalue({"rabbitmq": "own_rabbit", "postgres": "own_postgres"}[request.param])
    return node


def test_a_paused_node_answers_again_when_resumed(own_node: Node) -> None:
    own_node.pause()
    assert not own_node.accepts()
    own_node.resume()
    assert own_node.accepts()


def test_a_paused_node_can_be_stopped(own_node: Node) -> None:
    own_node.pause()
    own_node.stop()
    assert not own_node.running


def test_close_removes_processes_and_files(own_node: Node) -> None:
    before = processes(str(own_node.folder))
    own_node.close()
    assert not own_node.folder.exists()
    assert eventually(lambda: not before & alive().keys())


@pytest.mark.parametrize("name", ["rabbitmq", "postgres"])
def test_nothing_outlives_an_owner_that_is_killed(name: str) -> None:
    owner = subprocess.Popen([sys.executable, "-c", OWNER, name], stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    with owner:
        assert owner.stderr is not None
        folder, port = json.loads(owner.stderr.readline())
        node = processes(folder)
        owner.send_signal(signal.SIGKILL)
    assert len(node) > 3
    assert eventually(lambda: not connects(port))
    assert eventually(lambda: not processes(folder) and not node & alive().keys())
    assert eventually(lambda: not Path(folder).exists())


async def declare(url: str) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        await channel.declare_queue("work", durable=True, arguments={"x-queue-type": "quorum"})


async def publish(url: str, body: bytes) -> None:
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel(publisher_confirms=True)
        await channel.default_exchange.publish(Message(body, delivery_mode=DeliveryMode.PERSISTENT), "work")


async def get(url: str) -> bytes:
    async with await aio_pika.connect(url) as connection:
        queue = await (await connection.channel()).get_queue("work")
        async with asyncio.timeout(PATIENCE_S), queue.iterator() as messages:
            async for message in messages:
                await message.ack()
                return message.body
    raise AssertionError


def query(node: PostgresNode, url: str, statement: str) -> str:
    program = [str(node.program("psql")), "--no-psqlrc", "--tuples-only", "--no-align", "--command", statement, url]
    return subprocess.run(program, check=True, capture_output=True, text=True).stdout.strip()


def connects(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def processes(folder: str) -> set[int]:
    """Find the processes that name the folder, what shares a group with them, and the children of all these."""
    listing = alive()
    groups = {group for _, group, command in listing.values() if folder in command}
    members = {pid for pid, (_, group, _) in listing.items() if group in groups}
    return members | {pid for pid, (parent, _, _) in listing.items() if parent in members}


def alive() -> dict[int, tuple[int, int, str]]:
    """List each process with its parent, its group and its command line; not those that only wait to be counted."""
    program = ["ps", "-A", "-ww", "-o", "pid=,ppid=,pgid=,stat=,args="]
    listing = subprocess.run(program, check=True, capture_output=True, text=True).stdout
    rows = (line.split(maxsplit=4) for line in listing.splitlines())
    return {
        int(pid): (int(parent), int(group), " ".join(command))
        for pid, parent, group, state, *command in rows
        if "Z" not in state
    }


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + PATIENCE_S
    while not (held := holds()) and time.monotonic() < until:
        time.sleep(0.05)
    return held
