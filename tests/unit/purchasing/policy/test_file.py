"""A policy as written: what it means, and how it is refused by line and key."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from bridge.errors import SettingsError
from bridge.purchasing.policy import load
from bridge.purchasing.policy.conditions import When
from bridge.purchasing.policy.file import Policy, Problem, read
from bridge.purchasing.policy.objections import ORDER
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.policy.written import PolicyFile
from tests.unit.purchasing.policy.making import C2C, COURIER, LOCKER, policy, rule

ROOT = Path(__file__).parents[4]


@pytest.mark.parametrize("name", ["config/policy.toml", "bridge/demo/policy.toml"])
def test_the_shipped_policies_list_what_both_kinds_of_accounts_can_have(name: str) -> None:
    text = (ROOT / name).read_bytes()
    found = load(text)
    assert found.sha256 == sha256(text).hexdigest()
    [only] = found.rules
    assert only.services == (LOCKER, COURIER, C2C)
    assert (only.when.is_always, only.missing_rate, only.max_price) == (True, "preference_list", None)
    assert (found.carrier_owned, found.regenerate_after_pause) == ("leave", True)


def test_the_example_in_the_shipped_policy_can_be_used_as_it_is() -> None:
    text = (ROOT / "config" / "policy.toml").read_text(encoding="utf-8")
    before, _, example = text.partition("# [[rules]]\n")
    written = "\n".join(line.removeprefix("# ") for line in ["# [[rules]]", *example.splitlines()])
    found = load((written + "\n" + before).replace("carrier_owned", "#").replace("regenerate", "#").encode())
    assert [one.id for one in found.rules] == ["cash-on-delivery", "default"]


def test_the_examples_of_the_manual_can_be_used_as_they_are() -> None:
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    _, example, _ = re.split(r"^```(?:toml)?\n", text, flags=re.MULTILINE)
    found = load(example.encode())
    assert [one.id for one in found.rules] == ["b2b", "lockers", "default"]
    assert found.prices.keys() == {"inpost_courier_express_1200", COURIER}


@pytest.mark.parametrize("model", [PolicyFile, Rule, When])
def test_the_manual_names_every_key(model: type[BaseModel]) -> None:
    text = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")
    keys = {"rules": "[[rules]]", "price_table": "[price_table]"}
    assert [name for name in model.model_fields if f"`{keys.get(name, name)}`" not in text] == []


@pytest.mark.parametrize("reason", [*ORDER, "no_rule_match", "not_preferred"])
def test_the_manual_names_every_reason(reason: str) -> None:
    assert f"`{reason}`" in (ROOT / "docs" / "policy.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("more", "missing"),
    [
        pytest.param("", "preference_list", id="no limit: by preference"),
        pytest.param('max_price = { amount = "1.00", currency = "PLN" }', "decline", id="a limit: not at all"),
        pytest.param('approve_above = { amount = "1.00", currency = "PLN" }', "hold", id="to be approved: by a person"),
        pytest.param('on_missing_rate = "hold"', "hold", id="as the rule says"),
    ],
)
def test_an_unknown_price_passes_no_limit_unless_the_rule_says_so(more: str, missing: str) -> None:
    assert policy(rule(LOCKER, more=more)).rules[0].missing_rate == missing


GOOD = "[[rules]]\nid = 'a'\nprefer_services = ['x', 'y']\n"
"""Three lines: what is appended begins on the fourth."""
LAST = "[[rules]]\nid = 'z'\nprefer_services = ['x']\n"


@pytest.mark.parametrize(
    ("text", "line", "key", "told"),
    [
        pytest.param("rules = [", 1, "", "is not TOML", id="not TOML"),
        pytest.param("a = 1\nb = = 2\n", 2, "", "is not TOML", id="nor this: the line where it ends to be"),
        pytest.param("", 1, "rules", "is not set", id="nothing at all"),
        pytest.param("\nrules = []", 2, "rules", "at least 1 item", id="no rules"),
        pytest.param("[[rules]]\nid = 'a'\n", 1, "rules.0.prefer_services", "is not set", id="a rule without services"),
        pytest.param(
            GOOD.replace("['x', 'y']", "[]"), 3, "rules.0.prefer_services", "at least 1 item", id="without one"
        ),
        pytest.param(
            GOOD.replace("['x', 'y']", "'x'"), 3, "rules.0.prefer_services", "valid tuple", id="a text is none"
        ),
        pytest.param(
            GOOD.replace("['x', 'y']", "[\n'x',\n\n7]"),
            3,
            "rules.0.prefer_services.1",
            "valid string",
            id="nor a number",
        ),
        pytest.param(GOOD.replace("'x'", "'x y'"), 3, "rules.0.prefer_services.0", "match pattern", id="no service id"),
        pytest.param(
            GOOD.replace("'a'", "'a.b'"), 2, "rules.0.id", "match pattern", id="an id that is no routing word"
        ),
        pytest.param(f"prefer = 1\n{GOOD}", 1, "prefer", "no such key", id="an unknown key"),
        pytest.param(f"{GOOD}max_prise = 1", 4, "rules.0.max_prise", "no such key", id="a misspelt key"),
        pytest.param(f"{GOOD}strategy = 'best'", 4, "rules.0.strategy", "'cheapest'", id="a strategy nobody knows"),
        pytest.param(f"{GOOD}max_price = '5'", 4, "rules.0.max_price", "is written {", id="money without a currency"),
        pytest.param(
            f"{GOOD}max_price.amount = 'x'\nmax_price.currency = 'PLN'",
            4,
            "rules.0.max_price.amount",
            "valid decimal",
            id="money without a number",
        ),
        pytest.param(
            f"{GOOD}max_price = {{ amount = -1, currency = 'PLN' }}", 4, "rules.0.max_price", "at least 0", id="below 0"
        ),
        pytest.param(
            f"{GOOD}max_price = {{ amount = '1.00001', currency = 'PLN' }}",
            4,
            "rules.0.max_price",
            "four decimal places",
            id="finer than money is",
        ),
        pytest.param(
            f"{GOOD}max_price = {{ amount = 1, currency = 'EUR' }}", 4, "rules.0.max_price", "is PLN", id="other money"
        ),
        pytest.param(
            f"{GOOD}max_price = {{ amount = 1, currency = 'PLN' }}\napprove_above = {{ amount = 1, currency = 'PLN' }}",
            5,
            "rules.0.approve_above",
            "never reached",
            id="a limit beyond the other",
        ),
        pytest.param(
            f"{GOOD}on_missing_rate = 'price_table'", 4, "rules.0.on_missing_rate", "no [price_table]", id="no table"
        ),
        pytest.param(
            f"{GOOD}[price_table]\nversion = '1'\n[price_table.prices]\nx = {{ amount = 1, currency = 'EUR' }}",
            7,
            "price_table.prices.x",
            "is PLN",
            id="a price in other money",
        ),
        pytest.param(
            f"{GOOD}[price_table]\nprices.x = {{ amount = 1, currency = 'PLN' }}",
            4,
            "price_table.version",
            "is not set",
            id="a table of no version",
        ),
        pytest.param(f"{GOOD}when.mpk = 5", 4, "rules.0.when.mpk", "valid string", id="one value of the wrong kind"),
        pytest.param(f"{GOOD}when.mpk = ''", 4, "rules.0.when.mpk", "at least 1 character", id="nothing"),
        pytest.param(
            f"{GOOD}when.mpk = ['A', '']", 4, "rules.0.when.mpk.1", "at least 1 character", id="one of a list"
        ),
        pytest.param(f"{GOOD}when.cod = 'yes'", 4, "rules.0.when.cod", "valid boolean", id="a word is not true"),
        pytest.param(f"{GOOD}when.organization = '1'", 4, "rules.0.when.organization", "valid integer", id="a text"),
        pytest.param(
            f"{GOOD}[rules.when.time_of_day]\nfrom = 8\nuntil = '09:00'\n",
            5,
            "rules.0.when.time_of_day.from",
            'is written "08:00"',
            id="a number is no time",
        ),
        pytest.param(
            f"{GOOD}when.time_of_day = {{ from = '08:00', until = '08:00+01:00' }}",
            4,
            "rules.0.when.time_of_day.until",
            "Warsaw",
            id="an offset: it is Warsaw's anyway",
        ),
        pytest.param(
            f"{GOOD}when.time_of_day = {{ from = '08:00', until = '08:00' }}",
            4,
            "rules.0.when.time_of_day",
            "the same",
            id="no time at all, or always",
        ),
        pytest.param(
            f"{GOOD}when.weight_kg = {{ over = 5, up_to = 5 }}",
            4,
            "rules.0.when.weight_kg",
            "no weight",
            id="no weight",
        ),
        pytest.param(f"{GOOD}when.weight_kg = {{}}", 4, "rules.0.when.weight_kg", "neither", id="every weight"),
        pytest.param(GOOD.replace("'y'", "'x'"), 3, "rules.0.prefer_services", "names x twice", id="twice"),
        pytest.param(
            GOOD.replace("'x', 'y'", "'inpost_locker_standard', 'inpost_locker_customer_service_point'"),
            3,
            "rules.0.prefer_services",
            "under both of its ids",
            id="one service by both of its ids",
        ),
        pytest.param(GOOD.replace("'y'", "['y']\n, ['z', 'u']"), 3, "rules.0.prefer_services", "a tier", id="no tiers"),
        pytest.param(f"{GOOD}\n{LAST}", 5, "rules.1", "rule a before it", id="a rule that is never reached"),
        pytest.param(f"{GOOD}when.cod = true\n{GOOD}", 6, "rules.1.id", "called a already", id="one name"),
        pytest.param(f"carrier_owned = 'buy'\n{GOOD}", 1, "carrier_owned", "'leave'", id="no such way"),
        pytest.param(f"regenerate_after_pause = 1\n{GOOD}", 1, "regenerate_after_pause", "boolean", id="1 is not true"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused_by_line_and_key(text: str, line: int, key: str, told: str) -> None:
    found = read(text.encode())
    assert not isinstance(found, Policy)
    assert [(one.line, one.key) for one in found] == [(line, key)]
    assert told in found[0].text
    with pytest.raises(SettingsError) as caught:
        load(text.encode())
    assert [name for name, _ in caught.value.problems] == [f"BRIDGE_POLICY line {line} {key}".rstrip()]


def test_a_policy_that_is_no_text_is_refused_by_its_line() -> None:
    assert read(b"[[rules]]\nid = '\xff'") == [Problem(2, "", "is not UTF-8")]


def test_a_number_that_no_parser_takes_is_refused() -> None:
    [found] = cast("list[Problem]", read(b"currency = " + b"9" * 5000))
    assert found.text.startswith("is not TOML")


MANUAL = (ROOT / "docs" / "policy.md").read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
PIECES = [
    "[[rules]]",
    "id = 'b2b'",
    "when = 5",
    "[rules.when]",
    "cod = true",
    "]",
    "'''",
    "x.y = [1,",
    "\r",
    "prices = 1",
]


@settings(derandomize=True, database=None, deadline=None, max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3), st.sampled_from(["", *PIECES])), max_size=4))
def test_whatever_is_written_is_followed_or_refused_by_a_line_that_is_there(edits: list[tuple[int, int, str]]) -> None:
    lines = MANUAL.split("\n")
    for at, removed, added in edits:
        lines[at : at + removed] = [added]
    for end in ("\n", "\r\n"):
        found = read(end.join(lines).encode())
        if not isinstance(found, Policy):
            assert found
            assert all(1 <= one.line <= len(lines) for one in found)


def test_everything_that_is_wrong_is_said_at_once_in_the_order_of_the_lines() -> None:
    text = f"colour = 1\n\n# rules = 5\n{GOOD}note = '''\nmax_price = 1\n'''\nstrategy = 'x'\n{LAST}on_no_match = 1\n"
    found = read(text.encode())
    assert not isinstance(found, Policy)
    assert [(one.line, one.key) for one in found] == [
        (1, "colour"),
        (7, "rules.0.note"),
        (10, "rules.0.strategy"),
        (14, "rules.1.on_no_match"),
    ]
