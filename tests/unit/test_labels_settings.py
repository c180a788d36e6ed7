"""Which labels are fetched unasked, and where they lie, by the settings."""

from __future__ import annotations

from pathlib import Path

import pytest

from bridge.app.stores import label_wishes, open_shelf
from bridge.errors import SettingsError
from bridge.model import OrganizationId
from bridge.settings import Settings, load
from bridge.shipments.label import LabelFormat, LabelKind, LabelWish
from bridge.store.sealed import Vault
from bridge.store.shelf import FolderShelf, SealedShelf
from bridge.store.sqlite import SqliteDatabase

LOCAL = {"BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9", "BRIDGE_ROLES": "worker"}
FIRST = {"BRIDGE_SHIPX__ORGANIZATION_ID": "1000", "BRIDGE_SHIPX__TOKEN": "token"}
SECRET = "a1" * 20


def settings(toml: str = "", **changes: str) -> Settings:
    environ = {**LOCAL, **FIRST, **{f"BRIDGE_{name}": value for name, value in changes.items()}}
    return load({**environ, "BRIDGE_CONFIG": "bridge.toml"}, lambda _: toml)


def further(number: int, rest: str = "") -> str:
    return f'[[shipx.organizations]]\nid = {number}\ntoken = "token"\n{rest}\n'


def test_nothing_is_fetched_unasked_unless_somebody_says_so() -> None:
    assert label_wishes(settings()) == {}


def test_what_all_organizations_want_each_may_want_otherwise() -> None:
    found = label_wishes(
        settings(
            further(1001)
            + further(1002, 'labels = "pdf"\nlabel_type = "A6"')
            + further(1003, 'labels = "off"')
            + f'[[shipx.organizations]]\nid = 1004\nwebhook_secrets = ["{SECRET}"]\nlabels = "pdf"\n',
            SHIPX__LABELS="zpl",
            SHIPX__LABEL_TYPE="dpi300",
        )
    )
    fine = LabelWish(LabelFormat.zpl, LabelKind.dpi300)
    a6 = LabelWish(LabelFormat.pdf, LabelKind.a6)
    assert found == {OrganizationId(1000): fine, OrganizationId(1001): fine, OrganizationId(1002): a6}


def test_one_organization_may_want_what_no_other_does() -> None:
    assert label_wishes(settings(further(1001, 'labels = "epl"'))) == {
        OrganizationId(1001): LabelWish(LabelFormat.epl, None)
    }


@pytest.mark.parametrize(
    ("toml", "changes", "key"),
    [
        ("", {"SHIPX__LABELS": "pdf", "SHIPX__LABEL_TYPE": "dpi300"}, "BRIDGE_SHIPX__LABEL_TYPE"),
        (further(1001, 'labels = "epl"\nlabel_type = "dpi300"'), {}, "[[shipx.organizations]] #1 label_type"),
        (further(1001, 'label_type = "dpi300"'), {"SHIPX__LABELS": "pdf"}, "[[shipx.organizations]] #1 label_type"),
        ("", {"SHIPX__LABELS": "doc"}, "BRIDGE_SHIPX__LABELS"),
    ],
)
def test_a_label_that_there_is_not_is_refused_at_start(toml: str, changes: dict[str, str], key: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settings(toml, **changes)
    assert [name for name, _ in refused.value.problems] == [key]


def test_labels_lie_in_the_database_or_in_a_folder_that_can_be_written_to(tmp_path: Path) -> None:
    database = SqliteDatabase(tmp_path / "never-opened.db")
    assert isinstance(open_shelf(settings(), database, Vault()), SealedShelf)
    folder = tmp_path / "deep" / "labels"
    assert isinstance(open_shelf(settings(LABELS__FOLDER=str(folder)), database, Vault()), FolderShelf)
    assert (folder.is_dir(), list(folder.iterdir())) == (True, [])
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="BRIDGE_LABELS__FOLDER: cannot be written to"):
        open_shelf(settings(LABELS__FOLDER=str(tmp_path / "file")), database, Vault())
