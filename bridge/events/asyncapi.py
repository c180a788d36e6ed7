"""The AsyncAPI 3.0.0 document: what is published on the exchange `bridge.events`, under which keys, in which form.

One channel per event, its address being the routing key with the parts that vary as parameters: tools then show each
event with its own key, parameters and example. https://www.asyncapi.com/docs/reference/specification/v3.0.0
AMQP bindings 0.3.0: https://github.com/asyncapi/bindings/blob/master/amqp/README.md
"""

from __future__ import annotations

from typing import Final

from bridge.events.catalogue import CATALOGUE, Published, versioned
from bridge.events.cloudevents import CONTENT_TYPE
from bridge.events.examples import facet_field, published
from bridge.events.schemas import event_schema, meaning

CONTRACT_VERSION: Final = "1.2.0"
"""The version of what is published, not of the program: an addition raises the second number."""

EXCHANGE: Final = "bridge.events"
_AMQP: Final = "0.3.0"

_DESCRIPTION: Final = """\
Everything the bridge learns about a parcel, and what happens to a carrier connection, as CloudEvents 1.0 in structured
JSON on one durable topic exchange.

- **At least once.** Each event has a stable `id`; drop repeats by it. A replay sends the stored bytes again, with the
  header `bridge-replay`.
- **In order.** Events of one `subject` arrive in `sequence`, each sent after the one before was confirmed.
- **Old news is marked.** `data.current` is false for what is older than what was already known: keep no state from it.
- **Only additions** within `.v1`: ignore properties you do not know, and expect new words in every field of words.
"""

_HEADERS: Final = {
    "type": "object",
    "properties": {
        "organization": {
            "type": "string",
            "description": "The organization the event belongs to, as `data.organization_id` says; where it says none, "
            "the end of `source`",
        },
        "environment": {"type": "string", "description": "The bridge's environment"},
        "bridge-replay": {"description": "Present on an event that is sent again on request"},
    },
    "required": ["organization", "environment"],
}


def document(version: str) -> dict[str, object]:
    """Describe everything that is published; `version` is the contract's."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "ShipX Bridge events",
            "version": version,
            "description": _DESCRIPTION,
            "tags": [{"name": entity} for entity in sorted({_entity(model) for model in CATALOGUE})],
        },
        "defaultContentType": CONTENT_TYPE,
        "servers": {"broker": _server()},
        "channels": {_name(model): _channel(model) for model in CATALOGUE},
        "operations": {f"publish.{_name(model)}": _operation(model) for model in CATALOGUE},
        "components": {"messages": {_name(model): _message(model) for model in CATALOGUE}},
    }


def address(model: type[Published]) -> str:
    """Give the form of an event's routing key: `{provider}.shipment.status_changed.{tracking_status}`."""
    field = facet_field(model)
    return f"{{provider}}.{model.type}" + (f".{{{field}}}" if field else "")


def _name(model: type[Published]) -> str:
    return model.type


def _entity(model: type[Published]) -> str:
    return model.type.partition(".")[0]


def _server() -> dict[str, object]:
    return {
        "host": "{host}:{port}",
        "pathname": "/{vhost}",
        "protocol": "amqp",
        "protocolVersion": "0.9.1",
        "description": "RabbitMQ 3.10 to 4.x; with `amqps` where the broker offers TLS",
        "variables": {
            "host": {"default": "localhost"},
            "port": {"default": "5672", "examples": ["5672", "5671"]},
            "vhost": {"default": "", "description": "Empty: the broker's default virtual host"},
        },
    }


def _channel(model: type[Published]) -> dict[str, object]:
    exchange = {"name": EXCHANGE, "type": "topic", "durable": True, "autoDelete": False}
    return {
        "address": address(model),
        "title": versioned(model.type),
        "summary": meaning(model),
        "servers": [{"$ref": "#/servers/broker"}],
        "parameters": _parameters(model),
        "messages": {_name(model): {"$ref": f"#/components/messages/{_name(model)}"}},
        "tags": [{"name": _entity(model)}],
        "bindings": {"amqp": {"is": "routingKey", "exchange": exchange, "bindingVersion": _AMQP}},
    }


def _parameters(model: type[Published]) -> dict[str, object]:
    found: dict[str, object] = {
        "provider": {"description": "Which of the carrier's interfaces it comes from", "examples": ["shipx"]}
    }
    if field := facet_field(model):
        found[field] = {
            "description": f"`data.{field}`, with `_` for each dot; an open set",
            "location": f"$message.payload#/data/{field}",
            "examples": _words(model, field),
        }
    return found


def _words(model: type[Published], field: str) -> list[str]:
    examples = model.model_fields[field].examples
    data = published(model)["data"]
    assert isinstance(data, dict)
    return [str(word) for word in examples or [data[field]]]


def _operation(model: type[Published]) -> dict[str, object]:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{_name(model)}"},
        "summary": meaning(model),
        "messages": [{"$ref": f"#/channels/{_name(model)}/messages/{_name(model)}"}],
        "tags": [{"name": _entity(model)}],
        "bindings": {"amqp": {"deliveryMode": 2, "mandatory": True, "timestamp": True, "bindingVersion": _AMQP}},
    }


def _message(model: type[Published]) -> dict[str, object]:
    kind = versioned(model.type)
    return {
        "name": kind,
        "title": kind,
        "summary": meaning(model),
        "contentType": CONTENT_TYPE,
        "headers": _HEADERS,
        "payload": event_schema(model),
        "correlationId": {"location": "$message.payload#/correlationid"},
        "tags": [{"name": _entity(model)}],
        "bindings": {"amqp": {"messageType": kind, "bindingVersion": _AMQP}},
        "examples": [_example(model)],
    }


def _example(model: type[Published]) -> dict[str, object]:
    return {
        "name": "example",
        "headers": {"organization": "1234", "environment": "production"},
        "payload": published(model),
    }
