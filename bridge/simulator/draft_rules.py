"""What the carrier checks of a shipment beyond the form of each attribute.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153501 (create), 18153492 (forms), 451903492 (FAQ)
"""

from __future__ import annotations

from collections.abc import Iterator

from bridge.simulator.drafts import Address, Draft, Party
from bridge.simulator.errors import NullDetails, Refusal, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.rules import Problem, checked, details_of
from bridge.simulator.scenario import Creates
from bridge.simulator.services import COURIER_CONTRACT, INSURED_WITH_COD, SERVICES, Service

NEEDS_DROPOFF = ("parcel_locker", "pok", "courier_pok")
"""The sending methods that name the point where the parcel is handed in."""


def draft_of(value: object, organization: Organization, creates: Creates) -> Draft:
    """Read the attributes of a shipment for this organization, or refuse them."""
    draft = checked(Draft, value)
    if problems := list(_problems(draft, organization, creates)):
        raise validation_failed(details_of(problems))
    if refusal := _contract_problem(draft.service, organization):
        raise refusal
    return draft


def address_problems(address: Address | None, *fields: str) -> Iterator[Problem]:
    """Say what an address lacks: a street and a number, or the one line that is still taken instead."""
    if address is not None and not address.line1:
        for name in ("street", "building_number"):
            if not getattr(address, name):
                yield (*fields, name), "required"


def _problems(draft: Draft, organization: Organization, creates: Creates) -> Iterator[Problem]:
    yield from _receiver_problems(draft)
    for name, party in (("receiver", draft.receiver), ("sender", draft.sender)):
        yield from address_problems(party.address if party else None, name, "address")
    yield from _parcel_problems(draft)
    yield from _point_problems(draft, creates)
    yield from _money_problems(draft)
    if draft.mpk and draft.mpk not in organization.terms.cost_centres:
        yield ("mpk",), "does_not_exist"
    if draft.service is None:
        yield from _stray_services(draft, creates)
    elif service := SERVICES.get(draft.service):
        yield from _service_problems(draft, service)
    else:
        yield ("service",), "does_not_exist"


def _receiver_problems(draft: Draft) -> Iterator[Problem]:
    if draft.is_return:
        return
    if draft.receiver is None:
        yield ("receiver",), "required"
    elif draft.service is None and not (draft.receiver.reachable_by_courier or draft.receiver.reachable_at_locker):
        yield ("receiver",), "invalid"


def _parcel_problems(draft: Draft) -> Iterator[Problem]:
    """Of several parcels each needs an id of its own."""
    ids = [parcel.id for parcel in draft.parcels]
    if len(ids) > 1 and not all(ids):
        yield ("parcels", "id"), "required"
    elif len(set(ids)) < len(ids):
        yield ("parcels", "id"), "invalid"


def _point_problems(draft: Draft, creates: Creates) -> Iterator[Problem]:
    points = draft.custom_attributes
    for name, point in (("target_point", points.target_point), ("dropoff_point", points.dropoff_point)):
        if point and creates.points is not None and point not in creates.points:
            yield ("custom_attributes", name), "does_not_exist"
    hands_in = points.sending_method in NEEDS_DROPOFF or draft.service == "inpost_locker_pass_thru"
    if hands_in and not points.dropoff_point:
        yield ("custom_attributes", "dropoff_point"), "required"


def _money_problems(draft: Draft) -> Iterator[Problem]:
    """At least 1 PLN of either, and insured for what is collected (the vendor's questions and answers)."""
    if draft.cod and draft.cod.amount < 1:
        yield ("cod", "amount"), "too_small"
    least = max(1, draft.cod.amount if draft.cod else 0)
    if draft.insurance and draft.insurance.amount < least:
        yield ("insurance", "amount"), "too_small"


def _stray_services(draft: Draft, creates: Creates) -> Iterator[Problem]:
    # The page says that additional services without a service are an error, and its own sample sends them so;
    # the sample of the notification then shows the locker offers unavailable. Nobody has observed which.
    if draft.additional_services and creates.stray_services == "refuse":
        yield ("additional_services",), "invalid"


def _service_problems(draft: Draft, service: Service) -> Iterator[Problem]:
    yield from _locker_problems(draft) if service.reach == "locker" else _courier_problems(draft.receiver)
    if service.label.id in INSURED_WITH_COD and draft.cod and not draft.insurance:
        yield ("insurance",), "required"
    if not service.extras.issuperset(draft.additional_services):
        yield ("additional_services",), "invalid"


def _courier_problems(receiver: Party | None) -> Iterator[Problem]:
    if receiver is None:
        return
    if not receiver.company_name:
        for name in ("first_name", "last_name"):
            if not getattr(receiver, name):
                yield ("receiver", name), "required"
    if receiver.address is None:
        yield ("receiver", "address"), "required"


def _locker_problems(draft: Draft) -> Iterator[Problem]:
    for name in ("phone", "email"):
        if draft.receiver and not getattr(draft.receiver, name):
            yield ("receiver", name), "required"
    if not draft.custom_attributes.target_point:
        yield ("custom_attributes", "target_point"), "required"
    if len(draft.parcels) > 1:
        yield ("parcels",), "too_long"


def _contract_problem(service: str | None, organization: Organization) -> Refusal | None:
    contracted = {terms.id for terms in organization.terms.services}
    if not contracted:
        return NullDetails(400, "no_carriers")
    if service is None or service in contracted:
        return None
    if service in COURIER_CONTRACT and not COURIER_CONTRACT & contracted:
        # Observed 2026-10-10 on a prepaid account; the questions and answers show the message as if it were the key.
        return NullDetails(400, "missing_trucker_id", "trucker_ID_is_not_set_for_organization")
    return NullDetails(400, "carrier_unavailable")
