"""What `bridge shipments create` and `bridge returns create` are told, as the request that it stands for."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

import typer

B = TypeVar("B")

_ADDRESS: Final = ("street", "building_number", "city", "post_code")
_FILE: Final = "--file"
_PERSON: Final = ("first_name", "last_name", "company_name", "email", "phone")


@dataclass(frozen=True, slots=True)
class Draft:
    """A shipment in options."""

    receiver: Sequence[str]
    template: str | None
    target_point: str | None
    service: str | None
    reference: str | None
    organization: int | None

    @property
    def document(self) -> dict[str, Any]:
        """Write it as the request does. Raises BadParameter."""
        attributes = {"target_point": self.target_point} if self.target_point else None
        written = {
            "receiver": _receiver(self.receiver) if self.receiver else None,
            "parcels": [{"template": self.template}] if self.template else None,
            "custom_attributes": attributes,
            "service": self.service,
            "mode": "simplified" if self.service else None,
            "reference": self.reference,
            "organization_id": self.organization,
        }
        return {name: value for name, value in written.items() if value is not None}


def draft(model: type[B], file: Path | None, given: Draft) -> B:
    """Make the command, from a file or from options. Raises BadParameter, which says which field is wrong."""
    if file is None:
        return _checked(model, given.document, None)
    document = _document(file)
    if given.document:
        if given.document.keys() != {"organization_id"} or not isinstance(document, dict):
            raise typer.BadParameter("goes with no other option but --organization", param_hint=_FILE)
        document = document | given.document
    return _checked(model, document, _FILE)


def in_file(model: type[B], file: Path) -> B:
    """Make the command that a file holds. Raises BadParameter, which says which field is wrong."""
    return _checked(model, _document(file), _FILE)


def _document(file: Path) -> Any:
    from pydantic_core import from_json

    try:
        return from_json(sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes())
    except ValueError:
        raise typer.BadParameter("is no JSON", param_hint=_FILE) from None


def _checked(model: type[B], document: object, hint: str | None) -> B:
    from pydantic import ValidationError
    from pydantic_core import to_json

    try:
        return model.model_validate_json(to_json(document))  # type: ignore[attr-defined,no-any-return] # a pydantic model
    except ValidationError as error:
        from bridge.web.bodies import field_errors, told

        raise typer.BadParameter(told(field_errors(error)), param_hint=hint) from None


def _receiver(given: Sequence[str]) -> dict[str, Any]:
    person: dict[str, Any] = {}
    address: dict[str, Any] = {}
    for one in given:
        name, sign, value = one.partition("=")
        if not sign or name not in (*_PERSON, *_ADDRESS):
            known = ", ".join((*_PERSON, *_ADDRESS))
            raise typer.BadParameter(f"is written FIELD=VALUE, with one of {known}", param_hint="--receiver")
        (address if name in _ADDRESS else person)[name] = value
    return person | ({"address": address} if address else {})
