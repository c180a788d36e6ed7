"""The consumers of docs/examples, run as their readers run them, through repeats, replays, late news and restarts."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import aio_pika
import httpx
import pytest

from bridge.nodes.guard import Guard, tail
from tests.journey import carrier, post, webhook
from tests.support.bridge import ORGANIZATION, TOKEN, BridgeProcess, until
from tests.support.tools import advice, find_tool, go_without
from tests.support.verbs import verb

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"
OFFERS: Final = Path(__file__).parents[1] / "samples" / "shipx" / "shipment_offers_prepared.json"
SHIPMENT: Final = "shipment/3900000017"
LAST: Final = "shipment/3900000018"
"""A parcel that is heard of last: what was to come before it has come by then."""


@dataclass(frozen=True)
class Language:
    """How the examples of a language are started: the program that runs them, and where they lie."""

    name: str
    program: str
    folder: Path
    ending: str

    def command(self, name: str, *arguments: str) -> list[str]:
        return [self.program, str(self.folder / f"{name}.{self.ending}"), *arguments]


PYTHON: Final = Language("python", sys.executable, EXAMPLES / "python", "py")


@dataclass(frozen=True)
class Missing:
    """Why the examples of a language cannot be run here."""

    why: str


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Language | Missing:
    """The examples in Node.js beside the packages that their lock names."""
    program, npm = find_tool("node"), find_tool("npm")
    if program is None or npm is None:
        return Missing(advice([name for name, path in (("node", program), ("npm", npm)) if path is None]))
    folder = tmp_path_factory.mktemp("examples") / "node"
    shutil.copytree(EXAMPLES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run([npm, "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=90)
    if installed.returncode != 0:
        return Missing(f"the examples' packages cannot be installed: npm ci: {installed.stderr}")
    return Language("node", str(program), folder, "mjs")


@pytest.fixture
def languages(node: Language | Missing) -> list[Language]:
    """All languages whose examples can be run here; they are run beside each other."""
    return [PYTHON] if isinstance(node, Missing) else [PYTHON, node]


def test_every_language_is_there(node: Language | Missing) -> None:
    if isinstance(node, Missing):
        go_without(node.why)


class Program:
    """An example at work; it may be killed and started again, and keeps its state."""

    def __init__(self, guard: Guard, folder: Path, language: Language, name: str, **environ: str) -> None:
        self._guard = guard
        self._command = language.command(name)
        self._log = folder / f"{language.name}.log"
        kept = {"STATE": str(folder / f"{language.name}.state"), "QUEUE": f"shop.{language.name}"}
        self._environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", **kept, **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._guard.spawn(self._command, env=self._environ, log=self._log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def said(self) -> list[str]:
        """Give what it has said over all its lives."""
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if not line.startswith("again in a second")]

    def log(self) -> str:
        return tail(self._log)


class Programs:
    """The same example in every language."""

    def __init__(self, *programs: Program) -> None:
        self._programs = programs
        self._heard: list[str] = []

    def start(self) -> None:
        for one in self._programs:
            one.start()

    def kill(self) -> None:
        for one in self._programs:
            one.kill()

    async def say(self, *lines: str) -> None:
        """Wait until each has said exactly this after what it said before."""
        self._heard += lines

        def is_said() -> bool:
            for one in self._programs:
                assert one.said() == self._heard, one.log()
            return True

        await until(is_said, 30)


@pytest.fixture
def guard() -> Iterator[Guard]:
    found = Guard("bridge-examples-")
    yield found
    found.close()


class Teller:
    """The carrier, which tells of one parcel, and of another one at the end."""

    def __init__(self, http: httpx.AsyncClient, bridge: BridgeProcess) -> None:
        self._http = http
        self._bridge = bridge

    async def tell(self, status: str, day: int) -> None:
        await post(self._http, self._bridge.webhook_url, webhook(status=status, at=f"2026-03-{day} 12:00:00 +0100"))

    async def tell_the_last(self) -> None:
        body = webhook(status="delivered").replace(b"3900000017", b"3900000018")
        await post(self._http, self._bridge.webhook_url, body.replace(b"620000000000000000000017", b"62" + b"1" * 22))


@asynccontextmanager
async def telling(bridge: BridgeProcess) -> AsyncIterator[Teller]:
    async with carrier() as http:
        yield Teller(http, bridge)


async def test_a_consumer_of_a_queue_ends_with_the_right_state(
    tmp_path: Path, amqp_url: str, guard: Guard, languages: list[Language]
) -> None:
    async with BridgeProcess(tmp_path, amqp_url=amqp_url) as bridge, telling(bridge) as parcel:
        programs = Programs(*(Program(guard, tmp_path, one, "consumer", AMQP_URL=amqp_url) for one in languages))
        programs.start()
        await programs.say("bound")
        await parcel.tell("confirmed", 20)
        await parcel.tell("ready_to_pickup", 22)
        await programs.say(f"{SHIPMENT} label_created", f"{SHIPMENT} available_for_pickup")
        await parcel.tell("out_for_delivery", 21)  # late: an event with `current: false`
        await parcel.tell("ready_to_pickup", 22)  # a repeat: no event
        programs.kill()
        await parcel.tell("delivered", 23)
        replayed = await verb(bridge.environ, "events", "replay", "--all", "--json")
        assert replayed.code == 0, replayed.err
        programs.start()
        await programs.say("bound", f"{SHIPMENT} delivered")
        await publish(amqp_url, b"nobody can read this")
        await parcel.tell_the_last()
        await programs.say(f"{LAST} delivered")
        assert [await waiting(amqp_url, f"shop.{one.name}.dead") for one in languages] == [1] * len(languages)


async def publish(amqp_url: str, body: bytes) -> None:
    """Publish among the bridge's events what is none."""
    async with await aio_pika.connect(amqp_url) as connection:
        exchange = await (await connection.channel()).get_exchange("bridge.events", ensure=False)
        await exchange.publish(aio_pika.Message(body), routing_key="shipx.shipment.status_changed.unknown")


async def waiting(amqp_url: str, queue: str) -> int | None:
    """Say how many messages lie in a queue."""
    async with await aio_pika.connect(amqp_url) as connection:
        found = await (await connection.channel()).declare_queue(queue, passive=True)
        return found.declaration_result.message_count


async def test_a_reader_of_the_feed_ends_with_the_right_state(
    tmp_path: Path, guard: Guard, languages: list[Language]
) -> None:
    async with BridgeProcess(tmp_path) as bridge, telling(bridge) as parcel:
        await parcel.tell("confirmed", 20)
        at = {"FEED_URL": bridge.url, "FEED_TOKEN": TOKEN}
        programs = Programs(*(Program(guard, tmp_path, one, "feed", **at) for one in languages))
        programs.start()
        await programs.say(f"{SHIPMENT} label_created", "following")
        await parcel.tell("ready_to_pickup", 22)
        await programs.say(f"{SHIPMENT} available_for_pickup")
        programs.kill()
        await parcel.tell("out_for_delivery", 21)
        await parcel.tell("delivered", 23)
        programs.start()
        await programs.say(f"{SHIPMENT} delivered", "following")
        assert await bridge.terminate() == 0
        await bridge.start()
        await programs.say("following")
        await parcel.tell_the_last()
        await programs.say(f"{LAST} delivered")


async def test_a_command_is_answered_once_and_as_a_repeat_after_that(
    tmp_path: Path, amqp_url: str, languages: list[Language]
) -> None:
    async with BridgeProcess(tmp_path, amqp_url=amqp_url):
        for language in languages:
            body = {"command_id": f"asked-in-{language.name}", "shipment": json.loads(OFFERS.read_text())}
            body |= {"organization_id": ORGANIZATION, "at": "2026-03-18T12:32:30+01:00"}
            command = language.command("command", "policy.evaluate", json.dumps(body))
            first, second = [await asyncio.to_thread(_answer, command, amqp_url) for _ in range(2)]
            assert (first["outcome"], first["result"]["decision"]) == ("done", "buy")
            assert second == first | {"outcome": "duplicate"}


def _answer(command: list[str], amqp_url: str) -> dict[str, Any]:
    environ = {**os.environ, "AMQP_URL": amqp_url, "PYTHONDONTWRITEBYTECODE": "1"}
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found
