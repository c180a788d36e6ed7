"""`./dev soak`: three bridges on PostgreSQL buy at a carrier with faults, get bad input, and everything is broken again
and again; the books must balance.

It runs for the minutes given, and then until everything is worked off. The exit code is 0 where everything balances.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import shutil
import sys
import tempfile
from pathlib import Path

import structlog
import uvloop
from rich.console import Console

from tests.soak.cast import targets
from tests.soak.inputs import make
from tests.soak.options import Options
from tests.soak.run import run
from tests.soak.screen import Screen


def main() -> int:
    """Run, and give the exit code."""
    given = _parser().parse_args()
    seed = secrets.randbelow(1_000_000) if given.seed is None else given.seed
    if given.show is not None:
        print(make(seed, given.show, targets()))
        return 0
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.disable(logging.CRITICAL)  # libraries complain of the broker that we took away
    options = Options(given.minutes * 60, seed, given.sqlite, given.webhooks, given.inputs, given.shipments)
    remarks = Console(stderr=True)
    screen = Screen(remarks, as_json=given.json)
    screen.tell(f"seed {seed}")
    folder = Path(tempfile.mkdtemp(prefix="bridge-soak-"))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        summary = runner.run(run(options, folder, screen))
    screen.show(summary)
    if not summary.balances:
        screen.tell(f"what the bridges logged where something was wrong is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="./dev soak",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="examples:\n  ./dev soak --minutes 5\n  ./dev soak --minutes 60             over a million bad inputs\n"
        "  ./dev soak --minutes 5 --sqlite --seed 7\n  ./dev soak --seed 7 --show 12345  what input 12345 of seed 7 is",
    )
    parser.add_argument("--minutes", type=float, default=10, metavar="N", help="how long everything is broken (10)")
    parser.add_argument("--sqlite", action="store_true", help="one bridge on a SQLite file")
    parser.add_argument("--seed", type=int, help="repeat the moments and inputs of a run, as far as a machine can")
    parser.add_argument("--webhooks", type=float, default=120, metavar="N", help="webhooks a second (120)")
    parser.add_argument("--inputs", type=float, default=500, metavar="N", help="bad inputs a second, at most (500)")
    parser.add_argument(
        "--shipments", type=float, default=3, metavar="N", help="shipments to buy a second (3), and bursts"
    )
    parser.add_argument("--show", type=int, metavar="NUMBER", help="print an input of the seed, and do nothing else")
    parser.add_argument("--json", action="store_true", help="print the summary as JSON")
    return parser


if __name__ == "__main__":
    sys.exit(main())
