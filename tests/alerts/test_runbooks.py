"""Every alert has a page that says what to do, by commands that exist, and no page outlives its alert."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.alerts.rules import ROOT, Rule, alerts
from tests.reference import commands

FOLDER = ROOT / "docs" / "runbooks"
INDEX = FOLDER / "README.md"
PAGES = sorted(FOLDER.glob("*.md"))
PARTS = [
    "What it means.",
    "What is at risk.",
    "What to run.",
    "What to look at.",
    "When it ends.",
    "Why this threshold.",
    "Silence it:",
]
OTHERS = {"kubectl", "amtool"}
"""Programs that are not ours."""
LOOKS = {"doctor", "why", "audit", "list", "show", "explain", "check", "tail", "url", "codes", "label"}
"""Our verbs that only look. Somebody who was just woken up runs them as they stand, before reading on."""


def test_every_alert_has_a_page_and_every_page_an_alert() -> None:
    assert {page.stem for page in PAGES if page != INDEX} == set(alerts())


@pytest.mark.parametrize("rule", alerts().values(), ids=lambda rule: rule.alert)
def test_an_alert_names_its_page(rule: Rule) -> None:
    assert ROOT / rule.annotations["runbook_url"] == FOLDER / f"{rule.alert}.md"


def test_the_index_lists_every_alert_once_as_the_rules_have_it() -> None:
    rows = re.findall(r"^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \| (.*) \|$", INDEX.read_text(), re.MULTILINE)
    wanted = [
        (name, name, rule.labels["severity"], rule.annotations["summary"].strip()) for name, rule in alerts().items()
    ]
    assert sorted(rows) == sorted(wanted)


@pytest.mark.parametrize("name", alerts())
def test_a_page_says_the_same_as_its_alert_and_has_all_parts_in_order(name: str) -> None:
    text, rule = (FOLDER / f"{name}.md").read_text(), alerts()[name]
    assert text.startswith(f"# {name}\n\n{rule.annotations['summary']}. Severity: {rule.labels['severity']}, ")
    assert re.findall(r"^\*\*(.*?)\*\*", text, re.MULTILINE) == PARTS


def lines_of(text: str) -> list[str]:
    """Give the lines of shell of a page."""
    return "".join(re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)).splitlines()


def run_by(text: str) -> list[str]:
    """Give what a page tells to run: lines of shell, and commands within a sentence."""
    said = re.findall(r"`(bridge [a-z][^`]*)`", " ".join(re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S).split()))
    return [*lines_of(text), *said]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_tells_to_run_exists(page: Path) -> None:
    verbs = commands.verbs()
    asked = run_by(page.read_text())
    assert asked
    for line in asked:
        program, *words = shlex.split(line)
        if program in OTHERS:
            continue
        assert program == "bridge", line
        name = next((" ".join(words[:n]) for n in (2, 1) if " ".join(words[:n]) in verbs), None)
        assert name is not None, line
        arguments = words[len(name.split()) :]
        if arguments:  # a verb alone is only spoken of
            check_arguments(verbs[name], arguments, line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_page_tells_to_run_first_changes_nothing(page: Path) -> None:
    for line in lines_of(page.read_text()):
        program, *words = shlex.split(line)
        assert program in OTHERS or words[0] in LOOKS or words[1] in LOOKS, line


def check_arguments(verb: object, words: list[str], line: str) -> None:
    """See that a verb takes these arguments: click parses them, and runs nothing."""
    context = verb.make_context("bridge", list(words), resilient_parsing=False)  # type: ignore[attr-defined]
    assert not context.args, line


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
