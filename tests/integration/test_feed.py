"""The feed: every event once and in order, for whoever pages it, streams it, or comes back after a break."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from bridge.store.feed import encode
from bridge.web.access import EVERY_SCOPE
from tests.support.bridge import until
from tests.support.http import NO_TLS
from tests.unit.ingress.stage import NUMBER, OPERATOR, OTHER, OTHER_SECRET, PATH, SHIPMENT, Stage, client_of, told

EVENTS = "/v1/events"
STREAM = "/v1/events/stream"
FIRST = ["shipment.status_changed", "shipment.tracking_number_assigned"]
CLIENTS = [
    client_of("warehouse", ["events"]),
    client_of("shop-of-4821", ["events"], [4821]),
    client_of("shop-of-4822", ["events", "read"], [4822]),
    client_of("reader", EVERY_SCOPE - {"events"}),
]


async def bring(stage: Stage, *bodies: object, path: str = PATH) -> None:
    """Let webhooks become events."""
    for body in bodies:
        assert (await stage.post(body, path=path)).json()["outcome"] == "accepted"
    await stage.project()
    stage.feed.wake()


async def page(stage: Stage, token: str = OPERATOR, **params: str) -> dict[str, Any]:
    response = await stage.ask("GET", EVENTS, token=token, params=params)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def everything(stage: Stage, limit: int, token: str = OPERATOR, **params: str) -> list[dict[str, Any]]:
    """Page through all there is."""
    found: list[dict[str, Any]] = []
    after = ""
    while True:
        one = await page(stage, token, limit=str(limit), after=after, **params)
        found += one["items"]
        if one["next"] is None:
            return found
        after = one["next"]


def cursor_at(stage: Stage, position: int) -> str:
    """Write the cursor after an event."""
    return encode(position, stage.rows("SELECT recorded_at FROM events WHERE position = ?", position)[0])


def briefly(events: list[dict[str, Any]]) -> list[tuple[str, str, int]]:
    return [(one["type"].split(".")[2], one["subject"], int(one["sequence"])) for one in events]


LIFE = [
    told(word, second=n) for n, word in enumerate(["confirmed", "taken_by_courier", "out_for_delivery", "delivered"])
]
TOLD = [
    ("confirmed", f"shipment/{SHIPMENT}", 1),
    ("tracking_number_assigned", f"shipment/{SHIPMENT}", 2),
    ("status_changed", f"shipment/{SHIPMENT}", 3),
    ("status_changed", f"shipment/{SHIPMENT}", 4),
    ("status_changed", f"shipment/{SHIPMENT}", 5),
    ("status_changed", f"shipment/{SHIPMENT}", 6),
]


# --- pages ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [1, 2, 3, 5, 6, 7, 1000])
async def test_pages_of_any_size_give_the_same_events_in_the_same_order(tmp_path: Path, limit: int) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, *LIFE)
        assert briefly(await everything(stage, limit)) == TOLD


async def test_the_feed_carries_the_stored_bytes(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, told())
        response = await stage.ask("GET", EVENTS, token=OPERATOR)
        bodies = stage.rows("SELECT body FROM events ORDER BY position")
        cursor = json.dumps(cursor_at(stage, 2)).encode()
        assert response.content == b'{"items":[%b],"next":null,"cursor":%b}' % (b",".join(bodies), cursor)


async def test_at_the_end_the_cursor_waits_for_what_comes(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        assert await page(stage) == {"items": [], "next": None, "cursor": encode(0)}
        await bring(stage, LIFE[0])
        first = await page(stage)
        assert await page(stage, after=first["cursor"]) == {"items": [], "next": None, "cursor": first["cursor"]}
        await bring(stage, LIFE[1])
        assert briefly((await page(stage, after=first["cursor"]))["items"]) == [(*TOLD[4][:2], 4)]


FILTERS: list[tuple[dict[str, str], list[str], str]] = [
    # parameters, subjects and types, remark
    ({}, ["1 confirmed", "1 status_changed", "2 offer", "2 status_changed"], "everything"),
    ({"type": "bridge.shipment.confirmed.v1"}, ["1 confirmed"], "by published type"),
    ({"type": "bridge.shipment.cancelled.v1"}, [], "a type that has not happened"),
    ({"type": "shipment.confirmed"}, ["1 confirmed"], "by the same without the version"),
    ({"subject": "shipment/2"}, ["2 offer", "2 status_changed"], "by subject"),
    ({"subject": "shipment/2", "type": "bridge.shipment.confirmed.v1"}, [], "both"),
    ({"subject": "shipment/2%"}, [], "no patterns"),
]


@pytest.mark.parametrize(("params", "expected", "remark"), FILTERS, ids=[row[-1] for row in FILTERS])
async def test_a_reader_gets_what_it_asks_for(
    tmp_path: Path, params: dict[str, str], expected: list[str], remark: str
) -> None:
    offer = {"id": 7, "status": "available", "service": {"id": "inpost_locker_standard"}}
    async with Stage(tmp_path) as stage:
        await bring(
            stage,
            told(payload={"shipment_id": 1, "status": "confirmed"}),
            told(event="offers_prepared", payload={"shipment_id": 2, "offers": [offer]}),
            told(payload={"shipment_id": 2, "status": "created"}),
        )
        for limit in (1, 100):
            found = await everything(stage, limit, **params)
            names = [f"{one['subject'][-1]} {one['type'].split('.')[2].removesuffix('s_prepared')}" for one in found]
            assert sorted(names) == sorted(expected), remark


BAD: list[tuple[dict[str, str], str, str]] = [
    # parameters, detail, remark
    ({"after": "x"}, "after: is not a cursor of this feed", "no base64"),
    ({"after": "żółw"}, "after: is not a cursor of this feed", "not even ASCII"),
    ({"after": "MQ"}, "after: is not a cursor of this feed", "a version alone"),
    ({"after": "Mi4x"}, "after: is not a cursor of this feed", "another version"),
    ({"after": "MS4tMQ"}, "after: is not a cursor of this feed", "a negative position"),
    ({"after": "MS4" + "5OTk5" * 10}, "after: is not a cursor of this feed", "a position no database has"),
    ({"after": "\x00"}, "after: is not a cursor of this feed", "a control character"),
    ({"type": "nonsense"}, "type: is not a type of events: /asyncapi.json lists them", "a type nobody knows"),
    ({"type": ""}, "type: is not a type of events: /asyncapi.json lists them", "no type"),
    (
        {"type": "bridge.shipment.confirmed.v2"},
        "type: is not a type of events: /asyncapi.json lists them",
        "of a later version",
    ),
    ({"limit": "0"}, "limit: must be a number from 1 to 1000", "nothing"),
    ({"limit": "1001"}, "limit: must be a number from 1 to 1000", "too much"),
    ({"limit": "-1"}, "limit: must be a number from 1 to 1000", "less than nothing"),
    ({"limit": ""}, "limit: must be a number from 1 to 1000", "no number"),
    ({"limit": "1e2"}, "limit: must be a number from 1 to 1000", "nearly a number"),
    ({"limit": "0000000015000"}, "limit: must be a number from 1 to 1000", "too much behind zeros"),
    ({"limit": "000000001" + "0" * 5000}, "limit: must be a number from 1 to 1000", "more than Python reads"),
]


@pytest.mark.parametrize(("params", "detail", "remark"), BAD, ids=[row[-1] for row in BAD])
async def test_what_cannot_be_a_page_is_a_problem(
    tmp_path: Path, params: dict[str, str], detail: str, remark: str
) -> None:
    async with Stage(tmp_path) as stage:
        response = await stage.ask("GET", EVENTS, token=OPERATOR, params=params)
        assert response.status_code == 400, remark
        assert response.headers["content-type"] == "application/problem+json"
        assert response.json()["detail"] == detail


# --- who may ----------------------------------------------------------------------------------------------------------

DOORS = [
    # token, status, problem, remark
    (None, 401, "/problems/unauthorized", "nobody"),
    ("wrong", 401, "/problems/unauthorized", "somebody we do not know"),
    ("reader", 403, "/problems/forbidden", "every scope but this one"),
]


@pytest.mark.parametrize("path", [EVENTS, STREAM])
@pytest.mark.parametrize(("token", "status", "problem", "remark"), DOORS, ids=[row[-1] for row in DOORS])
async def test_the_feed_is_for_those_who_may(
    tmp_path: Path, path: str, token: str | None, status: int, problem: str, remark: str
) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        response = await stage.ask("GET", path, token=token)
        assert (response.status_code, response.json()["type"]) == (status, problem), remark


async def test_a_page_without_items_is_not_the_last_one_where_there_is_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.store.feed.STRETCH", 2)
    async with Stage(tmp_path) as stage:
        await bring(stage, *LIFE)
        wanted = {"type": "bridge.shipment.tracking_number_assigned.v1"}
        first = await page(stage, after=cursor_at(stage, 2), **wanted)
        assert first == {"items": [], "next": cursor_at(stage, 4), "cursor": cursor_at(stage, 4)}
        second = await page(stage, after=first["next"], **wanted)
        assert second == {"items": [], "next": None, "cursor": cursor_at(stage, 6)}
        assert briefly(await everything(stage, 100, **wanted)) == [TOLD[1]]


async def test_a_token_of_one_organization_sees_its_events_alone(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        await bring(stage, told())
        await bring(stage, told("delivered", organization_id=OTHER), path=f"/webhooks/shipx/{OTHER_SECRET}")
        seen = {
            token: sorted({one["source"] for one in await everything(stage, 1, token)})
            for token in ("warehouse", "shop-of-4821", "shop-of-4822")
        }
        assert seen == {
            "warehouse": ["/shipx/4821", "/shipx/4822"],
            "shop-of-4821": ["/shipx/4821"],
            "shop-of-4822": ["/shipx/4822"],
        }
        assert await everything(stage, 1, "shop-of-4821", type="bridge.shipment.status_changed.v1") != []


RETURNS = """
 INSERT INTO subjects (id, source, name, partition) VALUES (91, '/inpost_returns/main', 'return/a', 1);
 INSERT INTO events (id, type, subject_id, sequence, routing_key, occurred_at, recorded_at, body, organization)
 VALUES ('r1', 'return.created', 91, 1, 'k', 0, 0, x'7b7d', 4821),
 ('r2', 'return.created', 91, 2, 'k', 0, 0, x'7b7d', NULL);
"""


async def test_a_token_of_one_organization_sees_the_events_of_its_returns(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        stage.change(RETURNS)
        seen = {one.name: len(await everything(stage, 1, one.name)) for one in CLIENTS[:3]}
        assert seen == {"warehouse": 2, "shop-of-4821": 1, "shop-of-4822": 0}


# --- what is still being committed -----------------------------------------------------------------------------------


def insert_event(connection: sqlite3.Connection, sequence: int) -> None:
    connection.execute(
        "INSERT INTO events (id, type, subject_id, sequence, routing_key, occurred_at, recorded_at, body)"
        " VALUES (?, 'shipment.status_changed', 1, ?, 'k', 0, 0, ?)",
        (f"e{sequence}", sequence, json.dumps({"sequence": f"{sequence:010d}"}).encode()),
    )


def sequences(found: dict[str, Any]) -> list[int]:
    return [int(one["sequence"]) for one in found["items"]]


async def test_a_reader_never_passes_a_row_that_is_still_being_committed(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, told())
        with closing(sqlite3.connect(stage.path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            insert_event(writer, 3)
            before = await page(stage)
            assert sequences(before) == [1, 2], "the uncommitted row is not shown"
            insert_event(writer, 4)
            meanwhile = await page(stage, after=before["cursor"])
            assert (sequences(meanwhile), meanwhile["cursor"]) == ([], before["cursor"]), "nor passed"
            writer.execute("COMMIT")
            assert sequences(await page(stage, after=meanwhile["cursor"])) == [3, 4]


async def test_a_row_that_was_taken_back_leaves_no_hole_to_fall_into(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, told())
        with closing(sqlite3.connect(stage.path, isolation_level=None)) as writer:
            writer.execute("BEGIN IMMEDIATE")
            insert_event(writer, 3)
            cursor = (await page(stage))["cursor"]
            writer.execute("ROLLBACK")
        await bring(stage, told("delivered", second=5))
        assert sequences(await page(stage, after=cursor)) == [3]


async def test_a_reader_that_pages_while_others_write_sees_everything_once_and_in_order(tmp_path: Path) -> None:
    total = 299

    def write(path: Path) -> None:
        with closing(sqlite3.connect(path, isolation_level=None, timeout=30)) as writer:
            for start in range(3, total, 9):
                writer.execute("BEGIN IMMEDIATE")
                for sequence in range(start, start + 9):
                    insert_event(writer, sequence)
                writer.execute("COMMIT")

    async with Stage(tmp_path) as stage:
        await bring(stage, told())
        writing = asyncio.create_task(asyncio.to_thread(write, stage.path))
        seen: list[int] = []
        cursor = ""
        while not seen or seen[-1] < total:
            found = await page(stage, after=cursor, limit="7")
            seen += sequences(found)
            cursor = found["cursor"]
        await writing
        assert seen == list(range(1, total + 1))


# --- the stream -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Message:
    """A server-sent event."""

    id: str
    event: str
    data: dict[str, Any]


@asynccontextmanager
async def streaming(
    address: str, *, last: str | None = None, after: str | None = None, token: str = OPERATOR, **params: str
) -> AsyncIterator[AsyncIterator[Message]]:
    """Open the stream. When this is entered, whatever comes from now on is in it."""
    headers = {"authorization": f"Bearer {token}", **({"last-event-id": last} if last else {})}
    query = {**params, **({"after": after} if after else {})}
    async with (
        httpx.AsyncClient(trust_env=False, verify=NO_TLS, timeout=10) as client,
        client.stream("GET", f"{address}{STREAM}", headers=headers, params=query) as response,
    ):
        assert response.status_code == 200
        assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert response.headers["cache-control"] == "no-store"
        lines = response.aiter_lines()
        assert await anext(lines) == ": connected"
        yield messages(lines)


async def messages(lines: AsyncIterator[str]) -> AsyncIterator[Message]:
    fields: dict[str, str] = {}
    async for line in lines:
        name, _, value = line.partition(": ")
        if line and name:
            fields[name] = value
        elif not line and fields:
            if "data" in fields:  # else the id counts, and nothing happened
                yield Message(fields["id"], fields["event"], json.loads(fields["data"]))
            fields = {}


async def take(stream: AsyncIterator[Message], number: int) -> list[Message]:
    async with asyncio.timeout(10):
        return [await anext(stream) for _ in range(number)]


async def test_a_stream_begins_with_what_comes_and_gives_it_at_once(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, LIFE[0])
        address = await stage.serve()
        async with streaming(address) as stream:
            await bring(stage, LIFE[1])
            (message,) = await take(stream, 1)
        assert message.event == message.data["type"] == "bridge.shipment.status_changed.v1"
        assert message.data["data"]["carrier_status"] == "taken_by_courier"
        assert message.data["data"]["tracking_number"] == NUMBER
        assert message.id == cursor_at(stage, 4)


async def test_a_reader_that_comes_back_loses_nothing_and_gets_nothing_twice(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        address = await stage.serve()
        seen: list[int] = []
        last = encode(0)
        for n in range(6):
            await bring(stage, told(["taken_by_courier", "out_for_delivery"][n % 2], second=n))
            async with streaming(address, last=last) as stream:
                (message,) = await take(stream, 1)  # and goes away in the middle of what there is
            seen.append(int(message.data["sequence"]))
            last = message.id
        async with streaming(address, last=last) as stream:
            seen += [int(one.data["sequence"]) for one in await take(stream, 1)]
        assert seen == [1, 2, 3, 4, 5, 6, 7]


async def test_a_stream_longer_than_a_page_is_whole(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, told())
        with closing(sqlite3.connect(stage.path)) as writer:
            for sequence in range(3, 351):
                insert_event(writer, sequence)
            writer.commit()
        address = await stage.serve()
        async with streaming(address, after=encode(0)) as stream:
            found = await take(stream, 350)
        assert [int(one.data["sequence"]) for one in found] == list(range(1, 351))


async def test_the_header_of_a_reconnect_wins_over_the_address_it_began_with(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, *LIFE)
        address = await stage.serve()
        async with streaming(address, last=cursor_at(stage, 4), after=encode(0)) as stream:
            assert [one.id for one in await take(stream, 2)] == [cursor_at(stage, 5), cursor_at(stage, 6)]


async def test_a_stream_shows_what_its_reader_may_see_and_asked_for(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        address = await stage.serve()
        asked = {"token": "shop-of-4822", "type": "bridge.shipment.status_changed.v1"}
        async with streaming(address, **asked) as stream:
            await bring(stage, *LIFE)
            await bring(stage, told("delivered", organization_id=OTHER), path=f"/webhooks/shipx/{OTHER_SECRET}")
            (message,) = await take(stream, 1)
        assert (message.data["source"], message.event) == ("/shipx/4822", asked["type"])


async def test_a_stream_that_finds_nothing_says_how_far_it_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As an id without data: the reader that comes back with it does not begin where it began."""
    monkeypatch.setattr("bridge.store.feed.STRETCH", 2)
    monkeypatch.setattr("bridge.egress.feed._HEARTBEAT_S", 1.0)
    async with Stage(tmp_path) as stage:
        await bring(stage, *LIFE)
        query = {"after": encode(0), "type": "bridge.shipment.cancelled.v1"}
        headers = {"authorization": f"Bearer {OPERATOR}"}
        async with (
            httpx.AsyncClient(trust_env=False, verify=NO_TLS, timeout=10) as client,
            client.stream("GET", f"{await stage.serve()}{STREAM}", headers=headers, params=query) as response,
        ):
            lines = response.aiter_lines()
            told = [await anext(lines) for _ in range(8)]
        assert told == [
            *(": connected", ""),
            *(f"id: {cursor_at(stage, 2)}", ": still here", ""),
            *(f"id: {cursor_at(stage, 4)}", ": still here", ""),
        ]


async def test_a_stream_that_cannot_begin_is_a_problem_and_one_without_body_ends(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        response = await stage.ask("GET", STREAM, token=OPERATOR, headers=[("last-event-id", "nonsense")])
        assert (response.status_code, response.json()["detail"]) == (
            400,
            "last-event-id: is not a cursor of this feed",
        )
        assert response.json()["errors"][0]["code"] == "bad_cursor"
        response = await stage.ask("HEAD", STREAM, token=OPERATOR)
        assert (response.status_code, response.content) == (200, b"")


async def test_a_stream_ends_without_a_bug_where_the_database_is_away(tmp_path: Path) -> None:
    """Whoever comes again, with the last id it had, is told why."""
    async with Stage(tmp_path) as stage:
        with capture_logs() as lines:
            async with streaming(await stage.serve()) as stream:
                stage.change("ALTER TABLE events RENAME TO elsewhere")
                async with asyncio.timeout(10):
                    assert [one async for one in stream] == []
            assert (await stage.ask("GET", STREAM, token=OPERATOR)).status_code == 503
            stage.change("ALTER TABLE elsewhere RENAME TO events")
        assert [line["event"] for line in lines if line["event"].endswith(".bug")] == []


async def test_a_reader_from_after_a_backup_is_told_and_an_open_stream_ends(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await bring(stage, *LIFE)
        last = cursor_at(stage, 6)
        async with streaming(await stage.serve(), last=last) as stream:
            stage.change(
                "DELETE FROM facts WHERE position > 3; DELETE FROM outbox WHERE position > 3;"
                " DELETE FROM events WHERE position > 3"
            )
            async with asyncio.timeout(10):
                assert [one async for one in stream] == []
        for path, params, headers in ((EVENTS, {"after": last}, ()), (STREAM, {}, [("last-event-id", last)])):
            response = await stage.ask("GET", path, token=OPERATOR, params=params, headers=headers)
            assert response.status_code == 400
            [told] = response.json()["errors"]
            assert (told["code"], "the database was restored" in told["message"]) == ("cursor_of_another_past", True)
        again = await page(stage, after=cursor_at(stage, 3))
        assert (again["items"], again["cursor"]) == ([], cursor_at(stage, 3))


async def test_streams_end_when_the_process_does(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        async with streaming(await stage.serve()) as stream:
            stage.draining.announce()
            async with asyncio.timeout(5):
                assert [one async for one in stream] == []
        assert stage.feed._listeners == set()


async def test_there_are_only_so_many_streams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bridge.egress.feed.MOST_STREAMS", 2)
    async with Stage(tmp_path) as stage:
        address = await stage.serve()
        async with streaming(address), streaming(address):
            response = await stage.ask("GET", STREAM, token=OPERATOR)
            assert (response.status_code, response.headers["retry-after"]) == (503, "5")
            assert response.json()["type"] == "/problems/too-many-streams"
            assert (await stage.ask("HEAD", STREAM, token=OPERATOR)).status_code == 200
        await until(lambda: stage.feed._listeners == set())
        async with streaming(address):
            pass
