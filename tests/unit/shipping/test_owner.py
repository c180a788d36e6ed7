"""Whose a shipment is: as it was said, or as is known here."""

from __future__ import annotations

from bridge.lifecycle import utc_now
from bridge.model import OrganizationId, ShipmentId
from bridge.shipping.owner import owner_of
from bridge.web.problems import FieldError
from tests.unit.purchasing.disks import Disk

ONE, TWO = OrganizationId(4821), OrganizationId(4822)
SHIPMENT = ShipmentId(7)


def owner(asked: int | None, *among: OrganizationId, known_to: tuple[int, ...] = ()) -> OrganizationId | str:
    """Give the owner, or the code of what is wrong."""
    disk = Disk()
    for number in known_to:
        disk.rows(f"INSERT INTO subjects (source, name, partition) VALUES ('/shipx/{number}', 'shipment/7', 0)")
    found = disk.read(lambda transaction: owner_of(transaction, SHIPMENT, asked, among), utc_now)
    disk.close()
    if isinstance(found, FieldError):
        assert found.field == "organization_id"
        return found.code
    return found


def test_it_is_the_organization_s_that_was_named_if_there_is_one() -> None:
    assert owner(TWO, ONE, TWO, known_to=(ONE,)) == TWO
    assert owner(9, ONE, TWO) == "unknown_value"


def test_with_one_organization_it_is_that_one_s() -> None:
    assert owner(None, ONE) == ONE
    assert owner(None) == "missing"


def test_of_several_it_is_the_one_s_that_anything_is_known_of_it_to() -> None:
    assert owner(None, ONE, TWO, known_to=(TWO,)) == TWO
    assert owner(None, ONE, TWO, known_to=(ONE, TWO)) == "missing"
    assert owner(None, ONE, TWO, known_to=(9,)) == "missing"
    assert owner(None, ONE, TWO) == "missing"
