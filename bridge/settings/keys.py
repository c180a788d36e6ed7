"""What every setting is called, read off the tree: `webhook.networks` is `BRIDGE_WEBHOOK__NETWORKS`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import get_args, get_origin

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo

from bridge.settings.model import Settings

PREFIX = "BRIDGE_"
CONFIG = "BRIDGE_CONFIG"
Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Key:
    """One leaf of the tree. `rows` is the model of a TOML `[[table]]`, which has no environment variable."""

    path: tuple[str, ...]
    field: FieldInfo
    secret: bool
    many: bool
    rows: type[BaseModel] | None

    @property
    def env(self) -> str:
        return PREFIX + "__".join(self.path).upper()

    @property
    def dotted(self) -> str:
        return ".".join(self.path)


@cache
def every() -> tuple[Key, ...]:
    """Every setting, in the tree's order."""
    return tuple(leaves(Settings))


@cache
def by_env() -> dict[str, Key]:
    """Every setting that has an environment variable, by its name."""
    return {key.env: key for key in every() if key.rows is None}


def leaves(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[Key]:
    """Walk the leaves of a model, depth first."""
    for name, field in model.model_fields.items():
        path = (*above, field.alias or name)
        if (branch := branch_of(field)) is not None:
            yield from leaves(branch, path)
        else:
            yield Key(path, field, _is_secret(field.annotation), _is_many(field.annotation), rows_of(field))


def branch_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of a nested table, or None."""
    return _model(field.annotation)


def rows_of(field: FieldInfo) -> type[BaseModel] | None:
    """The model of each row of an array of tables, or None."""
    if get_origin(field.annotation) is not tuple:
        return None
    return next(filter(None, map(_model, get_args(field.annotation))), None)


def name(path: Path) -> str:
    """Name a place as the operator knows it: the environment variable, or the place in the TOML file."""
    words = tuple(step for step in path if isinstance(step, str))
    if rows := next((key for key in every() if key.rows and key.path == words[: len(key.path)]), None):
        return _row_name(rows, path)
    for key in by_env().values():
        if key.path == words[: len(key.path)]:
            return key.env
    table, last = ".".join(words[:-1]), words[-1]
    if last in Settings.model_fields and not table:
        return f"[{last}]"
    return f"[{table}] {last}" if table else last


def _row_name(rows: Key, path: Path) -> str:
    rest = path[len(rows.path) :]
    position = f" #{rest[0] + 1}" if rest and isinstance(rest[0], int) else ""
    field = next((f" {step}" for step in rest if isinstance(step, str)), "")
    return f"[[{rows.dotted}]]{position}{field}"


def _model(annotation: object) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _is_secret(annotation: object) -> bool:
    return annotation is SecretStr or any(_is_secret(argument) for argument in get_args(annotation))


def _is_many(annotation: object) -> bool:
    origin = get_origin(annotation)
    if origin in (tuple, frozenset):
        return True
    return origin is not None and any(_is_many(argument) for argument in get_args(annotation))
