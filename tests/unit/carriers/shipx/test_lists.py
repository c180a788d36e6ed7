"""Reading many by one call: what a list is asked for, what is believed of it, and how many it may be about."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest
import structlog
from pytest_httpx import HTTPXMock

from bridge.carriers.shipx.client import ShipxClient
from bridge.limits.connection import Outcome, Purpose, Verdict
from bridge.model import ShipmentId
from tests.support.permits import FreePermits

from .stage import CARRIER, DATE, OTHER, OURS, SHIPMENT, THEIRS, UNTOLD, client_on, page, refused, sample, unavailable

PREPARED = sample("shipment_offers_prepared")
PAID = sample("shipment_payment_failed")
INVALID = sample("error_flat_details")
OF_OTHER = PREPARED | {"id": OTHER}


async def read_many(client: ShipxClient, *ids: int) -> dict[ShipmentId, str]:
    found = await client.read_many([ShipmentId(one) for one in ids], Purpose.settle)
    return {number: shipment.status for number, shipment in found.items()}


def asked(httpx_mock: HTTPXMock) -> list[str]:
    """List the ids that lists were asked for."""
    return [str(one.url.params["id"]) for one in httpx_mock.get_requests()]


# -- reading many ------------------------------------------------------------------------------------------------------


async def test_each_is_read_as_it_is_alone(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    permits = FreePermits()
    client = client_on(http, permits=permits)
    httpx_mock.add_response(json=page([PREPARED, OF_OTHER]), headers=DATE)
    httpx_mock.add_response(json=PREPARED, headers=DATE)
    found = await client.read_many([SHIPMENT, OTHER], Purpose.settle)
    assert found[SHIPMENT] == await client.read(SHIPMENT)
    assert (list(found), found[OTHER].at, permits.purposes) == (
        [SHIPMENT, OTHER],
        THEIRS,
        [Purpose.settle, Purpose.read],
    )


async def test_what_the_list_does_not_have_is_absent(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=page([OF_OTHER]))
    assert await read_many(client, SHIPMENT, OTHER) == {OTHER: "offers_prepared"}


@pytest.mark.parametrize("item", [PREPARED | {"id": 0}, PREPARED | {"offers": [{}]}, None, "text", []])
async def test_what_cannot_be_read_takes_nobody_along(item: object, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=page([item, OF_OTHER]))
    with structlog.testing.capture_logs() as logs:
        assert await read_many(client, SHIPMENT, OTHER) == {OTHER: "offers_prepared"}
    told = next(entry for entry in logs if entry["event"] == "carrier.items_unreadable")
    assert (told["items"], told["operation"], "Kowalska" in str(logs)) == (1, "read_shipments", False)


@pytest.mark.parametrize(
    "href",
    [
        pytest.param(f"{CARRIER}/v1/organizations/4821/shipments?per_page=100", id="the filter was dropped"),
        pytest.param(f"{CARRIER}/v1/organizations/4821/shipments", id="all of them were"),
        pytest.param("", id="no link"),
        pytest.param("http://[", id="no link at all"),
        pytest.param(f"{CARRIER}/id=1/shipments?per_page=100#id=1", id="elsewhere in the link"),
    ],
)
async def test_a_list_that_was_not_filtered_is_no_answer_and_no_list_is_believed_for_the_day(
    href: str, http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    client = client_on(http, permits=permits)
    httpx_mock.add_response(json=page([PREPARED], href=href))
    assert (await unavailable(read_many(client, SHIPMENT))).reason == "filter_dropped"
    assert (client.lists_differ, await client.most_at_once(SHIPMENT)) == (True, 1)
    assert permits.outcomes == [Outcome(Verdict.answered)], "it says nothing of the account"


async def test_a_list_of_others_was_not_filtered_whatever_it_says(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=page([PREPARED, OF_OTHER]))
    assert (await unavailable(read_many(client, SHIPMENT))).reason == "filter_dropped"


@pytest.mark.parametrize("answer", [{}, [], None, {"items": []}, page([]) | {"count": None}, page([]) | {"items": {}}])
async def test_what_is_no_list_is_no_answer(answer: object, client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=answer)
    error = await unavailable(read_many(client, SHIPMENT))
    assert (error.reason, error.status, client.lists_differ) == ("not_a_list", 200, False)


async def test_links_in_a_list_are_never_followed(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=page([PREPARED], href="https://elsewhere.test/v1?id=1"))
    assert await read_many(client, SHIPMENT) == {SHIPMENT: "offers_prepared"}
    assert [one.url.host for one in httpx_mock.get_requests()] == ["carrier.test"]


async def test_ids_that_no_carrier_has_are_not_asked_for(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=page([PREPARED]))
    await read_many(client, 0, -1, 10**18, SHIPMENT, SHIPMENT)
    assert asked(httpx_mock) == [str(SHIPMENT)]


@pytest.mark.parametrize("ids", [[], [0], [10**18, -5]])
async def test_where_there_is_nothing_to_ask_nothing_is_asked(ids: Sequence[int], client: ShipxClient) -> None:
    assert await read_many(client, *ids) == {}


async def test_more_than_a_page_holds_is_not_asked_for(client: ShipxClient) -> None:
    with pytest.raises(AssertionError, match="a hundred at once"):
        await read_many(client, *range(1, 102))


class Picky:
    """A carrier that refuses a list for one id, and has all others, which are as given."""

    def __init__(self, *impossible: int, has: dict[str, Any] = PREPARED) -> None:
        self.impossible = set(map(str, impossible))
        self.has = has

    def __call__(self, request: httpx.Request) -> httpx.Response:
        ids = request.url.params["id"].split(",")
        if self.impossible & set(ids):
            return httpx.Response(400, json=INVALID)
        return httpx.Response(200, json=page([self.has | {"id": int(one)} for one in ids]))


async def test_a_list_that_is_refused_for_one_id_is_halved_until_all_others_are_read(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_callback(Picky(67), is_reusable=True)
    assert (await read_many(client, *range(1, 101))).keys() == set(range(1, 101)) - {67}
    assert len(httpx_mock.get_requests()) <= 15


async def test_a_carrier_that_refuses_every_list_is_not_asked_for_ever(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_callback(Picky(*range(1, 101)), is_reusable=True)
    assert await read_many(client, *range(1, 101)) == {}
    assert len(httpx_mock.get_requests()) == 15


@pytest.mark.parametrize(
    ("name", "status"),
    [
        ("error_resource_not_found", 404),
        ("error_token_invalid", 401),
        ("error_invalid_action", 400),
        ("error_null_details", 400),
        ("error_description", 400),
        ("error_flat_details", 422),
    ],
)
async def test_another_refusal_of_a_list_is_one(
    name: str, status: int, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=status, json=sample(name))
    error = await refused(read_many(client, SHIPMENT, OTHER))
    assert (error.key, error.status) == (sample(name)["error"], status)


# -- how many at once --------------------------------------------------------------------------------------------------


class Carrier:
    """Answers reads and lists, each with something that was changed about them; a list without the item with None."""

    def __init__(self, *reads: dict[str, Any], listed: dict[str, Any] | None, **changes: Any) -> None:
        self.reads = list(reads)
        self.listed = listed
        self.changes = changes
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        is_list = "id" in request.url.params
        self.asked.append("list" if is_list else "read")
        if not is_list:
            return httpx.Response(200, json=self.reads.pop(0) if len(self.reads) > 1 else self.reads[0])
        return httpx.Response(200, json=page([] if self.listed is None else [self.listed], **self.changes))


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in PAID.items() if key != name}


DEARER = [PAID["offers"][0] | {"rate": 99}, *PAID["offers"][1:]]


async def compared(carrier: Carrier, client: ShipxClient, httpx_mock: HTTPXMock) -> tuple[int, bool]:
    httpx_mock.add_callback(carrier, is_reusable=True)
    return await client.most_at_once(SHIPMENT), client.lists_differ


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(PAID, id="the same"),
        pytest.param(PAID | {"offers": PAID["offers"][::-1]}, id="in another order"),
        pytest.param(PAID | {"receiver": None, "href": "x", "parcels": []}, id="what purchases do not go by"),
    ],
)
async def test_where_a_list_says_the_same_as_a_read_twenty_are_asked_for_at_once(
    listed: dict[str, Any], client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    carrier = Carrier(PAID, listed=listed)
    assert await compared(carrier, client, httpx_mock) == (20, False)
    assert await client.most_at_once(OTHER) == 20
    assert carrier.asked == ["read", "list"], "once a day"


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(None, id="it is not there"),
        pytest.param(without("offers"), id="no offers"),
        pytest.param(without("selected_offer"), id="no selected offer"),
        pytest.param(without("transactions"), id="no payments"),
        pytest.param(PAID | {"transactions": None}, id="null payments"),
        pytest.param(PAID | {"offers": []}, id="empty offers"),
        pytest.param(PAID | {"offers": DEARER}, id="another price"),
        pytest.param(PAID | {"offers": [{}]}, id="unreadable"),
    ],
)
async def test_where_a_list_says_something_else_it_is_one_by_one_for_the_day_and_said_once(
    listed: dict[str, Any] | None, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    carrier = Carrier(PAID, listed=listed)
    with structlog.testing.capture_logs() as logs:
        assert await compared(carrier, client, httpx_mock) == (1, True)
        assert await client.most_at_once(SHIPMENT) == 1
    assert carrier.asked == ["read", "list", "read"]
    assert [entry["event"] for entry in logs].count("carrier.lists_differ") == 1


async def test_a_list_that_was_not_filtered_differs(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    assert await compared(Carrier(PAID, listed=PAID, href="x"), client, httpx_mock) == (1, True)


async def test_a_list_by_id_that_is_refused_differs(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=PAID)
    httpx_mock.add_response(status_code=400, json=INVALID)
    httpx_mock.add_response(json=PAID)
    assert (await client.most_at_once(SHIPMENT), client.lists_differ) == (1, True)


async def test_a_shipment_that_changed_between_the_two_proves_nothing(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    changed = sample("shipment_confirmed") | {"id": SHIPMENT}
    carrier = Carrier(PAID, changed, listed=changed)
    assert await compared(carrier, client, httpx_mock) == (1, False)
    assert await client.most_at_once(SHIPMENT) == 20, "it is tried again"


@pytest.mark.parametrize("name", ["offers", "transactions"])
@pytest.mark.parametrize("value", [[], None])
async def test_a_shipment_without_offers_or_payments_proves_nothing(
    name: str, value: list[Any] | None, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    carrier = Carrier(PAID | {name: value}, listed=None)
    assert (*await compared(carrier, client, httpx_mock), carrier.asked) == (1, False, ["read"])


@pytest.mark.parametrize(("age", "differs"), [(9, False), (10, True)])
async def test_a_list_may_be_late_for_so_long(
    age: int, differs: bool, client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    changed = (UNTOLD - timedelta(seconds=age)).isoformat()
    assert await compared(Carrier(PAID | {"updated_at": changed}, listed=None), client, httpx_mock) == (1, differs)


async def test_a_comparison_goes_before_everything_but_needs_a_sample(
    http: httpx.AsyncClient, httpx_mock: HTTPXMock
) -> None:
    permits = FreePermits()
    client = client_on(http, permits=permits)
    assert (client.wants_sample, await client.most_at_once(), permits.purposes) == (True, 1, [])
    assert await compared(Carrier(PAID, listed=PAID), client, httpx_mock) == (20, False)
    assert (client.wants_sample, await client.most_at_once()) == (False, 20)
    assert permits.purposes == [Purpose.settle, Purpose.settle]


async def test_it_is_compared_anew_the_next_day(http: httpx.AsyncClient, httpx_mock: HTTPXMock) -> None:
    today: list[datetime] = [OURS]
    client = client_on(http, clock=lambda: today[0])
    carrier = Carrier(PAID, listed=PAID)
    assert await compared(carrier, client, httpx_mock) == (20, False)
    today[0] += timedelta(days=1)
    carrier.listed = None
    assert (await client.most_at_once(SHIPMENT), client.lists_differ) == (1, True)


async def test_complete_lists_grow(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(json=PAID)
    httpx_mock.add_callback(Picky(has=PAID), is_reusable=True)
    sizes = []
    for _ in range(4):
        sizes.append(await client.most_at_once(SHIPMENT))
        await read_many(client, *range(1, sizes[-1] + 1))
    assert sizes == [20, 40, 80, 100]


async def test_who_comes_while_a_list_is_compared_does_not_wait_and_asks_for_one(
    client: ShipxClient, httpx_mock: HTTPXMock
) -> None:
    carrier = Carrier(PAID, listed=PAID)

    async def meanwhile(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(0)  # whoever else asks comes here
        return carrier(request)

    httpx_mock.add_callback(meanwhile, is_reusable=True)
    assert await asyncio.gather(*(client.most_at_once(SHIPMENT) for _ in range(3))) == [20, 1, 1]
    assert carrier.asked == ["read", "list"]


async def test_a_comparison_that_failed_is_made_again(client: ShipxClient, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(status_code=502)
    await unavailable(client.most_at_once(SHIPMENT))
    assert await compared(Carrier(PAID, listed=PAID), client, httpx_mock) == (20, False)
