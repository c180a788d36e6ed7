"""What is asked for in the tests of shipping: a draft with everything in it, and an order to collect."""

from __future__ import annotations

from decimal import Decimal

from bridge.dispatch.order import DispatchDraft
from bridge.events.catalogue import Money
from bridge.shipments.draft import CustomAttributes, Dimensions, Draft, Parcel, Weight
from bridge.shipments.party import Address, Party

from .stage import OTHER, SHIPMENT

ADDRESS = Address(street="Malborska", building_number="130", city="Kraków", post_code="30-624", country_code="PL")
WHOLE = Draft(
    receiver=Party(
        company_name="Firma Testowa",
        first_name="Anna",
        last_name="Wiśniewska",
        email="anna@example.com",
        phone="600000000",
        address=ADDRESS,
    ),
    sender=Party(
        company_name="Sklep",
        phone="500000000",
        address=Address(line1="Lwowska 10", line2="lok. 2", city="Kraków", post_code="30-548"),
    ),
    parcels=(
        Parcel(
            id="first",
            dimensions=Dimensions(Decimal(80), Decimal("360.5"), Decimal(640)),
            weight=Weight(Decimal("2.25")),
            is_non_standard=False,
        ),
        Parcel(id="second", template="small"),
    ),
    custom_attributes=CustomAttributes("KRA010", "KRA011", "dispatch_order"),
    cod=Money(amount=Decimal("12.50"), currency="PLN"),
    insurance=Money(amount=Decimal(25), currency="PLN"),
    reference="Zamówienie 17",
    comments="dowolny komentarz",
    is_return=False,
    additional_services=("sms", "email"),
    external_customer_id="8877xxx",
    only_choice_of_offer=True,
    mpk="miejsce_powstania_kosztow",
    service="inpost_courier_standard",
)
SMALL = Draft(parcels=(Parcel(template="small"),))
COURIER = DispatchDraft(
    shipments=(SHIPMENT, OTHER),
    address=ADDRESS,
    name="Magazyn",
    phone="500000000",
    email="magazyn@example.com",
    comment="rampa nr 2",
    office_hours="8-16",
)
