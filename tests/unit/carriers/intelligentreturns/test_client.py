"""Each of the eighteen methods in both formats: the request we build, the URL we call, the answer we read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import get_args

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.carriers.intelligentreturns import formats
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.formats import Name
from bridge.carriers.intelligentreturns.questions import (
    AddedStatus,
    Billed,
    Cancellation,
    Coordinates,
    Location,
    OrderKey,
    PointAddress,
    PointKey,
    PointSearch,
    ReturnFilter,
    ReturnKey,
    Where,
)
from bridge.carriers.intelligentreturns.wire import (
    Booking,
    CollectionAddress,
    CollectionDate,
    CustomFields,
    Inquiry,
    MoreItems,
    Order,
    OrderItem,
    QuotedItem,
    Reason,
    ReturnItem,
)
from bridge.events.catalogue import Money
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.returns.address import FoundAddress
from bridge.returns.bill import Account, Bill, Entry
from bridge.returns.found import Contact, Destination, FoundItem, FoundOrder, FoundReason, FoundReturn
from bridge.returns.progress import Place, Progress, Scan
from bridge.returns.service import (
    CollectionDay,
    CoveredCountry,
    CoveredState,
    DropOffPoint,
    Quote,
    Service,
)
from bridge.returns.service import PointAddress as FoundPointAddress
from bridge.returns.ticket import ReturnLabel, Ticket
from bridge.settings.model import IntelligentReturns as IntelligentReturnsSettings
from tests.support.permits import FreePermits

from .stage import KEY, LOGIN, PROVIDER, at, client_on, parsed, sample, sent

FORMATS: tuple[Name, ...] = ("json", "xml")

ORDER = Order(
    order_reference="A-1001",
    order_date=at(1794700800),
    currency_code="EUR",
    overwrite_data=True,
    rma="R-77",
    phone="+48500600700",
    email="sender@example.com",
    export_date=at(1794700000),
    export_awb="32153454GB",
    export_carrier_name="USPS",
    free_return=True,
    custom_fields=CustomFields(field1="spring drop", field5="last"),
    contact_name="Ewa Testowa",
    company_name="Test & Co",
    country="AU",
    state="NSW",
    zip="2000",
    city="Sydney",
    suburb="Haymarket",
    addr1="Prosta 10",
    addr2="flat 3",
    addr3="back yard",
    item=(
        OrderItem(
            sku_code="SKU-1",
            sku_desc="Shirt <M>",
            quantity=2,
            price=Decimal("100.00"),
            cost_price=Decimal("13.12"),
            weight=Decimal("0.3"),
            weight_uom="K",
            length=Decimal(2),
            width=Decimal(3),
            height=Decimal(4),
            dimensions_uom="cm",
            country_code="CN",
            hs_code="620520",
            img_path="https://example.com/1.png",
            dangerous_goods="No",
            export_date=at(1794700800),
            export_awb="32153454GB",
            export_carrier_name="USPS",
            tracking="123456789",
            non_returnable=True,
            non_returnable_message="not hygienic",
            days_for_return=0,
            custom_fields=CustomFields(field1="blue"),
        ),
        OrderItem(sku_code="SKU-2", sku_desc="Socks", quantity=1, price=Decimal("9.90")),
    ),
)
BOOKING = Booking(
    order_reference="A-1001",
    date_added=at(1794800000),
    service_id=20062,
    currency_code="EUR",
    phone="+48500600700",
    email="sender@example.com",
    display_id="RMA7F3K21",
    external_id="RMA7F3K21",
    add_items_data_to_order=True,
    export_date=at(1794700000),
    export_awb="32153454GB",
    export_carrier_name="USPS",
    verification_entity=False,
    dangerous_goods="No",
    final_disposition="return",
    collection_date=CollectionDate(date=date(2026, 12, 7), time_from=time(9), time_to=time(17, 30)),
    collection_address=CollectionAddress(
        state="NSW", zip="2001", suburb="Haymarket", addr1="Side St 2", addr2="b", addr3="c"
    ),
    drop_off_point_id="PP-0042",
    special_instruction="ring twice",
    booking_type=2,
    sort_code="AB12",
    name="Ewa Testowa",
    company_name="Test & Co",
    country="AU",
    state="NSW",
    zip="2000",
    city="Sydney",
    suburb="Sydney",
    addr1="George St 1",
    addr2="flat 3",
    addr3="back yard",
    street_number="1",
    final_dest_name="Jan Hub",
    final_dest_company_name="Hub Ltd",
    final_dest_country="GB",
    final_dest_state="West Midlands",
    final_dest_zip="TF3 3BJ",
    final_dest_city="Telford",
    final_dest_suburb="Stafford Park",
    final_dest_addr1="Stafford Park 12",
    final_dest_addr2="unit 2",
    final_dest_addr3="dock",
    item=(
        ReturnItem(
            sku_code="SKU-1",
            sku_desc="Shirt M",
            quantity=1,
            price=Decimal("100.00"),
            cost_price=Decimal("13.12"),
            weight=Decimal("0.3"),
            weight_uom="K",
            length=Decimal(10),
            width=Decimal("10.5"),
            height=Decimal(10),
            dimensions_uom="mm",
            country_code="CN",
            hs_code="620520",
            img_path="https://example.com/1.png",
            dangerous_goods="Yes",
            export_date=at(1794700800),
            export_awb="1",
            export_carrier_name="DHL",
            tracking="T-9",
            final_dest_id="77",
            verification_entity=True,
            final_disposition="destroy",
            reason=(
                Reason(action="Refund", reason="Too small", wish="none", additional="sleeves", code="R1"),
                Reason(action="Other", reason="Faulty"),
            ),
        ),
    ),
)
INQUIRY = Inquiry(
    order_reference="A-1001",
    date_added=at(1794700800),
    tracking="T-8",
    currency_code="EUR",
    phone="+61200000000",
    email="sender@example.com",
    display_id="RMA7F3K21",
    external_id="RMA7F3K21",
    add_items_data_to_order=False,
    export_date=at(1794700000),
    export_awb="32153454GB",
    export_carrier_name="USPS",
    verification_entity=True,
    dangerous_goods="No",
    final_disposition="return",
    collection_address=CollectionAddress(
        state="NSW", zip="2001", city="Sydney", suburb="Haymarket", addr1="Side St 2", addr2="b", addr3="c"
    ),
    name="Ewa Testowa",
    company_name="Test & Co",
    country="AU",
    state="NSW",
    zip="2000",
    city="Sydney",
    suburb="Haymarket",
    addr1="Prosta 10",
    addr2="flat 3",
    addr3="back yard",
    lat=Decimal("-33.861"),
    lng=Decimal("151.209"),
    final_dest_name="Dock",
    final_dest_company_name="Shop",
    final_dest_country="MX",
    final_dest_state="Jalisco",
    final_dest_zip="44100",
    final_dest_city="Guadalajara",
    final_dest_suburb="Oeste",
    final_dest_addr1="Dock 1",
    final_dest_addr2="gate 2",
    final_dest_addr3="hall 3",
    final_dest_neighborhood="Centro",
    item=(
        QuotedItem(
            sku_code="SKU-1",
            sku_desc="Shirt M",
            quantity=1,
            price=Decimal("100.00"),
            weight=Decimal("0.3"),
            weight_uom="K",
            length=Decimal(2),
            width=Decimal(3),
            height=Decimal(4),
            dimensions_uom="cm",
            country_code="CN",
            hs_code="620520",
            img_path="https://example.com/1.png",
            dangerous_goods="No",
            export_date=at(1794700800),
            export_awb="32153454GB",
            export_carrier_name="USPS",
            final_dest_id="Default",
            verification_entity=False,
            final_disposition="destroy",
        ),
    ),
)
FILTER = ReturnFilter(
    order_reference="A-1001",
    date_from=at(1793491200),
    date_to=at(1795132800),
    quick_search="Ewa shirt",
    status=0,
    current_tracking_status=10,
    virtual_tracking_status=300,
    service_id=243,
    country="PL",
    id_last=111500,
)
ADDRESS = FoundAddress(country="PL", post_code="00-838", city="Warszawa", lines=("Prosta 10",))
PARCEL = {
    "external_id": "RMA7F3K21",
    "reference": "A-1001",
    "carrier": "Inpost Poland",
    "service_id": 243,
    "source_country": "PL",
}


@dataclass(frozen=True)
class Expected:
    """A method: how it is called, and what its answer is read as, in either format."""

    call: Callable[[IntelligentReturns], Awaitable[object]]
    answer: object
    verdict: Verdict = Verdict.answered


async def every(found: AsyncIterator[object]) -> tuple[object, ...]:
    return tuple([one async for one in found])


CALLS = {
    "orders/create": Expected(lambda client: client.create_order(ORDER), "10000"),
    "orders/get": Expected(
        lambda client: client.read_order(OrderKey(type="reference", val="A-1001")),
        FoundOrder(
            id="3103",
            reference="A-1001",
            ordered_at=at(1794700800),
            currency="EUR",
            export_awb="444444US",
            export_carrier_name="USPS",
            customer=Contact("Ewa Testowa", None, "+48500600700", "sender@example.com", ADDRESS),
            items=(
                FoundItem(
                    sku="SKU-1",
                    name="Shirt M",
                    quantity=2,
                    price=Decimal(100),
                    cost_price=Decimal("13.12"),
                    weight=Decimal("0.3"),
                    length=Decimal(0),
                    width=Decimal(0),
                    height=Decimal(0),
                    dimensions_uom="cm",
                    hs_code="620520",
                    country_of_origin="CN",
                    is_dangerous=True,
                    exported_at=at(1794700800),
                ),
            ),
        ),
    ),
    "orders/delete": Expected(lambda client: client.delete_order(OrderKey(type="id", val="3103")), None),
    "orders/add_items": Expected(
        lambda client: client.add_items(MoreItems(order_reference="A-1001", item=ORDER.item)), "10000"
    ),
    "returns/create": Expected(
        lambda client: client.create(BOOKING),
        Ticket(
            tracking_number="526u8we",
            cancellable_until=at(1795212400),
            secondary_barcode="sec_526u8we",
            label=ReturnLabel(b"%PDF-1.4\n%EOF\n", "pdf"),
            sent_to=FoundAddress(country="DE", state="Neuss", post_code="41460", city="Neuss", lines=("Hub street 1",)),
        ),
    ),
    "returns/get": Expected(
        lambda client: client.read(ReturnKey(id="RMA7F3K21", type="external_id")),
        FoundReturn(
            id="111495",
            reference="A-1001",
            external_id="RMA7F3K21",
            display_id="RMA7F3K21",
            tracking_number="526u8we",
            status="10",
            created_at=at(1794800000),
            status_at=at(1794810000),
            cancellable_until=at(1795212400),
            carrier="Inpost Poland",
            secondary_barcode="sec_526u8we",
            label=ReturnLabel(b"\x89PNG\r\n\x1a\n\x00\x00\x00", "png"),
            needs_verification=False,
            customer=Contact(
                "Ewa Testowa",
                None,
                "+48500600700",
                "sender@example.com",
                FoundAddress(country="PL", post_code="00-838", city="Warszawa", lines=("Prosta 10", "flat 3")),
            ),
            destination=Destination(
                "Default",
                "Dock",
                "Shop",
                FoundAddress(
                    "MX", "Jalisco", "44100", "Guadalajara", "Oeste", ("Dock 1", "gate 2", "hall 3"), "Centro"
                ),
            ),
            items=(
                FoundItem(
                    sku="SKU-1",
                    name="Shirt & tie > M",
                    quantity=1,
                    price=Decimal(100),
                    weight=Decimal("0.3"),
                    dimensions_uom="mm",
                    hs_code="620520",
                    country_of_origin="CN",
                    is_dangerous=False,
                    final_disposition="destroy",
                    destination=Destination(
                        name="Store",
                        address=FoundAddress(country="GB", post_code="TF3 3BJ", city="Telford", lines=("Dock 1",)),
                    ),
                    reasons=(FoundReason("Exchange", "Too small", None, "New size", "L"),),
                    custom_fields={"field1": "blue"},
                ),
            ),
            custom_fields={"field1": "spring drop", "field2": "2", "field3": "3", "field4": "", "field5": "5"},
        ),
    ),
    "returns/items": Expected(
        lambda client: every(client.search(FILTER)),
        tuple(
            FoundReturn(
                id=number,
                reference="A-1001",
                tracking_number=parcel,
                status=status,
                created_at=at(created),
                carrier="DHL",
                needs_verification=False,
                customer=Contact(),
            )
            for number, parcel, status, created in [
                ("111495", "526u8we", "10", 1794800000),
                ("111494", "526u8wd", "60", 1794700000),
            ]
        ),
    ),
    "returns/request_for_prices": Expected(
        lambda client: client.prices(INQUIRY),
        (
            Quote(
                service_id=203,
                carrier="skynet",
                service="home_collection",
                name="Skynet Collection",
                kind="home_collection",
                description="A courier comes to the customer.",
                max_weight="20kg",
                max_dimensions="L < 150cm",
                delivery="6 days",
                first_mile=Money(amount="7.10", currency="EUR"),
                processing=Money(amount="0", currency="EUR"),
                final_mile=Money(amount="3.05", currency="EUR"),
                collection_days=(
                    CollectionDay(date(2026, 12, 7), time(9), time(17), 3),
                    CollectionDay(date(2026, 12, 8)),
                ),
            ),
            Quote(
                service_id=190,
                carrier="dhl",
                service="drop_off",
                kind="drop_off",
                first_mile=Money(amount="4", currency="EUR"),
            ),
        ),
    ),
    "returns/cancel": Expected(
        lambda client: client.cancel(Cancellation(external_id="RMA7F3K21", tracking="526u8we")), None
    ),
    "returns/billing": Expected(
        lambda client: client.bills(Billed(external_id="RMA7F3K21", tracking="526u8we", order_reference="A-1001")),
        (
            Bill(
                reference="A-1001",
                tracking_number="526u8we",
                external_id=None,
                status="60",
                created_at=at(1794800000),
                customer=Account((), {"EUR": Decimal("0.00"), "GBP": Decimal("0.00")}),
                contract=Account(
                    (
                        Entry(Decimal("6.50"), "EUR", "billed at scan 20"),
                        Entry(Decimal("-0.50"), "EUR", "rebate"),
                    ),
                    {"EUR": Decimal("6.00"), "GBP": Decimal("5.11")},
                ),
                invoice={"EUR": Decimal("6.00"), "GBP": Decimal("5.11")},
            ),
        ),
    ),
    "tracking/get": Expected(
        lambda client: client.track("526u8we"),
        Progress(
            "526u8we",
            (Scan("10", at(1794810000), Place("PL", None, "Kraków")), Scan("V51", at(1794900000))),
            external_id="RMA7F3K21",
            reference="A-1001",
            carrier="Inpost Poland",
            service_id=243,
            source_country="PL",
            pallet_number="1000",
        ),
    ),
    "tracking/get_by_date_range": Expected(
        lambda client: every(client.events(at(1794900000), at(1794903600), "occurred", source_country="PL")),
        (
            Progress(
                "526u8we",
                (Scan("20", at(1794900000), Place("PL")),),
                reference="A-1001",
                carrier="Inpost Poland",
                service_id=243,
                source_country="PL",
            ),
        ),
    ),
    "tracking/get_by_date_added_range": Expected(
        lambda client: every(client.events(at(1794900000), at(1794903600), source_country="PL")),
        (
            Progress(
                "526u8we",
                (
                    Scan("50", at(1794900000), Place("PL"), at(1794903600)),
                    Scan("60", at(1794900000), Place("GB", "Selby", "Selby"), at(1794903600)),
                ),
                reference="A-1001",
                carrier="Inpost Poland",
                service_id=243,
                source_country="PL",
            ),
        ),
    ),
    "tracking/add_status": Expected(
        lambda client: client.add_status(
            AddedStatus(
                tracking="526u8we",
                date=at(1795000000),
                date_added=at(1795000100),
                description="refunded",
                carrier_status="123ABC",
                location=Location(country="GB", state="Greater London", city="London"),
            )
        ),
        None,
    ),
    "check/available": Expected(lambda client: client.available(), at(1794800000)),
    "services/get_available": Expected(
        lambda client: client.services(
            Where(
                country="AU",
                state="NSW",
                zip="2000",
                city="Sydney",
                suburb="Sydney",
                addr1="1 George St",
                addr2="flat 3",
                lat=Decimal("-33.86"),
                lng=Decimal("151.21"),
            )
        ),
        (
            Service(114, "Australia Post", "Australia Post", "drop_off", (CoveredCountry("AU"),)),
            Service(
                66,
                "parcel_point",
                "ParcelPoint Home Collection",
                "home_collection",
                (CoveredCountry("AU", (CoveredState("act", suburbs=("acton", "ainslie")), CoveredState("nsw"))),),
            ),
        ),
    ),
    "services/get_drop_off_points": Expected(
        lambda client: client.points(
            PointSearch(
                services=(20063, 48),
                address=PointAddress(
                    country="ES",
                    state="B",
                    zip="08028",
                    city="Barcelona",
                    suburb="Les Corts",
                    addr1="Av. Madrid 1",
                    addr2="flat 3",
                ),
                coordinates=Coordinates(lat=Decimal("41.37"), lng=Decimal("2.12")),
                radius=10,
                max_num=20,
            )
        ),
        (
            DropOffPoint(
                id="123ABC",
                title="SUC 23",
                address=FoundPointAddress("ES", None, "08028", "BARCELONA", None, "AV. MADRID 106"),
                latitude=Decimal("41.37881"),
                longitude=Decimal("2.1280565"),
                service_id=13,
                service="Correos Drop Off",
                carrier_id=4,
                carrier="Correos",
            ),
            DropOffPoint(
                id="124ABC",
                title="ELECTRO",
                address=FoundPointAddress("ES", None, "08028", "BARCELONA", None, "CL JOAN GUELL"),
                hours="monday-saturday 10:00-14:00",
                days={"mo": ("10:00-14:00", "17:00-20:30"), "sa": ("10:00-14:00",)},
                latitude=Decimal("41.382355"),
                longitude=Decimal("2.131578"),
                service_id=48,
                service="Hermes Parcel Shop",
                carrier_id=21,
                carrier="Hermes Europe",
            ),
        ),
    ),
    "services/get_drop_off_by_id": Expected(
        lambda client: client.point(PointKey(drop_off_point_id="Leavesden", service_id=20030)),
        DropOffPoint(
            id="Leavesden",
            title="ASOS Leavesden",
            address=FoundPointAddress("GB", "Hertfordshire", "WD25 7GR", "Leavesden", None, "Hercules Way"),
            hours="Mon-Fri 09:00-17:30 / Sat-Sun CLOSED",
            days={"mo": ("09:00-17:30",), "fr": ("09:00-17:30",)},
            latitude=Decimal("51.69324400"),
            longitude=Decimal("-0.41341200"),
        ),
    ),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("method", CALLS)
async def test_a_method_is_called_and_answered_as_the_page_has_it(
    method: str, form: Name, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    name = method.replace("/", "_")
    httpx_mock.add_response(content=sample(f"{name}_answer", form))
    permits = FreePermits()

    answer = await CALLS[method].call(client_on(http, form, permits))

    (request,) = httpx_mock.get_requests()
    assert (request.method, str(request.url)) == ("POST", f"{PROVIDER}/{method}/{form}")
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert answer == CALLS[method].answer
    assert permits.outcomes == [Outcome(Verdict.answered)]
    if method == "check/available":
        assert request.content == b"", "whoever asks for the time says nothing of himself"
    else:
        fields = sent(request)
        assert fields.keys() == {"login", "api_key", "request"}
        assert (fields["login"], fields["api_key"]) == (LOGIN, KEY)
        assert parsed(fields["request"], form) == parsed(sample(f"{name}_request", form), form)


def test_there_are_eighteen_methods_and_none_is_left_out() -> None:
    assert len(CALLS) == 18


def test_the_formats_are_those_that_the_settings_offer() -> None:
    assert get_args(IntelligentReturnsSettings.model_fields["format"].annotation) == tuple(formats.FORMATS) == FORMATS


def test_nothing_that_is_sent_shows_itself() -> None:
    assert "Ewa" not in repr(BOOKING)
    assert "Ewa" not in repr(ORDER)
    assert KEY not in repr(client_on(httpx.AsyncClient()))


PURPOSES = {
    "returns/create": Purpose.create,
    "returns/cancel": Purpose.cancel,
    "returns/request_for_prices": Purpose.select,
    "services/get_available": Purpose.select,
    "services/get_drop_off_points": Purpose.select,
    "services/get_drop_off_by_id": Purpose.select,
    "returns/items": Purpose.sweep,
    "tracking/get": Purpose.tracking,
}


@pytest.mark.parametrize("method", PURPOSES)
async def test_what_somebody_waits_for_goes_before_what_nobody_does(
    method: str, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=sample(f"{method.replace('/', '_')}_answer", "json"))
    permits = FreePermits()
    await CALLS[method].call(client_on(http, permits=permits))
    assert permits.purposes == [PURPOSES[method]]
