"""The verbs that run something or look at all of it: serve, migrate, doctor, simulate, demo."""

from __future__ import annotations

import gc
import json
import os
import secrets
import sys
from io import BytesIO
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json


def serve() -> None:
    """Run the bridge until SIGTERM.

    Settings come from BRIDGE_* variables and the file named by BRIDGE_CONFIG.

    Example: BRIDGE_CONFIG=bridge.toml bridge serve
    """
    gc.disable()  # nothing of what is loaded now is garbage, and to look for some takes a tenth of the start
    from bridge.app.process import Bridge
    from bridge.observability import configure_logging

    gc.enable()
    settings = running.settings()
    configure_logging()

    async def work() -> int:
        return await Bridge(settings).run()

    running.run(work())


def migrate(as_json: Json = False) -> None:
    """Bring the database schema up to date, and name what was applied."""
    from bridge.app.database import migrate_database
    from bridge.observability import configure_logging

    settings = running.settings()
    configure_logging(sys.stderr.buffer)

    async def work() -> int:
        applied = await migrate_database(settings)
        if as_json:
            print(json.dumps({"applied": applied}, indent=2))
        else:
            print("\n".join(applied) if applied else "The schema is up to date.")
        return 0

    running.run(work())


def doctor(as_json: Json = False) -> None:
    """Check settings, database, broker, carrier credentials and webhook registration; say what to do about each.

    Exits 0 when nothing failed, 1 when something did, such as a broker that is not up, 2 when settings do not load.

    Never prints a secret. Example: bridge doctor --json | jq '.checks[] | select(.state != "ok")'
    """
    from bridge.doctor import examine, render
    from bridge.observability import configure_logging

    configure_logging(BytesIO())  # what the parts log on the way is in the report, in words

    async def work() -> int:
        report = await examine(os.environ)
        print(report.model_dump_json(indent=2) if as_json else render(report))
        return report.exit_code

    running.run(work())


def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8090,
    webhook_url: Annotated[str | None, typer.Option(help="Where webhooks go, unless the scenario says.")] = None,
    scenario: Annotated[
        Path | None, typer.Option(help="Scenario file (TOML), or `demo` or `faults`; default: demo.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Makes what is left to chance repeatable.")] = 0,
    allow_remote: Annotated[bool, typer.Option(help="Let webhooks go to other machines.")] = False,
) -> None:
    """Run the stand-in carrier: ShipX and three providers of returns, with a control API under /_control/.

    Example: bridge simulate --webhook-url http://127.0.0.1:8080/webhooks/shipx/SECRET
    """
    from bridge.observability import configure_logging
    from bridge.simulator import SimulatorError, load_scenario
    from bridge.simulator import serve as serve_simulator

    configure_logging()

    async def work() -> int:
        await serve_simulator(load_scenario(scenario), host, port, webhook_url, seed=seed, allow_remote=allow_remote)
        return 0

    try:
        running.run(work())
    except SimulatorError as error:
        print(f"bridge simulate: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the scenario; exit 0 if the summary balances.")
    ] = False,
    shipments: Annotated[int, typer.Option(min=1, max=10_000, help="How many shipments to create.")] = 12,
    broker: Annotated[
        bool, typer.Option("--broker", help="Start a private RabbitMQ and show what a consumer gets.")
    ] = False,
    faults: Annotated[
        bool,
        typer.Option(
            "--faults", help="Let calls, answers and webhooks go wrong; the summary must balance all the same."
        ),
    ] = False,
    seed: Annotated[
        int | None, typer.Option(help="Repeats what is left to chance; default: 0, with --faults a new one each time.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Show the main job: a carrier, the bridge on SQLite, shipments, webhooks, purchases and events, live.

    Example: bridge demo --once --shipments 20

    Example: bridge demo --faults --seed 7
    """
    from bridge.demo import Options, run

    if seed is None:
        seed = secrets.randbelow(1_000_000) if faults else 0
    options = Options(once, shipments, broker, as_json, faults, seed)

    async def work() -> int:
        return await run(options, os.environ)

    running.run(work())
