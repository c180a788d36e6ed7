"""docs/reference/commands.md: every verb with its arguments, read off the command itself."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from types import MappingProxyType
from typing import Any

import typer

from bridge.cli import app
from tests.reference.markdown import code, table

_INTRODUCTION = """\
# Commands

<!-- Written by `python -m tests.drift --write`; change bridge/cli/ instead. -->

Every verb of `bridge` takes `--help`. Exit codes: 0 done, 1 the operation failed, 2 wrong usage or settings.
Settings come from the environment: docs/reference/settings.md.
"""


@cache
def verbs() -> Mapping[str, Any]:
    """Give every verb by its name: `serve`, `topology apply`."""
    return MappingProxyType(dict(_verbs(typer.main.get_command(app), ())))


def page() -> str:
    """Write the page."""
    found = verbs()
    overview = table(("verb", "does"), ((code(f"bridge {name}"), _first(verb)) for name, verb in found.items()))
    return "\n".join([_INTRODUCTION, overview, *(_section(name, verb) for name, verb in found.items())])


def _verbs(group: Any, above: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    """Walk a group. What typer makes is click's, which it brings along and does not export with types."""
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from _verbs(command, (*above, name))
        else:
            yield " ".join((*above, name)), command


def _first(verb: Any) -> str:
    return " ".join(inspect.cleandoc(verb.help).partition("\n\n")[0].split())


def _section(name: str, verb: Any) -> str:
    text = inspect.cleandoc(verb.help)
    parts = [f"## bridge {name}\n", *(f"{_paragraph(part)}\n" for part in text.split("\n\n"))]
    if verb.params:
        parts.append(table(("argument", "default", "meaning"), map(_row, verb.params)))
    return "\n".join(parts)


def _paragraph(text: str) -> str:
    """Set an example, which is the rest of its paragraph, as code."""
    before, mark, example = " ".join(text.split()).partition("Example: ")
    return f"{before}Example: `{example}`" if mark else before


def _row(parameter: Any) -> tuple[str, str, str]:
    meaning = parameter.help or ""
    if parameter.param_type_name == "argument":
        return code(parameter.name.upper()), "required" if parameter.required else "", meaning
    default = "" if parameter.default is None or isinstance(parameter.default, bool) else code(str(parameter.default))
    return ", ".join(map(code, parameter.opts)), default, meaning
