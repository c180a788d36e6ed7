"""The policy file: read as TOML, refused by line and key, and known by the hash of its very bytes."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from typing import Any, Final

from pydantic import ValidationError

from bridge.errors import SettingsError
from bridge.events.catalogue import Money
from bridge.purchasing.policy.consistency import inconsistencies
from bridge.purchasing.policy.lines import Path, lines, name, written
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.policy.services import known_as
from bridge.purchasing.policy.written import CarrierOwned, PolicyFile

KEY: Final = "BRIDGE_POLICY"


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy, with the hash of the very bytes it was read from.

    `carrier_owned` is about shipments made with a service, which the carrier buys by itself; `regenerate_after_pause`
    about offers that expired while the account was paused. `prices` are by the ids under which services are known.
    """

    rules: tuple[Rule, ...]
    sha256: str
    currency: str = "PLN"
    carrier_owned: CarrierOwned = "leave"
    regenerate_after_pause: bool = True
    prices: Mapping[str, Money] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a policy file, and where. `key` is empty where it is no TOML at all."""

    line: int
    key: str
    text: str


def load(text: bytes) -> Policy:
    """Read a policy file. Raises SettingsError that names line and key."""
    found = read(text)
    if isinstance(found, Policy):
        return found
    raise SettingsError([(f"{KEY} line {one.line} {one.key}".rstrip(), one.text) for one in found])


def read(text: bytes) -> Policy | Sequence[Problem]:
    """Read a policy file, or say everything that is wrong with it."""
    try:
        decoded = text.decode()
        tree = tomllib.loads(decoded, parse_float=Decimal)
    except UnicodeDecodeError as error:
        return [Problem(text.count(b"\n", 0, error.start) + 1, "", "is not UTF-8")]
    except ValueError as error:  # the parser's own, and that of a number with thousands of digits
        return [_no_toml(decoded, str(error))]
    try:
        found = PolicyFile.model_validate(tree)
    except ValidationError as error:
        return _problems(decoded, tree, _told(error))
    wrong = list(inconsistencies(found))
    return _problems(decoded, tree, wrong) if wrong else _policy(found, text)


def _policy(found: PolicyFile, text: bytes) -> Policy:
    table = found.price_table.prices if found.price_table else {}
    return Policy(
        rules=found.rules,
        sha256=sha256(text).hexdigest(),
        currency=found.currency,
        carrier_owned=found.carrier_owned,
        regenerate_after_pause=found.regenerate_after_pause,
        prices={known_as(service): price for service, price in table.items()},
    )


_WORDS: Final = {"extra_forbidden": "there is no such key", "missing": "is not set"}


def _told(error: ValidationError) -> list[tuple[Path, str]]:
    """Say what is wrong; not that a list is too short for want of what is wrong in it."""
    found = error.errors(include_url=False, include_input=False)
    inside = [one["loc"] for one in found]
    return [
        (one["loc"], _WORDS.get(one["type"], one["msg"].removeprefix("Value error, ")))
        for one in found
        if one["type"] != "too_short" or not any(one["loc"] == loc[: len(one["loc"])] != loc for loc in inside)
    ]


def _problems(text: str, tree: Mapping[str, Any], wrong: Sequence[tuple[Path, str]]) -> list[Problem]:
    """Find the lines, and tell in their order."""
    found = lines(text)
    told = [Problem(found.of(written(tree, path)), name(tree, path), message) for path, message in wrong]
    return sorted(told, key=lambda one: one.line)


_PLACE: Final = re.compile(r" \(at (?:line (\d+), column \d+|end of document)\)$")


def _no_toml(text: str, message: str) -> Problem:
    """Say where the parser stopped; it writes the place behind its message."""
    place = _PLACE.search(message)
    line = int(place[1]) if place and place[1] else text.count("\n") + 1
    return Problem(line, "", f"is not TOML: {_PLACE.sub('', message)}")
