"""What one field of a shipment means for another: a function of what is asked, which names every field that is wrong.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 · …/18153491 (sending methods)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from pydantic_core import InitErrorDetails, PydanticCustomError

from bridge.shipments.services import PASS_THRU, SERVICES, Kind, kind

if TYPE_CHECKING:
    from bridge.shipments.asked import Party, ShipmentAsked

_GIVEN_UP_AT_A_POINT: Final = frozenset({"parcel_locker", "pok", "courier_pok"})


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that is not kept: where, our code for it, and a sentence."""

    where: tuple[str | int, ...]
    code: str
    message: str

    @property
    def line(self) -> InitErrorDetails:
        """Write it as validation tells it; what was sent is never repeated."""
        return InitErrorDetails(type=PydanticCustomError(self.code, self.message), loc=self.where, input=None)


def broken(asked: ShipmentAsked) -> Sequence[Broken]:
    """Say what is wrong."""
    return [*_service(asked), *_people(asked), *_points(asked), *_parcels(asked), *_money(asked)]


def _service(asked: ShipmentAsked) -> Iterator[Broken]:
    if asked.mode == "simplified" and asked.service is None:
        yield _missing("is needed: in simplified mode the carrier buys it by itself", "service")
    if asked.mode == "offer" and asked.service is not None:
        yield Broken(
            ("service",), "unexpected", "is for simplified mode: in offer mode the policy chooses among offers"
        )
    if asked.additional_services and asked.service is None:
        yield Broken(("additional_services",), "unexpected", "need a service that they belong to")
    elif asked.additional_services and not _takes_extras(asked.service):
        yield Broken(("additional_services",), "invalid", "this service takes none")
    if asked.only_choice_of_offer and asked.service is None:
        yield Broken(("only_choice_of_offer",), "unexpected", "needs the service whose offer is to be chosen")


def _people(asked: ShipmentAsked) -> Iterator[Broken]:
    """Check who gets it: a return goes the other way, and the carrier knows where."""
    if asked.is_return and asked.receiver is None:
        return
    if asked.receiver is None:
        yield _missing("is needed, unless it is a return", "receiver")
        return
    for_locker = [_missing("is needed for lockers", "receiver", one) for one in _lacks_for_locker(asked.receiver)]
    for_courier = [_missing("is needed for couriers", "receiver", *one) for one in _lacks_for_courier(asked.receiver)]
    match _kind(asked):
        case Kind.locker:
            yield from for_locker
        case Kind.courier:
            yield from for_courier
        case None if for_locker and for_courier and not asked.is_return:
            yield from min(for_locker, for_courier, key=len)


def _lacks_for_locker(receiver: Party) -> list[str]:
    return [name for name in ("phone", "email") if getattr(receiver, name) is None]


def _lacks_for_courier(receiver: Party) -> Iterator[tuple[str, ...]]:
    if receiver.company_name is None:
        yield from ((name,) for name in ("first_name", "last_name") if getattr(receiver, name) is None)
    if receiver.address is None:
        yield ("address",)
    elif receiver.address.line1 is None and receiver.address.street is None:
        yield "address", "street"
    elif receiver.address.line1 is None and receiver.address.building_number is None:
        yield "address", "building_number"


def _points(asked: ShipmentAsked) -> Iterator[Broken]:
    points = asked.custom_attributes
    if _kind(asked) is Kind.locker and points.target_point is None:
        yield _missing("is needed for lockers", "custom_attributes", "target_point")
    is_given_up = asked.service == PASS_THRU or points.sending_method in _GIVEN_UP_AT_A_POINT
    if is_given_up and points.dropoff_point is None:
        yield _missing("is needed where it is given up at a point", "custom_attributes", "dropoff_point")
    service = SERVICES.get(asked.service or "")
    if service is not None and points.sending_method in service.never_by:
        where = "custom_attributes", "sending_method"
        yield Broken(where, "invalid", "a parcel of this service cannot be given up like that")


def _parcels(asked: ShipmentAsked) -> Iterator[Broken]:
    parcels = asked.parcels
    for number, one in enumerate(parcels):
        if one.template is None:
            lacking = [name for name in ("dimensions", "weight") if getattr(one, name) is None]
            yield from (_missing("is needed, or a template", "parcels", number, name) for name in lacking)
    if len(parcels) == 1:
        return
    if _kind(asked) is Kind.locker:
        yield Broken(("parcels",), "too_many", "several parcels are for couriers: make a shipment for each")
    times = Counter(one.id for one in parcels)
    for number, one in enumerate(parcels):
        if one.id is None or times[one.id] > 1:
            yield Broken(("parcels", number, "id"), "not_unique", "is needed, another for each of several parcels")


def _money(asked: ShipmentAsked) -> Iterator[Broken]:
    if asked.cod is None or asked.service is None:
        return
    service = SERVICES.get(asked.service)
    if service is not None and service.is_contract and asked.insurance is None:
        yield _missing("is needed with cod for this service", "insurance")
    if asked.insurance is not None and asked.insurance.amount < asked.cod.amount:
        yield Broken(("insurance", "amount"), "too_small", "must be at least what is paid on delivery")


def _takes_extras(service: str | None) -> bool:
    """Say whether a service may; what nobody documented is left to the carrier."""
    known = SERVICES.get(service or "")
    return known is None or known.is_contract


def _kind(asked: ShipmentAsked) -> Kind | None:
    return None if asked.service is None else kind(asked.service)


def _missing(why: str, *where: str | int) -> Broken:
    return Broken(where, "missing", why)
