"""Into which files labels are written."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer

from bridge.cli.labels import targets


def test_one_label_goes_into_the_file_that_is_named(tmp_path: Path) -> None:
    assert targets(f"{tmp_path}/a.pdf", [7], "pdf") == [tmp_path / "a.pdf"]


def test_a_label_goes_into_a_folder_under_its_shipment_s_number(tmp_path: Path) -> None:
    assert targets(str(tmp_path), [7], "zpl") == [tmp_path / "label-7.zpl"]
    assert targets(f"{tmp_path}/new/", [7], "zpl") == [tmp_path / "new" / "label-7.zpl"]


def test_several_labels_go_into_a_folder(tmp_path: Path) -> None:
    assert targets(f"{tmp_path}/new", [7, 8], "pdf") == [tmp_path / "new" / f"label-{one}.pdf" for one in (7, 8)]
    (tmp_path / "file").touch()
    with pytest.raises(typer.BadParameter, match="folder"):
        targets(f"{tmp_path}/file", [7, 8], "pdf")
