"""The verbs of the command. Each imports what it needs when it runs, so that `serve` starts fast.

Exit codes: 0 done, 1 the operation failed, 2 wrong usage or settings.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets as random_secrets
import sys
from collections.abc import Callable, Coroutine
from io import BytesIO
from pathlib import Path
from typing import Annotated, Any

import typer

from bridge.errors import BridgeError, SettingsError

app = typer.Typer(
    help="Receive InPost ShipX webhooks durably, buy the right offer once, publish normalized events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
topology = typer.Typer(help="The exchanges and queues on RabbitMQ.", no_args_is_help=True, rich_markup_mode=None)
schema = typer.Typer(help="The event contract as documents.", no_args_is_help=True, rich_markup_mode=None)
webhook = typer.Typer(help="The URL to register with InPost.", no_args_is_help=True, rich_markup_mode=None)
events = typer.Typer(help="The events this bridge has recorded.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(topology, name="topology")
app.add_typer(schema, name="schema")
app.add_typer(webhook, name="webhook")
app.add_typer(events, name="events")

Json = Annotated[bool, typer.Option("--json", help="Machine-readable output.")]


def main() -> None:
    """Run a verb, and turn what went wrong into words and an exit code."""
    try:
        app()
    except SettingsError as error:
        for key, text in error.problems:
            print(f"{key}: {text}", file=sys.stderr)
        raise SystemExit(2) from None
    except BridgeError as error:
        print(f"bridge: {error}", file=sys.stderr)
        raise SystemExit(1) from None


def _settings() -> Any:
    from bridge.settings import load

    return load(os.environ)


def _run(work: Coroutine[Any, Any, int]) -> None:
    """Run to the end on the fast event loop where there is one."""
    try:
        import uvloop

        factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    except ImportError:
        factory = asyncio.new_event_loop
    with asyncio.Runner(loop_factory=factory) as runner:
        code = runner.run(work)
    raise typer.Exit(code)


@app.command()
def serve() -> None:
    """Run the bridge until SIGTERM.

    Settings come from BRIDGE_* variables and the file named by BRIDGE_CONFIG.

    Example: BRIDGE_CONFIG=bridge.toml bridge serve
    """
    from bridge.app import Bridge
    from bridge.observability import configure_logging

    settings = _settings()
    configure_logging()

    async def work() -> int:
        return await Bridge(settings).run()

    _run(work())


@app.command()
def migrate() -> None:
    """Bring the database schema up to date, and name what was applied."""
    from bridge.app import migrate_database

    settings = _settings()

    async def work() -> int:
        applied = await migrate_database(settings)
        print("\n".join(applied) if applied else "The schema is up to date.")
        return 0

    _run(work())


@app.command()
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

    _run(work())


@app.command()
def simulate(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 picks a free one.")] = 8090,
    webhook_url: Annotated[str | None, typer.Option(help="Where webhooks go, unless the scenario says.")] = None,
    scenario: Annotated[Path | None, typer.Option(help="Scenario file (TOML); default: the demo's.")] = None,
    seed: Annotated[int, typer.Option(help="Makes what is left to chance repeatable.")] = 0,
    allow_remote: Annotated[bool, typer.Option(help="Let webhooks go to other machines.")] = False,
) -> None:
    """Run the stand-in carrier: ShipX as its documents describe it, with a control API under /_control/.

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
        _run(work())
    except SimulatorError as error:
        print(f"bridge simulate: {error}", file=sys.stderr)
        raise typer.Exit(2) from None


@app.command()
def demo(
    once: Annotated[
        bool, typer.Option("--once", help="End after the scenario; exit 0 if the summary balances.")
    ] = False,
    shipments: Annotated[int, typer.Option(min=1, max=10_000, help="How many shipments to create.")] = 12,
    broker: Annotated[
        bool, typer.Option("--broker", help="Start a private RabbitMQ and show what a consumer gets.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show the main job: a carrier, the bridge on SQLite, shipments, webhooks, purchases and events, live.

    Example: bridge demo --once --shipments 20
    """
    from bridge.demo import Options, run

    async def work() -> int:
        return await run(Options(once=once, shipments=shipments, broker=broker, as_json=as_json), os.environ)

    _run(work())


@topology.command("apply")
def topology_apply() -> None:
    """Declare the exchanges, queues and bindings on the broker named by BRIDGE_AMQP_URL."""
    from bridge.broker.rabbit import apply_topology
    from bridge.observability import configure_logging

    settings = _settings()
    configure_logging(sys.stderr.buffer)
    if settings.amqp_url is None:
        raise SettingsError([("BRIDGE_AMQP_URL", "is not set, so there is no broker to prepare")])

    async def work() -> int:
        await apply_topology(settings.amqp_url)
        print("The topology is in place.")
        return 0

    _run(work())


@topology.command("show")
def topology_show() -> None:
    """Print the topology as JSON: what `apply` declares, for whoever declares it by other means."""
    from bridge.broker.topology import describe

    print(json.dumps(describe(), indent=2))


@schema.command("export")
def schema_export(folder: Annotated[Path, typer.Argument(help="Where the files go; made where missing.")]) -> None:
    """Write the JSON Schema of every event and the AsyncAPI document.

    Example: bridge schema export schemas/
    """
    from bridge.events.export import export

    for path in export(folder):
        print(path)


@webhook.command("url")
def webhook_url(
    base: Annotated[
        str, typer.Option(help="How the internet reaches this bridge: https://, or http:// on this machine.")
    ] = "https://YOUR-HOST",
) -> None:
    """Print the URL to register with InPost, for every organization. It holds the secret: handle it like a password.

    Example: bridge webhook url --base https://hooks.example.com
    """
    from bridge.settings.values import base_url

    try:
        reached = base_url(base)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--base") from None
    organizations = [one for one in _settings().shipx.organizations if one.webhook_secrets]
    if not organizations:
        raise SettingsError([("BRIDGE_SHIPX__WEBHOOK_SECRETS", "is not set: `bridge webhook secret` makes one")])
    for one in organizations:
        print(f"{one.id}\t{reached}/webhooks/shipx/{one.webhook_secrets[0].get_secret_value()}")


@webhook.command("secret")
def webhook_secret() -> None:
    """Make a new secret for BRIDGE_SHIPX__WEBHOOK_SECRETS: lower case, because InPost wants the path so.

    To rotate: add the new one in front of the old, register the new URL, then remove the old one.
    """
    print(random_secrets.token_hex(24))


@events.command("tail")
def events_tail(
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes.")] = False,
    last: Annotated[int, typer.Option("--last", "-n", min=0, max=1000, help="How many to begin with.")] = 20,
    subject: Annotated[str | None, typer.Option(help="Only this subject, e.g. shipment/123.")] = None,
    kind: Annotated[
        str | None, typer.Option("--type", help="Only this type, e.g. bridge.shipment.confirmed.v1.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Print events from the database, oldest first: when the bridge recorded it, subject, sequence, type, what it says.

    Example: bridge events tail --follow --json | jq .data
    """
    from bridge.egress.tail import tail
    from bridge.store.feed import Filter, SqlFeed
    from bridge.store.opening import existing

    settings = _settings()

    async def work() -> int:
        database = existing(settings.database)
        try:
            await tail(SqlFeed(database), last=last, follow=follow, wanted=Filter(kind, subject), as_json=as_json)
        finally:
            await database.close()
        return 0

    _run(work())


if __name__ == "__main__":
    main()
