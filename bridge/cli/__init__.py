"""The verbs of the command, a noun to a file. Each imports what it needs when it runs, so that `serve` starts fast.

Exit codes: 0 done, 1 the operation failed, 2 wrong usage or settings.
"""

from __future__ import annotations

import sys

import typer

from bridge.cli import (
    backfill,
    connections,
    dead,
    deliveries,
    dispatch,
    events,
    inspection,
    policy,
    process,
    purchases,
    returns,
    schema,
    shipments,
    topology,
    webhook,
)
from bridge.errors import BridgeError, SettingsError

app = typer.Typer(
    help="Receive InPost ShipX webhooks durably, buy the right offer once, publish normalized events.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    rich_markup_mode=None,
)
for verb in (
    *(process.serve, process.migrate, process.doctor, process.simulate, process.demo),
    *(inspection.audit, inspection.why, backfill.backfill),
):
    app.command()(verb)
for noun in (
    *(topology, schema, webhook, events, deliveries, dead, connections, purchases),
    *(shipments, dispatch, returns, policy),
):
    app.add_typer(noun.verbs, name=noun.__name__.rpartition(".")[2])


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
