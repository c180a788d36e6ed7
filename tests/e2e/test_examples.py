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
from typing import Any, Final, NoReturn

import httpx
import pytest

from bridge.nodes.guard import Guard, tail
from tests.journey import carrier, post, webhook
from tests.support.bridge import ORGANIZATION, TOKEN, BridgeProcess, until
from tests.support.verbs import verb

EXAMPLES: Final = Path(__file__).parents[2] / "docs" / "examples"
OFFERS: Final = Path(__file__).parents[1] / "samples" / "shipx" / "shipment_offers_prepared.json"
SHIPMENT: Final = "shipment/3900000017"
LAST: Final = "shipment/3900000018"
"""A parcel that is heard of last: what was to come before it has come by then."""
NO_NODE: Final = "Node.js 18 or newer and npm are needed for the examples: apt-get install nodejs npm"


@dataclass(frozen=True)
class Language:
    """How the examples of a language are started: the program that runs them, and where they lie."""

    program: str
    folder: Path
    ending: str

    def command(self, name: str, *arguments: str) -> list[str]:
        return [self.program, str(self.folder / f"{name}.{self.ending}"), *arguments]


@pytest.fixture(scope="session")
def node(tmp_path_factory: pytest.TempPathFactory) -> Language:
    """The examples beside the packages that their lock names."""
    program, npm = shutil.which("node"), shutil.which("npm")
    if program is None or npm is None:
        _missing(NO_NODE)
    folder = tmp_path_factory.mktemp("examples") / "node"
    shutil.copytree(EXAMPLES / "node", folder, ignore=shutil.ignore_patterns("node_modules"))
    installed = subprocess.run([npm, "ci", "--ignore-scripts"], cwd=folder, capture_output=True, text=True, timeout=90)
    if installed.returncode != 0:
        _missing(f"npm ci: {installed.stderr}")
    return Language(program, folder, "mjs")


def _missing(what: str) -> NoReturn:
    """Do without, unless nothing may be left out."""
    if os.environ.get("CI") == "true":
        pytest.fail(what)
    pytest.skip(what)


@pytest.fixture(params=["python", "node"])
def language(request: pytest.FixtureRequest) -> Language:
    if request.param == "python":
        return Language(sys.executable, EXAMPLES / "python", "py")
    found: Language = request.getfixturevalue("node")
    return found


class Program:
    """An example at work; it may be killed and started again, and keeps its state."""

    def __init__(self, guard: Guard, command: list[str], folder: Path, **environ: str) -> None:
        self._guard = guard
        self._command = command
        self._log = folder / "example.log"
        self._environ = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "STATE": str(folder / "state"), **environ}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._guard.spawn(self._command, env=self._environ, log=self._log)

    def kill(self) -> None:
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    async def says(self, *lines: str) -> None:
        """Wait until it has said exactly this, over all its lives."""

        def is_said() -> bool:
            assert self.told() == list(lines), tail(self._log)
            return True

        await until(is_said, 20)

    def told(self) -> list[str]:
        lines = self._log.read_text().splitlines() if self._log.exists() else []
        return [line for line in lines if not line.startswith("again in a second")]


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
    tmp_path: Path, amqp_url: str, guard: Guard, language: Language
) -> None:
    async with BridgeProcess(tmp_path, amqp_url=amqp_url) as bridge, telling(bridge) as parcel:
        program = Program(guard, language.command("consumer"), tmp_path, AMQP_URL=amqp_url)
        program.start()
        heard = ["bound"]
        await program.says(*heard)
        await parcel.tell("confirmed", 20)
        await parcel.tell("ready_to_pickup", 22)
        heard += [f"{SHIPMENT} label_created", f"{SHIPMENT} available_for_pickup"]
        await program.says(*heard)
        await parcel.tell("out_for_delivery", 21)  # late: an event with `current: false`
        await parcel.tell("ready_to_pickup", 22)  # a repeat: no event
        program.kill()
        await parcel.tell("delivered", 23)
        replayed = await verb(bridge.environ, "events", "replay", "--all", "--json")
        assert replayed.code == 0, replayed.err
        program.start()
        heard += ["bound", f"{SHIPMENT} delivered"]
        await program.says(*heard)
        await parcel.tell_the_last()
        await program.says(*heard, f"{LAST} delivered")


async def test_a_reader_of_the_feed_ends_with_the_right_state(tmp_path: Path, guard: Guard, language: Language) -> None:
    async with BridgeProcess(tmp_path) as bridge, telling(bridge) as parcel:
        await parcel.tell("confirmed", 20)
        at = {"FEED_URL": bridge.url, "FEED_TOKEN": TOKEN}
        program = Program(guard, language.command("feed"), tmp_path, **at)
        program.start()
        heard = [f"{SHIPMENT} label_created", "following"]
        await program.says(*heard)
        await parcel.tell("ready_to_pickup", 22)
        heard += [f"{SHIPMENT} available_for_pickup"]
        await program.says(*heard)
        program.kill()
        await parcel.tell("out_for_delivery", 21)
        await parcel.tell("delivered", 23)
        program.start()
        heard += [f"{SHIPMENT} delivered", "following"]
        await program.says(*heard)
        assert await bridge.terminate() == 0
        await bridge.start()
        await program.says(*heard, "following")
        await parcel.tell_the_last()
        await program.says(*heard, "following", f"{LAST} delivered")


async def test_a_command_is_answered_once_and_as_a_repeat_after_that(
    tmp_path: Path, amqp_url: str, language: Language
) -> None:
    body = {"command_id": "what-would-be-bought", "shipment": json.loads(OFFERS.read_text())}
    body |= {"organization_id": ORGANIZATION, "at": "2026-03-18T12:32:30+01:00"}
    command = language.command("command", "policy.evaluate", json.dumps(body))
    environ = {**os.environ, "AMQP_URL": amqp_url, "PYTHONDONTWRITEBYTECODE": "1"}
    async with BridgeProcess(tmp_path, amqp_url=amqp_url):
        answers = [await asyncio.to_thread(_said, command, environ) for _ in range(2)]
    assert [one["outcome"] for one in answers] == ["done", "duplicate"]
    assert answers[0]["result"]["decision"] == "buy"
    assert answers[1]["result"] == answers[0]["result"]


def _said(command: list[str], environ: dict[str, str]) -> dict[str, Any]:
    ran = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=30)
    assert ran.returncode == 0, ran.stderr
    found: dict[str, Any] = json.loads(ran.stdout)
    return found
