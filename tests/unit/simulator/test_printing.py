"""The files are what they claim to be."""

from __future__ import annotations

import io
import re
import zipfile

import pytest

from bridge.simulator.printing import POINTS, File, Paper, epl, pdf, zipped, zpl

PAGES = [("inpost_locker_standard", "620000000000000000000019"), ("a (b) \\ c",)]


@pytest.mark.parametrize("paper", ["A4", "A6"])
def test_the_table_of_a_pdf_leads_to_each_of_its_objects(paper: Paper) -> None:
    content = pdf(PAGES, paper)
    assert content.startswith(b"%PDF-1.4\n")
    assert content.endswith(b"%%EOF\n")
    table = int(re.findall(rb"startxref\n(\d+)", content)[0])
    assert content[table:].startswith(b"xref\n0 8\n")
    starts = [int(start) for start in re.findall(rb"(\d{10}) 00000 n", content[table:])]
    assert [content[start:].split(b" ", 1)[0] for start in starts] == [b"%d" % number for number in range(1, 8)]
    assert content.count(b"/MediaBox [0 0 %d %d]" % POINTS[paper]) == 2


def test_the_length_of_each_stream_is_its_own() -> None:
    content = pdf(PAGES, "A4")
    streams = re.findall(rb"/Length (\d+) >>\nstream\n(.*?)\nendstream", content, re.DOTALL)
    assert [int(length) for length, _ in streams] == [len(stream) for _, stream in streams]
    assert b"(a \\(b\\) \\\\ c) Tj" in streams[1][1]


def test_a_label_of_each_printer_language_for_each_page() -> None:
    zebra, eltron = zpl(PAGES, 8).decode(), epl(PAGES).decode()
    assert (zebra.count("^XA"), zebra.count("^XZ"), zebra.startswith("^XA")) == (2, 2, True)
    assert (eltron.count("\nN\n"), eltron.count("P1\n"), eltron.startswith("\nN\n")) == (2, 2, True)
    assert "620000000000000000000019" in zebra
    assert "620000000000000000000019" in eltron


def test_an_archive_holds_its_files_and_is_the_same_bytes_each_time() -> None:
    files = [File("a.zpl", "text/plain", zpl(PAGES, 8)), File("b.zpl", "text/plain", b"")]
    archive = zipped("labels.zip", files)
    with zipfile.ZipFile(io.BytesIO(archive.content)) as opened:
        assert opened.testzip() is None
        assert {name: opened.read(name) for name in opened.namelist()} == {one.name: one.content for one in files}
    assert archive == zipped("labels.zip", files)
