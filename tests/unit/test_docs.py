"""What the documents say of files, headings, verbs, settings and metrics is there."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
import typer

from bridge.cli import app
from bridge.settings import keys
from tests.reference import metrics
from tests.support import pages

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"
DECISIONS: Final = DOCS / "decisions"
PAGES: Final = [
    page
    for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "k8s" / "README.md", *sorted(DOCS.rglob("*.md")))
    if page.exists() and "node_modules" not in page.parts
]
NAMES: Final = [page.relative_to(ROOT).as_posix() for page in PAGES]
NO_SETTINGS: Final = {"BRIDGE_PORT", "BRIDGE_CONFIG"}
"""What Kubernetes makes of a service's name, and where the settings are."""
SERIES: Final = ("_bucket", "_sum", "_count")
PROGRAM: Final[Any] = typer.main.get_command(app)


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_what_a_page_points_to_is_there(page: Path) -> None:
    lost = [
        f"{path}#{anchor}"
        for path, anchor in pages.links(page)
        if not path.exists() or (anchor and anchor not in pages.anchors(path))
    ]
    assert lost == []


def test_every_page_is_found_from_the_index() -> None:
    seen, left = set[Path](), [DOCS / "README.md"]
    while left:
        page = left.pop()
        if page not in seen and page.suffix == ".md" and DOCS in page.parents:
            seen.add(page)
            left += [path for path, _ in pages.links(page) if path.is_file()]
    assert [str(page) for page in PAGES if DOCS in page.parents and page not in seen] == []


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_a_file_is_shown_as_it_is(page: Path) -> None:
    shown = pages.shown_files(page)
    assert shown == {path: path.read_text(encoding="utf-8") for path in shown}


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_command_line_is_one_of_the_program(page: Path) -> None:
    wrong = [(line, why) for line in pages.command_lines(page, "bridge") if (why := _fault(line)) is not None]
    assert wrong == []


LINES: Final = [
    # line, what is wrong with it, remark
    ("bridge serve", None, "a verb"),
    ("bridge purchases list|show|approve", None, "several, as in a sentence"),
    ("bridge purchases", None, "a noun alone"),
    ("bridge purchases …", None, "a noun with whatever"),
    ("bridge why shipment/N --json", None, "an argument and a flag"),
    ("bridge backfill --since", None, "an option whose value is told beside it"),
    ("bridge shipments label 17 18 --output labels/", None, "any number of arguments"),
    ("bridge sever", "no verb sever", "no such verb"),
    ("bridge purchases list|hide", "no verb hide", "one of several that is not there"),
    ("bridge doctor --jsno", "no option --jsno", "no such option"),
    ("bridge doctor now", "too many arguments", "an argument that is not taken"),
    ("bridge webhook url --base https://a.example --base", None, "options with their values are no arguments"),
]


@pytest.mark.parametrize(("line", "fault", "remark"), LINES, ids=[row[-1] for row in LINES])
def test_a_line_is_judged_by_the_program_itself(line: str, fault: str | None, remark: str) -> None:
    assert _fault(line) == fault, remark


def _fault(line: str) -> str | None:
    """Say what the program would not understand of a line; `a|b` are two lines."""
    words = [word.split("|") for word in shlex.split(line)[1:]]
    faults = (_fault_of_one(list(one)) for one in product(*words))
    return next((fault for fault in faults if fault is not None), None)


def _fault_of_one(words: list[str]) -> str | None:
    command = PROGRAM
    while hasattr(command, "commands"):
        if not words:
            return None
        word = words.pop(0)
        if word in ("--help", "…"):
            return None
        if word not in command.commands:
            return f"no verb {word}"
        command = command.commands[word]
    return _fault_of_arguments(command, iter(words))


def _fault_of_arguments(command: Any, words: Iterator[str]) -> str | None:
    options = {name: one for one in command.params if one.param_type_name == "option" for name in one.opts}
    arguments = [one for one in command.params if one.param_type_name == "argument"]
    room = float("inf") if any(one.nargs == -1 for one in arguments) else len(arguments)
    for word in words:
        if word.startswith("-"):
            name, has_value, _ = word.partition("=")
            if name not in options and name != "--help":
                return f"no option {name}"
            if name in options and not options[name].is_flag and not has_value:
                next(words, None)
        elif room:
            room -= 1
        else:
            return "too many arguments"
    return None


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_setting_that_a_page_names_is_one(page: Path) -> None:
    known = {*keys.by_env(), *NO_SETTINGS}
    known |= {f"{name}_FILE" for name, key in keys.by_env().items() if key.secret}
    named = set(re.findall(r"\bBRIDGE_[A-Z][A-Z0-9_]*\*?", page.read_text(encoding="utf-8")))
    assert {name for name in named if not _stands_for(name, known)} == set()


@pytest.mark.parametrize("page", PAGES, ids=NAMES)
def test_every_metric_that_a_page_names_is_one(page: Path) -> None:
    known = {metric.name for metric in metrics.every()}
    known |= {metric.name + ending for metric in metrics.every() if metric.kind == "histogram" for ending in SERIES}
    named = set(re.findall(r"\bbridge_[a-z][a-z_]*\*?", page.read_text(encoding="utf-8")))
    assert {name for name in named if not _stands_for(name, known)} == set()


def _stands_for(name: str, known: set[str]) -> bool:
    """Say whether a name is known; `BRIDGE_RETENTION__*`, or one that a sentence goes on with, stands for several."""
    several = name.rstrip("*")
    return name in known or (several.endswith("_") and any(one.startswith(several) for one in known))


def test_the_index_of_decisions_has_each_under_its_title() -> None:
    titles = {path.name: path.read_text(encoding="utf-8").splitlines()[0] for path in DECISIONS.glob("[0-9]*.md")}
    rows = re.findall(r"^\| (\d+) \| \[(.+)\]\((.+)\) \| .+ \|$", (DECISIONS / "README.md").read_text(), re.MULTILINE)
    assert {path: f"# {number}. {title}" for number, title, path in rows} == titles
    assert [int(number) for number, _, _ in rows] == sorted(int(path[:4]) for path in titles)


def test_the_lock_of_the_examples_names_no_host() -> None:
    text = (DOCS / "examples" / "node" / "package-lock.json").read_text(encoding="utf-8")
    packages = json.loads(text)["packages"]
    assert "://" not in text
    assert all("integrity" in one for path, one in packages.items() if path)
