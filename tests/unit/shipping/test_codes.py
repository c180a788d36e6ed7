"""A code made in advance becomes one return, whatever becomes of the calls and of the process that makes it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pytest

from bridge.commands.models import Body
from bridge.model import CommandState, Standing
from bridge.shipping.returns.codes.asked import ActivateCode, InvalidateCode, MakeCodes
from tests.unit.purchasing.stage import Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.returning import CODES, PATHS, SCENARIO, SENDER, ask, at_provider, returning, without_providers
from tests.unit.shipping.settling import look_for
from tests.unit.shipping.stage import Stage, places

MAKE, ACTIVATE, INVALIDATE = (one.operation for one in (MakeCodes, ActivateCode, InvalidateCode))
USE: Final[dict[str, Any]] = {
    "reference": "ORDER123",
    "sender": {"phone": SENDER["phone"], "email": SENDER["email"]},
    "parcel_size": "A",
    "expires_at": "2026-04-20T12:00:00Z",
}
UNANSWERED = ["lost", "crashed", "hung_up", "cut", "page"]
"""The provider did it, and nobody heard."""
UNDONE = ["dropped", "unavailable", "failed"]
"""The provider never heard of it; nobody can tell."""
DOWN = {"method": "POST", "path": PATHS[CODES]}


def stage_of(**scenario: Any) -> Stage:
    return Stage(returning(), **{**SCENARIO, **scenario})


async def done(stage: Stage, command: type[Body], asked: Mapping[str, Any], key: str = "one") -> Mapping[str, Any]:
    await ask(stage, asked, key, command=command)
    return await stage.done(command.operation, key)


async def made(stage: Stage) -> Mapping[str, Any]:
    """Have one code made in advance."""
    [one] = (await done(stage, MakeCodes, {"count": 1}, "made"))["items"]
    found: Mapping[str, Any] = one
    return found


async def by_hand(stage: Stage, function: str, content: str) -> None:
    """Do something at the provider that the bridge knows nothing of."""
    login = {"email": "shop@example.com", "password": "secret"}
    form = {**login, "content": f"<paczkomaty>{content}</paczkomaty>"}
    answer = await stage.merchant.post("/szybkie-zwroty/", params={"do": function}, data=form)
    assert "error" not in answer.text, answer.text


def fields(standing: Standing) -> list[str]:
    """Name the fields that are wrong."""
    result: Mapping[str, Any] = standing.result or {}
    return [one["field"] for one in result["errors"]]


class _DownAfterOne(Points):
    """The provider goes away after its first answer."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self._stage = stage

    async def reach(self, name: str) -> None:
        await super().reach(name)
        if name == "after POST" and self.names.count(name) == 1:
            await self._stage.fault("unavailable", **DOWN, times=3)


def states(stage: Stage) -> list[Any]:
    return [row[0] for row in stage.disk.rows("SELECT state FROM spare_codes ORDER BY made_at, id")]


# -- made --------------------------------------------------------------------------------------------------------------


def test_codes_are_made_a_hundred_by_each_call_and_kept_sealed() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            result = await done(stage, MakeCodes, {"count": 250})
            there = await at_provider(stage, CODES)
            assert (result["asked"], result["made"], result["reason"]) == (250, 250, None)
            assert [one["code"] for one in result["items"]] == [one["code"] for one in there]
            assert {one["state"] for one in result["items"]} == {"inactive"}
            stored = str(stage.disk.rows("SELECT * FROM spare_codes") + stage.disk.rows("SELECT data FROM sealed"))
            assert not any(one["code"] in stored for one in there)

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE])
def test_codes_of_a_lost_answer_are_nobodys_and_others_are_made(kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault(kind, **DOWN)
            result = await done(stage, MakeCodes, {"count": 3})
            assert (result["made"], len(states(stage))) == (3, 3)
            assert len(await at_provider(stage, CODES)) == (6 if kind in UNANSWERED else 3)

    in_virtual_time(story())


def test_where_answers_go_on_being_lost_it_ends_and_says_so() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("hung_up", **DOWN, times=100)
            await ask(stage, {"count": 3}, command=MakeCodes)
            standing = await stage.ended(MAKE)
            assert (standing.state, len(await at_provider(stage, CODES))) == (CommandState.failed, 9)
            assert "nobody knows" in (standing.error or "")

    in_virtual_time(story())


def test_fewer_than_asked_for_are_handed_over_with_the_reason() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start(_DownAfterOne(stage))
            result = await done(stage, MakeCodes, {"count": 150})
            assert (result["asked"], result["made"], result["reason"]) == (150, 100, "lost")

    in_virtual_time(story())


def test_where_a_process_dies_the_codes_that_were_kept_are_handed_over() -> None:
    async def story(points: Points) -> list[str]:
        async with stage_of().open() as stage:
            stage.start(points)
            result = await done(stage, MakeCodes, {"count": 150})
            assert (result["made"], len(states(stage))) == (150, 150)
            await pass_time(1)
        return points.names

    for at in places(in_virtual_time(story(Points()))):
        in_virtual_time(story(Points(at)))


def test_a_login_that_is_refused_makes_none_and_says_why() -> None:
    async def story() -> None:
        accounts = [{"email": "shop@example.com", "password": "secret", "enabled": False}]
        async with stage_of(szybkie_zwroty={"accounts": accounts}).open() as stage:
            stage.start()
            await ask(stage, {"count": 3}, command=MakeCodes)
            standing = await stage.ended(MAKE)
            assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})
            assert "access_denied" in (standing.error or "")

    in_virtual_time(story())


# -- activated ---------------------------------------------------------------------------------------------------------


def test_an_activated_code_is_a_return_and_is_told_without_the_code() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            result = await done(stage, ActivateCode, {"code": spare["code"], **USE})
            [there] = await at_provider(stage, CODES)
            assert (result["code"], result["return_id"]) == (there["code"], there["rma"])
            assert (result["state"], result["reference"], there["active"]) == ("created", "ORDER123", True)
            [(kind, event)] = stage.told(f"return/{result['return_id']}")
            assert (kind, event["source"], event["causationid"]) == ("return.created", f"/{CODES}/main", "one")
            assert not any(secret in json.dumps(event) for secret in (spare["code"], SENDER["email"], "ORDER123"))
            assert stage.disk.rows("SELECT state, return_id, command FROM spare_codes") == [
                ("active", result["return_id"], None)
            ]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [*UNANSWERED, *UNDONE, "limited"])
def test_whatever_becomes_of_the_answer_the_code_is_one_return(kind: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            await stage.fault(kind, **DOWN)
            result = await done(stage, ActivateCode, {"code": spare["id"], **USE})
            [there] = await at_provider(stage, CODES)
            assert (result["code"], result["return_id"], there["active"]) == (there["code"], there["rma"], True)
            assert [kind for kind, _ in stage.told(f"return/{result['return_id']}")] == ["return.created"]
            assert stage.disk.rows("SELECT state FROM returns") == [("created",)]

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up"])
def test_wherever_a_process_dies_the_code_is_one_return(kind: str | None) -> None:
    names = in_virtual_time(_dying(kind, Points()))
    assert {"before POST", "before a commit", "after a commit"} <= set(names)
    for at in places(names):
        in_virtual_time(_dying(kind, Points(at)))


async def _dying(kind: str | None, points: Points) -> list[str]:
    async with stage_of().open() as stage:
        first = stage.start()
        spare = await made(stage)
        await first.end()
        stage.workers.clear()
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, **DOWN)
        result = await done(stage, ActivateCode, {"code": spare["id"], **USE})
        [there] = await at_provider(stage, CODES)
        assert (result["code"], result["return_id"]) == (there["code"], there["rma"])
        [(told, event)] = stage.told(f"return/{result['return_id']}")
        assert (told, event["causationid"]) == ("return.created", "one")
        assert (stage.disk.rows("SELECT state FROM returns"), states(stage)) == ([("created",)], ["active"])
        await pass_time(1)
    return points.names


def test_a_code_that_is_active_is_no_other_return() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            first = await done(stage, ActivateCode, {"code": spare["id"], **USE})
            await ask(stage, {"code": spare["id"], **USE, "reference": "OTHER"}, "two", command=ActivateCode)
            standing = await stage.ended(ACTIVATE, "two")
            assert (standing.state, standing.result) == (CommandState.rejected, {"problem": "not-inactive"})
            assert first["return_id"] in (standing.error or "")

    in_virtual_time(story())


def test_two_that_come_at_once_make_one_return() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            stage.start()
            spare = await made(stage)
            for key in ("one", "two"):
                await ask(stage, {"code": spare["id"], **USE}, key, command=ActivateCode)
            ends = sorted([(await stage.ended(ACTIVATE, key)).state for key in ("one", "two")])
            assert ends == [CommandState.done, CommandState.rejected]
            assert stage.disk.rows("SELECT state FROM returns") == [("created",)]

    in_virtual_time(story())


def test_what_nobody_knows_is_found_out_when_it_is_asked_for_again() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            await stage.fault("hung_up", **DOWN)
            await stage.fault("unavailable", **DOWN, times=10_000)
            await ask(stage, {"code": spare["id"], **USE}, command=ActivateCode)
            assert (await stage.ended(ACTIVATE, seconds=3 * 3600)).state is CommandState.unknown
            assert states(stage) == ["unknown"]
            [(return_id,)] = stage.disk.rows("SELECT id FROM returns WHERE state = 'unknown'")
            await stage.merchant.delete("/_control/faults")
            later = {**USE, "expires_at": "2026-05-20T12:00:00Z"}
            result = await done(stage, ActivateCode, {"code": spare["id"], **later}, "two")
            [there] = await at_provider(stage, CODES)
            assert (result["return_id"], there["rma"]) == (return_id, return_id)
            assert result["expires_at"] < later["expires_at"], "promised is what the first one asked for"
            told = [(kind, event["causationid"]) for kind, event in stage.told(f"return/{return_id}")]
            assert told == [("return.creation_unknown", "one"), ("return.created", "two")]
            first = await stage.ended(ACTIVATE, "one")
            assert (first.state, first.result) == (CommandState.done, result)

    in_virtual_time(story())


def test_what_the_provider_refuses_leaves_the_code_as_it_was() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            early = {**USE, "expires_at": (stage.clock().replace(microsecond=0)).isoformat()}
            await ask(stage, {"code": spare["id"], **early}, command=ActivateCode)
            standing = await stage.ended(ACTIVATE)
            assert standing.state is CommandState.withdrawn
            assert fields(standing) == ["expires_at"]
            await by_hand(stage, "revloginvalidatecode", f"<code>{spare['code']}</code>")
            await ask(stage, {"code": spare["id"], **USE}, "two", command=ActivateCode)
            standing = await stage.ended(ACTIVATE, "two")
            assert (standing.state, standing.result) == (CommandState.rejected, {"problem": "carrier-refused"})
            assert states(stage) == ["inactive"]
            assert stage.disk.rows("SELECT type FROM events") == [("return.creation_failed",)]

    in_virtual_time(story())


def test_where_nothing_can_be_sent_the_code_is_free_again_and_no_return_is_kept() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            await stage.fault("limited", **DOWN, times=1000)
            await ask(stage, {"code": spare["id"], **USE}, command=ActivateCode)
            standing = await stage.ended(ACTIVATE)
            assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})
            assert (states(stage), stage.disk.rows("SELECT id FROM returns")) == (["inactive"], [])

    in_virtual_time(story())


def test_what_was_withdrawn_leaves_the_code_to_others() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            await stage.fault("limited", **DOWN, times=4)
            await ask(stage, {"code": spare["id"], **USE}, command=ActivateCode)
            await pass_time(2)
            assert await stage.withdrawn(ACTIVATE)
            assert states(stage) == ["activating"]
            result = await done(stage, ActivateCode, {"code": spare["id"], **USE}, "two")
            assert (result["code"], states(stage)) == (spare["code"], ["active"])

    in_virtual_time(story())


def test_a_code_that_nobody_knows_is_said_to_be_none() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            for command, asked in ((ActivateCode, {"code": "1414000001", **USE}), (InvalidateCode, {"code": "1"})):
                await ask(stage, asked, command=command)
                standing = await stage.ended(command.operation)
                assert (standing.state, standing.result) == (CommandState.rejected, {"problem": "not-found"})

    in_virtual_time(story())


# -- made useless ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [None, *UNANSWERED, *UNDONE, "limited"])
def test_a_code_is_made_useless_whatever_becomes_of_the_answer(kind: str | None) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            if kind is not None:
                await stage.fault(kind, **DOWN)
            result = await done(stage, InvalidateCode, {"code": spare["id"]})
            assert (result["state"], result["code"], states(stage)) == ("invalidated", None, ["invalidated"])
            assert [one["valid"] for one in await at_provider(stage, CODES)] == [False]
            assert (await done(stage, InvalidateCode, {"code": spare["id"]}, "again"))["state"] == "invalidated"
            await ask(stage, {"code": spare["id"], **USE}, command=ActivateCode)
            assert (await stage.ended(ACTIVATE)).result == {"problem": "not-inactive"}

    in_virtual_time(story())


def test_an_active_code_is_not_made_useless() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            spare = await made(stage)
            await done(stage, ActivateCode, {"code": spare["id"], **USE})
            await ask(stage, {"code": spare["code"]}, command=InvalidateCode)
            standing = await stage.ended(INVALIDATE)
            assert (standing.state, standing.result) == (CommandState.rejected, {"problem": "not-inactive"})
            assert [one["valid"] for one in await at_provider(stage, CODES)] == [True]

    in_virtual_time(story())


# -- where the provider is not set up any more -------------------------------------------------------------------------


def test_where_the_provider_is_not_set_up_any_more_nothing_is_sent() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            first = stage.start()
            spare = await made(stage)
            await first.end()
            stage.workers.clear()
            stage.operations = without_providers
            stage.start()
            asked: list[tuple[type[Body], dict[str, Any]]] = [
                (ActivateCode, {"code": spare["id"], **USE}),
                (InvalidateCode, {"code": spare["id"]}),
            ]
            for command, body in asked:
                await ask(stage, body, command=command)
                standing = await stage.ended(command.operation)
                assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})
            await ask(stage, {"count": 1}, command=MakeCodes)
            standing = await stage.ended(MAKE)
            assert fields(standing) == ["connection"]
            assert states(stage) == ["inactive"]

    in_virtual_time(story())


def test_what_was_sent_to_a_provider_that_is_gone_is_unknown() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            first = stage.start()
            spare = await made(stage)
            await stage.fault("hung_up", **DOWN)
            await ask(stage, {"code": spare["id"], **USE}, command=ActivateCode)
            await pass_time(2)
            await first.end()
            stage.workers.clear()
            stage.operations = without_providers
            stage.start()
            assert (await stage.ended(ACTIVATE)).state is CommandState.unknown
            assert (states(stage), stage.disk.rows("SELECT state FROM returns")) == (["unknown"], [("unknown",)])
            assert stage.disk.rows("SELECT type FROM events") == [("return.creation_unknown",)]

    in_virtual_time(story())


def test_an_activation_that_nobody_knew_of_is_found_by_the_day_on_which_the_code_was_made() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            first = stage.start()
            spare = await made(stage)
            await first.end()
            await pass_time(5 * 86_400)
            first = stage.start()
            await stage.fault("hung_up", **DOWN)
            await ask(stage, {"code": spare["id"], **USE}, command=ActivateCode)
            await pass_time(2)
            await first.end()
            stage.operations = without_providers
            second = stage.start()
            assert (await stage.ended(ACTIVATE)).state is CommandState.unknown
            await second.end()
            stage.operations = returning()
            await look_for(stage, 120)
            standing = await stage.ended(ACTIVATE)
            assert (standing.state, (standing.result or {})["state"]) == (CommandState.done, "created")
            assert stage.disk.rows("SELECT state FROM returns") == [("created",)]
            assert stage.disk.rows("SELECT * FROM doubtful_returns") == []
            [there] = await at_provider(stage, CODES)
            assert there["active"] is True

    in_virtual_time(story())
