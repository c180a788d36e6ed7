"""How times are read, and how lines for people are written."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
import typer

from bridge.cli.table import cell, record, table
from bridge.cli.values import moment

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

TIMES = [
    # text, time, remark
    ("2026-11-20T12:00Z", NOW, "UTC"),
    ("2026-11-20T13:00:00+01:00", NOW, "another offset"),
    ("2026-11-20 12:00", NOW, "no offset is UTC"),
    ("2026-11-20", NOW - timedelta(hours=12), "a day begins at midnight"),
    ("30s", NOW - timedelta(seconds=30), "seconds ago"),
    ("90m", NOW - timedelta(minutes=90), "minutes ago"),
    ("6h", NOW - timedelta(hours=6), "hours ago"),
    ("2d", NOW - timedelta(days=2), "days ago"),
]


@pytest.mark.parametrize(("text", "time", "remark"), TIMES, ids=[row[-1] for row in TIMES])
def test_a_time_is_read(text: str, time: datetime, remark: str) -> None:
    assert moment(text, NOW) == time, remark


@pytest.mark.parametrize(
    "text", ["", "yesterday", "6", "h", "-6h", "6 h", "6w", "1.5h", "2026-13-01", "9999999d", "999999d"]
)
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="90m, 6h, 2d"):
        moment(text, NOW)


def test_columns_stand_below_each_other_and_nothing_trails() -> None:
    written = table(("a", "long head", "c"), [("first", None, 1), ("x", NOW, "")])
    assert written.splitlines() == [
        "a      long head             c",
        "first  -                     1",
        "x      2026-11-20T12:00:00Z",
    ]


def test_a_record_has_a_line_for_each_value() -> None:
    assert record({"id": "x", "state": None}) == "id     x\nstate  -"


def test_what_strangers_wrote_cannot_steer_the_terminal() -> None:
    assert cell("a\x1b[2Jb\nc\x00é") == "a�[2Jb�c�é"


def test_times_are_written_in_utc() -> None:
    assert cell(NOW.astimezone(timezone(timedelta(hours=2)))) == "2026-11-20T12:00:00Z"
