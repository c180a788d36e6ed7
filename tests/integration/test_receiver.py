"""The receiver's whole answer table: 200 or 503 behind a right secret, 404 for a wrong one, and nothing else, ever."""

from __future__ import annotations

import asyncio
import gzip
import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.routing import Route
from structlog.testing import capture_logs

from bridge.errors import StoreError, StoreUnavailable
from bridge.ingress.receiver import UNPROXIED
from bridge.model import Receipt
from bridge.settings import ROLES
from bridge.store.inbox import Accepted, Bounds, Entry
from bridge.store.migrate import migrations
from tests.support.bridge import ORGANIZATION, BridgeProcess, until
from tests.support.http import NO_TLS
from tests.unit.ingress.stage import (
    CARRIER,
    NEXT_SECRET,
    OTHER,
    OTHER_SECRET,
    PATH,
    SECRET,
    STRANGER,
    Gated,
    Stage,
    told,
    wire,
)

SAMPLES = Path(__file__).parents[1] / "samples" / "shipx"
ID = re.compile(r"[0-9a-f]{42}")
PERSON = "Kowalska"
"""Stands in bodies and must stand in no log line."""
DOCUMENTED = {200, 404, 503}

deterministic = settings(derandomize=True, database=None, deadline=None)


# --- GET and HEAD -----------------------------------------------------------------------------------------------------

CHECKS = [
    # path, peer, status, remark
    (PATH, CARRIER, 200, "the registration check"),
    (f"{PATH}/", CARRIER, 200, "with a trailing slash"),
    (PATH, STRANGER, 200, "from anywhere"),
    (f"/webhooks/shipx/{NEXT_SECRET}", STRANGER, 200, "the newer secret of a rotation"),
    (f"/webhooks/shipx/{OTHER_SECRET}", STRANGER, 200, "another organization's"),
    (f"{PATH}?token=1", STRANGER, 200, "a query string says nothing"),
    (f"/webhooks/shipx/{'d4' * 20}", CARRIER, 404, "a wrong one"),
    (f"/webhooks/shipx/{'d4' * 20}/", CARRIER, 404, "a wrong one with a slash"),
    (f"/webhooks/shipx/{SECRET[:-1]}", CARRIER, 404, "the beginning of one"),
    (f"/webhooks/shipx/{SECRET}0", CARRIER, 404, "one and more"),
    (f"/webhooks/shipx/{SECRET.upper()}", CARRIER, 404, "in upper case"),
    ("/webhooks/shipx/%C5%BC%00%ED%A0%80", CARRIER, 404, "nothing that could be one"),
    ("/webhooks/shipx/", CARRIER, 404, "none"),
    (f"/webhooks/shipx//{SECRET}", CARRIER, 404, "an empty part before it"),
]


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize(("path", "peer", "status", "remark"), CHECKS, ids=[row[-1] for row in CHECKS])
async def test_the_registration_check_is_answered_by_the_secret_alone(
    tmp_path: Path, method: str, path: str, peer: str, status: int, remark: str
) -> None:
    async with Stage(tmp_path) as stage:
        with capture_logs() as lines:
            response = await stage.ask(method, path, peer=peer)
        assert response.status_code == status, remark
        assert SECRET not in repr(lines)
        assert stage.counted("bridge_deliveries_total") == {}


@pytest.mark.parametrize("secret", ["d4" * 20, SECRET[:-1], f"{SECRET}0"])
async def test_a_webhook_with_a_wrong_secret_is_not_found_and_leaves_nothing(tmp_path: Path, secret: str) -> None:
    async with Stage(tmp_path) as stage:
        response = await stage.post(told(), path=f"/webhooks/shipx/{secret}")
        assert (response.status_code, response.content) == (404, b"")
        assert stage.rows("SELECT * FROM deliveries") == stage.rows("SELECT * FROM parked") == []
        assert stage.counted("bridge_deliveries_total") == {}


async def test_wrong_secrets_are_counted_and_told_now_and_then_without_the_path(tmp_path: Path) -> None:
    wrong = "d4" * 20
    async with Stage(tmp_path, trusted=["10.0.0.0/8"]) as stage:
        with capture_logs() as lines:
            for _ in range(3):
                forwarded = [("x-forwarded-for", STRANGER)]
                await stage.post(told(), path=f"/webhooks/shipx/{wrong}", peer="10.0.0.2", headers=forwarded)
            await stage.ask("GET", f"/webhooks/shipx/{wrong}")
            stage.receiver._strangers_told -= 60
            await stage.post(told(), path=f"/webhooks/shipx/{wrong}")
        found = [(line["address"], line["count"]) for line in lines if line["event"] == "webhook.unknown_secret"]
        assert found == [(STRANGER, 1), (CARRIER, 3)]
        assert stage.counted("bridge_unknown_secret_total") == {(): 4}
        assert wrong not in repr(lines)


# --- POST: 200 --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the table: what is sent, and what comes of it. `label` is the event in the metric."""

    remark: str
    body: object
    outcome: str
    label: str
    reason: str | None = None
    peer: str = CARRIER
    headers: tuple[tuple[str, str], ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    path: str = PATH

    def __str__(self) -> str:
        return self.remark


STATUS = "shipment_status_changed"
PRIVATE = told() | {"receiver": {"last_name": PERSON}}
AWAY: dict[str, Any] = {"peer": STRANGER}

ANSWERS = [
    Row("a status", PRIVATE, "accepted", STATUS),
    Row("with a trailing slash", PRIVATE, "accepted", STATUS, path=f"{PATH}/"),
    Row("with the newer secret", PRIVATE, "accepted", STATUS, path=f"/webhooks/shipx/{NEXT_SECRET}"),
    Row(
        "another organization's",
        told(organization_id=OTHER),
        "accepted",
        STATUS,
        path=f"/webhooks/shipx/{OTHER_SECRET}",
    ),
    Row("an event nobody documented", told(event="claim_opened"), "accepted", "other"),
    Row("an event without a shipment", told(event="claim_opened", payload={}), "accepted", "other"),
    Row("a status nobody documented", told("teleported"), "accepted", STATUS),
    Row("a shipment nobody knows", told(shipment=999_999_999_999_999_999), "accepted", STATUS),
    Row("a shipment id as text", told(shipment="3900000017"), "accepted", STATUS),
    Row("a time that cannot be read", told(event_ts="yesterday"), "accepted", STATUS),
    Row("no time", told(event_ts=None), "accepted", STATUS),
    Row("unknown keys", told() | {"created_by_id": None, "x": {"y": [1]}}, "accepted", STATUS),
    Row("another content type", PRIVATE, "accepted", STATUS, headers=(("content-type", "text/plain"),)),
    Row("an encoding that is none", PRIVATE, "accepted", STATUS, headers=(("content-encoding", "Identity"),)),
    Row("outside the networks", PRIVATE, "parked", "unread", "outside_networks", **AWAY),
    Row("outside, and not JSON", b"{", "parked", "unread", "outside_networks", **AWAY),
    Row("outside, let in by `observe`", PRIVATE, "accepted", STATUS, **AWAY, settings={"mode": "observe"}),
    Row("outside, let in by `off`", PRIVATE, "accepted", STATUS, **AWAY, settings={"mode": "off"}),
    Row("a peer that has no address", PRIVATE, "parked", "unread", "outside_networks", peer=""),
    Row(
        "outside, behind a trusted proxy",
        PRIVATE,
        "parked",
        "unread",
        "outside_networks",
        peer="10.0.0.2",
        headers=(("x-forwarded-for", f"{CARRIER}, {STRANGER}"),),
        settings={"trusted": ["10.0.0.0/8"]},
    ),
    Row(
        "inside, behind a trusted proxy",
        PRIVATE,
        "accepted",
        STATUS,
        peer="10.0.0.2",
        headers=(("x-forwarded-for", CARRIER),),
        settings={"trusted": ["10.0.0.0/8"]},
    ),
    Row(
        "an address claimed by a stranger",
        PRIVATE,
        "parked",
        "unread",
        "outside_networks",
        **AWAY,
        headers=(("x-forwarded-for", CARRIER),),
        settings={"trusted": ["10.0.0.0/8"]},
    ),
    Row("a foreign organization", told(organization_id=OTHER), "parked", "unread", "foreign_organization"),
    Row("nothing", b"", "parked", "unread", "not_json"),
    Row("not JSON", f'{{"name": "{PERSON}"'.encode(), "parked", "unread", "not_json"),
    Row("a form", f"payload=%7B%7D&name={PERSON}".encode(), "parked", "unread", "not_json"),
    Row("JSON of another kind", [told()], "parked", "unread", "no_envelope"),
    Row("another product's webhook", {"type": "x", "payload": {"n": PERSON}}, "parked", "unread", "no_envelope"),
    Row("a word outside its safe form", told(f"{PERSON}, ul. Lwowska"), "parked", "unread", "unsafe_value"),
    Row("a number outside its safe form", told(shipment=0), "parked", "unread", "unsafe_value"),
    Row(
        "an encoded body",
        gzip.compress(wire(PRIVATE)),
        "parked",
        "unread",
        "encoded_body",
        headers=(("content-encoding", "gzip"),),
    ),
    Row("too large", told() | {"x": PERSON * 9000}, "parked", "unread", "too_large", settings={"body_bytes": 65_536}),
]


@pytest.mark.parametrize("row", ANSWERS, ids=str)
async def test_behind_a_right_secret_the_answer_says_what_became_of_it(tmp_path: Path, row: Row) -> None:
    async with Stage(tmp_path, **row.settings) as stage:
        with capture_logs() as lines:
            response = await stage.post(row.body, path=row.path, peer=row.peer, headers=row.headers)
        assert response.status_code == 200
        answer = response.json()
        assert answer == {"outcome": row.outcome, "delivery_id": answer["delivery_id"]}
        assert ID.fullmatch(answer["delivery_id"])
        table = "parked" if row.reason else "deliveries"
        assert stage.rows(f"SELECT id FROM {table}") == [answer["delivery_id"]], "it is on disk when it is answered"
        assert stage.rows("SELECT reason FROM parked") == [row.reason][: row.reason is not None]
        assert stage.counted("bridge_deliveries_total") == {(row.label, row.outcome, "shipx"): 1}
        assert stage.counted("bridge_parked_total") == ({(row.reason,): 1} if row.reason else {})
        assert stage.counted("bridge_ack_seconds_count") == {(): 1}
        assert stage.rows("SELECT name, n FROM tallies") == [(row.outcome, 1)]
        assert [line["delivery"] for line in lines if line["event"] in ("webhook.received", "webhook.parked")] == [
            answer["delivery_id"]
        ]
        for hidden in (SECRET, NEXT_SECRET, OTHER_SECRET, PERSON):
            assert hidden not in repr(lines)


async def test_the_same_webhook_again_is_a_duplicate_whatever_its_bytes(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        first = await stage.post(told())
        again = await stage.post(json.dumps(told(shipment="3900000017"), indent=2, sort_keys=True).encode())
        assert (first.json()["outcome"], again.json()["outcome"]) == ("accepted", "duplicate")
        assert first.json()["delivery_id"] == again.json()["delivery_id"]
        assert stage.rows("SELECT repeats FROM deliveries") == [1]
        assert stage.counted("bridge_deliveries_total") == {
            (STATUS, "accepted", "shipx"): 1,
            (STATUS, "duplicate", "shipx"): 1,
        }
        assert stage.accepted == 1, "a duplicate wakes nobody"


async def test_every_copy_counts_also_when_many_come_at_once(tmp_path: Path) -> None:
    gated = Gated()
    async with Stage(tmp_path, store=gated) as stage:
        asked = [asyncio.create_task(stage.post(body)) for body in [told(second=9), *[told()] * 5, *[b"{"] * 4]]
        await until(lambda: stage.inbox.pending == 10)
        gated.gate.open()
        outcomes = sorted([(await one).json()["outcome"] for one in asked])
        assert outcomes == ["accepted"] * 2 + ["duplicate"] * 4 + ["parked"] * 4
        assert sorted(stage.rows("SELECT repeats FROM deliveries")) == [0, 4]
        assert stage.rows("SELECT repeats FROM parked") == [3]
        await stage.post(b"{")
        await stage.post(told())
        assert sorted(stage.rows("SELECT repeats FROM deliveries")) == [0, 5]
        assert stage.rows("SELECT repeats FROM parked") == [4]


async def test_whatever_the_webhook_page_shows_is_accepted(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for sample in sorted(SAMPLES.glob("webhook_*.json")):
            response = await stage.post(sample.read_bytes())
            assert response.json()["outcome"] == "accepted", sample.name


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_another_method_is_no_reason_for_a_4xx(tmp_path: Path, method: str) -> None:
    async with Stage(tmp_path) as stage:
        taken = await stage.ask(method, PATH, content=wire(told()))
        assert (taken.status_code, taken.json()["outcome"]) == (200, "accepted")
        assert (await stage.ask(method, f"{PATH}0", content=wire(told()))).status_code == 404


async def test_as_an_endpoint_of_its_own_the_receiver_takes_methods_that_nobody_listed(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        app = Starlette(routes=[Route("/webhooks/shipx/{secret}", stage.receiver)])
        transport = httpx.ASGITransport(app, client=(CARRIER, 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            assert (await client.request("PROPFIND", PATH, content=wire(told()))).status_code == 200
            assert (await client.request("PROPFIND", f"{PATH}0")).status_code == 404


# --- what is parked ---------------------------------------------------------------------------------------------------


async def test_of_what_is_too_large_the_first_64_kib_are_kept(tmp_path: Path) -> None:
    body = bytes(range(256)) * 300
    async with Stage(tmp_path, body_bytes=65_536) as stage:
        answer = (await stage.post(body)).json()
        assert stage.rows("SELECT id, reason, size, kept FROM parked") == [
            (answer["delivery_id"], "too_large", 76_800, 65_536)
        ]
        assert stage.rows("SELECT data FROM sealed") == [body[:65_536]]


async def test_a_body_of_exactly_the_limit_is_read(tmp_path: Path) -> None:
    body = wire(told())
    body += b" " * (65_536 - len(body))
    async with Stage(tmp_path, body_bytes=65_536) as stage:
        assert (await stage.post(body)).json()["outcome"] == "accepted"
        assert (await stage.post(body + b" ")).json()["outcome"] == "parked"


async def test_the_same_thing_parked_for_another_reason_is_kept_apart(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        for _ in range(2):
            await stage.post(told(organization_id=OTHER))
            await stage.post(told(organization_id=OTHER), peer=STRANGER)
        assert sorted(stage.rows("SELECT reason, repeats FROM parked")) == [
            ("foreign_organization", 1),
            ("outside_networks", 1),
        ]


BOUNDS = [
    # bounds, bodies sent, bodies left, remark
    (Bounds(rows=2), [b"1", b"2", b"3", b"4"], [b"3", b"4"], "by rows"),
    (Bounds(bytes=10), [b"aaaa", b"bbbb", b"cccc"], [b"bbbb", b"cccc"], "by bytes"),
    (Bounds(bytes=10), [b"a", b"b", b"cccccccccc"], [b"cccccccccc"], "several go for one large"),
    (Bounds(rows=2), [b"1", b"1", b"1"], [b"1"], "a repeat takes no room"),
]


@pytest.mark.parametrize(("bounds", "sent", "left", "remark"), BOUNDS, ids=[row[-1] for row in BOUNDS])
async def test_what_is_parked_is_bounded_and_the_oldest_goes_first_and_is_counted(
    tmp_path: Path, bounds: Bounds, sent: Sequence[bytes], left: Sequence[bytes], remark: str
) -> None:
    async with Stage(tmp_path, bounds=bounds) as stage:
        for body in sent:
            stage.now += timedelta(seconds=1)
            assert (await stage.post(body, peer=STRANGER)).json()["outcome"] == "parked"
        found = stage.rows("SELECT data FROM parked JOIN sealed ON owner = parked.id ORDER BY received_at")
        assert found == left, remark
        assert stage.rows("SELECT count(*) FROM sealed") == [len(left)], "with a row goes what was sealed for it"
        dropped = len(set(sent)) - len(left)
        assert stage.counted("bridge_parked_dropped_total") == ({(): dropped} if dropped else {})


async def test_a_parked_copy_does_not_keep_the_genuine_webhook_out(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        forged = await stage.post(told(), peer=STRANGER)
        genuine = await stage.post(told())
        assert (forged.json()["outcome"], genuine.json()["outcome"]) == ("parked", "accepted")
        assert stage.accepted == 1


async def test_a_repeat_of_a_failed_webhook_opens_it_again_with_the_body_that_came(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await stage.post(told())
        stage.change("DELETE FROM sealed")
        assert (await stage.project()).verdicts == {"body_missing": 1}
        again = await stage.post(told())
        assert again.json()["outcome"] == "accepted"
        assert stage.rows("SELECT state, verdict, repeats FROM deliveries") == [(0, None, 1)]
        assert (await stage.project()).verdicts == {"projected": 1}
        assert (await stage.post(told())).json()["outcome"] == "duplicate", "finished work blocks a repeat"


async def test_observe_lets_in_and_counts_and_names_the_address(tmp_path: Path) -> None:
    async with Stage(tmp_path, mode="observe") as stage:
        with capture_logs() as lines:
            await stage.post(told(), peer=STRANGER)
        assert stage.counted("bridge_outside_networks_total") == {(): 1}
        assert [line["address"] for line in lines if line["event"] == "webhook.outside_networks"] == [STRANGER]


async def test_a_private_peer_without_trusted_proxies_is_told_to_the_operator_once(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        with capture_logs() as lines:
            await stage.post(told(), peer="10.0.0.2")
            await stage.post(told(second=1), peer="10.0.0.2")
        assert stage.receiver.unproxied_since == stage.now
        assert [line["advice"] for line in lines if line["event"] == "webhook.unproxied"] == [UNPROXIED]
        assert "BRIDGE_WEBHOOK__TRUSTED_PROXIES" in UNPROXIED


QUIET: list[tuple[dict[str, Any], str, str]] = [
    # settings, peer, remark
    ({}, STRANGER, "a public address is a stranger, not a proxy"),
    ({}, CARRIER, "the carrier itself"),
    ({"mode": "off"}, "10.0.0.2", "nobody looks at addresses"),
    ({"trusted": ["10.0.0.0/8"]}, "10.0.0.2", "the proxy is known"),
]


@pytest.mark.parametrize(("given_settings", "peer", "remark"), QUIET, ids=[row[-1] for row in QUIET])
async def test_nobody_is_told_of_a_proxy_where_there_is_none(
    tmp_path: Path, given_settings: dict[str, Any], peer: str, remark: str
) -> None:
    async with Stage(tmp_path, **given_settings) as stage:
        await stage.post(told(), peer=peer)
        assert stage.receiver.unproxied_since is None, remark


# --- POST: 503 --------------------------------------------------------------------------------------------------------


class Broken:
    """A store that cannot take anything."""

    def __init__(self, error: StoreError) -> None:
        self._error = error

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        raise self._error


def is_refused(response: httpx.Response) -> bool:
    return (response.status_code, response.content, response.headers["retry-after"]) == (503, b"", "5")


@pytest.mark.parametrize("body", [wire(told()), b"not json"])
async def test_a_store_that_is_not_there_is_a_503_also_for_what_would_be_parked(tmp_path: Path, body: bytes) -> None:
    async with Stage(tmp_path, store=lambda _: Broken(StoreUnavailable("gone"))) as stage:
        with capture_logs() as lines:
            assert is_refused(await stage.post(body))
        label = STATUS if body != b"not json" else "unread"
        assert stage.counted("bridge_deliveries_total") == {(label, "refused", "shipx"): 1}
        assert [line["reason"] for line in lines] == ["gone"]
        assert SECRET not in repr(lines)
        assert (await stage.ask("GET", PATH)).status_code == 200, "the registration check needs no store"


async def test_a_database_that_another_process_holds_is_a_503_and_later_everything_is_taken(tmp_path: Path) -> None:
    async with Stage(tmp_path, commit_timeout_s=0.5) as stage:
        with closing(sqlite3.connect(stage.path, isolation_level=None)) as holder:
            holder.execute("BEGIN IMMEDIATE")
            assert is_refused(await stage.post(told()))
            assert stage.rows("SELECT count(*) FROM deliveries") == [0]
            holder.execute("ROLLBACK")
        assert (await stage.post(told())).json()["outcome"] == "duplicate", "what was given up on was written after all"
        assert (await stage.post(told(second=1))).json()["outcome"] == "accepted"
        assert stage.rows("SELECT count(*) FROM deliveries") == [2]


async def test_beyond_the_pending_limit_the_answer_is_a_503_at_once(tmp_path: Path) -> None:
    gated = Gated()
    async with Stage(tmp_path, store=gated, max_pending=3) as stage:
        waiting = [asyncio.create_task(stage.post(told(second=n))) for n in range(3)]
        await until(lambda: stage.inbox.pending == 3)
        assert is_refused(await stage.post(told(second=9)))
        gated.gate.open()
        assert [(await one).json()["outcome"] for one in waiting] == ["accepted"] * 3
        assert (await stage.post(told(second=9))).json()["outcome"] == "accepted", "a repeat after the storm is taken"


async def test_a_commit_that_takes_too_long_is_a_503_and_a_repeat_tells_whether_it_was_written(tmp_path: Path) -> None:
    gated = Gated()
    async with Stage(tmp_path, store=gated, commit_timeout_s=0.05) as stage:
        assert is_refused(await stage.post(told()))
        gated.gate.open()
        assert (await stage.post(told())).json()["outcome"] == "duplicate"
        assert stage.counted("bridge_deliveries_total") == {
            (STATUS, "refused", "shipx"): 1,
            (STATUS, "duplicate", "shipx"): 1,
        }


async def test_nothing_is_answered_before_its_commit(tmp_path: Path) -> None:
    gated = Gated()
    async with Stage(tmp_path, store=gated) as stage:
        asked = [asyncio.create_task(stage.post(told(second=n))) for n in range(20)]
        await until(lambda: stage.inbox.pending == 20)
        assert not any(one.done() for one in asked)
        assert stage.rows("SELECT count(*) FROM deliveries") == [0], "whoever crashes now has promised nothing"
        gated.gate.open()
        assert [(await one).status_code for one in asked] == [200] * 20
        assert sum(gated.gate.sizes) == 20
        assert len(gated.gate.sizes) <= 2, "what waited shares a commit"


async def test_a_bug_of_ours_is_a_503_and_the_log_says_where(tmp_path: Path) -> None:
    def broken(_body: bytes, _received_at: datetime) -> Any:
        raise KeyError(PERSON)

    async with Stage(tmp_path) as stage:
        stage.receiver._read = broken
        with capture_logs() as lines:
            assert is_refused(await stage.post(told()))
        assert [(line["event"], type(line["exc_info"])) for line in lines] == [("http.bug", KeyError)]
        assert stage.rows("SELECT * FROM deliveries") == stage.rows("SELECT * FROM parked") == []


# --- a hostile row ----------------------------------------------------------------------------------------------------

REFUSES = """
CREATE TRIGGER hostile BEFORE INSERT ON {table} WHEN {when} BEGIN SELECT RAISE(ABORT, 'this one never'); END
"""


async def test_a_row_that_the_database_refuses_fails_alone(tmp_path: Path) -> None:
    gated = Gated()
    async with Stage(tmp_path, store=gated) as stage:
        stage.change(REFUSES.format(table="deliveries", when="NEW.shipment = 13"))
        bodies = [told(second=n, shipment=13 if n % 7 == 3 else 100 + n) for n in range(30)]
        asked = [asyncio.create_task(stage.post(body)) for body in [*bodies, b"parked"]]
        await until(lambda: stage.inbox.pending == 31)
        gated.gate.open()
        answers = [await one for one in asked]
        assert max(gated.gate.sizes) >= 30, "they did share a commit"
        hostile = [n for n in range(30) if n % 7 == 3]
        assert [n for n, one in enumerate(answers) if one.status_code != 200] == hostile
        assert all(is_refused(answers[n]) for n in hostile)
        assert stage.rows("SELECT count(*) FROM deliveries") == [30 - len(hostile)]
        assert sorted(stage.rows("SELECT name, n FROM tallies")) == [
            ("accepted", 30 - len(hostile)),
            ("parked", 1),
            ("refused", len(hostile)),
        ]
        assert stage.counted("bridge_deliveries_total") == {
            (STATUS, "accepted", "shipx"): 30 - len(hostile),
            (STATUS, "refused", "shipx"): len(hostile),
            ("unread", "parked", "shipx"): 1,
        }


HOSTILE = [
    # table, condition, remark
    ("events", "NEW.subject_id IN (SELECT id FROM subjects WHERE name = 'shipment/13')", "its event"),
    ("facts", "NEW.subject_id IN (SELECT id FROM subjects WHERE name = 'shipment/13')", "its fact"),
    ("subjects", "NEW.name = 'shipment/13'", "its subject"),
    ("purchases", "NEW.shipment = 13", "its purchase"),
]


@pytest.mark.parametrize(("table", "when", "remark"), HOSTILE, ids=[row[-1] for row in HOSTILE])
async def test_a_fact_that_the_database_refuses_fails_its_own_delivery_alone(
    tmp_path: Path, table: str, when: str, remark: str
) -> None:
    offers = json.loads((SAMPLES / "webhook_offers_prepared.json").read_bytes())
    async with Stage(tmp_path) as stage:
        stage.change(REFUSES.format(table=table, when=when))
        for n in (11, 12, 13, 14, 15):
            await stage.post(offers | {"payload": offers["payload"] | {"shipment_id": n}})
        projected = await stage.project()
        assert projected.verdicts == {"projected": 4, "refused_by_database": 1}, remark
        assert stage.rows("SELECT state, verdict FROM deliveries WHERE shipment = 13") == [(2, "refused_by_database")]
        assert stage.rows("SELECT count(*) FROM deliveries WHERE state = 1") == [4]
        assert sorted(
            stage.rows("SELECT name, events.sequence FROM subjects JOIN events ON subject_id = subjects.id")
        ) == [(f"shipment/{n}", 1) for n in (11, 12, 14, 15)]
        assert sorted(stage.rows("SELECT shipment FROM purchases")) == [11, 12, 14, 15]
        assert (await stage.project()).deliveries == 0, "nothing waits behind it"


# --- whatever may come ------------------------------------------------------------------------------------------------

LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(max_size=12)
    | st.sampled_from(
        ["confirmed", "0", "3900000017", "2026-03-22 09:41:10 +0100", "0001-01-01T00:00:00+14:00", "1E+3"]
    )
)
NAMES = st.sampled_from(
    ["event", "event_ts", "organization_id", "payload", "shipment_id", "status", "offers", "id", "expires_at", "rate"]
)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(max_size=3), inner, max_size=5),
    max_leaves=10,
)
DOCUMENTS = [json.loads(sample.read_bytes()) for sample in sorted(SAMPLES.glob("webhook_*.json"))]


def places(document: object, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """List where something stands in a document."""
    yield path
    children = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, child in children:
        yield from places(child, (*path, key))


def changed(document: Any, path: tuple[Any, ...], change: Callable[[Any], Any]) -> Any:
    """Give the document with something else at one place."""
    if not path:
        return change(document)
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[path[0]] = changed(copy[path[0]], path[1:], change)
    return copy


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Give a documented webhook with another value at one place."""
    document = draw(st.sampled_from(DOCUMENTS))
    path = draw(st.sampled_from(list(places(document))))
    value = draw(TREES)
    return json.dumps(changed(document, path, lambda _: value)).encode()


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Give a documented webhook with other bytes in it."""
    data = wire(draw(st.sampled_from(DOCUMENTS)))
    start = draw(st.integers(0, len(data)))
    return data[:start] + draw(st.binary(max_size=8)) + data[start + draw(st.integers(0, 8)) :]


BODIES = st.binary(max_size=300) | TREES.map(lambda tree: json.dumps(tree).encode()) | mutated() | damaged()
VALUES = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=40)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["x-forwarded-for", "content-encoding", "content-type", "forwarded", "authorization", "x-odd"]),
        VALUES
        | st.sampled_from([CARRIER, f"{STRANGER}, {CARRIER}:80", "[::ffff:91.216.25.7]:1", "gzip", "unknown", ","]),
    ),
    max_size=4,
)
PEERS = st.sampled_from([CARRIER, STRANGER, "10.0.0.2", "::1", "::ffff:91.216.25.7", "fe80::1%eth0", "", "testclient"])


@contextmanager
def staged(folder: Path, **given_settings: Any) -> Iterator[tuple[Stage, asyncio.Runner]]:
    """Keep one stage for all examples; its loops run whenever one of them asks."""
    with asyncio.Runner() as runner:
        stage = runner.run(Stage(folder, **given_settings).__aenter__())
        try:
            yield stage, runner
        finally:
            runner.run(stage.__aexit__(None, None, None))


def test_whatever_is_sent_behind_a_right_secret_is_answered_200(tmp_path: Path) -> None:
    with staged(tmp_path, trusted=["10.0.0.0/8"]) as (stage, runner):

        @settings(deterministic, max_examples=200)
        @given(BODIES, HEADERS, PEERS, st.sampled_from(["POST", "PUT", "DELETE", "PATCH", "OPTIONS"]))
        def ask(body: bytes, headers: list[tuple[str, str]], peer: str, method: str) -> None:
            response = runner.run(stage.ask(method, PATH, content=body, headers=headers, peer=peer))
            assert response.status_code == 200
            assert response.json()["outcome"] in set(Receipt)

        ask()
        for _ in range(40):
            if not runner.run(stage.project()).deliveries:
                break
        assert stage.rows("SELECT count(*) FROM deliveries WHERE state = 0") == [0]
        assert stage.rows("SELECT verdict FROM deliveries WHERE verdict IN ('bug', 'refused_by_database')") == []


def test_whatever_the_path_and_the_method_nothing_is_a_500(tmp_path: Path) -> None:
    parts = st.lists(st.sampled_from([SECRET, "shipx", "webhooks", ".", "..", "%2f", "%00", "é", "?", "#"]) | VALUES)

    with staged(tmp_path) as (stage, runner):

        @settings(deterministic, max_examples=200)
        @given(parts, st.sampled_from(["GET", "HEAD", "POST", "PUT"]), BODIES)
        def ask(parts: list[str], method: str, body: bytes) -> None:
            path = "/webhooks/shipx/" + "/".join(parts)
            response = runner.run(stage.ask(method, f"http://bridge{path}", content=body))
            assert response.status_code in DOCUMENTED

        ask()


# --- on a real socket -------------------------------------------------------------------------------------------------


async def talk(address: str, *parts: bytes) -> bytes:
    """Send bytes as they are, and read until the other side closes."""
    url = httpx.URL(address)
    reader, writer = await asyncio.open_connection(url.host, url.port)
    try:
        for part in parts:
            writer.write(part)
            await writer.drain()
        return await reader.read()
    finally:
        writer.close()
        await writer.wait_closed()


def head(length: int, *more: str, path: str = PATH) -> bytes:
    lines = [f"POST {path} HTTP/1.1", "host: bridge", f"content-length: {length}", *more]
    return "\r\n".join([*lines, "", ""]).encode()


async def test_a_body_that_does_not_arrive_in_time_is_a_503_and_leaves_nothing(tmp_path: Path) -> None:
    async with Stage(tmp_path, mode="off", body_seconds=0.2) as stage:
        answer = await talk(await stage.serve(), head(100), b'{"event": "shipm')
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"\r\nretry-after: 5\r\n" in answer
        assert stage.rows("SELECT * FROM deliveries") == stage.rows("SELECT * FROM parked") == []
        assert stage.counted("bridge_deliveries_total") == {("unread", "incomplete", "shipx"): 1}


async def test_whoever_sends_too_much_sees_the_answer_and_is_cut_off(tmp_path: Path) -> None:
    async with Stage(tmp_path, mode="off", body_bytes=65_536) as stage:
        answer = await talk(await stage.serve(), head(100_000), b"x" * 100_000)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b'{"outcome":"parked"' in answer
        assert b"\r\nconnection: close\r\n" in answer
        assert stage.rows("SELECT size, kept FROM parked") == [(100_000, 65_536)]


async def test_a_sender_without_end_is_answered_long_before_it(tmp_path: Path) -> None:
    async with Stage(tmp_path, mode="off", body_bytes=65_536) as stage:
        answer = await talk(await stage.serve(), head(10**12), b"x" * 65_536 * 9)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert stage.rows("SELECT reason FROM parked") == ["too_large"]


async def test_a_sender_that_goes_away_leaves_nothing_and_hurts_nobody(tmp_path: Path) -> None:
    async with Stage(tmp_path, mode="off") as stage:
        address = await stage.serve()
        url = httpx.URL(address)
        with capture_logs() as lines:
            for _ in range(5):
                _, writer = await asyncio.open_connection(url.host, url.port)
                writer.write(head(100) + b'{"event":')
                await writer.drain()
                writer.transport.abort()
            await until(lambda: len([one for one in lines if one["event"] == "webhook.body_incomplete"]) == 5)
        assert SECRET not in repr(lines)
        async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
            response = await client.post(f"{address}{PATH}", content=wire(told()))
        assert response.json()["outcome"] == "accepted"
        assert stage.rows("SELECT count(*) FROM deliveries") == [1]


async def test_a_body_in_many_pieces_is_one_webhook(tmp_path: Path) -> None:
    body = wire(told())
    pieces = [b"%x\r\n%b\r\n" % (1, body[n : n + 1]) for n in range(len(body))]
    start = head(0, "transfer-encoding: chunked", "connection: close").replace(b"content-length: 0\r\n", b"")
    async with Stage(tmp_path, mode="off") as stage:
        answer = await talk(await stage.serve(), start, *pieces, b"0\r\n\r\n")
        assert b'{"outcome":"accepted"' in answer


WIRE: list[tuple[bytes, bytes, str]] = [
    # request line and headers, status, remark
    (f"GET {PATH} HTTP/1.0\r\n".encode(), b"200", "an old client"),
    (f"GET http://elsewhere{PATH} HTTP/1.1\r\nhost: x\r\n".encode(), b"200", "an absolute address"),
    (f"POST {PATH} HTTP/1.1\r\nhost: x\r\nx-forwarded-for: ".encode() + b"\xff\r\n", b"200", "bytes in a header"),
    (f"POST {PATH}?%ff HTTP/1.1\r\nhost: x\r\n".encode(), b"200", "bytes in a query"),
    (f"POST {PATH} HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\n".encode(), b"200", "a client that asks first"),
    (b"GET /webhooks/shipx/%ff%fe HTTP/1.1\r\nhost: x\r\n", b"404", "bytes in place of the secret"),
    (b"GET /webhooks/shipx/\xff HTTP/1.1\r\nhost: x\r\n", b"400", "no HTTP: raw bytes in the path"),
    (b"\x16\x03\x01\x00\xf1\r\n", b"400", "no HTTP: the beginning of TLS"),
]


@pytest.mark.parametrize(("start", "status", "remark"), WIRE, ids=[row[-1] for row in WIRE])
async def test_whatever_is_on_the_wire_the_server_stands(
    tmp_path: Path, start: bytes, status: bytes, remark: str
) -> None:
    async with Stage(tmp_path, mode="off") as stage:
        address = await stage.serve()
        answer = await talk(address, start + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        assert answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n").split(b" ")[1] == status, remark
        assert (await stage.post(told())).json()["outcome"] == "accepted"


# --- the process ------------------------------------------------------------------------------------------------------


async def test_a_real_process_answers_is_ready_says_what_worries_it_and_keeps_its_secret(tmp_path: Path) -> None:
    async with (
        BridgeProcess(tmp_path, BRIDGE_WEBHOOK__NETWORKS="91.216.25.0/24") as bridge,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client,
    ):
        assert (await client.get(bridge.webhook_url)).status_code == 200
        response = await client.post(bridge.webhook_url, content=wire(told()))
        assert response.json()["outcome"] == "parked", "loopback is not the carrier"
        ready = (await client.get(f"{bridge.url}/readyz")).json()
        assert ready == {
            "ready": True,
            "problems": [],
            "loops": dict.fromkeys(
                [
                    *("inbox.commit", "inbox.expire", "receiving", "worker", "buyer", "connections.watch"),
                    *("commands", "retention", "reconciler", "database.hear"),
                ],
                "running",
            ),
            "degraded": {},
            "warnings": [UNPROXIED],
        }
        assert UNPROXIED in bridge.log
        metrics = (await client.get(f"{bridge.url}/metrics")).text
        assert 'bridge_deliveries_total{event="unread",outcome="parked",source="shipx"} 1.0' in metrics
        assert 'bridge_degraded{part="database"} 0.0' in metrics
        assert 'part="broker"' not in metrics, "there is none"
        assert 'bridge_ready{role="receiver"} 1.0' in metrics
        assert f'bridge_webhook_health{{connection="shipx/{ORGANIZATION}",state="healthy"}} 1.0' in metrics
        assert await bridge.terminate() == 0
        assert bridge.webhook_url.rsplit("/", 1)[-1] not in bridge.log


async def test_without_a_token_a_proxy_that_is_not_trusted_is_noticed_all_the_same(tmp_path: Path) -> None:
    async with (
        BridgeProcess(tmp_path, BRIDGE_WEBHOOK__NETWORKS="91.216.25.0/24") as bridge,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client,
    ):
        for number in range(3):
            answer = await client.post(bridge.webhook_url, json={"number": number})
            assert answer.json()["outcome"] == "parked"
        await bridge.terminate()
        await bridge.start()

        async def is_told() -> bool:
            metrics = (await client.get(f"{bridge.url}/metrics")).text
            return f'connection="shipx/{ORGANIZATION}",state="unconfigured_proxy"}} 1.0' in metrics

        await until(is_told)


async def test_a_broker_that_is_away_shows_in_the_metrics_and_leaves_a_real_process_ready(tmp_path: Path) -> None:
    async with (
        BridgeProcess(tmp_path, amqp_url="amqp://guest:guest@127.0.0.1:9/") as bridge,
        httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client,
    ):
        metrics = (await client.get(f"{bridge.url}/metrics")).text
        assert 'bridge_degraded{part="broker"} 1.0' in metrics
        assert 'bridge_degraded{part="database"} 0.0' in metrics
        assert 'bridge_ready{role="relay"} 1.0' in metrics


async def test_a_database_that_breaks_makes_a_real_process_unready_in_words(tmp_path: Path) -> None:
    async with BridgeProcess(tmp_path) as bridge, httpx.AsyncClient(trust_env=False, verify=NO_TLS) as client:
        path = bridge.environ["BRIDGE_DATABASE_URL"].removeprefix("sqlite:///")
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("DELETE FROM migrations")
        response = await client.get(f"{bridge.url}/readyz")
        assert response.status_code == 503
        assert response.json()["ready"] is False
        (problem,) = response.json()["problems"]
        missing = ", ".join(migration.name for migration in migrations("sqlite"))
        assert problem == f"database: the database lacks {missing}: run `bridge migrate`"
        assert (await client.get(f"{bridge.url}/livez")).status_code == 200
        metrics = (await client.get(f"{bridge.url}/metrics")).text
        assert 'bridge_degraded{part="database"} 1.0' in metrics
        for role in ROLES:
            assert f'bridge_ready{{role="{role}"}} 0.0' in metrics


def test_the_table_shows_every_outcome_and_every_reason() -> None:
    assert {row.outcome for row in ANSWERS} | {"duplicate"} == set(Receipt)
    assert {row.reason for row in ANSWERS} - {None} == {
        "outside_networks",
        "foreign_organization",
        "not_json",
        "no_envelope",
        "unsafe_value",
        "encoded_body",
        "too_large",
    }
