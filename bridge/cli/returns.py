"""`bridge returns`: made, listed and looked at by hand; what changes something is done by a running bridge."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args

import typer

from bridge.cli import codes, running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.shipping.returns.keeping import Keeping
    from bridge.store.database import ManagedDatabase

verbs = running.group("Returns: made on demand at whichever provider, listed, looked at, called off.")
verbs.add_typer(codes.verbs, name="codes")
B = TypeVar("B")

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


@verbs.command("settle")
def settle(
    which: Return,
    made: Annotated[
        str | None, typer.Option(metavar="REFERENCE", help="It was made: the provider's own id of it.")
    ] = None,
    code: Annotated[str | None, typer.Option(help="It was made: the code that the customer needs.")] = None,
    number: Annotated[str | None, typer.Option(help="Its tracking number, where the provider shows one.")] = None,
    not_made: Annotated[bool, typer.Option("--not-made", help="The provider has nothing of it.")] = False,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Say what became of a return in state unknown, after a look into the provider's panel. Nothing is sent there.

    A running bridge does it. Example: bridge returns settle 7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97 --not-made
    """
    from bridge.cli.handing import hand_over
    from bridge.cli.values import body
    from bridge.shipping.returns.asked import Settlement, SettleReturn

    words = (made, code, number)
    if not_made == any(word is not None for word in words):
        raise typer.BadParameter("say what was made, by --made or --code; or --not-made", param_hint="--made")
    found = body(Settlement, made=not not_made, provider_reference=made, code=code, tracking_number=number)
    asked = body(SettleReturn, return_id=which, found=found)
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_settled))


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
        shown = followed(found, await keeping.seen(which), await keeping.handover(which))
        _print(shown) if as_json else print(record(lines(found, shown["timeline"], shown["secondary_barcode"])))
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
    from bridge.store.returns import State, Wanted

    if state is not None and state not in get_args(State):
        raise typer.BadParameter(f"must be one of {', '.join(get_args(State))}", param_hint="--state")
    wanted = Wanted(state=state, organizations=frozenset(() if organization is None else (organization,)))

    async def look(settings: Settings, database: ManagedDatabase) -> int:
        found = [without_code(one) for one in await _keeping(settings, database).page(wanted, limit)]
        _print({"items": list(map(document, found))}) if as_json else print(table(COLUMNS, list(map(row, found))))
        return 0

    running.with_database(look)


@verbs.command("label")
def label(
    which: Return,
    to: Annotated[Path, typer.Option("--to", metavar="FILE", help="Where to write it.")],
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Write a return's label to a file, for nobody else to read.

    A running bridge fetches it. Example: bridge returns label 7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97 --to label.pdf
    """
    from bridge.cli.fetched import write
    from bridge.shipping.returns.asked import FetchReturnLabel

    running.run(write(running.settings(), _about(FetchReturnLabel, which), to, wait_s=wait, as_json=as_json))


@verbs.command("cancel")
def cancel(which: Return, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Ask the provider to call a return off, where it knows such a thing; its status shows later whether it did.

    A running bridge does it. Example: bridge returns cancel 7c1d0b6a5e5c4f0f9a2b8d3e6f1a4c97
    """
    from bridge.cli.handing import hand_over
    from bridge.shipping.returns.asked import CancelReturn

    asked = _about(CancelReturn, which)
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_called_off))


def _about(model: Callable[..., B], which: str) -> B:
    """Make what is asked for about a return. Raises BadParameter."""
    from pydantic import ValidationError

    try:
        return model(return_id=which)
    except ValidationError:
        raise typer.BadParameter("is no return's id", param_hint="RETURN") from None


def _called_off(result: Any) -> str:
    told = {
        "requested": "the provider was asked to call it off; its status shows when it has",
        "withdrawn": "called off: no provider had been asked to make it",
        "cancelled": "it is cancelled already",
    }
    return f"Return {result['return_id']}: {told[result['cancellation']]}."


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


def _settled(result: Any) -> str:
    return f"Return {result['return_id']} is {result['state']}."


def _unknown(which: str) -> int:
    print(f"bridge: no return {which} was asked for here", file=sys.stderr)
    return 1


def _print(written: object) -> None:
    from pydantic_core import to_json

    print(to_json(written, indent=2).decode())
