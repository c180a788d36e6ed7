"""The OpenAPI 3.1 document of what can be asked over HTTP: a function of the operations that routes are made from.

https://spec.openapis.org/oas/v3.1.1.html
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, get_args

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from bridge.web.endpoint import JSON, Answer, Body, Operation
from bridge.web.kinds import KINDS, Kind
from bridge.web.parameters import Parameter

API_VERSION: Final = "1.0.0"
"""The version of what can be asked, not of the program: an addition raises the second number."""
PROBLEM: Final = "application/problem+json"
_SCHEME: Final = "bearer"
_REF: Final = "#/components/schemas/"
_HEADERS_OF: Final = {
    401: {"WWW-Authenticate": "`Bearer`"},
    503: {"Retry-After": "In so many seconds it is worth another try; where it is known."},
}
_DESCRIPTION: Final = """\
What operators and programs may ask of the bridge. `/v1` wants a bearer token with the scope that each operation names.

Errors are `application/problem+json` (RFC 9457); what `type` can be:

"""
_PROBLEM: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "An answer that is not a success (RFC 9457), without secrets or people in it.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference", "enum": [kind.type for kind in KINDS]},
        "title": {"type": "string", "description": "The status in words"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "What is wrong, for people"},
        "errors": {"type": "array", "minItems": 1, "items": {"$ref": f"{_REF}FieldError"}},
    },
    "required": ["type", "title", "status", "detail"],
    "additionalProperties": False,
}
_FIELD_ERROR: Final[Mapping[str, object]] = {
    "type": "object",
    "description": "What is wrong with one field.",
    "properties": {
        "field": {"type": "string", "description": "Its path, with dots; a parameter's or a header's name"},
        "code": {"type": "string", "description": "A word for what is wrong, for programs"},
        "message": {"type": "string", "description": "The same for people"},
    },
    "required": ["field", "code", "message"],
    "additionalProperties": False,
}


def document(operations: Sequence[Operation]) -> dict[str, object]:
    """Describe these operations."""
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, object]] = {}
    for one in operations:
        paths.setdefault(one.address, {})[one.method.lower()] = _operation(one, schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ShipX Bridge", "version": API_VERSION, "description": _DESCRIPTION + _kinds()},
        "tags": [{"name": name} for name in dict.fromkeys(map(_tag, operations))],
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "FieldError": _FIELD_ERROR, "Problem": _PROBLEM},
            "securitySchemes": {_SCHEME: {"type": "http", "scheme": "bearer"}},
        },
    }


class _Plain(GenerateJsonSchema):
    """Pydantic's titles only repeat the names."""

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


class _Schemas:
    """The schemas of all bodies, made at once, so that what they share is written once."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        wanted = {(mode, kind): TypeAdapter(kind) for mode, kind in _bodies(operations)}
        made, rest = TypeAdapter.json_schemas(
            [(key, key[0], adapter) for key, adapter in wanted.items()],
            ref_template=_REF + "{model}",
            schema_generator=_Plain,
        )
        self._made: Mapping[tuple[tuple[JsonSchemaMode, Any], JsonSchemaMode], Any] = made
        self.components: Mapping[str, object] = rest.get("$defs", {})

    def of(self, mode: JsonSchemaMode, kind: object) -> object:
        """Give a body's schema, which is a reference where it has a name."""
        return kind if isinstance(kind, Mapping) else self._made[((mode, kind), mode)]


def _bodies(operations: Sequence[Operation]) -> Iterator[tuple[JsonSchemaMode, Any]]:
    for one in operations:
        if one.body is not None:
            yield "validation", one.body
        for answer in one.answers.values():
            if answer.body is not None and not isinstance(answer.body, Mapping):
                yield "serialization", answer.body


def _tag(one: Operation) -> str:
    """Name what an operation is about: `purchases` of `/v1/purchases/{shipment_id}`."""
    steps = one.path.strip("/").split("/")
    return steps[1] if steps[0] == "v1" else steps[0] if len(steps) > 2 else "service"


def _operation(one: Operation, schemas: _Schemas) -> dict[str, object]:
    responses = {str(status): _answer(answer, schemas) for status, answer in one.answers.items()}
    for status in dict.fromkeys(kind.status for kind in one.every_problem):
        responses[str(status)] = _refusal([kind for kind in one.every_problem if kind.status == status])
    found: dict[str, object] = {
        "operationId": f"{_tag(one)}_{one.name}",
        "tags": [_tag(one)],
        "summary": one.summary,
        "description": f"{one.told}\n\n{_needs(one)}",
        "security": _security(one),
        "parameters": [_parameter(parameter) for parameter in one.takes],
        "responses": dict(sorted(responses.items())),
    }
    if one.body is not None:
        found["requestBody"] = _body(one.body, schemas)
    return found


def _needs(one: Operation) -> str:
    match one.right:
        case None:
            return "Needs no token."
        case "any":
            return "Needs a token, with whichever scopes."
        case right:
            return f"Needs the scope `{right}`."


def _security(one: Operation) -> list[object]:
    return [{_SCHEME: [] if one.right == "any" else [one.right]}] if one.right else []


def _parameter(one: Parameter) -> dict[str, object]:
    return {
        "name": one.name,
        "in": one.place,
        "required": one.is_required,
        "description": one.told,
        "schema": one.schema,
    }


def _body(body: Body, schemas: _Schemas) -> dict[str, object]:
    """Describe a body; where every field may be missing, all of it may."""
    models: tuple[type[BaseModel], ...] = get_args(body) or (body,)
    is_required = all(any(field.is_required() for field in model.model_fields.values()) for model in models)
    return {"required": is_required, "content": {JSON: {"schema": schemas.of("validation", body)}}}


def _answer(answer: Answer, schemas: _Schemas) -> dict[str, object]:
    found: dict[str, object] = {"description": answer.told}
    if answer.headers:
        found["headers"] = _headers(answer.headers, is_required=True)
    if answer.body is not None:
        schema = schemas.of("serialization", answer.body)
        found["content"] = {media: {"schema": schema} for media in (answer.media, *answer.further)}
    return found


def _refusal(kinds: Sequence[Kind]) -> dict[str, object]:
    """Describe the problems of one status."""
    status = kinds[0].status
    only = {"type": {"enum": [kind.type for kind in kinds]}, "status": {"const": status}}
    found: dict[str, object] = {
        "description": "\n".join(_line(kind) for kind in kinds),
        "content": {PROBLEM: {"schema": {"allOf": [{"$ref": f"{_REF}Problem"}, {"properties": only}]}}},
    }
    if status in _HEADERS_OF:
        found["headers"] = _headers(_HEADERS_OF[status], is_required=status == 401)
    return found


def _headers(headers: Mapping[str, str], *, is_required: bool) -> dict[str, object]:
    return {
        name: {"description": told, "required": is_required, "schema": {"type": "string"}}
        for name, told in headers.items()
    }


def _kinds() -> str:
    return "\n".join(f"{_line(kind)} ({kind.status})" for kind in KINDS)


def _line(kind: Kind) -> str:
    return f"- `{kind.type}`: {kind.meaning}"
