"""Settings: read once at start, checked as a whole, refused by name where they are missing or unsafe.

`values` reads one value, `model` is the tree, `keys` names its leaves, `sources` gathers what was given,
`rules` looks at combinations, `effect` knows what changes nothing yet, `reference` writes the documentation. Nothing
is read at import.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from bridge.errors import SettingsError
from bridge.settings import keys
from bridge.settings.model import (
    Amqp,
    ApiClient,
    Database,
    Http,
    InPostReturns,
    IntelligentReturns,
    Labels,
    Organization,
    PersonalData,
    Purchasing,
    Reconcile,
    Retention,
    Returns,
    Settings,
    ShipX,
    SzybkieZwroty,
    Webhook,
)
from bridge.settings.rules import broken
from bridge.settings.sources import Gathered, Problem, ReadText, Tree, gather
from bridge.settings.values import COMMANDS, ROLES, Command, Environment, Network, Role, Scope, is_loopback

__all__ = [
    "COMMANDS",
    "ROLES",
    "Amqp",
    "ApiClient",
    "Command",
    "Database",
    "Environment",
    "Http",
    "InPostReturns",
    "IntelligentReturns",
    "Labels",
    "Network",
    "Organization",
    "PersonalData",
    "Purchasing",
    "Reconcile",
    "Retention",
    "Returns",
    "Role",
    "Scope",
    "Settings",
    "ShipX",
    "SzybkieZwroty",
    "Webhook",
    "is_loopback",
    "load",
]

_SHOULD = re.compile(r"^(Input|String|Value|Decimal input)?\s*should")
_IN_CONFIG = " (set in the file that BRIDGE_CONFIG names)"
_WORDS = {
    "missing": "is missing",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "int_type": "must be a whole number",
    "float_parsing": "must be a number",
    "decimal_parsing": "must be an amount such as 2500.00",
    "bool_parsing": "must be true or false",
    "too_short": "must not be empty",
    "path_type": "must be a path, as text",
    "string_type": "must be text",
    "string_pattern_mismatch": "must be lower-case letters, digits, dots, dashes and underscores, 64 at most",
}


def load(environ: Mapping[str, str], read_text: ReadText = Path.read_text) -> Settings:
    """Make the settings of what the environment says, or raise SettingsError with every problem found."""
    found = gather(environ, read_text)
    settings = _validate(found)
    for path, text in broken(settings, [problem.path for problem in found.problems]):
        found.refuse(path, keys.name(path), text)
    if found.problems:
        raise SettingsError([_told(problem, found) for problem in found.problems])
    return settings


def _validate(found: Gathered) -> Settings:
    """Validate the tree; defaults stand in for what is refused, so that the rules can look at the rest."""
    errors: list[ErrorDetails] = []
    try:
        return Settings.model_validate(found.tree)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
    # Outside the handler: pydantic's error holds the input and must not travel along as a context.
    for refused in errors:
        # A default that depends on a refused value is not a problem of its own.
        if refused["type"] != "default_factory_not_called":
            found.refuse(refused["loc"], keys.name(refused["loc"]), _where(refused["loc"]) + _wording(refused))
        _drop(found.tree, refused["loc"])
    return Settings.model_validate(found.tree)


def _where(path: keys.Path) -> str:
    """Say which item of a list is meant; a row of a table has its number in its name."""
    is_row = any(key.rows and key.path == path[:-1] for key in keys.every())
    return f"item {path[-1] + 1} " if isinstance(path[-1], int) and not is_row else ""


def _wording(error: ErrorDetails) -> str:
    context: dict[str, Any] = error.get("ctx", {})
    if error["type"] == "value_error":
        return str(context["error"])
    if error["type"] == "literal_error":
        return f"must be {context['expected']}"
    return _WORDS.get(error["type"], _SHOULD.sub("must", error["msg"]))


def _drop(tree: Tree, path: keys.Path) -> None:
    """Take a refused setting out of the tree; an array of tables goes as a whole."""
    setting = next(key.path for key in keys.every() if key.path == path[: len(key.path)])
    for step in setting[:-1]:
        tree = tree.get(step, {})
    tree.pop(setting[-1], None)


def _told(problem: Problem, found: Gathered) -> tuple[str, str]:
    return problem.key, problem.text + (_IN_CONFIG if problem.key in found.configured else "")
