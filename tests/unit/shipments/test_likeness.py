"""What was made is known again by what was asked for, and never taken for somebody else's."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bridge.model import ShipmentId
from bridge.shipments.asked import ShipmentAsked, likeness
from bridge.shipments.likeness import Further, Likeness, Pairs, Person, pair

ANNA = Person("anna@example.com", "500100200", None).digest
JAN = Person("jan@example.com", "500100201", "30-300").digest
FOR_ANNA = Likeness(people=frozenset({ANNA}), reference="A-1")


def made(*those: tuple[int, Likeness]) -> list[tuple[ShipmentId, Likeness]]:
    return [(ShipmentId(number), one) for number, one in those]


def test_a_person_is_the_same_however_the_carrier_writes_it() -> None:
    assert Person(" Anna@Example.com", "500100200", "").digest == ANNA


def test_what_was_asked_for_is_found() -> None:
    assert pair({0: FOR_ANNA}, made((7, FOR_ANNA))) == Pairs({0: ShipmentId(7)}, [])


def test_another_receiver_reference_or_point_is_another_shipment() -> None:
    others = [
        Likeness(people=frozenset({JAN}), reference="A-1"),
        Likeness(people=frozenset({ANNA}), reference="A-2"),
        Likeness(people=frozenset({ANNA}), reference="A-1", target_point="KRA010"),
        Likeness(people=frozenset({ANNA}), reference="A-1", parcels=2),
    ]
    assert pair({0: FOR_ANNA}, made(*enumerate(others, 1))) == Pairs({}, [])


def test_the_sender_that_the_carrier_adds_does_not_matter() -> None:
    whole = Likeness(people=frozenset({ANNA, JAN}), reference="A-1")
    assert pair({0: FOR_ANNA}, made((7, whole))).made == {0: 7}


def test_those_that_are_alike_take_one_each() -> None:
    found = pair({0: FOR_ANNA, 1: FOR_ANNA, 2: FOR_ANNA}, made((9, FOR_ANNA), (7, FOR_ANNA)))
    assert found == Pairs({0: ShipmentId(7), 1: ShipmentId(9)}, [])


def test_where_more_fit_than_were_asked_for_nobody_says_which() -> None:
    assert pair({0: FOR_ANNA}, made((7, FOR_ANNA), (8, FOR_ANNA))) == Pairs({}, [0])


def test_a_return_is_known_by_both_ends() -> None:
    asked = ShipmentAsked.model_validate(
        {
            "is_return": True,
            "sender": {"email": "anna@example.com", "phone": "500100200"},
            "reference": "A-1",
            "parcels": [{"template": "small"}],
        }
    )
    swapped = Likeness(people=frozenset({JAN, ANNA}), reference="A-1")
    assert pair({0: likeness(asked)}, made((7, swapped))).made == {0: 7}


def test_no_shipment_is_two_items() -> None:
    both = frozenset({ANNA, JAN})
    to_anna, back_from_jan = FOR_ANNA, Likeness(people=both, reference="A-1")
    only = Likeness(people=both, reference="A-1")
    assert pair({0: to_anna, 1: back_from_jan}, made((7, only))).made in ({0: 7}, {1: 7})
    found = pair({0: to_anna, 1: back_from_jan}, made((7, only), (8, FOR_ANNA)))
    assert found.made == {1: 7, 0: 8}


def test_sizes_weights_services_and_customers_tell_parcels_apart() -> None:
    def likely(**further: Any) -> Likeness:
        return Likeness(people=frozenset({ANNA}), reference="A-1", further=Further(**further))

    differing: list[dict[str, Any]] = [
        {"templates": ("small",)},
        {"templates": ("large",)},
        {"weight_kg": Decimal(2)},
        {"service": "inpost_courier_standard"},
        {"customer": "77"},
        {"insurance": Decimal(50)},
    ]
    assert not likely(templates=("small",)).fits(likely(templates=("large",)))
    assert not likely(weight_kg=Decimal(2)).fits(likely(weight_kg=Decimal(3)))
    assert all(likely(**one).fits(likely(**one)) for one in differing)
    assert all(likely().fits(likely(**one)) for one in differing), "what the carrier fills in is no difference"
    assert not likely(service="inpost_courier_standard").fits(likely())


def test_a_parcel_and_its_return_are_two() -> None:
    back = Likeness(people=frozenset({ANNA}), reference="A-1", is_return=True)
    assert pair({0: FOR_ANNA, 1: back}, made((7, back), (8, FOR_ANNA))).made == {0: 8, 1: 7}


def test_what_could_be_anything_is_never_taken_for_ours() -> None:
    vague = Likeness(is_return=True)
    assert pair({0: vague}, made((7, Likeness(people=frozenset({ANNA}), is_return=True)))) == Pairs({}, [0])
    assert pair({0: vague}, made()) == Pairs({}, [])


def test_texts_are_compared_as_either_side_may_write_them() -> None:
    asked = Likeness(people=frozenset({ANNA}), reference=" A-1", target_point="kra010")
    assert asked.fits(Likeness(people=frozenset({ANNA}), reference="A-1 ", target_point="KRA010"))
