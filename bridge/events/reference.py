"""The reference page of the events, made from the same models as the schemas, so that it cannot say anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from bridge.events.asyncapi import address
from bridge.events.catalogue import CATALOGUE, Published, StatusChanged, versioned
from bridge.events.examples import published
from bridge.events.schemas import data_schema, event_schema, meaning

_INTRODUCTION: Final = """\
# Events

Made from the code (`bridge/events/catalogue.py`); change it there. The schemas are served at `/schemas/<type>.json`,
the AsyncAPI document at `/asyncapi.json`, and `bridge schema export <folder>` writes them all.

Every event is a CloudEvents 1.0 document in structured JSON on the topic exchange `bridge.events`, delivered at least
once: drop repeats by `id`. Within `.v1` there are only additions: ignore fields you do not know, and expect new words
wherever a field holds a word. Keep state of a parcel only from events with `data.current` true.
"""

_KINDS: Final = {
    "string": "text",
    "integer": "integer",
    "number": "number",
    "boolean": "boolean",
    "object": "object",
    "null": "null",
}
_Schema = Mapping[str, Any]
"""A JSON Schema, which has no narrower type than this."""


def render_events_reference() -> str:
    """Write the whole page as Markdown."""
    parts = [_INTRODUCTION, _overview(), _envelope(), *(_event(model) for model in CATALOGUE), _example()]
    return "\n".join(parts)


def _overview() -> str:
    rows = ((f"`{versioned(each.type)}`", f"`{_key(each)}`", meaning(each)) for each in CATALOGUE)
    return "## Overview\n\n" + _table(("event", "routing key", "when"), rows)


def _key(model: type[Published]) -> str:
    return re.sub(r"\{(\w+)\}", r"<\1>", address(model))


def _envelope() -> str:
    schema = event_schema(CATALOGUE[0])
    fixed = {"data": "What the event says: below, per event", "specversion": "Always 1.0", "type": "The event's name"}
    return "## Around every event\n\n" + _fields(schema, fixed | {"datacontenttype": "Always application/json"})


def _event(model: type[Published]) -> str:
    head = f"## {versioned(model.type)}\n\n{meaning(model)}\n\nRouting key: `{_key(model)}`\n\n"
    return head + _fields(data_schema(model), {})


def _fields(schema: _Schema, meanings: Mapping[str, str]) -> str:
    return _table(("field", "type", "always", "meaning"), _rows(schema, "", meanings))


def _rows(schema: _Schema, prefix: str, meanings: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    for name, each in schema["properties"].items():
        always = "yes" if name in schema["required"] else "no"
        yield f"`{prefix}{name}`", _kind(each), always, meanings.get(name) or each["description"]
        if (inner := _object_in(each)) and name != "data":
            many = "[]" if each.get("type") == "array" else ""
            yield from _rows(inner, f"{prefix}{name}{many}.", meanings)


def _object_in(schema: _Schema) -> _Schema | None:
    """Find the object itself, in a list, or beside a null."""
    candidates = [schema, schema.get("items", {}), *schema.get("anyOf", [])]
    return next((each for each in candidates if "properties" in each), None)


def _kind(schema: _Schema) -> str:
    if "anyOf" in schema:
        return " or ".join(_kind(each) for each in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    return {"date-time": "time", "uuid": "UUID"}.get(schema.get("format", "")) or _KINDS[schema.get("type", "string")]


def _example() -> str:
    text = json.dumps(published(StatusChanged), indent=2)
    return (
        f"## An example\n\nRouting key `shipx.shipment.status_changed.available_for_pickup`.\n\n```json\n{text}\n```\n"
    )


def _table(head: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |\n" for line in lines)
