"""`./dev bench`: how fast, next to what it is compared with, in interleaved rounds.

Machines are noisy: every figure is the median of its rounds, and only ratios of one run mean anything elsewhere.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from dataclasses import replace
from typing import Final

import structlog
from rich.console import Console

from tests.bench.cores import Cores, confine
from tests.bench.crowd import raise_limits
from tests.bench.errors import Failed
from tests.bench.machine import Machine
from tests.bench.measures import MEASURES
from tests.bench.row import Row
from tests.bench.size import FULL, QUICK, Size
from tests.bench.stage import Stage
from tests.bench.table import table

_WIDTH: Final = 140
"""Of the table where it goes to a file."""


def main() -> int:
    """Measure and print; gives the exit code."""
    given = _parser().parse_args()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    cores = Cores.found()
    machine = Machine.found(cores)
    confine(cores.others)
    raise_limits()
    remarks = Console(stderr=True)
    remarks.print(machine.told, highlight=False)
    rows: list[Row] = []
    failures: dict[str, str] = {}
    with Stage(_size(given), cores, remarks) as stage:
        for name in given.only or MEASURES:
            try:
                rows += MEASURES[name](stage)
            except Failed as error:
                failures[name] = str(error)
                stage.tell(f"{name} gives no figure: {error}")
    if given.json:
        _print_json(machine, rows, failures)
    elif rows:
        Console(width=None if sys.stdout.isatty() else _WIDTH).print(table(rows, machine.told))
    for name, told in failures.items():
        remarks.print(f"[bold red]{name} gives no figure:[/] {told}", highlight=False)
    return 1 if failures else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  ./dev bench --quick\n  ./dev bench --only accepts --only steady\n"
        "  ./dev bench --only history --history 1000000 --json",
    )
    parser.add_argument("--quick", action="store_true", help="small rounds: about ten minutes instead of seventy")
    parser.add_argument("--only", choices=list(MEASURES), action="append", help="measure this; may be repeated")
    parser.add_argument("--rounds", type=int, metavar="N", help="rounds of each measure")
    parser.add_argument("--history", type=int, metavar="N", help="webhooks in the database that is not empty")
    parser.add_argument("--outage-seconds", type=int, metavar="N", help="for how long the broker is away")
    parser.add_argument("--json", action="store_true", help="print every round as JSON")
    return parser


def _size(given: argparse.Namespace) -> Size:
    chosen = {"rounds": given.rounds, "history": given.history, "outage_s": given.outage_seconds}
    return replace(QUICK if given.quick else FULL, **{key: value for key, value in chosen.items() if value is not None})


def _print_json(machine: Machine, rows: list[Row], failures: dict[str, str]) -> None:
    print(json.dumps({"machine": machine.told, "rows": [row.document() for row in rows], "failed": failures}, indent=2))


if __name__ == "__main__":
    sys.exit(main())
