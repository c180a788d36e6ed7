"""Faults that calls meet: asked for, or left to chance; and the record of calls."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import httpx
import pytest

from bridge.simulator.documents import Document
from bridge.simulator.faults import NEVER_REACH, CallKind

from .stage import DRAFT, PREPAID, Json, Stage, as_object, error_of, offer_id, scenario

BUY = "/v1/shipments/*/buy"
HTML = "text/html; charset=utf-8"
JSON = "application/json"


async def fail(stage: Stage, **fault: Any) -> None:
    """Ask for a fault."""
    answer = await stage.client.post("/_control/faults", json=fault)
    assert answer.status_code == 200, answer.text


async def begun(call: Coroutine[Any, Any, httpx.Response]) -> asyncio.Task[httpx.Response]:
    """Let a call go as far as it can without time passing."""
    task = asyncio.create_task(call)
    for _ in range(50):
        await asyncio.sleep(0)
    return task


async def met(stage: Stage) -> list[Document]:
    """List the faults that were met."""
    items = (await stage.control("faults/met"))["items"]
    assert isinstance(items, list)
    return items


ANSWERED = [
    ("unavailable", 503, HTML, "never gets there"),
    ("limited", 429, HTML, "never gets there"),
    ("failed", 500, JSON, "never gets there, in the envelope of errors"),
    ("lost", 502, HTML, "is done"),
    ("crashed", 500, JSON, "is done, in the envelope of errors"),
    ("page", 200, HTML, "is done"),
    ("garbled", 200, JSON, "is done"),
    ("unready", 400, JSON, "never gets there"),
    ("cut", 200, JSON, "is done"),
]


@pytest.mark.parametrize(("kind", "status", "content_type", "_remark"), ANSWERED)
async def test_a_purchase_with_a_wrong_answer_was_done_or_not_by_its_kind(
    stage: Stage, kind: CallKind, status: int, content_type: str, _remark: str
) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind=kind, method="POST", path=BUY)
    answer = await stage.buy(shipment)
    assert (answer.status_code, answer.headers["content-type"]) == (status, content_type)
    await stage.advance(60)
    assert len(await stage.charges()) == (kind not in NEVER_REACH)


@pytest.mark.parametrize(("kind", "charges"), [("dropped", 0), ("hung_up", 1)])
async def test_a_connection_can_be_closed_before_and_after_a_purchase(stage: Stage, kind: str, charges: int) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind=kind, method="POST", path=BUY)
    with pytest.raises(httpx.RemoteProtocolError):
        await stage.buy(shipment)
    await stage.advance(60)
    assert len(await stage.charges()) == charges
    assert (await stage.control("calls?after=2"))["items"][0]["status"] is None


@pytest.mark.parametrize("kind", ["cut", "page"])
async def test_a_body_with_200_can_be_unreadable(stage: Stage, kind: str) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind=kind)
    answer = await stage.client.get(f"/v1/shipments/{shipment['id']}")
    assert answer.status_code == 200
    assert 0 < len(answer.content) == int(answer.headers["content-length"])
    with pytest.raises(json.JSONDecodeError):
        answer.json()


async def test_half_of_an_empty_answer_is_unreadable_too(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="cut", method="DELETE")
    answer = await stage.client.delete(f"/v1/shipments/{shipment['id']}")
    assert (answer.status_code, answer.content) == (200, b"{")
    assert (await stage.read(shipment["id"]))["status"] == "canceled"


async def test_a_failed_call_has_the_envelope_of_errors(stage: Stage) -> None:
    await fail(stage, kind="failed")
    assert error_of(await stage.client.get("/v1/organizations")) == (500, "internal_server_error")


@pytest.mark.parametrize(("seconds", "header"), [(None, "1"), ([30, 30], "30"), ([0.2, 0.2], "1")])
async def test_a_limited_call_says_in_whole_seconds_when_to_come_back(
    stage: Stage, seconds: list[float] | None, header: str
) -> None:
    await fail(stage, kind="limited", seconds=seconds)
    assert (await stage.client.get("/v1/organizations")).headers["retry-after"] == header


async def test_a_slow_answer_comes_late_and_what_it_confirms_is_done_at_once(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="slow", method="POST", seconds=[4, 4])
    buying = await begun(stage.buy(shipment))
    await stage.advance(3.9)
    assert (buying.done(), len(await stage.charges())) == (False, 1)
    assert (await stage.control("idle"))["idle"] is False
    await stage.advance(0.1)
    assert as_object(await buying)["status"] == "offers_prepared", "the answer as it was when the call came"


async def test_a_late_call_is_done_late_even_when_its_sender_has_given_up(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="late", method="POST", seconds=[4, 4])
    buying = await begun(stage.buy(shipment))
    buying.cancel()
    await stage.advance(3.9)
    assert await stage.charges() == []
    await stage.advance(1)
    assert len(await stage.charges()) == 1
    assert buying.cancelled()


async def test_a_sender_who_gives_up_a_slow_call_leaves_nothing_behind(stage: Stage) -> None:
    await fail(stage, kind="slow", seconds=[4, 4])
    asking = await begun(stage.client.get("/v1/organizations"))
    asking.cancel()
    await asyncio.wait([asking])
    await stage.advance(5)
    assert (await stage.control("idle"))["idle"] is True
    assert [(one["path"], one["status"]) for one in (await stage.control("calls"))["items"]] == [
        ("/v1/organizations", None)
    ]


async def test_a_woken_call_is_done_before_the_next_thing_is_due(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="late", method="POST", seconds=[4, 4])
    buying = await begun(stage.buy(shipment))
    await stage.advance(3600)
    await buying
    charged_at = (await stage.control("charges"))["items"][0]["at"]
    assert charged_at == "2026-03-18T11:32:03.879000+00:00", "0.6 s after the call got there"


async def test_a_failure_is_used_up(stage: Stage) -> None:
    await fail(stage, kind="unavailable", path="/v1/organizations*", times=2)
    statuses = [(await stage.client.get("/v1/organizations")).status_code for _ in range(3)]
    assert (statuses, (await stage.control("faults"))["items"]) == ([503, 503, 200], [])


async def test_what_was_asked_for_comes_before_what_is_left_to_chance() -> None:
    calls = [{"kind": "unavailable", "share": 1, "path": "/v1/organizations"}]
    async with Stage(scenario(faults={"calls": calls})) as stage:
        await fail(stage, kind="limited")
        statuses = [(await stage.client.get("/v1/organizations")).status_code for _ in range(2)]
        assert statuses == [429, 503]
        assert (await stage.client.get(f"/v1/organizations/{PREPAID}")).status_code == 200


async def test_a_call_meets_the_first_fault_that_it_draws() -> None:
    calls = [{"kind": kind, "share": share} for kind, share in [("lost", 0), ("limited", 1), ("unavailable", 1)]]
    async with Stage(scenario(faults={"calls": calls})) as stage:
        assert (await stage.client.get("/v1/organizations")).status_code == 429


@pytest.mark.parametrize("path", ["/v1/statuses", "/v1/tracking/1", "/v1/nowhere"])
async def test_every_path_of_the_carrier_can_meet_a_fault(stage: Stage, path: str) -> None:
    await fail(stage, kind="unavailable")
    assert (await stage.client.get(path)).status_code == 503


async def test_healing_ends_what_was_asked_for_and_what_was_left_to_chance() -> None:
    odds = {"share": 1.0}
    webhooks = {"missing": odds, "delayed": odds, "repeated": odds, "reordered": odds, "bursts": odds}
    calls = [{"kind": "unavailable", "share": 1}]
    async with Stage(scenario(faults={"calls": calls, "hidden": odds, "webhooks": webhooks})) as stage:
        await fail(stage, kind="limited", times=1000)
        table = (await stage.client.delete("/_control/faults")).json()
        assert (table["items"], table["table"]["calls"], table["table"]["hidden"]["share"]) == ([], [], 0)
        await stage.bought()
        await stage.advance(60)
        assert stage.events() == ["offers_prepared", "shipment_confirmed"]
        assert (await met(stage), stage.simulator.idle) == ([], True)


async def test_what_is_left_to_chance_can_be_changed_while_running(stage: Stage) -> None:
    table = {"calls": [{"kind": "lost", "share": 1, "method": "POST", "path": BUY}]}
    shown = as_object(await stage.client.put("/_control/faults", json=table))
    assert shown["table"]["calls"] == [{"kind": "lost", "method": "POST", "path": BUY, "seconds": None, "share": 1.0}]
    assert (await stage.buy(await stage.prepared())).status_code == 502


@pytest.mark.parametrize(
    "fault",
    [
        {},
        {"kind": "flood"},
        {"kind": "missing"},
        {"kind": "lost", "times": 0},
        {"kind": "lost", "x": 1},
        {"kind": "lost", "share": 1},
        {"kind": "lost", "seconds": [1, 2]},
        {"kind": "slow", "seconds": [2, 1]},
        {"kind": "slow", "seconds": [0, 3601]},
    ],
)
async def test_an_unknown_failure_is_refused(stage: Stage, fault: Json) -> None:
    assert error_of(await stage.client.post("/_control/faults", json=fault)) == (400, "validation_failed")


@pytest.mark.parametrize(
    "table",
    [
        {"calls": [{"kind": "lost"}]},
        {"calls": [{"kind": "lost", "share": 2}]},
        {"hidden": {"share": 0.5, "seconds": [3, 1]}},
        {"webhooks": {"missing": {"share": 0.5, "seconds": [1, 2]}}},
        {"webhooks": {"bursts": {"share": 0.5, "statuses": [4, 2]}}},
        {"webhooks": {"bursts": {"share": 0.5, "statuses": [1, 2]}}},
        {"weather": {}},
    ],
)
async def test_a_wrong_table_is_refused(stage: Stage, table: Json) -> None:
    assert error_of(await stage.client.put("/_control/faults", json=table)) == (400, "validation_failed")


async def test_every_fault_that_was_met_is_recorded(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="limited", method="POST", seconds=[7, 7])
    await fail(stage, kind="lost", path="/v1/organizations")
    await stage.buy(shipment)
    await stage.client.get("/v1/organizations")
    at = "2026-03-18T11:31:59.279000+00:00"
    path = f"/v1/shipments/{shipment['id']}/buy"
    first = {"id": 1, "kind": "limited", "about": f"POST {path}", "shipment_id": shipment["id"], "reached": False}
    second = {"id": 2, "kind": "lost", "about": "GET /v1/organizations", "shipment_id": None, "reached": True}
    assert await met(stage) == [{**first, "seconds": 7.0, "at": at}, {**second, "seconds": None, "at": at}]
    assert (await stage.control("faults/met?after=1"))["items"] == [{**second, "seconds": None, "at": at}]


async def test_every_call_is_recorded_with_its_answer(stage: Stage) -> None:
    shipment = await stage.prepared()
    await fail(stage, kind="limited", method="POST")
    await stage.buy(shipment)
    await stage.buy(shipment)
    seen = [(one["method"], one["status"], one["fault"]) for one in (await stage.control("calls?after=2"))["items"]]
    assert seen == [("POST", 429, "limited"), ("POST", 200, None)]


async def test_an_answer_that_was_replaced_has_the_carriers_headers(stage: Stage) -> None:
    for kind in ("slow", "cut", "lost"):
        await fail(stage, kind=kind, **({"seconds": [0, 0]} if kind == "slow" else {}))
        asking = await begun(stage.client.get("/v1/organizations", headers={"X-Request-ID": "mine"}))
        await stage.advance(0)
        answer = await asking
        assert answer.headers.get_list("date") == ["Wed, 18 Mar 2026 11:31:58 GMT"]
        assert answer.headers.get_list("x-request-id") == ["mine"]


async def bulk_buy(stage: Stage, *shipments: Json) -> httpx.Response:
    items = [
        {"id": number, "shipment_id": one["id"], "offer_id": offer_id(one, "inpost_courier_standard")}
        for number, one in enumerate(shipments, 1)
    ]
    return await stage.client.post(f"/v1/organizations/{PREPAID}/shipments/bulk_buy", json={"shipments": items})


@pytest.mark.parametrize(("kind", "status", "_type", "_remark"), ANSWERED)
async def test_a_bulk_purchase_with_a_wrong_answer_was_done_or_not_by_its_kind(
    stage: Stage, kind: CallKind, status: int, _type: str, _remark: str
) -> None:
    shipments = [await stage.prepared(), await stage.prepared()]
    await fail(stage, kind=kind, path="*/bulk_buy")
    assert (await bulk_buy(stage, *shipments)).status_code == status
    await stage.advance(1)
    assert len(await stage.charges()) == (0 if kind in NEVER_REACH else 2)


@pytest.mark.parametrize(("kind", "charges"), [("dropped", 0), ("hung_up", 2)])
async def test_a_connection_can_be_closed_before_and_after_a_bulk_purchase(
    stage: Stage, kind: str, charges: int
) -> None:
    shipments = [await stage.prepared(), await stage.prepared()]
    await fail(stage, kind=kind, path="*/bulk_buy")
    with pytest.raises(httpx.RemoteProtocolError):
        await bulk_buy(stage, *shipments)
    await stage.advance(1)
    assert len(await stage.charges()) == charges


# -- offers that spoil -------------------------------------------------------------------------------------------------

COURIER, LOCKER = "inpost_courier_standard", "inpost_locker_standard"
COURIERS_SPOIL = {"offers_spoil": {"share": 1, "of": ["inpost_courier_*"]}}


async def test_an_offer_may_be_gone_between_being_read_and_being_bought() -> None:
    async with Stage(scenario(faults=COURIERS_SPOIL)) as stage:
        shipment = await stage.prepared()
        assert {one["service"]["id"]: one["status"] for one in shipment["offers"]}[COURIER] == "available"
        for _ in range(2):
            assert error_of(await stage.buy(shipment, COURIER)) == (400, "offer_unavailable")
        after = await stage.read(shipment["id"])
        gone = next(one for one in after["offers"] if one["service"]["id"] == COURIER)
        assert (after["status"], gone["status"], gone["expires_at"], gone["rate"]) == (
            "offers_prepared",
            "unavailable",
            None,
            None,
        )
        assert (await stage.buy(after, LOCKER)).status_code == 200, "the others are still there"
        assert [(one["kind"], one["about"], one["reached"]) for one in await met(stage)] == [("spoiled", COURIER, True)]


@pytest.mark.parametrize("refusals", ["named", "unnamed"])
async def test_one_offer_that_is_gone_refuses_a_bulk_purchase(refusals: str) -> None:
    async with Stage(scenario(faults=COURIERS_SPOIL, purchases={"bulk_refusals": refusals})) as stage:
        shipments = [await stage.prepared(), await stage.prepared()]
        answer = await bulk_buy(stage, *shipments)
        assert error_of(answer) == (400, "offer_unavailable")
        gone = [{"offer_id": ["invalid"]}]
        named = {"shipments": [{"1": gone, "2": gone}]} if refusals == "named" else {}
        assert as_object(answer)["details"] == named
        await stage.advance(60)
        assert await stage.charges() == []


async def test_a_selection_meets_it_too_and_what_is_selected_does_not_spoil() -> None:
    async with Stage(scenario(faults=COURIERS_SPOIL)) as stage:
        shipment = await stage.prepared()
        path = f"/v1/shipments/{shipment['id']}/select_offer"
        refused, selected = [
            await stage.client.post(path, json={"offer_id": offer_id(shipment, service)})
            for service in (COURIER, LOCKER)
        ]
        assert (refused.status_code, selected.status_code) == (400, 200)
        table = {"offers_spoil": {"share": 1}}
        await stage.client.put("/_control/faults", json=table)
        assert (await stage.buy(shipment, LOCKER)).status_code == 200


async def test_a_purchase_that_runs_is_not_undone_by_an_offer_that_spoils(stage: Stage) -> None:
    shipment = await stage.prepared()
    await stage.buy(shipment)
    await stage.client.put("/_control/faults", json={"offers_spoil": {"share": 1}})
    assert error_of(await stage.buy(shipment)) == (400, "offer_unavailable")
    await stage.advance(1)
    assert (await stage.read(shipment["id"]))["status"] == "confirmed"


async def test_the_carriers_own_purchase_does_not_meet_it() -> None:
    async with Stage(scenario(faults={"offers_spoil": {"share": 1}})) as stage:
        shipment = await stage.create(service=COURIER)
        await stage.advance(2)
        assert (await stage.read(shipment["id"]))["status"] == "confirmed"


async def tries_to_buy(*, beside_others: bool) -> list[list[int]]:
    """Buy twelve shipments, each with new offers after a refusal, and give the status of every attempt."""
    found = []
    async with (
        Stage(scenario(faults={"offers_spoil": {"share": 0.5}}), seed=7) as stage,
        stage.client_of("postpaid") as others,
    ):
        for _ in range(12):
            if beside_others:
                await others.post("/v1/organizations/4822/shipments", json=DRAFT)
            shipment = await stage.prepared()
            found.append([(await stage.buy(shipment)).status_code])
            while found[-1][-1] == 400 and len(found[-1]) < 4:
                await stage.client.put(f"/v1/shipments/{shipment['id']}", json={})
                await stage.advance(1)
                found[-1].append((await stage.buy(await stage.read(shipment["id"]))).status_code)
    return found


async def test_which_offers_spoil_follows_from_the_seed_and_new_ones_are_others() -> None:
    alone = await tries_to_buy(beside_others=False)
    assert {1, 2} < {len(tries) for tries in alone}
    assert await tries_to_buy(beside_others=True) == alone


# -- answers that take their time --------------------------------------------------------------------------------------


async def test_every_answer_takes_its_time_and_what_it_confirms_is_done_at_once() -> None:
    async with Stage(scenario(delays={"answer": [0.2, 0.2]})) as stage:
        creating = await begun(stage.client.post(f"/v1/organizations/{PREPAID}/shipments", json=DRAFT))
        await stage.advance(0.19)
        assert (creating.done(), len((await stage.control("state"))["shipments"])) == (False, 1)
        await stage.advance(0.01)
        assert (await creating).headers["date"] == "Wed, 18 Mar 2026 11:31:58 GMT"


async def test_an_answer_takes_at_least_and_at_most_so_long() -> None:
    async with Stage(scenario(delays={"answer": [0.1, 0.3]})) as stage:
        asking = [await begun(stage.client.get("/v1/organizations")) for _ in range(20)]
        done = []
        for seconds in (0.09, 0.1, 0.11):
            await stage.advance(seconds)
            await asyncio.gather(*(one for one in asking if one.done()))
            done.append(sum(one.done() for one in asking))
        assert (done[0], 0 < done[1] < 20, done[2]) == (0, True, 20)


async def test_a_slow_answer_is_slower_by_that_much() -> None:
    async with Stage(scenario(delays={"answer": [0.2, 0.2]})) as stage:
        await fail(stage, kind="slow", seconds=[1, 1])
        await fail(stage, kind="limited")
        slow, limited = [await begun(stage.client.get("/v1/organizations")) for _ in range(2)]
        await stage.advance(0.2)
        assert (slow.done(), (await limited).status_code) == (False, 429)
        await stage.advance(1)
        assert (await slow).status_code == 200


# -- files -------------------------------------------------------------------------------------------------------------


async def label_of(stage: Stage, shipment: Json) -> httpx.Response:
    return await stage.client.get(f"/v1/shipments/{shipment['id']}/label")


async def test_a_label_can_be_unready(stage: Stage) -> None:
    shipment = await stage.bought()
    await fail(stage, kind="unready", path="*/label")
    answer = await label_of(stage, shipment)
    assert (error_of(answer), as_object(answer)["details"]) == ((400, "label_generation_failed"), None)
    assert (await label_of(stage, shipment)).status_code == 200


async def test_a_label_can_begin_as_no_label_does(stage: Stage) -> None:
    shipment = await stage.bought()
    real = await label_of(stage, shipment)
    await fail(stage, kind="garbled", path="*/label")
    garbled = await label_of(stage, shipment)
    assert (garbled.status_code, garbled.headers["content-type"]) == (200, "application/pdf")
    assert (len(garbled.content), garbled.content[:8]) == (len(real.content), b"\0" * 8)
    assert garbled.content[8:] == real.content[8:]


@pytest.mark.parametrize(("kind", "begins"), [("page", b"<html>"), ("cut", b"%PDF-")])
async def test_a_label_can_be_a_page_or_end_early(stage: Stage, kind: str, begins: bytes) -> None:
    shipment = await stage.bought()
    real = await label_of(stage, shipment)
    await fail(stage, kind=kind, path="*/label")
    answer = await label_of(stage, shipment)
    assert (answer.status_code, answer.content.startswith(begins)) == (200, True)
    assert len(answer.content) < len(real.content)


async def test_every_new_write_can_be_done_and_not_confirmed(stage: Stage) -> None:
    """What a caller is answered and what was done are two things, for every call by its path."""
    calls = [(f"/v1/organizations/{PREPAID}/shipments", DRAFT, "shipment_created")]
    calls.append((f"/v1/organizations/{PREPAID}/batches", {"shipments": [{**DRAFT, "id": 1}]}, "batch_created"))
    for path, body, act in calls:
        await fail(stage, kind="lost", method="POST", path=path)
        assert (await stage.client.post(path, json=body)).status_code == 502
        await fail(stage, kind="unavailable", method="POST", path=path)
        assert (await stage.client.post(path, json=body)).status_code == 503
        assert act in (await stage.control("deeds"))["counts"]
    assert (await stage.control("deeds"))["counts"] == {"shipment_created": 2, "batch_created": 1}
