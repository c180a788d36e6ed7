"""Gather the values: environment over TOML, secrets from files; what cannot be placed is a problem by name.

Plain dictionaries rather than pydantic-settings' sources: those pass over unknown variables, know no `_FILE`,
and stop at the first source that fails, where an operator wants every problem at once.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from bridge.settings import keys
from bridge.settings.model import Settings

ReadText = Callable[[Path], str]
Tree = dict[str, Any]

_LINK = re.compile(
    r"BRIDGE_(\w+_)?(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)|BRIDGE_PORT"
)
_LINKS = "comes from a Kubernetes Service of that name, not from you: set `enableServiceLinks: false` in the pod"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something refused. An empty `path` casts doubt on every other value."""

    path: keys.Path
    key: str
    text: str


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A value that stands in a file; read once it is clear that nothing overrides it."""

    key: str
    where: str


@dataclass(slots=True)
class Gathered:
    """The merged tree, and what was wrong on the way to it."""

    tree: Tree = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    configured: frozenset[str] = frozenset()
    """Names of the settings that the TOML file decides."""

    def refuse(self, path: keys.Path, key: str, text: str) -> None:
        self.problems.append(Problem(path, key, text))


def gather(environ: Mapping[str, str], read_text: ReadText) -> Gathered:
    """Merge all sources into one tree that is not validated yet."""
    found = Gathered()
    config = _table(_config(environ.get(keys.CONFIG, ""), read_text, found), Settings, (), found)
    found.tree = _merge(config, _environment(environ, found))
    found.configured = frozenset(
        name
        for name, key in keys.by_env().items()
        if not environ.get(name) and not environ.get(f"{name}_FILE") and _holds(config, key.path)
    )
    for path, place, step in list(_files(found.tree, ())):
        _read(path, place, step, read_text, found)
    return found


def _config(where: str, read_text: ReadText, found: Gathered) -> Tree:
    if not where:
        return {}
    try:
        return tomllib.loads(read_text(Path(where)))
    except tomllib.TOMLDecodeError as error:
        # The parser's own words may quote the file, which may hold secrets: only the position is passed on.
        place = re.search(r"\(at (.*)\)$", str(error))
        found.refuse((), keys.CONFIG, f"is not valid TOML ({place[1] if place else 'unknown place'})")
    except (OSError, ValueError) as error:
        found.refuse((), keys.CONFIG, _unreadable(error))
    return {}


def _table(table: Tree, model: type[BaseModel], above: keys.Path, found: Gathered) -> Tree:
    """Take a TOML table, with each `token_file = "…"` put in `token`'s place."""
    fields = {info.alias or name: info for name, info in model.model_fields.items()}
    secrets = {key.path[0] for key in keys.leaves(model) if key.secret}
    tree: Tree = {}
    for name, value in table.items():
        path, plain = (*above, name), name.removesuffix("_file")
        if name not in fields and plain in secrets:
            _place_file(tree, table, (*above, plain), value, found)
        elif name not in fields:
            candidates = [*fields, *(f"{secret}_file" for secret in secrets)]
            found.refuse(path, _toml_name(path), f"is no setting{_hint(name, candidates)}")
        elif (branch := keys.branch_of(fields[name])) is not None:
            tree[name] = _branch(value, branch, path, found)
        elif (rows := keys.rows_of(fields[name])) is not None:
            tree[name] = _rows(value, rows, path, found)
        else:
            tree[name] = value
    return tree


def _place_file(tree: Tree, table: Tree, path: keys.Path, where: object, found: Gathered) -> None:
    plain = str(path[-1])
    key = _toml_name((*path[:-1], f"{plain}_file"))
    if plain in table:
        found.refuse(path, key, f"is given beside {plain}; keep one of them")
    elif not isinstance(where, str) or not where:
        found.refuse(path, key, "must be the path of a file, as text")
    else:
        tree[plain] = SecretFile(key, where)


def _branch(value: object, model: type[BaseModel], path: keys.Path, found: Gathered) -> Tree:
    if isinstance(value, dict):
        return _table(value, model, path, found)
    found.refuse(path, _toml_name(path), f"must be a table, [{_dotted(path)}]")
    return {}


def _rows(value: object, model: type[BaseModel], path: keys.Path, found: Gathered) -> list[Tree]:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return [_table(row, model, (*path, index), found) for index, row in enumerate(value)]
    found.refuse(path, _toml_name(path), f"must be tables, each under [[{_dotted(path)}]]")
    return []


def _environment(environ: Mapping[str, str], found: Gathered) -> Tree:
    tree: Tree = {}
    known = keys.by_env()
    for name in sorted(name for name in environ if name.startswith(keys.PREFIX) and name != keys.CONFIG):
        value, plain = environ[name], name.removesuffix("_FILE")
        if (key := known.get(name)) is not None:
            # Empty means unset, but for lists, where it means none; an empty list of secrets is as good as unset.
            if value or (key.many and not key.secret):
                _put(tree, key.path, value)
        elif (key := known.get(plain)) is not None and key.secret:
            if value and environ.get(plain):
                found.refuse(key.path, name, f"is given beside {plain}; keep one of them")
            elif value:
                _put(tree, key.path, SecretFile(name, value))
        else:
            found.refuse((name,), name, _unknown(name, value))
    return tree


def _unknown(name: str, value: str) -> str:
    if _LINK.fullmatch(name) or (name.endswith("_PORT") and "://" in value):
        return _LINKS
    for key in keys.every():
        if key.rows and name.startswith(key.env):
            return f"is no setting; it goes into the TOML file, under [[{key.dotted}]]"
    known = [*keys.by_env(), keys.CONFIG, *(f"{key.env}_FILE" for key in keys.by_env().values() if key.secret)]
    return f"is no setting{_hint(name, known)}"


def _hint(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1, cutoff=0.7)
    return f"; did you mean {close[0]}?" if close else "; see docs/reference/settings.md"


def _put(tree: Tree, path: tuple[str, ...], value: object) -> None:
    for step in path[:-1]:
        tree = tree.setdefault(step, {})
    tree[path[-1]] = value


def _merge(under: Tree, over: Tree) -> Tree:
    """Lay one tree over another; tables merge, everything else is replaced."""
    merged = dict(under)
    for name, value in over.items():
        below = merged.get(name)
        merged[name] = _merge(below, value) if isinstance(value, dict) and isinstance(below, dict) else value
    return merged


def _holds(tree: object, path: tuple[str, ...]) -> bool:
    for step in path:
        if not isinstance(tree, dict) or step not in tree:
            return False
        tree = tree[step]
    return True


def _files(node: object, above: keys.Path) -> Iterator[tuple[keys.Path, Any, str]]:
    """Find the values that stand in files: their path, the dictionary they belong in, their key there."""
    items = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for step, value in items:
        if isinstance(value, SecretFile):
            yield (*above, step), node, str(step)
        else:
            yield from _files(value, (*above, step))


def _read(path: keys.Path, place: Tree, step: str, read_text: ReadText, found: Gathered) -> None:
    file: SecretFile = place.pop(step)
    try:
        text = read_text(Path(file.where)).rstrip("\r\n")
    except (OSError, ValueError) as error:
        found.refuse(path, file.key, _unreadable(error))
        return
    if text.strip():
        place[step] = text
    else:
        found.refuse(path, file.key, "names an empty file")


def _unreadable(error: Exception) -> str:
    """Say why without the path: where a secret was given in the file's place, that is the secret."""
    reason = error.strerror if isinstance(error, OSError) else None
    return f"names a file that cannot be read ({reason or 'not text'})"


def _toml_name(path: keys.Path) -> str:
    """Name a place in the TOML file as it is written there."""
    if any(isinstance(step, int) for step in path):
        return keys.name(path)
    table = _dotted(path[:-1])
    return f"[{table}] {path[-1]}" if table else str(path[-1])


def _dotted(path: keys.Path) -> str:
    return ".".join(str(step) for step in path)
