"""`bridge shipments label`: the running bridge fetches labels and keeps them; what is kept is written to files."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.cli.values import WAIT_S, Wait, body
from bridge.model import CommandState, OrganizationId, Progress, Standing

if TYPE_CHECKING:
    from bridge.settings import Settings
    from bridge.shipments.asked_label import FetchLabel
    from bridge.store.commands import SqlCommands
    from bridge.store.shelf import Shelf

_AT_ONCE: Final = 4
"""So many commands are handed over at a time: fewer than the bridge carries out, so that none waits to be begun."""

Shipments = Annotated[list[int], typer.Argument(metavar="SHIPMENT...", min=1, max=10**18 - 1, help="Their numbers.")]


def label(
    shipments: Shipments,
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE|FOLDER", help="Where to; several go into a folder.")
    ],
    form: Annotated[str, typer.Option("--format", help="What prints them: pdf, zpl or epl.")] = "pdf",
    kind: Annotated[
        str | None, typer.Option("--type", help="normal, A6, or dpi300 for zpl; else the carrier's own.")
    ] = None,
    organization: Annotated[
        int | None, typer.Option(min=1, help="Whose they are, where several organizations have their numbers.")
    ] = None,
    wait: Wait = WAIT_S,
    as_json: Json = False,
) -> None:
    """Write labels to files, for nobody else to read. What is kept already is not asked of the carrier again.

    A running bridge fetches them; one that is not there yet is given a minute.

    Example: bridge shipments label 3900000017 3900000018 --format zpl --output labels/
    """
    from bridge.shipments.asked_label import FetchLabel

    wanted = list(dict.fromkeys(shipments))
    orders = [body(FetchLabel, shipment_id=one, organization_id=organization, format=form, type=kind) for one in wanted]
    files = targets(output, wanted, orders[0].format)
    running.run(_write_all(running.settings(), list(zip(orders, files, strict=True)), wait_s=wait, as_json=as_json))


def targets(output: str, shipments: Sequence[int], form: str) -> list[Path]:
    """Say into which file each label goes. Raises BadParameter where several would go into one."""
    from bridge.model import ShipmentId
    from bridge.shipping.labels.many import file_name

    place = Path(output)
    if len(shipments) == 1 and not place.is_dir() and not output.endswith("/"):
        return [place]
    if place.is_file():
        raise typer.BadParameter("must be a folder for several labels", param_hint="--output")
    return [place / file_name(ShipmentId(one), form) for one in shipments]


@dataclass(frozen=True, slots=True)
class Written:
    """What became of one label: the file it is in, or why there is none."""

    shipment_id: int
    outcome: str
    file: str | None = None
    sha256: str | None = None
    size: int | None = None
    error: str | None = None


class _Writer:
    """Has labels fetched, and writes them down."""

    def __init__(self, commands: SqlCommands, shelf: Shelf, wait_s: float) -> None:
        self._commands = commands
        self._shelf = shelf
        self._wait_s = wait_s
        self._room = asyncio.Semaphore(_AT_ONCE)

    async def write(self, order: FetchLabel, file: Path) -> Written:
        """Have one fetched and write it."""
        from bridge.cli.handing import given, outcome

        async with self._room:
            command = given(order, self._wait_s)
            standing, why = await outcome(self._commands, command, self._wait_s, lambda _: None)
        if standing.state is not CommandState.done:
            return Written(order.shipment_id, standing.state.value, error=why or standing.state.value)
        return await self._written(order.shipment_id, standing.result or {}, file)

    async def _written(self, shipment: int, result: Mapping[str, Any], file: Path) -> Written:
        from bridge.store.labels import content_of
        from bridge.store.shelf import write_whole

        content = await self._shelf.get(content_of(OrganizationId(result["organization_id"]), result["sha256"]))
        if content is None:
            told = "it was fetched, and what is kept cannot be read here: see BRIDGE_LABELS__FOLDER and the keys"
            return Written(shipment, "failed", error=told)
        try:
            await asyncio.to_thread(write_whole, file, content)
        except OSError as error:
            return Written(shipment, "failed", error=f"{file}: {error.strerror}")
        return Written(shipment, "done", str(file), result["sha256"], result["size"])


async def _write_all(
    settings: Settings, wanted: Sequence[tuple[FetchLabel, Path]], *, wait_s: float, as_json: bool
) -> int:
    from bridge.app.stores import shelf_of
    from bridge.cli.bar import bar
    from bridge.cli.handing import opened
    from bridge.store.sealed import Vault

    async with opened(settings) as (database, commands):
        shelf = shelf_of(settings, database, Vault.with_keys(settings.personal_data.key_bytes))
        writer = _Writer(commands, shelf, wait_s)
        tasks = [asyncio.create_task(writer.write(order, file)) for order, file in wanted]
        with bar("label.fetch", visible=not as_json) as show:
            for number, one in enumerate(asyncio.as_completed(tasks), 1):
                await one
                share = Progress(number, number / len(tasks))
                show(Standing("label.fetch", "", CommandState.running, share, None, None, 0))
    return _tell([task.result() for task in tasks], as_json=as_json)


def _tell(found: Sequence[Written], *, as_json: bool) -> int:
    """Say what came of it; gives the exit code."""
    from pydantic_core import to_json

    if as_json:
        print(to_json({"items": [asdict(one) for one in found]}, indent=2).decode())
        return int(any(one.file is None for one in found))
    for one in found:
        if one.file is None:
            print(f"bridge: no label of shipment {one.shipment_id}: {one.error}", file=sys.stderr)
        else:
            print(one.file)
    return int(any(one.file is None for one in found))
