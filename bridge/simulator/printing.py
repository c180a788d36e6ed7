"""Small files that are what they claim to be: PDF, ZPL and EPL pages of plain text, and ZIP archives."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

Page = Sequence[str]
Paper = Literal["A4", "A6"]

POINTS: Final[dict[Paper, tuple[int, int]]] = {"A4": (595, 842), "A6": (298, 420)}
"""Width and height of a sheet in PDF units, 1/72 inch."""
LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
"""The moment of every entry of an archive, so that the same labels are the same bytes."""


@dataclass(frozen=True)
class File:
    """What is downloaded."""

    name: str
    media_type: str
    content: bytes


def pdf(pages: Sequence[Page], paper: Paper) -> bytes:
    """Print each page on a sheet of its own, in PDF 1.4 as the carrier's labels are."""
    sheets = [_objects_of(page, number, paper) for number, page in enumerate(pages)]
    kids = " ".join(f"{4 + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        *(one for sheet in sheets for one in sheet),
    ]
    return _with_table(objects)


def zpl(pages: Sequence[Page], dots_per_mm: int) -> bytes:
    """Print each page as a label of a Zebra printer."""
    return "".join(_zpl_label(page, dots_per_mm) for page in pages).encode()


def epl(pages: Sequence[Page]) -> bytes:
    """Print each page as a label of an Eltron printer."""
    return "".join(_epl_label(page) for page in pages).encode()


def zipped(name: str, files: Sequence[File]) -> File:
    """Put files into one archive."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.writestr(zipfile.ZipInfo(file.name, LONG_AGO), file.content)
    return File(name, "application/zip", target.getvalue())


def _objects_of(page: Page, number: int, paper: Paper) -> tuple[bytes, bytes]:
    """Give the sheet and what is written on it; the sheets begin at object 4, two objects each."""
    width, height = POINTS[paper]
    lines = "".join(f"({_escaped(line)}) Tj 0 -16 Td " for line in page)
    content = f"BT /F1 11 Tf 20 {height - 40} Td {lines}ET".encode()
    sheet = (
        f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {width} {height}] "
        f"/Resources << /Font << /F1 3 0 R >> >> /Contents {5 + 2 * number} 0 R >>"
    )
    return sheet.encode(), b"<< /Length %d >>\nstream\n%b\nendstream" % (len(content), content)


def _with_table(objects: Sequence[bytes]) -> bytes:
    """Write the objects, the table of where each begins, and the trailer."""
    written = bytearray(b"%PDF-1.4\n")
    starts = []
    for number, one in enumerate(objects, start=1):
        starts.append(len(written))
        written += b"%d 0 obj\n%b\nendobj\n" % (number, one)
    table = len(written)
    written += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    written += b"".join(b"%010d 00000 n \n" % start for start in starts)
    written += b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table)
    return bytes(written)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _zpl_label(page: Page, dots_per_mm: int) -> str:
    height = 4 * dots_per_mm
    fields = "".join(
        f"^FO{height},{height * (2 * number + 1)}^A0N,{height},{height}^FD{line}^FS\n"
        for number, line in enumerate(page)
    )
    return f"^XA\n^CI28\n{fields}^XZ\n"


def _epl_label(page: Page) -> str:
    fields = "".join(f'A40,{40 * (number + 1)},0,3,1,1,N,"{line}"\n' for number, line in enumerate(page))
    return f"\nN\n{fields}P1\n"
