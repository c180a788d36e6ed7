"""Commands over HTTP: a key is one command, an outcome has its status, and what takes long can be looked at later."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bridge.commands.execute import Executor, Operation
from bridge.commands.giving import Giving
from bridge.commands.handling import Hand, Handler, Later
from bridge.commands.models import ReplayEvents, done, failed, rejected
from bridge.commands.refusing import nothing_sent, refused, unprocessable
from bridge.errors import StoreUnavailable
from bridge.lifecycle import Stop
from bridge.model import ClaimedCommand, Command, CommandState, Outcome, Progress, Standing
from bridge.store.commands import SqlCommands, Submitted
from bridge.web.access import EVERY_SCOPE
from bridge.web.problems import FieldError
from tests.support.bridge import until
from tests.unit.ingress.stage import OPERATOR, OTHER, Stage, client_of

REPLAY = "/v1/events/replay"
SHOWN = "/v1/commands/events.replay"
CLIENTS = [
    client_of("admin-of-4822", ["admin"], [OTHER]),
    client_of("no-admin", EVERY_SCOPE - {"admin"}),
]


async def post(
    stage: Stage, asked: object, *, key: str | None = None, token: str | None = OPERATOR, raw: bytes | None = None
) -> httpx.Response:
    headers = [("idempotency-key", key)] if key is not None else []
    content = json.dumps(asked).encode() if raw is None else raw
    return await stage.ask("POST", REPLAY, token=token, content=content, headers=headers)


@asynccontextmanager
async def carried_out(stage: Stage, handler: Handler) -> AsyncIterator[None]:
    """Have replays carried out in this way."""
    stop = Stop()
    executor = Executor(stage.commands, {ReplayEvents.operation: Operation(handler)}, stop)
    running = asyncio.create_task(executor.run())
    try:
        yield
    finally:
        stop.announce()
        await running


async def well(claimed: ClaimedCommand, _hand: Hand) -> Outcome:
    return done(events=3, asked=json.loads(claimed.body)["subject"])


async def test_a_replay_that_ends_in_time_is_answered_with_its_result(tmp_path: Path) -> None:
    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, well):
        answer = await post(stage, {"subject": "shipment/1"}, key="k-1")
        assert (answer.status_code, answer.json()) == (
            200,
            {"command_id": "k-1", "outcome": "done", "result": {"events": 3, "asked": "shipment/1"}},
        )
        assert (await stage.ask("GET", f"{SHOWN}/k-1", token=OPERATOR)).json() == answer.json()


async def test_the_same_key_is_the_same_replay_and_with_another_body_a_conflict(tmp_path: Path) -> None:
    times = 0

    async def counted(claimed: ClaimedCommand, hand: Hand) -> Outcome:
        nonlocal times
        times += 1
        return await well(claimed, hand)

    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, counted):
        first = await post(stage, {"subject": "shipment/1"}, key="k-1")
        again = await post(stage, {"subject": "shipment/1", "all": False}, key="k-1")
        assert (again.status_code, again.json()) == (200, first.json())
        other = await post(stage, {"subject": "shipment/2"}, key="k-1")
        assert (other.status_code, other.json()["type"]) == (409, "/problems/key-used")
    assert times == 1


async def test_without_a_key_each_is_a_replay_of_its_own(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        ids = {(await post(stage, {"all": True})).json()["command_id"] for _ in range(2)}
        assert len(ids) == 2


async def test_one_that_takes_longer_is_accepted_and_can_be_looked_at(tmp_path: Path) -> None:
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(_claimed: ClaimedCommand, hand: Hand) -> Outcome:
        await hand.report(Progress(7, 0.5))
        reached.set()
        await go_on.wait()
        return done(events=14)

    async with Stage(tmp_path, command_seconds=0) as stage, carried_out(stage, slow):
        answer = await post(stage, {"all": True}, key="k-1")
        assert (answer.status_code, answer.headers["location"]) == (202, f"{SHOWN}/k-1")
        assert answer.json()["outcome"] == "accepted"
        await reached.wait()
        shown = await stage.ask("GET", answer.headers["location"], token=OPERATOR)
        assert shown.json() == {
            "command_id": "k-1",
            "outcome": "accepted",
            "progress": {"done": 7, "share": 0.5},
        }
        go_on.set()

        async def is_done() -> bool:
            found = await stage.ask("GET", answer.headers["location"], token=OPERATOR)
            return bool(found.json() == {"command_id": "k-1", "outcome": "done", "result": {"events": 14}})

        await until(is_done)


async def test_whatever_a_key_is_made_of_its_location_leads_there(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answer = await post(stage, {"all": True}, key="../a/b?c=%41#d")
        shown = await stage.ask("GET", answer.headers["location"], token=OPERATOR)
        assert shown.json()["command_id"] == "../a/b?c=%41#d"


ENDS = [
    # outcome, status, kind, remark
    (rejected("there is no queue x"), 422, "rejected", "a no"),
    (failed("the broker is away"), 503, "failed", "a failure"),
    (refused("carrier-refused", "no_carriers"), 422, "carrier-refused", "the carrier's no"),
    (unprocessable([FieldError("offer_id", "expired", "has run out")]), 422, "unprocessable", "our own no"),
    (nothing_sent("the breaker is open"), 503, "nothing-sent", "nothing was sent"),
    (Outcome(CommandState.unknown, error="nobody knows"), 502, "unknown-outcome", "nobody knows"),
]


@pytest.mark.parametrize(("outcome", "status", "kind", "remark"), ENDS, ids=[row[-1] for row in ENDS])
async def test_each_way_to_end_has_its_status(
    tmp_path: Path, outcome: Outcome, status: int, kind: str, remark: str
) -> None:
    async def end(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        return outcome

    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, end):
        answer = await post(stage, {"all": True}, key="k-1")
        problem = answer.json()
        assert (answer.status_code, problem["type"], problem["detail"]) == (
            status,
            f"/problems/{kind}",
            outcome.error,
        ), remark
        shown = await stage.ask("GET", f"{SHOWN}/k-1", token=OPERATOR)
        assert (shown.status_code, shown.json()["outcome"]) == (200, outcome.state.value)


BAD: list[tuple[bytes, int, str | None, str]] = [
    # body, status, field, remark
    (b"{", 400, None, "no JSON"),
    (b"\xff", 400, None, "no text"),
    (b"[]", 422, "body", "no object"),
    (b"", 422, "body", "nothing"),
    (b"{}", 422, "body", "everything, by mistake"),
    (b'{"subjekt": "shipment/1"}', 422, "subjekt", "an unknown key"),
    (b'{"to_queue": "bridge.dead"}', 422, "to_queue", "a queue of ours"),
    (b'{"subject": "' + b"x" * 300_000 + b'"}', 413, None, "too long"),
]


@pytest.mark.parametrize(("body", "status", "field", "remark"), BAD, ids=[row[-1] for row in BAD])
async def test_what_makes_no_sense_is_refused_and_uses_no_key_up(
    tmp_path: Path, body: bytes, status: int, field: str | None, remark: str
) -> None:
    async with Stage(tmp_path) as stage:
        answer = await post(stage, None, raw=body, key="k-1")
        assert answer.status_code == status, remark
        assert answer.headers["content-type"] == "application/problem+json"
        assert [one["field"] for one in answer.json().get("errors", [])] == ([field] if field else [])
        assert (await post(stage, {"all": True}, key="k-1")).status_code == 202


@pytest.mark.parametrize("key", ["", " ", "a b", "ż", "x" * 256])
async def test_a_key_is_short_and_can_be_seen(tmp_path: Path, key: str) -> None:
    async with Stage(tmp_path) as stage:
        transport = httpx.ASGITransport(stage.app)
        async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as client:
            headers = [(b"idempotency-key", key.encode()), (b"authorization", f"Bearer {OPERATOR}".encode())]
            answer = await client.post(REPLAY, headers=headers, json={"all": True})
        assert answer.status_code == 400
        assert [one["field"] for one in answer.json()["errors"]] == ["Idempotency-Key"]


# -- who may -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("token", "status"), [(None, 401), ("wrong", 401), ("no-admin", 403), (OPERATOR, 202)])
async def test_a_replay_is_for_administrators(tmp_path: Path, token: str | None, status: int) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        assert (await post(stage, {"all": True}, key="k-1", token=token)).status_code == status
        look = await stage.ask("GET", f"{SHOWN}/k-1", token=token)
        assert look.status_code == {202: 200, 401: 401, 403: 404}[status]


async def test_a_token_of_one_organization_replays_its_events_alone(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        assert (await post(stage, {"all": True}, token="admin-of-4822")).status_code == 202
        (claimed,) = await stage.commands.claim({ReplayEvents.operation: 5})
        assert ReplayEvents.read(claimed.body).organizations == (OTHER,)
        answer = await post(stage, {"organizations": [4821]}, token="admin-of-4822")
        assert answer.status_code == 403
        assert (await post(stage, {"organizations": [OTHER]}, token="admin-of-4822")).status_code == 202


async def test_what_was_never_given_is_not_found(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        answer = await stage.ask("GET", f"{SHOWN}/k-1", token=OPERATOR)
        assert (answer.status_code, answer.json()["detail"]) == (404, "There is no such command.")


async def test_a_file_that_names_people_is_shown_to_nobody_who_may_not_see_them(tmp_path: Path) -> None:
    async def printed(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        return done(media_type="application/pdf", content="JVBERi0=")

    clients = [client_of("blind", EVERY_SCOPE - {"personal:read"})]
    async with Stage(tmp_path, command_seconds=10, clients=clients) as stage, carried_out(stage, printed):
        await post(stage, {"all": True}, key="k-1")
        seen = [(await stage.ask("GET", f"{SHOWN}/k-1", token=token)).json() for token in (OPERATOR, "blind")]
        assert [one["result"] for one in seen] == [
            {"media_type": "application/pdf", "content": "JVBERi0="},
            {"media_type": "application/pdf"},
        ]


async def test_a_command_is_shown_to_whoever_gave_it_and_to_nobody_else(tmp_path: Path) -> None:
    async with Stage(tmp_path, clients=CLIENTS) as stage:
        await post(stage, {"all": True}, key="mine", token="admin-of-4822")
        await post(stage, {"all": True}, key="theirs")
        seen = {
            (key, token): (await stage.ask("GET", f"{SHOWN}/{key}", token=token)).status_code
            for key in ("mine", "theirs")
            for token in ("admin-of-4822", "no-admin", OPERATOR)
        }
        assert [one for one, status in seen.items() if status == 200] == [
            ("mine", "admin-of-4822"),
            ("mine", OPERATOR),
            ("theirs", OPERATOR),
        ]


async def test_what_was_not_sent_may_be_asked_for_again_under_its_key(tmp_path: Path) -> None:
    endings = iter([nothing_sent("the breaker is open"), done(events=1)])

    async def end(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        return next(endings)

    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, end):
        first = await post(stage, {"all": True}, key="k-1")
        assert (first.status_code, first.headers["retry-after"]) == (503, "5")
        second = await post(stage, {"all": True}, key="k-1")
        assert (second.status_code, second.json()["result"]) == (200, {"events": 1})


async def test_what_we_do_not_take_leaves_the_key_free_for_other_words_and_nothing_of_it_stays(tmp_path: Path) -> None:
    wrong = FieldError("organization_id", "missing", "is needed: there are several organizations here")
    endings = iter([unprocessable([wrong]), rejected("there is no queue x")])

    async def end(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        return next(endings)

    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, end):
        first = await post(stage, {"all": True}, key="k-1")
        assert (first.status_code, [one["field"] for one in first.json()["errors"]]) == (422, ["organization_id"])
        other = await post(stage, {"organizations": [4822]}, key="k-1")
        assert (other.json()["type"], "errors" in other.json()) == ("/problems/rejected", False)


async def test_a_database_that_goes_away_after_a_command_was_stored_does_not_hide_that(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        giving = Giving(AwayAfterwards(stage.commands), lambda: None, wait_s=0.3)
        answer = await giving.give(Command(ReplayEvents.operation, "k-1", b"{}", "tests"))
        assert (answer.status_code, answer.headers["location"]) == (202, f"{SHOWN}/k-1")


async def test_a_result_that_cannot_be_read_any_more_does_not_hide_that_it_was_given_before(tmp_path: Path) -> None:
    async with Stage(tmp_path, command_seconds=10) as stage:
        async with carried_out(stage, well):
            assert (await post(stage, {"subject": "shipment/1"}, key="k-1")).status_code == 200
        stage.change("UPDATE sealed SET key_id = 'gone' WHERE owner LIKE 'command:result/%'")
        answer = await post(stage, {"subject": "shipment/1"}, key="k-1")
        assert (answer.status_code, answer.headers["location"]) == (202, f"{SHOWN}/k-1")


class AwayAfterwards(SqlCommands):
    """Takes a command, and is away then."""

    def __init__(self, commands: SqlCommands) -> None:
        self._inner = commands

    async def submit(self, command: Command) -> Submitted:
        return await self._inner.submit(command)

    async def look(self, operation: str, key: str) -> Standing | None:
        raise StoreUnavailable("away")


async def test_a_refusal_is_told_field_by_field_at_once_and_later(tmp_path: Path) -> None:
    async def end(_claimed: ClaimedCommand, _hand: Hand) -> Outcome:
        return refused(
            "carrier-refused", "validation_failed", [FieldError("parcels.0.weight", "too_big", "is too big")]
        )

    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, end):
        told = [{"field": "parcels.0.weight", "code": "too_big", "message": "is too big"}]
        assert (await post(stage, {"all": True}, key="k-1")).json()["errors"] == told
        shown = (await stage.ask("GET", f"{SHOWN}/k-1", token=OPERATOR)).json()
        assert shown == {
            "command_id": "k-1",
            "outcome": "rejected",
            "problem": "carrier-refused",
            "errors": told,
            "error": "validation_failed",
        }


async def test_what_is_put_off_is_gone_on_with_from_where_it_was(tmp_path: Path) -> None:
    async def looked(claimed: ClaimedCommand, _hand: Hand) -> Outcome | Later:
        looks = claimed.progress.done + 1
        return done(looks=looks) if looks == 3 else Later(timedelta(milliseconds=1), Progress(looks))

    async with Stage(tmp_path, command_seconds=10) as stage, carried_out(stage, looked):
        answer = await post(stage, {"all": True}, key="k-1")
        assert answer.json()["result"] == {"looks": 3}
