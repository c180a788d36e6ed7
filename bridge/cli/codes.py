"""`bridge returns codes`: codes made in advance, to be packed with what is sold, and what becomes of each."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait, body, moment

if TYPE_CHECKING:
    from bridge.commands.models import Body
    from bridge.settings import Settings
    from bridge.store.database import ManagedDatabase
    from bridge.store.spare_codes import Spare

verbs = running.group("Codes made in advance: packed with what is sold, activated when it is to come back.")

Code = Annotated[
    str,
    typer.Argument(metavar="CODE", help="The code, or its id: what a shell is told, it remembers.", show_default=False),
]


@verbs.command("create")
def create(
    count: Annotated[int, typer.Option(min=1, max=1000, help="How many.")],
    connection: Annotated[
        str | None, typer.Option(help="The account that makes them, where there are several.")
    ] = None,
    organization: Annotated[int | None, typer.Option(min=1, help="Whose they are to be.")] = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Make codes in advance, and print them; they open nothing until each is activated.

    A running bridge does it. The provider may give fewer. Example: bridge returns codes create --count 200
    """
    from bridge.cli.handing import hand_over
    from bridge.shipping.returns.codes.asked import MakeCodes

    asked = body(MakeCodes, count=count, connection=connection, organization_id=organization)
    running.run(hand_over(running.settings(), asked, wait_s=wait, as_json=as_json, told=_made, succeeded=_is_whole))


@verbs.command("list")
def list_(
    state: Annotated[
        str | None,
        typer.Option(help="Only those in this state: inactive, activating, active, invalidated or unknown."),
    ] = None,
    with_codes: Annotated[bool, typer.Option("--with-codes", help="Show what they read.")] = False,
    organization: Annotated[int | None, typer.Option(min=1, help="Only those of this organization.")] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List codes that were made in advance, the newest first.

    Example: bridge returns codes list --state inactive --with-codes
    """
    from pydantic_core import to_json

    from bridge.cli.table import table
    from bridge.shipping.returns.codes.document import COLUMNS, document, row
    from bridge.store import spare_codes
    from bridge.store.spare_codes import SpareState, Wanted

    if state is not None and state not in get_args(SpareState):
        raise typer.BadParameter(f"must be one of {', '.join(get_args(SpareState))}", param_hint="--state")
    wanted = Wanted(state=state, organizations=frozenset(() if organization is None else (organization,)))

    async def look(settings: Settings, database: ManagedDatabase) -> int:
        found = await database.read(lambda it: spare_codes.page(it, _vault(settings), wanted, limit))
        shown = [document(one, with_code=with_codes) for one in found]
        print(to_json({"items": shown}, indent=2).decode() if as_json else table(COLUMNS, map(row, shown)))
        return 0

    running.with_database(look)


@verbs.command("activate")
def activate(
    code: Code,
    reference: Annotated[str, typer.Option(help="What the customer sees: the order's number.")],
    phone: Annotated[str, typer.Option(help="Who sends it back: nine digits.")],
    email: Annotated[str, typer.Option(help="And where that is written to.")],
    parcel_size: Annotated[str, typer.Option(help="A, B or C.")],
    expires: Annotated[
        datetime, typer.Option(parser=moment, metavar="TIME", help="Until when it can be sent: 2026-12-20T12:00Z.")
    ],
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Make a code usable: exactly one return is made of it, also where the provider's answer is lost.

    A running bridge does it. Example: bridge returns codes activate 1414000001 --reference ORDER123
    --phone 500100200 --email jan@example.com --parcel-size A --expires 2026-12-20T12:00Z
    """
    from bridge.shipping.returns.codes.asked import ActivateCode

    sender = {"phone": phone, "email": email}

    def asked(id_: str) -> Body:
        return body(
            ActivateCode, code=id_, reference=reference, sender=sender, parcel_size=parcel_size, expires_at=expires
        )

    asked("0")  # so that what is wrong is told before anything is looked up
    running.run(_about(code, asked, _activated, wait_s=wait, as_json=as_json))


@verbs.command("invalidate")
def invalidate(code: Code, wait: Wait = WAIT_S, as_json: Json = False) -> None:
    """Make a code useless that was never activated; one that is active cannot be called back.

    A running bridge does it. Example: bridge returns codes invalidate 1414000001
    """
    from bridge.shipping.returns.codes.asked import InvalidateCode

    def asked(id_: str) -> Body:
        return body(InvalidateCode, code=id_)

    running.run(_about(code, asked, _useless, wait_s=wait, as_json=as_json))


async def _about(
    code: str, asked: Callable[[str], Body], told: Callable[[Any], str], *, wait_s: float, as_json: bool
) -> int:
    """Hand over what is asked for about a code, by its id alone; gives the exit code."""
    from bridge.cli.handing import hand_over

    settings = running.settings()
    found = await _find(settings, code)
    if found is None:
        print("bridge: no such code was made here", file=sys.stderr)
        return 1
    return await hand_over(settings, asked(found.id), wait_s=wait_s, as_json=as_json, told=told)


async def _find(settings: Settings, code: str) -> Spare | None:
    from bridge.cli.handing import opened
    from bridge.store import spare_codes

    async with opened(settings) as (database, _):
        return await database.read(lambda it: spare_codes.find(it, _vault(settings), code))


def _vault(settings: Settings) -> Any:
    from bridge.store.sealed import Vault

    return Vault.with_keys(settings.personal_data.key_bytes)


def _made(result: Any) -> str:
    from bridge.cli.table import table

    rows = table(("id", "code"), [(one["id"], one["code"]) for one in result["items"]])
    if _is_whole(result):
        return rows
    return f"{rows}\n\n{result['made']} of {result['asked']} were made: {result['reason']}."


def _is_whole(result: Any) -> bool:
    return bool(result["reason"] is None)


def _activated(result: Any) -> str:
    return f"Return {result['return_id']} is made of the code; it can be sent until {result['expires_at']}."


def _useless(result: Any) -> str:
    return f"Code {result['id']} is useless."
