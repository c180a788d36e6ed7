"""Labels: which are wanted, and what was fetched. They name people, so their content shows itself nowhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Final, Self


class LabelFormat(StrEnum):
    """What prints it."""

    pdf = "pdf"
    zpl = "zpl"
    epl = "epl"


class LabelKind(StrEnum):
    """Its size. Couriers have no `normal` (A4), and `dpi300` is for ZPL alone."""

    normal = "normal"
    a6 = "A6"
    dpi300 = "dpi300"


@dataclass(frozen=True, slots=True)
class LabelWish:
    """Which label is wanted. Without a kind the carrier's own default comes: A4 for lockers, A6 for couriers."""

    format: LabelFormat = LabelFormat.pdf
    kind: LabelKind | None = None

    @classmethod
    def of(cls, form: LabelFormat, kind: LabelKind | None) -> Self:
        """Wish for what is sent: `normal` is what lockers get unasked, and what the carrier knows of no courier."""
        return cls(form, None if kind is LabelKind.normal else kind)


@dataclass(frozen=True, slots=True)
class Label:
    """A file as it was fetched, one label or many. `is_archive`: a ZIP with a file for each service."""

    content: bytes = field(repr=False)
    format: LabelFormat
    kind: LabelKind | None
    is_archive: bool = False

    @property
    def sha256(self) -> str:
        return sha256(self.content).hexdigest()


MEDIA_TYPES: Final[Mapping[str, str]] = {
    "pdf": "application/pdf",
    "zpl": "application/x-zpl",
    "epl": "application/x-epl",
    "zip": "application/zip",
}
"""By the ending of a file. Nobody has registered a type for what label printers speak."""
