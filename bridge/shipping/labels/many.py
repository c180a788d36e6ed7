"""Labels of several shipments as one file, of those that are kept: what can be done without a carrier."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from typing import Final

from bridge.model import ShipmentId
from bridge.shipments.label import LabelFormat

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The moment of every entry: the same labels are the same bytes."""


def joined(form: LabelFormat, contents: Sequence[bytes]) -> bytes | None:
    """Put labels behind each other, which label printers take for what it is; None for pages of PDF."""
    return None if form is LabelFormat.pdf else b"\n".join(one.rstrip(b"\r\n") for one in contents) + b"\n"


def archive(form: LabelFormat, contents: Mapping[ShipmentId, bytes]) -> bytes:
    """Put labels into an archive, a file for each shipment."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as files:
        for shipment, content in contents.items():
            files.writestr(zipfile.ZipInfo(file_name(shipment, form), _LONG_AGO), content)
    return target.getvalue()


def file_name(shipment: ShipmentId, form: str) -> str:
    """Say how the file of one label is called."""
    return f"label-{shipment}.{form}"
