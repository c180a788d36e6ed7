"""JSON Schema 2020-12 for every event: the whole CloudEvents document, with the schema of its `data` in it.

Each schema stands alone, without a reference: AsyncAPI tools resolve `#/$defs` from the root of their own document.
Enumerations are open and unknown properties allowed, so that an addition within `.v1` breaks no consumer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bridge.events.catalogue import CATALOGUE, Published, versioned
from bridge.events.cloudevents import schema_uri
from bridge.events.glossary import MEANINGS

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
_WORD: Final = "^[A-Za-z0-9_.:-]{1,64}$"

_OPTIONAL: Final = {
    "correlationid": {"type": "string", "minLength": 1, "description": "The delivery or command it all began with"},
    "causationid": {"type": "string", "minLength": 1, "description": "The delivery or command this followed from"},
    "traceparent": {
        "type": "string",
        "pattern": "^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}",
        "description": "W3C trace context",
    },
}
_REQUIRED: Final = {
    "id": {
        "type": "string",
        "format": "uuid",
        "description": "The same fact always has the same id: drop repeats by it",
    },
    "source": {
        "type": "string",
        "format": "uri-reference",
        "pattern": "^/[a-z0-9_]+/.+$",
        "description": "/shipx/{organization_id}, or /{provider}/{connection name}",
    },
    "subject": {"type": "string", "pattern": "^[a-z_]+/.+$", "description": "{entity}/{id}"},
    "time": {"type": "string", "format": "date-time", "description": "When it happened at the carrier, in UTC"},
    "datacontenttype": {"const": "application/json"},
    "dataschema": {
        "type": "string",
        "format": "uri",
        "description": "Names the schema of `data`: this schema's `$id`, then `#/properties/data`. A name for ever the "
        "same, not an address",
    },
    "sequence": {
        "type": "string",
        "pattern": "^[0-9]{10}$",
        "description": "Grows by one per subject, in the order in which the bridge learned; text order is number order",
    },
    "partitionkey": {"type": "string", "minLength": 1, "description": "The subject: what must stay in order"},
    "recordedtime": {"type": "string", "format": "date-time", "description": "When the bridge learned it, in UTC"},
    "environment": {"type": "string", "minLength": 1, "description": "The bridge's environment, part of every id"},
}

ENVELOPE: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "CloudEvents 1.0; the whole schema of a type is at `/schemas/{type}.json`",
    "properties": {"specversion": {"const": "1.0"}, "type": {"type": "string"}, **_REQUIRED, "data": {"type": "object"}}
    | _OPTIONAL,
    "required": ["specversion", "type", *_REQUIRED, "data"],
    "additionalProperties": True,
}
"""What all events have in common, of whichever type."""


def schema_id(model: type[Published]) -> str:
    """Name a schema as its events do: a URN, which no host is part of; it is served as `/schemas/{type}.json`."""
    return schema_uri(versioned(model.type))


def event_schema(model: type[Published]) -> dict[str, object]:
    """Describe one event as it is published."""
    fixed: dict[str, object] = {"specversion": {"const": "1.0"}, "type": {"const": versioned(model.type)}}
    required = fixed | _REQUIRED | {"data": data_schema(model)}
    return {
        "$schema": DIALECT,
        "$id": schema_id(model),
        "title": versioned(model.type),
        "description": meaning(model),
        "type": "object",
        "properties": required | _OPTIONAL,
        "required": list(required),
        "additionalProperties": True,
    }


def data_schema(model: type[Published]) -> dict[str, object]:
    """Describe the `data` of an event. A field added later has a default, and is therefore not required."""
    raw = model.model_json_schema(mode="serialization")
    return _opened(raw, raw.pop("$defs", {}))


def meaning(model: type[Published]) -> str:
    """Say when the event happens: the model's docstring on one line."""
    return " ".join((model.__doc__ or "").split())


def all_schemas() -> dict[str, dict[str, object]]:
    """Give every event's schema by its versioned type."""
    return {versioned(model.type): event_schema(model) for model in CATALOGUE}


def _opened(schema: Mapping[str, object], definitions: Mapping[str, Mapping[str, object]]) -> dict[str, object]:
    """Put definitions where they are used, open what is closed, and explain every property."""
    whole = dict(schema)
    if isinstance(reference := whole.pop("$ref", None), str):
        whole = {**definitions[reference.rpartition("/")[2]], **whole}
    whole.pop("title", None)  # pydantic's titles only repeat the names
    if isinstance(words := whole.pop("enum", None), list):
        whole |= {"pattern": _WORD, "examples": words}
    for key in ("items", "anyOf"):
        if key in whole:
            whole[key] = _each_opened(whole[key], definitions)
    if isinstance(properties := whole.get("properties"), dict):
        whole["properties"] = {name: _explained(name, _opened(each, definitions)) for name, each in properties.items()}
        whole["additionalProperties"] = True
    return whole


def _each_opened(schemas: object, definitions: Mapping[str, Mapping[str, object]]) -> object:
    if isinstance(schemas, list):
        return [_opened(each, definitions) for each in schemas]
    return _opened(schemas, definitions) if isinstance(schemas, dict) else schemas


def _explained(name: str, schema: dict[str, object]) -> dict[str, object]:
    """Add the name's meaning, unless the model says something more particular itself."""
    return {"description": MEANINGS[name], **schema} if name in MEANINGS else schema
