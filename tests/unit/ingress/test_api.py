"""The inbox for operators: lists in pages, one delivery with its verdict, and once more from the beginning."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bridge.store.sealed import Vault
from bridge.web.access import EVERY_SCOPE
from tests.unit.ingress.stage import (
    CARRIER,
    NOW,
    OPERATOR,
    ORGANIZATION,
    OTHER,
    OTHER_SECRET,
    SHIPMENT,
    STRANGER,
    Stage,
    client_of,
    told,
)

LIST = "/v1/deliveries"
CLIENTS = [
    client_of("reader", ["read"]),
    client_of("reader-of-4822", ["read", "admin", "personal:read"], [4822]),
    client_of("no-reader", EVERY_SCOPE - {"read", "admin"}),
    client_of("no-admin", EVERY_SCOPE - {"admin"}),
    client_of("no-person", EVERY_SCOPE - {"personal:read"}),
]


async def send(stage: Stage, body: object, **how: Any) -> str:
    stage.now += timedelta(seconds=1)
    return str((await stage.post(body, **how)).json()["delivery_id"])


async def listed(stage: Stage, token: str = OPERATOR, **params: str) -> dict[str, Any]:
    response = await stage.ask("GET", LIST, token=token, params=params)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


def ids(page: dict[str, Any]) -> list[str]:
    return [one["delivery_id"] for one in page["items"]]


async def replay(stage: Stage, delivery: str, token: str = OPERATOR) -> tuple[int, dict[str, Any]]:
    response = await stage.ask("POST", f"{LIST}/{delivery}/replay", token=token)
    return response.status_code, response.json()


async def test_a_delivery_is_shown_with_its_verdict(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        delivery = await send(stage, told())
        await send(stage, told())
        await stage.project()
        response = await stage.ask("GET", f"{LIST}/{delivery}", token=OPERATOR)
        assert response.json() == {
            "delivery_id": delivery,
            "state": "done",
            "organization_id": ORGANIZATION,
            "event": "shipment_status_changed",
            "shipment_id": SHIPMENT,
            "occurred_at": "2026-11-20T11:00:00Z",
            "received_at": "2026-11-20T12:00:01Z",
            "repeats": 1,
            "verdict": "projected",
            "peer": None,
            "replayed_as": None,
            "body": stage.rows("SELECT data FROM sealed")[0].decode(),
        }


async def test_a_parked_one_is_shown_with_its_reason(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        delivery = await send(stage, b"\xff not json", peer=STRANGER)
        response = await stage.ask("GET", f"{LIST}/{delivery}", token=OPERATOR)
        assert response.json() == {
            "delivery_id": delivery,
            "state": "parked",
            "organization_id": ORGANIZATION,
            "event": None,
            "shipment_id": None,
            "occurred_at": None,
            "received_at": "2026-11-20T12:00:01Z",
            "repeats": 0,
            "verdict": "outside_networks",
            "peer": STRANGER,
            "replayed_as": None,
            "body": "\\xff not json",
        }


# --- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 8, 500])
@pytest.mark.parametrize("state", [None, "pending", "parked"])
async def test_pages_of_any_size_give_everything_once_the_newest_first(
    tmp_path: Path, limit: int, state: str | None
) -> None:
    async with Stage(tmp_path) as stage:
        sent = []
        for second in range(7):
            stage.now -= timedelta(seconds=second % 2)  # some share their moment
            is_parked = state == "parked" or (state is None and second % 3 == 0)
            sent.append(await send(stage, told(second=second), peer=STRANGER if is_parked else CARRIER))
        found: list[str] = []
        params = {"limit": str(limit)} | ({"state": state} if state else {})
        while True:
            page = await listed(stage, **params)
            found += ids(page)
            if page["next"] is None:
                break
            params["after"] = page["next"]
        assert len(found) == len(set(found))
        assert set(found) == set(sent)
        both = "SELECT id, received_at FROM deliveries UNION ALL SELECT id, received_at FROM parked"
        assert found == stage.rows(f"SELECT id FROM ({both}) ORDER BY received_at DESC, id DESC")


async def test_states_are_told_apart(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        failed = await send(stage, told(second=1))
        stage.change("DELETE FROM sealed")
        done = await send(stage, told(second=2))
        await stage.project()
        pending = await send(stage, told(second=3))
        parked = await send(stage, b"{")
        found = {state: ids(await listed(stage, state=state)) for state in ("pending", "done", "failed", "parked")}
        assert found == {"pending": [pending], "done": [done], "failed": [failed], "parked": [parked]}
        assert ids(await listed(stage)) == [parked, pending, done, failed], "all of them where no state is named"


BAD = [
    # parameter, value, code, remark
    ("state", "lost", "unknown_value", "a state there is not"),
    ("state", "", "unknown_value", "an empty state"),
    ("limit", "0", "out_of_range", "nothing"),
    ("limit", "501", "out_of_range", "too much"),
    ("limit", "ten", "out_of_range", "a word"),
    ("limit", "0000000011000", "out_of_range", "too much behind zeros"),
    ("limit", "0" * 5000 + "1", "out_of_range", "more than Python reads"),
    ("after", "x", "bad_cursor", "no cursor"),
    ("after", "-1.a", "bad_cursor", "before time"),
    ("after", "9" * 19 + ".a", "bad_cursor", "after time"),
]


@pytest.mark.parametrize(("name", "value", "code", "remark"), BAD, ids=[row[-1] for row in BAD])
async def test_what_cannot_be_a_list_is_a_problem_with_the_field(
    tmp_path: Path, name: str, value: str, code: str, remark: str
) -> None:
    async with Stage(tmp_path) as stage:
        response = await stage.ask("GET", LIST, token=OPERATOR, params={name: value})
        assert response.status_code == 400, remark
        assert [(one["field"], one["code"]) for one in response.json()["errors"]] == [(name, code)]


# --- who may ----------------------------------------------------------------------------------------------------------

DOORS = [
    # token, list, show, replay
    (None, 401, 401, 401),
    ("wrong", 401, 401, 401),
    ("no-reader", 403, 403, 403),
    ("reader", 200, 200, 403),
    ("no-admin", 200, 200, 403),
    ("reader-of-4822", 200, 404, 404),
    (OPERATOR, 200, 200, 200),
]


@pytest.mark.parametrize(("token", "may_list", "may_show", "may_replay"), DOORS, ids=[str(row[0]) for row in DOORS])
async def test_each_door_has_its_scope(
    tmp_path: Path, token: str | None, may_list: int, may_show: int, may_replay: int
) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        delivery = await send(stage, told())
        for method, path, status in [
            ("GET", LIST, may_list),
            ("GET", f"{LIST}/{delivery}", may_show),
            ("POST", f"{LIST}/{delivery}/replay", may_replay),
        ]:
            assert (await stage.ask(method, path, token=token)).status_code == status, path


async def test_a_token_of_one_organization_lists_its_deliveries_alone(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        await send(stage, told())
        await send(stage, b"{")
        path = f"/webhooks/shipx/{OTHER_SECRET}"
        own = await send(stage, told(organization_id=OTHER), path=path)
        parked = await send(stage, b"{", path=path)
        assert ids(await listed(stage, "reader-of-4822")) == [parked, own]
        assert ids(await listed(stage, "reader-of-4822", state="parked")) == [parked]


async def test_the_body_is_for_those_who_may_see_personal_data(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        delivery = await send(stage, told(receiver="Kowalska"))
        response = await stage.ask("GET", f"{LIST}/{delivery}", token="no-person")
        assert "body" not in response.json()
        assert "Kowalska" not in response.text
        assert "Kowalska" in (await stage.ask("GET", f"{LIST}/{delivery}", token=OPERATOR)).text


async def test_a_body_that_is_gone_or_does_not_open_is_null(tmp_path: Path) -> None:
    async with Stage(tmp_path, vault=Vault.with_keys([b"k" * 32])) as stage:
        delivery = await send(stage, told())
        for change in ("UPDATE sealed SET key_id = 'lost'", "UPDATE sealed SET data = x'00'", "DELETE FROM sealed"):
            stage.change(change)
            response = await stage.ask("GET", f"{LIST}/{delivery}", token=OPERATOR)
            assert (response.status_code, response.json()["body"]) == (200, None)


# --- once more --------------------------------------------------------------------------------------------------------


async def test_a_parked_one_takes_effect_once(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        parked = await send(stage, told(), peer=STRANGER)
        assert await replay(stage, parked) == (200, {"outcome": "accepted", "delivery_id": parked})
        assert (await stage.project()).verdicts == {"projected": 1}
        (delivery,) = stage.rows("SELECT id FROM deliveries")
        assert (await listed(stage, state="parked"))["items"][0]["replayed_as"] == delivery
        assert await replay(stage, parked) == (200, {"outcome": "duplicate", "delivery_id": parked})
        assert (await stage.project()).deliveries == 0
        assert (await stage.post(told())).json()["outcome"] == "duplicate", "the genuine one, coming late"
        assert stage.accepted == 2, "each replay wakes the worker"


async def test_a_failed_one_is_worked_off_again(tmp_path: Path) -> None:
    async with Stage(tmp_path, vault=Vault.with_keys([b"k" * 32])) as stage:
        delivery = await send(stage, told())
        (key_id,) = stage.rows("SELECT key_id FROM sealed")
        stage.change("UPDATE sealed SET key_id = 'lost'")
        assert (await stage.project()).verdicts == {"key_missing": 1}
        stage.change(f"UPDATE sealed SET key_id = '{key_id}'")
        assert await replay(stage, delivery) == (200, {"outcome": "accepted", "delivery_id": delivery})
        assert (await stage.project()).verdicts == {"projected": 1}


async def test_a_finished_one_may_be_worked_off_again_without_effect(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        delivery = await send(stage, told())
        events = (await stage.project()).events
        assert await replay(stage, delivery) == (200, {"outcome": "accepted", "delivery_id": delivery})
        assert (await stage.project()).verdicts == {"nothing_new": 1}
        assert stage.rows("SELECT count(*) FROM events") == [events]


HOPELESS: list[tuple[object, dict[str, Any], dict[str, Any], str]] = [
    # body, how it is sent, the stage's settings, why
    (b"{", {}, {}, "not_json"),
    ({}, {}, {}, "no_envelope"),
    (told("a b"), {}, {}, "unsafe_value"),
    (told(organization_id=OTHER), {}, {}, "foreign_organization"),
    (told() | {"x": "x" * 70_000}, {}, {"body_bytes": 65_536}, "too_large"),
    (b"\x1f\x8b", {"headers": [("content-encoding", "gzip")]}, {}, "not_json"),
]


@pytest.mark.parametrize(("body", "how", "given", "why"), HOPELESS, ids=["-".join([row[3], str(n)]) for n, row in enumerate(HOPELESS)])  # fmt: skip # noqa: E501
async def test_what_could_not_be_read_still_cannot(
    tmp_path: Path, body: object, how: dict[str, Any], given: dict[str, Any], why: str
) -> None:
    async with Stage(tmp_path, **given) as stage:
        parked = await send(stage, body, **how)
        assert await replay(stage, parked) == (
            409,
            {
                "type": "/problems/not-replayable",
                "title": "Conflict",
                "status": 409,
                "detail": f"It cannot take effect: {why}.",
            },
        )
        assert stage.rows("SELECT count(*) FROM deliveries") == [0]


@pytest.mark.parametrize("peer", [CARRIER, STRANGER])
async def test_one_whose_body_or_key_is_gone_says_so(tmp_path: Path, peer: str) -> None:
    async with Stage(tmp_path, vault=Vault.with_keys([b"k" * 32])) as stage:
        delivery = await send(stage, told(), peer=peer)
        await stage.project()
        for change, detail in (
            ("UPDATE sealed SET key_id = 'lost'", "The key that it was encrypted with is not configured."),
            ("DELETE FROM sealed", "Its body was erased."),
        ):
            stage.change(change)
            status, problem = await replay(stage, delivery)
            assert (status, problem["detail"]) == (409, detail)
        assert stage.rows("SELECT count(*) FROM deliveries WHERE state = 0") == [0]


async def test_a_parked_one_that_the_database_refuses_stays_as_it_is(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        parked = await send(stage, told(), peer=STRANGER)
        stage.change("CREATE TRIGGER no BEFORE INSERT ON deliveries BEGIN SELECT RAISE(ABORT, 'never'); END")
        assert await replay(stage, parked) == (200, {"outcome": "refused", "delivery_id": parked})
        assert stage.rows("SELECT replayed_as FROM parked") == [None]
        assert stage.now > NOW


@pytest.mark.parametrize("key", ["0" * 42, "x", "%00", "ż"])
async def test_what_is_not_there_is_not_found(tmp_path: Path, key: str) -> None:
    async with Stage(tmp_path) as stage:
        for method, path in [("GET", f"{LIST}/{key}"), ("POST", f"{LIST}/{key}/replay")]:
            response = await stage.ask(method, path, token=OPERATOR)
            assert (response.status_code, response.json()["detail"]) == (404, "There is no such delivery.")
