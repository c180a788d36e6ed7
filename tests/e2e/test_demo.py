"""`bridge demo`: it plays to the end and balances, ends everything it started, and says whose fault it was."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import pytest

from bridge.nodes.rabbitmq import RabbitNode
from tests.support.bridge import until

PATIENCE_S: Final = 60.0
BALANCED: Final = 0
FAILED: Final = 1

Line = dict[str, Any]


class Demo:
    """A real `bridge demo`, its output in files."""

    def __init__(self, folder: Path, *arguments: str, environ: Mapping[str, str] | None = None) -> None:
        self._output, self._remarks = folder / "output", folder / "remarks"
        self._scratch = folder / "scratch"
        self._scratch.mkdir()
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
        with self._output.open("wb") as output, self._remarks.open("wb") as remarks:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bridge.cli", "demo", *arguments],
                env={**inherited, "TMPDIR": str(self._scratch), **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=remarks,
            )

    @property
    def output(self) -> str:
        return self._output.read_text()

    @property
    def remarks(self) -> str:
        return self._remarks.read_text()

    @property
    def lines(self) -> list[Line]:
        """The output as objects, one a line."""
        return [json.loads(line) for line in self.output.splitlines()]

    def of(self, kind: str) -> list[Line]:
        """The lines of one kind."""
        return [line for line in self.lines if line.get("kind") == kind]

    def says(self, text: str) -> bool:
        """Whether it has said so by now; a demo that ended before is not waited for any longer."""
        found = text in self.output + self.remarks
        assert found or self.process.poll() is None, self.output + self.remarks
        return found

    def children(self) -> dict[str, int]:
        """The process ids of the bridge and of the carrier, by verb."""
        return {verb: pid for verb in ("serve", "simulate") if (pid := self._child(verb))}

    def left_behind(self) -> list[str]:
        """What is left of its temporary files."""
        return [path.name for path in self._scratch.iterdir()]

    async def end(self, sent: signal.Signals | None = None, *, patience: float = PATIENCE_S) -> int:
        """Send a signal, where one is given, wait for the end, and give the exit code."""
        if sent is not None:
            self.process.send_signal(sent)
        return await asyncio.to_thread(self.process.wait, patience)

    def _child(self, verb: str) -> int | None:
        listed = subprocess.run(["ps", "-eo", "pid=,ppid=,args="], capture_output=True, text=True, check=True)
        for line in listed.stdout.splitlines():
            pid, parent, arguments = line.split(maxsplit=2)
            if int(parent) == self.process.pid and f"bridge.cli {verb}" in arguments:
                return int(pid)
        return None


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


async def test_one_run_ends_by_itself_and_balances(tmp_path: Path) -> None:
    """The user's own settings, with which no bridge would start, do not reach the children."""
    settings = {"BRIDGE_HTTP__PORT": "1", "BRIDGE_DATABASE_URL": "postgresql://nowhere/", "BRIDGE_NO_SUCH_SETTING": "1"}
    demo = Demo(tmp_path, "--once", "--shipments", "8", "--json", environ=settings)
    assert await demo.end() == BALANCED, demo.output + demo.remarks
    summary = demo.lines[-1]["summary"]
    assert summary["balances"] is True
    assert [check for check in summary["checks"] if not check["holds"]] == []
    counts = summary["counts"]
    assert counts["shipments created"] == counts["charges at the carrier"] == 8
    assert counts["webhooks sent by the carrier"] == len(demo.of("webhook"))
    assert counts["duplicates dropped"] > 0
    assert counts["events"] == len([*demo.of("event"), *demo.of("decision"), *demo.of("purchase")])
    assert {line["organization"] for line in demo.of("order")} == {4821, 4822}
    assert await until(lambda: demo.left_behind() == [])
    offered = {line["shipment"] for line in demo.of("order") if line["mode"] == "offer"}
    requested = [line["data"]["shipment_id"] for line in demo.of("purchase") if line["type"].endswith("requested")]
    assert len(offered) == 6, "the carrier buys the other two by itself"
    assert sorted(requested) == sorted(offered)


async def test_with_faults_on_every_side_it_balances_all_the_same(tmp_path: Path) -> None:
    """With this seed purchases get lost on the way there and back, and of one shipment nobody tells the offers."""
    demo = Demo(tmp_path, "--once", "--faults", "--seed", "2", "--shipments", "6", "--json")
    assert await demo.end(patience=110) == BALANCED, demo.output + demo.remarks
    assert "`--faults --seed 2` repeats it" in demo.remarks
    summary = demo.lines[-1]["summary"]
    assert (summary["balances"], summary["seed"]) == (True, 2)
    counts, faults = summary["counts"], demo.of("fault")
    assert {kind: count for name, count in counts.items() if (kind := name.removeprefix("faults: ")) != name} == dict(
        Counter(line["fault"] for line in faults)
    )
    bought = [line for line in faults if line["about"].endswith("/buy")]
    assert {line["reached"] for line in bought} == {True, False}
    assert counts["purchases failed"] > 0
    assert counts["not told by the carrier"] > 0
    assert counts["charges at the carrier"] <= counts["shipments created"] == 6


@pytest.mark.usefixtures("rabbit")
async def test_with_a_private_broker_a_real_consumer_is_shown(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--once", "--shipments", "4", "--json", "--broker")
    assert await demo.end() == BALANCED, demo.output + demo.remarks
    assert "shipx.shipment.status_changed.delivered" in {line["route"] for line in demo.of("event")}
    assert await until(lambda: demo.left_behind() == [])


async def test_a_given_broker_is_used_as_it_is(tmp_path: Path, amqp_url: str, rabbit: RabbitNode) -> None:
    demo = Demo(tmp_path, "--once", "--shipments", "2", "--json", environ={"BRIDGE_AMQP_URL": amqp_url})
    assert await demo.end() == BALANCED, demo.output + demo.remarks
    assert all(line["route"].startswith("shipx.shipment.") for line in demo.of("event"))
    assert rabbit.running


async def test_it_stays_up_until_told_and_ends_every_child(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--shipments", "2")
    await until(lambda: demo.says("Everything stays up until Ctrl-C"), PATIENCE_S)
    children = demo.children()
    assert set(children) == {"serve", "simulate"}
    assert await demo.end(signal.SIGTERM) == BALANCED
    assert all(is_gone(pid) for pid in children.values())
    assert await until(lambda: demo.left_behind() == [])


async def test_ctrl_c_in_the_middle_ends_every_child_and_is_no_success(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--once", "--shipments", "200")
    await until(lambda: demo.says("offers_prepared"), PATIENCE_S)
    children = demo.children()
    assert await demo.end(signal.SIGINT) == FAILED
    assert all(is_gone(pid) for pid in children.values())


async def test_a_demo_that_is_killed_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = Demo(tmp_path, "--once", "--shipments", "200")
    await until(lambda: demo.says("offers_prepared"), PATIENCE_S)
    children = demo.children()
    await demo.end(signal.SIGKILL)
    assert await until(lambda: all(is_gone(pid) for pid in children.values()))
    assert await until(lambda: demo.left_behind() == [])


@pytest.mark.parametrize(("verb", "name"), [("serve", "the bridge"), ("simulate", "the carrier")])
async def test_a_child_that_dies_is_named_with_the_end_of_its_log(tmp_path: Path, verb: str, name: str) -> None:
    demo = Demo(tmp_path, "--once", "--shipments", "200")
    await until(lambda: demo.says("offers_prepared"), PATIENCE_S)
    os.kill(demo.children()[verb], signal.SIGKILL)
    assert await demo.end() == FAILED
    assert f"{name} ended with exit code -9 unexpectedly; the end of its log:" in demo.remarks
    assert '"event":"' in demo.remarks.partition("the end of its log:")[2]
