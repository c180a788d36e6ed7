"""Schemas: every object against Kubernetes' own, or against the facts of its operator's custom resource."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

import jsonschema
import kubernetes_validate

from tests.deploy.rendering import Document, named

VERSIONS: Final = ("1.29", "1.37")
"""The oldest and the newest Kubernetes that the manifests are held against."""
_OPERATORS: Final = Path(__file__).with_name("operators.json")


def mistakes(documents: Sequence[Document]) -> Iterator[str]:
    """Say of every object what its schema does not allow; unknown keys and kinds are mistakes, too."""
    for document in documents:
        schema = _operators().get(f"{document['apiVersion']}/{document['kind']}")
        yield from _custom(document, schema) if schema else _builtin(json.dumps(document))


@cache
def _builtin(written: str) -> tuple[str, ...]:
    """Look at one object, as JSON, once: for each the library reads a megabyte of definitions anew."""
    return tuple(_found(json.loads(written)))


def _found(document: Document) -> Iterator[str]:
    for version in VERSIONS:
        try:
            kubernetes_validate.validate(document, version, strict=True)
        except kubernetes_validate.ValidationError as error:
            yield _told(document, list(error.path), error.message, f"Kubernetes {version}")
        except kubernetes_validate.SchemaNotFoundError:
            yield f"{named(document)}: Kubernetes {version} has no {document['kind']} of {document['apiVersion']}"


def _custom(document: Document, schema: dict[str, Any]) -> Iterator[str]:
    for error in jsonschema.Draft202012Validator(schema).iter_errors(document.get("spec")):
        yield _told(document, ["spec", *error.absolute_path], error.message, "its operator")


def _told(document: Document, path: Sequence[object], message: str, by: str) -> str:
    return f"{named(document)}: {'.'.join(map(str, path))}: {message} (says {by})"


@cache
def _operators() -> dict[str, dict[str, Any]]:
    """The schema of each custom resource's `spec`, by `apiVersion/kind`; references are resolved within the file."""
    found = json.loads(_OPERATORS.read_text(encoding="utf-8"))
    shared = found.pop("$defs")
    return {kind: {**schema, "$defs": shared} for kind, schema in found.items()}
