"""`bridge returns`: made, listed and looked at by hand; what changes something is done by a running bridge."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.shipping.returns.keeping import Keeping
    from bridge.store.database import ManagedDatabase

verbs = running.group("Returns: made on demand at whichever provider, listed, looked at.")

Return = Annotated[str, typer.Argument(metavar="RETURN", help="The return's id, as the bridge gave it.")]
Organization = Annotated[int | None, typer.Option(min=1, help="Only those of this organization.")]


@verbs.command("create")
def create(
    file: Annotated[
        Path,
        typer.Option(
            exists=True,
            dir_okay=False,
            allow_dash=True,
            help="A JSON file with what POST /v1/returns takes; - for standard input.",
        ),
    ],
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Make a return: exactly one, also where the provider's answer is lost.

    A running bridge does it. Example: bridge returns create --file return.json
    """
    from bridge.cli.draft import in_file
    from bridge.cli.handing import hand_over
    from bridge.shipping.returns.asked import CreateReturn

    asked = in_file(CreateReturn, file)
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_made))


@verbs.command("show")
def show(which: Return, as_json: Json = False) -> None:
    """Show how a return stands, with its code. Example: bridge returns show 7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97"""
    from bridge.cli.table import record
    from bridge.shipping.returns.document import followed, lines

    async def look(settings: Settings, database: ManagedDatabase) -> int:
        keeping = _keeping(settings, database)
        found = await keeping.find(which)
        if found is None:
            return _unknown(which)
        shown = followed(found, await keeping.seen(which))
        _print(shown) if as_json else print(record(lines(found, shown["timeline"])))
        return 0

    running.with_database(look)


@verbs.command("list")
def list_(
    state: Annotated[
        str | None, typer.Option(help="Only those in this state: pending, created, unknown, failed or cancelled.")
    ] = None,
    organization: Organization = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List returns, the newest first, without their codes. Example: bridge returns list --state unknown"""
    from bridge.cli.table import table
    from bridge.shipping.returns.document import COLUMNS, document, row, without_code
    from bridge.store.returns import Wanted

    wanted = Wanted(state=state, organizations=frozenset(() if organization is None else (organization,)))

    async def look(settings: Settings, database: ManagedDatabase) -> int:
        found = [without_code(one) for one in await _keeping(settings, database).page(wanted, limit)]
        _print({"items": list(map(document, found))}) if as_json else print(table(COLUMNS, list(map(row, found))))
        return 0

    running.with_database(look)


def _keeping(settings: Settings, database: ManagedDatabase) -> Keeping:
    """Read what is kept; nothing is written by it."""
    from bridge.events.cloudevents import Envelope
    from bridge.lifecycle import utc_now
    from bridge.shipping.returns.keeping import Keeping
    from bridge.store.facts import Recorder
    from bridge.store.sealed import Vault

    vault = Vault.with_keys(settings.personal_data.key_bytes)
    return Keeping(database, vault, Recorder(Envelope(settings.environment)), utc_now, lambda: None)


def _made(result: Any) -> str:
    code = "" if result["code"] is None else f", code {result['code']}"
    return f"Return {result['return_id']} is made at {result['provider']}{code}."


def _unknown(which: str) -> int:
    print(f"bridge: no return {which} was asked for here", file=sys.stderr)
    return 1


def _print(written: object) -> None:
    from pydantic_core import to_json

    print(to_json(written, indent=2).decode())
