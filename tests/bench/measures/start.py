"""From nothing to the first 200, next to importing the dependencies; and the memory of a bridge that stands by."""

from __future__ import annotations

import subprocess
import sys
import time
from contextlib import closing
from functools import partial
from http.client import HTTPConnection
from typing import Final

from bridge.nodes.guard import free_ports
from tests.bench import memory
from tests.bench.cores import confine
from tests.bench.errors import Failed
from tests.bench.goal import at_most
from tests.bench.row import Row
from tests.bench.server import SERVE, START_S, running, settings
from tests.bench.stage import Stage

IMPORTS: Final = (
    "aio_pika, cryptography.hazmat.primitives.ciphers.aead, httptools, httpx, prometheus_client,"
    " pydantic.functional_validators, pydantic.main, starlette.applications, structlog, typer, uvicorn, uvloop"
)
"""What `bridge serve` needs of others, whatever the database. Of pydantic its parts: the whole loads none by itself."""
IDLE_S: Final = 2.0


def measure(stage: Stage) -> list[Row]:
    """Start a bridge on an empty database, which it migrates."""
    imports = Row("importing the dependencies", "s")
    starts, memories, rows = {}, {}, [imports]
    for one in stage.databases:
        starts[one.name] = Row(f"start to the first 200, {one.name}", "s", imports, at_most(2))
        memories[one.name] = Row(f"memory of an idle bridge, {one.name}", "MiB", goal=at_most(110, "MiB"))
        within = Row(f"the same in seconds, {one.name}", "s", goal=at_most(1.2, "s"), values=starts[one.name].values)
        rows += [starts[one.name], within, memories[one.name]]
    for _ in stage.rounds("start", rows):
        imports.add(_imported(stage))
        for database in stage.databases:
            with database.fresh() as url:
                seconds, mib = _started(stage, url)
            starts[database.name].add(seconds)
            memories[database.name].add(mib)
    return rows


def _imported(stage: Stage) -> float:
    began = time.monotonic()
    subprocess.run(
        [sys.executable, "-c", f"import {IMPORTS}"], check=True, preexec_fn=partial(confine, stage.cores.server)
    )
    return time.monotonic() - began


def _started(stage: Stage, database_url: str) -> tuple[float, float]:
    (port,) = free_ports(1)
    began = time.monotonic()
    with running(SERVE, port, stage.cores.server, settings(port, database_url, None, "all")) as server:
        while not _is_ready(port):
            if time.monotonic() - began > START_S:
                raise Failed("the bridge was never ready")
        seconds = time.monotonic() - began
        time.sleep(IDLE_S)
        return seconds, memory.resident_mib(server.pid)


def _is_ready(port: int) -> bool:
    with closing(HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
