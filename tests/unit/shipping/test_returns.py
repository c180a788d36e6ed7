"""A return is made once, whatever becomes of the calls and of the process that makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import permutations
from typing import Any

import httpx
import pytest

from bridge.commands.execute import Operation
from bridge.model import CommandState
from bridge.returns.routing import Route
from bridge.shipping.returns.asked import CreateReturn
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.makers import Making
from tests.support.permits import FreePermits
from tests.unit.purchasing.stage import CONNECTION, Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.returning import (
    CODES,
    CREATE,
    IS_IT,
    MADE,
    PATHS,
    PLATFORM,
    PROVIDERS,
    SCENARIO,
    SENDER,
    TICKETS,
    WRONG_LOGIN,
    ask,
    at_provider,
    keeping,
    makers_over,
    operations_of,
    returning,
    wanted,
)
from tests.unit.shipping.stage import Parts, Stage, places

UNANSWERED = ["lost", "crashed", "hung_up", "cut", "page"]
"""The provider did it, and nobody heard."""
UNDONE = ["dropped", "unavailable", "failed"]
"""The provider never heard of it; nobody can tell."""
PREFERRED = Route((TICKETS, CODES))


def stage_of(*routes: Route, **scenario: Any) -> Stage:
    return Stage(returning(*routes), **{**SCENARIO, **scenario})


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_return_is_made_kept_and_told_without_its_code(provider: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await ask(stage, wanted(provider))
            result = await stage.done(CREATE)
            [there] = await at_provider(stage, provider)
            assert IS_IT[provider](result, there)
            assert (result["provider"], result["state"], result["reference"]) == (provider, "created", "ORDER123")
            told = stage.told(f"return/{result['return_id']}")
            assert [kind for kind, _ in told] == MADE[provider]
            assert {(event["source"], event["causationid"]) for _, event in told} == {(f"/{provider}/main", "one")}
            for secret in (SENDER["email"], "ORDER123", result["code"] or SENDER["phone"]):
                assert secret not in json.dumps(told)
            [row] = stage.disk.rows("SELECT * FROM returns")
            assert not {SENDER["email"], "ORDER123", result["code"] or "-"} & set(row)

    in_virtual_time(story())


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_one_return_is_made(provider: str, kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault(kind, method="POST", path=PATHS[provider])
            await ask(stage, wanted(provider))
            result = await stage.done(CREATE)
            [there] = await at_provider(stage, provider)
            assert IS_IT[provider](result, there)
            assert [kind for kind, _ in stage.told(f"return/{result['return_id']}")] == MADE[provider]

    in_virtual_time(story())


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("kind", [None, "hung_up"])
def test_wherever_a_process_dies_one_return_is_made(provider: str, kind: str | None) -> None:
    names = in_virtual_time(_dying(provider, kind, Points()))
    assert {"before POST", "before a commit", "after a commit"} <= set(names)
    for at in places(names):
        in_virtual_time(_dying(provider, kind, Points(at)))


async def _dying(provider: str, kind: str | None, points: Points) -> list[str]:
    async with stage_of().open() as stage:
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, method="POST", path=PATHS[provider])
        await ask(stage, wanted(provider))
        result = await stage.done(CREATE)
        [there] = await at_provider(stage, provider)
        assert IS_IT[provider](result, there)
        told = stage.told(f"return/{result['return_id']}")
        assert [(kind, event["causationid"]) for kind, event in told] == [(kind, "one") for kind in MADE[provider]]
        await pass_time(1)
    return points.names


def test_returns_of_one_sender_wait_while_nobody_knows_of_the_first_and_each_is_linked_once() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("hung_up", method="POST", path=PATHS[TICKETS])
            await ask(stage, wanted(TICKETS), "first")
            await pass_time(1)
            await ask(stage, wanted(TICKETS, reference="ANOTHER"), "second")
            first, second = await stage.done(CREATE, "first"), await stage.done(CREATE, "second")
            there = [one["reference"] for one in await at_provider(stage, TICKETS)]
            assert there == ["ORDER123", "ANOTHER"]
            assert first["provider_reference"] != second["provider_reference"]

    in_virtual_time(story())


def test_a_ticket_of_somebody_else_is_not_taken_for_the_lost_one() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            other = {**SENDER, "email": "ewa@example.com"}
            await ask(stage, wanted(TICKETS, sender=other), "other")
            await stage.done(CREATE, "other")
            await stage.fault("dropped", method="POST", path=PATHS[TICKETS])
            await ask(stage, wanted(TICKETS))
            await pass_time(60)
            assert len(await at_provider(stage, TICKETS)) == 1
            result = await stage.done(CREATE)
            assert result["provider_reference"] == (await at_provider(stage, TICKETS))[1]["id"]

    in_virtual_time(story())


def test_what_never_arrives_is_unknown_after_three_times_and_that_is_told() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("dropped", method="POST", path=PATHS[PLATFORM], times=3)
            await ask(stage, wanted(PLATFORM))
            standing = await stage.ended(CREATE)
            assert (standing.state, await at_provider(stage, PLATFORM)) == (CommandState.unknown, [])
            assert stage.disk.rows("SELECT type FROM events") == [("return.creation_unknown",)]
            assert stage.disk.rows("SELECT state, sender FROM returns") == [("unknown", None)]

    in_virtual_time(story())


def test_what_failed_behind_the_provider_is_not_booked_again() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            refusal = {"method": "returns/create", "code": "external_api_error"}
            answer = await stage.merchant.post("/_control/intelligentreturns/refusals", json=refusal)
            assert answer.status_code == 204
            await ask(stage, wanted(PLATFORM))
            standing = await stage.ended(CREATE)
            assert (standing.state, await at_provider(stage, PLATFORM)) == (CommandState.unknown, [])

    in_virtual_time(story())


def test_what_the_provider_refuses_is_told_with_its_reason_and_nobody_else_is_asked() -> None:
    async def story() -> None:
        accounts = [{"client_id": "shop", "client_secret": "secret", "codes_left": 0}]
        async with stage_of(PREFERRED, inpost_returns={"accounts": accounts}).open() as stage:
            stage.start()
            await ask(stage, {**wanted(CODES), "provider": None})
            standing = await stage.ended(CREATE)
            assert (standing.state, standing.result) == (CommandState.rejected, {"problem": "carrier-refused"})
            assert await at_provider(stage, CODES) == []
            assert stage.disk.rows("SELECT type, routing_key FROM events") == [
                ("return.creation_failed", "inpost_returns.return.creation_failed.not_found")
            ]

    in_virtual_time(story())


def test_where_nothing_could_be_sent_the_next_provider_makes_it() -> None:
    async def story() -> None:
        accounts = [{"client_id": "shop", "client_secret": "secret", "permitted": False}]
        async with stage_of(PREFERRED, inpost_returns={"accounts": accounts}).open() as stage:
            stage.start()
            await ask(stage, {**wanted(CODES), "provider": None})
            result = await stage.done(CREATE)
            assert (result["provider"], len(await at_provider(stage, CODES))) == (CODES, 1)
            assert [kind for kind, _ in stage.told(f"return/{result['return_id']}")] == MADE[CODES]

    in_virtual_time(story())


def test_where_no_token_is_to_be_had_the_next_provider_makes_it_soon() -> None:
    async def story() -> None:
        async with stage_of(PREFERRED).open() as stage:
            stage.start()
            await stage.fault("unavailable", method="POST", path="*openid-connect/token", times=1000)
            await ask(stage, {**wanted(CODES), "provider": None})
            standing = await stage.ended(CREATE, seconds=30)
            assert standing.state is CommandState.done
            assert len(await at_provider(stage, CODES)) == 1

    in_virtual_time(story())


def test_what_the_preferred_provider_does_not_take_the_next_one_makes() -> None:
    async def story() -> None:
        async with stage_of(PREFERRED).open() as stage:
            stage.start()
            nameless = {key: value for key, value in SENDER.items() if key in ("phone", "email")}
            await ask(stage, {**wanted(CODES), "provider": None, "sender": nameless})
            assert (await stage.done(CREATE))["provider"] == CODES

    in_virtual_time(story())


@pytest.mark.parametrize(("first", "second"), list(permutations(PROVIDERS, 2)))
@pytest.mark.parametrize("is_refused", [False, True], ids=["made there", "made by the next one"])
def test_what_only_the_other_provider_takes_keeps_neither_from_making_it(
    first: str, second: str, is_refused: bool
) -> None:
    login = {first: WRONG_LOGIN[first]} if is_refused else {}
    options = {"provider_options": {"display_id": "7"}} if PLATFORM in (first, second) else {}
    both = {**wanted(first), **wanted(second), **options, "provider": None, "description": "two shirts"}

    async def story() -> None:
        async with stage_of(Route((first, second)), **login).open() as stage:
            stage.start()
            await ask(stage, both)
            result = await stage.done(CREATE)
            maker = second if is_refused else first
            assert (result["provider"], len(await at_provider(stage, maker))) == (maker, 1)
            assert (result["expires_at"] is None) == (maker == PLATFORM), "what it does not know it does not promise"
            assert [kind for kind, _ in stage.told(f"return/{result['return_id']}")] == MADE[maker]

    in_virtual_time(story())


def test_a_size_that_a_rule_goes_by_is_no_problem_for_who_has_no_sizes() -> None:
    async def story() -> None:
        routes = (Route((PLATFORM,), parcel_sizes=frozenset({"XL"})), Route((TICKETS,)))
        async with stage_of(*routes).open() as stage:
            stage.start()
            await ask(stage, {**wanted(PLATFORM, parcel_size="XL"), "provider": None})
            assert (await stage.done(CREATE))["provider"] == PLATFORM
            await ask(stage, wanted(PLATFORM, parcel_size="XL"), "named")
            refused: Any = (await stage.ended(CREATE, "named")).result
            assert [(one["field"], one["code"]) for one in refused["errors"]] == [("parcel_size", "unexpected")]

    in_virtual_time(story())


def test_what_no_provider_of_the_rule_takes_is_a_problem_still() -> None:
    async def story() -> None:
        async with stage_of(PREFERRED).open() as stage:
            stage.start()
            await ask(stage, {**wanted(CODES, service_id=243), "provider": None})
            refused: Any = (await stage.ended(CREATE)).result
            assert [(one["field"], one["code"]) for one in refused["errors"]] == [("service_id", "unexpected")]

    in_virtual_time(story())


@pytest.mark.parametrize("provider", PROVIDERS)
def test_who_refuses_the_login_is_asked_nothing_more_until_a_person_says_so(provider: str) -> None:
    async def story() -> None:
        async with stage_of(**{provider: WRONG_LOGIN[provider]}).open() as stage:
            stage.limits = replace(stage.limits, stops_all=True, pauses_on_refusal=True)
            stage.start()
            calls = []
            for key in ("one", "two"):
                await ask(stage, wanted(provider), key)
                standing = await stage.ended(CREATE, key)
                assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})
                calls.append((await stage.merchant.get("/_control/calls")).json()["items"])
            assert calls[0] == calls[1]
            paused = [(kind, event["data"]["reason"]) for kind, event in stage.told(f"connection/{CONNECTION}")]
            assert paused == [("connection.paused", "login_refused")]
            assert stage.disk.rows("SELECT id FROM returns") == []

    in_virtual_time(story())


def test_from_a_wrong_address_of_the_login_nothing_is_sent_and_the_right_one_goes_on_under_the_same_key() -> None:
    def elsewhere(parts: Parts) -> Mapping[str, Operation]:
        made = makers_over(parts.http, parts.gate, parts.stage.clock, keeping(parts), realm="another")
        return operations_of(parts, Desk(made, ()))

    async def story() -> None:
        async with Stage(elsewhere, **SCENARIO).open() as stage:
            stage.limits = replace(stage.limits, stops_all=True, pauses_on_refusal=True)
            wrong = stage.start()
            await ask(stage, wanted(TICKETS))
            standing = await stage.ended(CREATE)
            assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})
            assert stage.disk.rows("SELECT id FROM returns") == []
            assert stage.told(f"connection/{CONNECTION}") == [], "it says nothing of who we are"
            await wrong.end()
            stage.workers.remove(wrong)
            stage.operations = returning()
            stage.start()
            await pass_time(120)
            await ask(stage, wanted(TICKETS))
            assert (await stage.done(CREATE))["provider"] == TICKETS

    in_virtual_time(story())


def test_after_an_unknown_outcome_no_other_provider_is_asked() -> None:
    async def story() -> None:
        async with stage_of(PREFERRED).open() as stage:
            stage.start()
            await stage.fault("dropped", method="POST", path=PATHS[TICKETS], times=3)
            await ask(stage, {**wanted(CODES), "provider": None})
            assert (await stage.ended(CREATE)).state is CommandState.unknown
            assert await at_provider(stage, CODES) == []

    in_virtual_time(story())


def test_where_nothing_can_be_sent_the_key_stays_free_and_nothing_is_kept() -> None:
    async def story() -> None:
        accounts = [{"client_id": "shop", "client_secret": "another"}]
        async with stage_of(inpost_returns={"accounts": accounts}).open() as stage:
            stage.start()
            await ask(stage, wanted(TICKETS))
            standing = await stage.ended(CREATE)
            assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})
            assert stage.disk.rows("SELECT id FROM returns") == []
            assert stage.disk.rows("SELECT owner FROM sealed WHERE owner LIKE 'return/%'") == []

    in_virtual_time(story())


def test_what_no_provider_would_take_is_refused_by_field_before_anything_is_sent() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await ask(stage, {**wanted(CODES), "parcel_size": "XL", "sender": {"email": "no"}})
            standing = await stage.ended(CREATE)
            result: Any = standing.result
            fields = {(one["field"], one["code"]) for one in result["errors"]}
            assert fields == {
                ("parcel_size", "invalid"),
                ("sender.phone", "missing"),
                ("sender.email", "invalid_format"),
            }
            assert await at_provider(stage, CODES) == []

    in_virtual_time(story())


def test_where_several_tickets_may_be_the_lost_one_none_is_taken_and_none_is_made() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            worker = stage.start()
            await stage.fault("hung_up", method="POST", path=PATHS[TICKETS])
            await ask(stage, wanted(TICKETS))
            await pass_time(1)
            async with httpx.AsyncClient(transport=httpx.ASGITransport(stage.app)) as http:
                by_hand = makers_over(http, FreePermits(), stage.clock, keeping(worker.parts))[f"{TICKETS}/main"]
                await by_hand.create(Making("by-hand", CreateReturn.model_validate(wanted(TICKETS)).draft))
            standing = await stage.ended(CREATE, seconds=2 * 3600)
            assert (standing.state, len(await at_provider(stage, TICKETS))) == (CommandState.unknown, 2)

    in_virtual_time(story())


def test_a_host_whose_clock_is_fast_says_of_no_lost_ticket_that_there_is_none() -> None:
    async def story() -> None:
        async with Stage(returning(off=timedelta(minutes=6)), **SCENARIO).open() as stage:
            stage.start()
            await stage.fault("hung_up", method="POST", path=PATHS[TICKETS])
            await ask(stage, wanted(TICKETS))
            standing = await stage.ended(CREATE, seconds=2 * 3600)
            assert (standing.state, len(await at_provider(stage, TICKETS))) == (CommandState.unknown, 1)

    in_virtual_time(story())


def test_what_was_withdrawn_is_begun_anew_when_it_is_given_again() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("unavailable", method="POST", path="*openid-connect/token", times=4)
            await ask(stage, wanted(TICKETS))
            await pass_time(1)
            assert await stage.withdrawn(CREATE)
            await ask(stage, wanted(TICKETS, reference="ANOTHER"))
            result = await stage.done(CREATE)
            [there] = await at_provider(stage, TICKETS)
            assert (result["reference"], there["reference"]) == ("ANOTHER", "ANOTHER")

    in_virtual_time(story())
