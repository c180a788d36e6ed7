"""Write docs/reference/settings.md and config/bridge.example.toml from the tree.

`python -m bridge.settings.reference` prints the first, with `--example` the second.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from typing import Any

from pydantic import SecretStr
from pydantic_core import PydanticUndefined

from bridge.settings import keys
from bridge.settings.keys import Key

_INTRODUCTION = """# Settings

<!-- Written by `python -m bridge.settings.reference`; change the tree in bridge/settings/model.py instead. -->

The process reads its settings once, at start. Where one is unknown, missing or unsafe it refuses to start, and names
every such key at once.

- Environment variables begin with `BRIDGE_`; `__` leads one level down: `BRIDGE_HTTP__PORT`.
- `BRIDGE_CONFIG` names a TOML file with the same tree (`[http]`, `port = 8080`); see `config/bridge.example.toml`. The
  environment wins, key by key.
- A key marked *secret* may come from a file: `BRIDGE_SHIPX__TOKEN_FILE=/run/secrets/token`, in TOML `token_file = "…"`.
  Line breaks at the file's end are dropped; an empty or unreadable file is refused, and so are both forms at once.
- Lists are comma lists in the environment (in a secret's file: commas or lines), arrays in TOML.
- An empty variable counts as unset; for a list that is no secret it is the empty list.
- Paths are relative to the working directory.
- On Kubernetes, a Service named `bridge` puts variables such as `BRIDGE_PORT` into every pod of its namespace: set
  `enableServiceLinks: false`.

"""
_HEAD = "| key | default | secret | meaning |\n| --- | --- | --- | --- |\n"
_UNSAFE = """
## Refused as unsafe

- `http://` addresses of anything but this machine (127.0.0.0/8, ::1, localhost).
- The role `receiver` without an organization that has webhook secrets.
- Webhook secrets that do not match `[a-z0-9]{32,128}`, or that stand twice, within or between organizations.
- No `BRIDGE_PERSONAL_DATA__KEYS` where a configured carrier is not loopback. ShipX counts as configured with an
  organization, another provider with its credentials.
- `BRIDGE_WEBHOOK__NETWORKS` that let everybody or nobody in under `enforce`; trusted proxies that are everybody.
- Half of a provider's credentials; an organization with neither a token nor webhook secrets.
- `BRIDGE_PURCHASING__SETTLE_S` under 5 where a configured carrier is not loopback.
"""


def render_settings_reference() -> str:
    """Write the page for operators: every key with its default, whether it is secret, and its meaning."""
    page = [_INTRODUCTION, _HEAD]
    page.append(f"| `{keys.CONFIG}` | unset | | TOML file with further settings. |\n")
    page.extend(_row(key, key.env) for key in keys.by_env().values())
    for table in (key for key in keys.every() if key.rows):
        page.append(f"\n## `[[{table.dotted}]]`\n\n{table.field.description} Only in TOML, once per row.\n\n{_HEAD}")
        page.extend(_row(key, key.dotted) for key in _columns(table))
    return "".join([*page, _UNSAFE])


def render_example() -> str:
    """Write the example file: every key with its meaning, commented out with its default or an example."""
    lines = [
        "# Settings of the bridge; name this file in BRIDGE_CONFIG. The environment wins over it.",
        "# Commented out are the defaults, or an example where there is none. All keys: docs/reference/settings.md",
    ]
    plain = [key for key in keys.every() if len(key.path) == 1]
    lines.extend(_lines(key) for key in plain if not key.rows)
    for table in dict.fromkeys(key.path[0] for key in keys.every() if len(key.path) > 1):
        inside = [key for key in keys.every() if key.path[0] == table]
        lines.append(f"\n[{table}]")
        lines.extend(_lines(key) for key in inside if not key.rows)
        lines.extend(_table(key) for key in inside if key.rows)
    lines.extend(_table(key) for key in plain if key.rows)
    return "\n".join(lines) + "\n"


def shown(key: Key) -> str | None:
    """The default as an operator would write it, or None where there is none."""
    extra = key.field.json_schema_extra
    if isinstance(extra, dict) and "shown" in extra:
        return str(extra["shown"])
    default = key.field.default
    return None if default is None or default is PydanticUndefined else _text(default)


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case SecretStr():
            return value.get_secret_value()
        case timedelta():
            return f"{value.days}d"
        case tuple():
            return ",".join(str(item) for item in value)
    return str(value)


def _row(key: Key, name: str) -> str:
    default = shown(key)
    if default is None:
        default = "required" if key.field.is_required() else "unset"
    elif default == "":
        default = "empty"
    elif " " not in default:
        default = f"`{default}`"
    meaning = (key.field.description or "").replace("|", "\\|")
    return f"| `{name}` | {default} |{' yes' if key.secret else ''} | {meaning} |\n"


def _columns(table: Key) -> list[Key]:
    assert table.rows is not None
    return list(keys.leaves(table.rows))


def _table(table: Key) -> str:
    body = [_lines(key, table) for key in _columns(table)]
    return "\n".join([f"\n# {table.field.description} One block each.", f"#[[{table.dotted}]]", *body])


def _lines(key: Key, table: Key | None = None) -> str:
    owner = (*table.path, *key.path) if table else key.path
    if key.secret and not shown(key):
        assignment = f"{key.path[-1]}_file = {json.dumps('/run/secrets/' + '_'.join(owner))}"
    else:
        assignment = f"{key.path[-1]} = {_toml(key)}"
    return f"# {key.field.description}\n#{assignment}"


def _toml(key: Key) -> str:
    """Write the default, or the example where there is none, as a TOML value."""
    default = key.field.default
    if key.field.examples and (default in (None, ()) or default is PydanticUndefined):
        return json.dumps(key.field.examples[0])
    match default:
        case tuple():
            return json.dumps([str(item) for item in default])
        case bool() | int() | float():
            return json.dumps(default)
    return json.dumps(shown(key) or "")


if __name__ == "__main__":
    sys.stdout.write(render_example() if "--example" in sys.argv else render_settings_reference())
