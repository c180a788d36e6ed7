"""Orders over HTTP: told once under one key, read, added to and deleted; each no as a user expects it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bridge.carriers.intelligentreturns.formats import Name
from tests.unit.shipping.checkouts import ORDER, ORDERS, SHIRT, SOCKS, counter
from tests.unit.shipping.returning import CODES, PLATFORM, SENDER, TICKETS

PATH = f"{ORDERS}/ORDER123"
FORMATS: tuple[Name, ...] = ("json", "xml")


@pytest.mark.parametrize("form", FORMATS)
async def test_an_order_is_told_once_under_one_key(tmp_path: Path, form: Name) -> None:
    async with counter(tmp_path, form=form) as at:
        first = await at.ask("POST", ORDERS, ORDER, key="k-1")
        again = await at.ask("POST", ORDERS, ORDER, key="k-1")
        assert (first.status_code, again.status_code) == (201, 200), first.text
        assert (
            first.json()
            == again.json()
            == {"reference": "ORDER123", "provider": PLATFORM, "connection": "main", "provider_reference": "10000"}
        )
        assert (await at.ask("POST", ORDERS, ORDER | {"reference": "B"}, key="k-1")).status_code == 409
        assert (await at.ask("POST", ORDERS, ORDER)).status_code == 400
        assert await at.deeds() == {"order_saved": 1}


@pytest.mark.parametrize("form", FORMATS)
async def test_an_order_is_read_with_its_customer_by_those_alone_who_may_see_people(tmp_path: Path, form: Name) -> None:
    async with counter(tmp_path, form=form) as at:
        told = await at.told(ORDERS, ORDER | {"provider_options": {"rma": "R-77"}}, "k-1")
        shown = (await at.ask("GET", PATH)).json()
        assert shown == {
            **told,
            "ordered_at": "2026-03-01T08:30:00Z",
            "currency": "EUR",
            "customer": {
                "name": "Jan Nowak",
                "company_name": None,
                "phone": "+48500100200",
                "email": "jan@example.com",
                "address": {
                    "country_code": "PL",
                    "state": None,
                    "post_code": "30-300",
                    "city": "Kraków",
                    "suburb": None,
                    "lines": ["Lwowska 10"],
                },
            },
            "rma": "R-77",
            "items": [
                {
                    "sku": "SKU-1",
                    "name": "Shirt M",
                    "quantity": 2,
                    "price": {"amount": "100", "currency": "EUR"},
                    "weight": "0.3",
                    "weight_unit": "K",
                    "hs_code": None,
                    "country_of_origin": "CN",
                }
            ],
        }
        assert (await at.ask("GET", PATH, token="reader")).json() == shown | {"customer": None, "rma": None}


async def test_an_order_of_which_only_a_return_is_known_is_read_as_far_as_it_is(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.returned(items=[SHIRT], provider_options={"add_items_data_to_order": True})
        shown = (await at.ask("GET", PATH)).json()
        assert (shown["ordered_at"], shown["currency"]) == (None, None)
        assert [(one["sku"], one["price"]) for one in shown["items"]] == [("SKU-1", None)]


async def test_more_articles_are_added_once(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        told = await at.told(ORDERS, ORDER, "k-1")
        more = {"items": [SOCKS]}
        assert await at.told(f"{PATH}/items", more, "k-2") == told
        assert (await at.ask("POST", f"{PATH}/items", more, key="k-2")).status_code == 200
        assert [one["sku"] for one in (await at.ask("GET", PATH)).json()["items"]] == ["SKU-1", "SKU-2"]
        twice = await at.ask("POST", f"{PATH}/items", more, key="k-3")
        assert (twice.status_code, twice.json()["type"]) == (409, "/problems/already-there")
        assert [one["field"] for one in twice.json()["errors"]] == ["items"]
        nowhere = await at.ask("POST", f"{ORDERS}/OTHER/items", more, key="k-4")
        assert (nowhere.status_code, nowhere.json()["type"]) == (404, "/problems/not-found")
        assert (await at.ask("POST", f"{PATH}/items", more)).status_code == 400


async def test_one_order_has_a_reference_until_it_is_overwritten(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        told = await at.told(ORDERS, ORDER, "k-1")
        other = ORDER | {"items": [SOCKS]}
        twice = await at.ask("POST", ORDERS, other, key="k-2")
        assert (twice.status_code, twice.json()["type"]) == (409, "/problems/already-there")
        assert [one["field"] for one in twice.json()["errors"]] == ["reference"]
        assert (await at.ask("POST", ORDERS, other, key="k-2")).json() == twice.json()
        assert await at.told(ORDERS, other | {"overwrite": True}, "k-3") == told
        assert [one["sku"] for one in (await at.ask("GET", PATH)).json()["items"]] == ["SKU-2"]


async def test_an_order_is_deleted_and_to_delete_it_again_does_no_harm(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.told(ORDERS, ORDER, "k-1")
        first = await at.ask("DELETE", PATH, key="k-2")
        assert (first.status_code, first.json()["outcome"]) == (200, "done")
        assert first.json()["result"] == {"reference": "ORDER123", "provider": PLATFORM, "deleted": True}
        assert (await at.ask("DELETE", PATH, key="k-2")).json() == first.json()
        again = await at.ask("DELETE", PATH)
        assert (again.status_code, again.json()["type"]) == (404, "/problems/not-found")
        assert (await at.ask("GET", PATH)).status_code == 404
        assert (await at.deeds())["order_deleted"] == 1


async def test_what_came_back_keeps_its_order(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.told(ORDERS, ORDER, "k-1")
        await at.returned(items=[SHIRT])
        deleting = await at.ask("DELETE", PATH)
        overwriting = await at.ask("POST", ORDERS, ORDER | {"items": [SOCKS], "overwrite": True}, key="k-2")
        for answer in (deleting, overwriting):
            assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-changeable")
        assert (await at.ask("GET", PATH)).status_code == 200


async def test_a_reference_may_have_a_slash(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.told(ORDERS, ORDER | {"reference": "2026/1"}, "k-1")
        await at.told(f"{ORDERS}/2026%2F1/items", {"items": [SOCKS]}, "k-2")
        assert len((await at.ask("GET", f"{ORDERS}/2026%2F1")).json()["items"]) == 2
        assert (await at.ask("DELETE", f"{ORDERS}/2026%2F1")).status_code == 200


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"reference": None}, ["reference"]),
        ({"reference": ""}, ["reference"]),
        ({"reference": "x" * 256}, ["reference"]),
        ({"ordered_at": "2026-03-01"}, ["ordered_at"]),
        ({"currency": "euro"}, ["currency"]),
        ({"items": []}, ["items"]),
        ({"items": [SHIRT | {"price": None}]}, ["items.0.price"]),
        ({"items": [SHIRT | {"price": {"amount": "1", "currency": "PLN"}}]}, ["items.0.price.currency"]),
        ({"items": [SHIRT | {"reasons": []}]}, ["items.0.reasons"]),
        ({"items": [SHIRT, SHIRT | {"country_of_origin": "PL"}]}, ["items.1"]),
        ({"customer": {"email": "nobody"}}, ["customer.email"]),
        ({"customer": SENDER | {"address": {"country_code": "US", "state": "Ohio"}}}, ["customer.address.state"]),
        ({"overwrite": "yes"}, ["overwrite"]),
        ({"provider_options": {"currency_code": "EUR"}}, ["provider_options.currency_code"]),
        ({"provider_options": {"free_return": "perhaps"}}, ["provider_options.free_return"]),
        ({"colour": "red"}, ["colour"]),
    ],
)
async def test_a_bad_field_is_named_and_its_key_stays_free(
    tmp_path: Path, changes: dict[str, Any], fields: list[str]
) -> None:
    async with counter(tmp_path) as at:
        answer = await at.ask("POST", ORDERS, ORDER | changes, key="k-1")
        assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (422, fields)
        assert await at.calls() == []
        await at.told(ORDERS, ORDER, "k-1")


async def test_what_no_order_is_called_is_not_found_without_asking(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        for reference in ("x" * 256, "%00", "%20"):
            for method in ("GET", "DELETE"):
                assert (await at.ask(method, f"{ORDERS}/{reference}")).status_code == 404
            more = await at.ask("POST", f"{ORDERS}/{reference}/items", {"items": [SOCKS]}, key="k")
            assert more.status_code == 404
        assert await at.calls() == []


async def test_a_no_of_the_provider_that_is_about_the_order_uses_the_key_up(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.refuse("orders/create", "item_invalid", message="Check fields: quantity,price")
        for _ in range(2):
            answer = await at.ask("POST", ORDERS, ORDER, key="k-1")
            assert (answer.status_code, answer.json()["type"]) == (422, "/problems/carrier-refused")
        assert answer.json()["errors"][0]["field"] == "items"


async def test_a_no_that_may_be_a_yes_later_leaves_the_key_free(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        await at.refuse("orders/create", "cannot_create_order")
        answer = await at.ask("POST", ORDERS, ORDER, key="k-1")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/nothing-sent")
        assert int(answer.headers["retry-after"]) >= 1
        await at.told(ORDERS, ORDER, "k-1")
        await at.refuse("orders/get", "access_denied")
        assert (await at.ask("GET", PATH)).status_code == 503
        await at.refuse("orders/delete", "access_denied")
        answer = await at.ask("DELETE", PATH, None, key="k-2")
        assert (answer.status_code, answer.json()["type"]) == (503, "/problems/nothing-sent")


async def test_orders_are_for_tokens_that_are_for_all_organizations(tmp_path: Path) -> None:
    requests: list[tuple[str, str, Any]] = [
        ("POST", ORDERS, ORDER),
        ("GET", PATH, None),
        ("POST", f"{PATH}/items", {"items": [SOCKS]}),
        ("DELETE", PATH, None),
    ]
    async with counter(tmp_path) as at:
        for method, path, asked in requests:
            for token in ("ours", "reader" if method != "GET" else "writer"):
                assert (await at.ask(method, path, asked, key="k-1", token=token)).status_code == 403
            assert (await at.ask(method, path, asked, key="k-1", token="nobody")).status_code == 401
        assert await at.calls() == []
        assert (await at.ask("POST", ORDERS, ORDER, key="k-1", token="writer")).status_code == 201


async def test_another_provider_knows_no_orders(tmp_path: Path) -> None:
    async with counter(tmp_path) as at:
        for provider in (TICKETS, CODES):
            for answer in (
                await at.ask("POST", ORDERS, ORDER | {"provider": provider}, key="k-1"),
                await at.ask("POST", f"{PATH}/items", {"items": [SOCKS], "provider": provider}, key="k-1"),
                await at.ask("GET", PATH, provider=provider),
                await at.ask("DELETE", PATH, provider=provider),
            ):
                assert (answer.status_code, answer.json()["type"]) == (409, "/problems/not-supported")
    async with counter(tmp_path, only=TICKETS) as at:
        answer = await at.ask("POST", ORDERS, ORDER, key="k-1")
        assert (answer.status_code, "intelligentreturns" in answer.json()["detail"]) == (409, True)
