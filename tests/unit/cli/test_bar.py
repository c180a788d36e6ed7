"""Progress is for terminals: there it moves, elsewhere nothing is written."""

from __future__ import annotations

import os
import pty
import subprocess
import sys

import pytest

SHOWN = """
from bridge.cli.bar import bar
from bridge.model import CommandState, Progress, Standing
with bar("events.replay", visible=VISIBLE) as show:
    for state, progress in [
        (CommandState.waiting, Progress()),
        (CommandState.running, Progress(1234, 0.5)),
        (CommandState.running, Progress(1300, None)),
    ]:
        show(Standing("events.replay", "one", state, progress, None, None, 0.0))
"""


def on_a_terminal(program: str) -> str:
    """Run a program whose standard error is a terminal, and give what appears there."""
    ours, theirs = pty.openpty()
    environ = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLUMNS")}
    with subprocess.Popen([sys.executable, "-c", program], stderr=theirs, env=environ | {"TERM": "xterm"}) as process:
        os.close(theirs)
        seen = b""
        while piece := _read(ours):
            seen += piece
        os.close(ours)
        assert process.wait(30) == 0
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side is closed
        return b""


def test_a_terminal_shows_how_far_it_is() -> None:
    seen = on_a_terminal(SHOWN.replace("VISIBLE", "True"))
    assert "events.replay" in seen
    assert "1,300 done" in seen


def test_output_for_programs_comes_without_it() -> None:
    assert on_a_terminal(SHOWN.replace("VISIBLE", "False")) == ""


@pytest.mark.parametrize("visible", ["True", "False"])
def test_where_there_is_no_terminal_nothing_is_written(visible: str) -> None:
    program = [sys.executable, "-c", SHOWN.replace("VISIBLE", visible)]
    done = subprocess.run(program, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")
