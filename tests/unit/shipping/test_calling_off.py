"""Calling a return off: asked for at the provider that knows such a thing, whatever becomes of the answer."""

from __future__ import annotations

from typing import Any, Final

import pytest

from bridge.model import CommandState
from bridge.shipping.returns.asked import CancelReturn
from tests.unit.purchasing.stage import Points
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.returning import (
    CODES,
    CREATE,
    PATHS,
    PLATFORM,
    SCENARIO,
    TICKETS,
    ask,
    at_provider,
    returning,
    wanted,
)
from tests.unit.shipping.stage import Stage, places

CANCEL: Final = CancelReturn.operation
PATH: Final = "/intelligentreturns/returns/cancel*"
UNANSWERED = ["lost", "crashed", "hung_up", "cut", "page"]
UNDONE = ["dropped", "unavailable", "failed", "limited"]


def stage_of(**scenario: Any) -> Stage:
    return Stage(returning(), **{**SCENARIO, **scenario})


def platform(**terms: Any) -> dict[str, Any]:
    return {"intelligentreturns": {**SCENARIO["intelligentreturns"], **terms}}


async def made(stage: Stage, provider: str = PLATFORM) -> str:
    await ask(stage, wanted(provider))
    found: str = (await stage.done(CREATE))["return_id"]
    return found


async def call_off(stage: Stage, return_id: str, key: str = "off") -> None:
    await ask(stage, {"return_id": return_id}, key, command=CancelReturn)


async def scans(stage: Stage) -> list[str]:
    [there] = await at_provider(stage, PLATFORM)
    return list(there["statuses"])


async def refusal(stage: Stage, key: str = "off") -> Any:
    standing = await stage.ended(CANCEL, key)
    assert standing.state is CommandState.rejected, standing
    return (standing.result or {})["problem"]


@pytest.mark.parametrize("kind", [None, *UNANSWERED, *UNDONE])
def test_it_is_asked_for_whatever_becomes_of_the_answer(kind: str | None) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            return_id = await made(stage)
            if kind is not None:
                await stage.fault(kind, method="POST", path=PATH)
            await call_off(stage, return_id)
            result = await stage.done(CANCEL, "off")
            assert (result["return_id"], result["state"], result["cancellation"]) == (return_id, "created", "requested")
            assert (await scans(stage)).count("300") == 1

    in_virtual_time(story())


@pytest.mark.parametrize("kind", [None, "hung_up"])
def test_wherever_a_process_dies_it_is_asked_for(kind: str | None) -> None:
    for at in places(in_virtual_time(_dying(kind, Points()))):
        in_virtual_time(_dying(kind, Points(at)))


async def _dying(kind: str | None, points: Points) -> list[str]:
    async with stage_of().open() as stage:
        first = stage.start()
        return_id = await made(stage)
        await first.end()
        stage.workers.clear()
        stage.start(points)
        if kind is not None:
            await stage.fault(kind, method="POST", path=PATH)
        await call_off(stage, return_id)
        assert (await stage.done(CANCEL, "off"))["cancellation"] == "requested"
        assert (await scans(stage)).count("300") == 1
        await pass_time(1)
    return points.names


def test_asking_twice_is_no_mistake() -> None:
    async def story() -> None:
        async with stage_of(**platform(cancels="ignored")).open() as stage:
            stage.start()
            return_id = await made(stage)
            for key in ("one", "two"):
                await call_off(stage, return_id, key)
                assert (await stage.done(CANCEL, key))["cancellation"] == "requested"

    in_virtual_time(story())


@pytest.mark.parametrize("provider", [TICKETS, CODES])
def test_what_the_provider_does_not_know_is_not_sent(provider: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            return_id = await made(stage, provider)
            await call_off(stage, return_id)
            assert await refusal(stage) == "not-supported"

    in_virtual_time(story())


def test_after_its_time_nothing_is_sent() -> None:
    async def story() -> None:
        async with stage_of(**platform(cancel_until=60)).open() as stage:
            stage.start()
            return_id = await made(stage)
            await pass_time(120)
            await stage.fault("dropped", method="POST", path=PATH, times=100)
            await call_off(stage, return_id)
            assert await refusal(stage) == "not-cancellable"

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("key", "told"),
    [
        ("cancellation_time_expired", "not-cancellable"),
        ("can_not_cancel_return", "not-cancellable"),
        ("return_nx", "carrier-refused"),
    ],
)
def test_what_the_provider_says_no_to_is_told(key: str, told: str) -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            return_id = await made(stage)
            refused = {"method": "returns/cancel", "code": key}
            await stage.merchant.post("/_control/intelligentreturns/refusals", json=refused)
            await call_off(stage, return_id)
            assert await refusal(stage) == told

    in_virtual_time(story())


def test_where_nothing_can_be_sent_the_key_stays_free() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            return_id = await made(stage)
            refused = {"method": "returns/cancel", "code": "access_denied"}
            await stage.merchant.post("/_control/intelligentreturns/refusals", json=refused)
            await call_off(stage, return_id)
            standing = await stage.ended(CANCEL, "off")
            assert (standing.state, standing.result) == (CommandState.withdrawn, {"problem": "nothing-sent"})

    in_virtual_time(story())


def test_what_nothing_was_sent_of_is_called_off_with_its_command_for_good() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("unavailable", method="POST", path="*openid-connect/token", times=1000)
            await ask(stage, wanted(TICKETS))
            await pass_time(2)
            [(return_id,)] = stage.disk.rows("SELECT id FROM returns WHERE state = 'pending'")
            await call_off(stage, return_id)
            result = await stage.done(CANCEL, "off")
            assert (result["state"], result["cancellation"]) == ("cancelled", "withdrawn")
            await stage.merchant.delete("/_control/faults")
            for _ in range(2):
                ended = await stage.ended(CREATE)
                assert (ended.state, ended.result) == (CommandState.rejected, {"problem": "called-off"})
                await ask(stage, wanted(TICKETS))
                await pass_time(10)
            assert await at_provider(stage, TICKETS) == []
            assert stage.disk.rows("SELECT state, sender, reason FROM returns") == [("cancelled", None, "withdrawn")]
            await call_off(stage, return_id, "again")
            assert (await stage.done(CANCEL, "again"))["cancellation"] == "cancelled"

    in_virtual_time(story())


def test_what_may_be_made_already_is_not_called_off_and_says_so() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("dropped", method="POST", path=PATHS[PLATFORM], times=3)
            await ask(stage, wanted(PLATFORM))
            await pass_time(5)
            [(return_id,)] = stage.disk.rows("SELECT id FROM returns WHERE state = 'pending'")
            await call_off(stage, return_id, "while it is looked for")
            assert await refusal(stage, "while it is looked for") == "in-other-hands"
            assert (await stage.ended(CREATE)).state is CommandState.unknown
            await call_off(stage, return_id, "when nobody knows")
            assert await refusal(stage, "when nobody knows") == "not-cancellable"

    in_virtual_time(story())


def test_what_is_being_made_just_now_is_waited_for_and_called_off() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await stage.fault("hung_up", method="POST", path=PATHS[PLATFORM])
            await ask(stage, wanted(PLATFORM))
            await pass_time(1)
            [(return_id,)] = stage.disk.rows("SELECT id FROM returns WHERE state = 'pending'")
            await call_off(stage, return_id)
            assert (await stage.done(CANCEL, "off"))["cancellation"] == "requested"
            assert (await stage.done(CREATE))["return_id"] == return_id
            assert "300" in await scans(stage)

    in_virtual_time(story())


def test_what_was_refused_or_is_not_there_is_not_called_off() -> None:
    async def story() -> None:
        accounts = [{"client_id": "shop", "client_secret": "secret", "codes_left": 0}]
        async with stage_of(inpost_returns={"accounts": accounts}).open() as stage:
            stage.start()
            await ask(stage, wanted(TICKETS))
            await stage.ended(CREATE)
            [(return_id,)] = stage.disk.rows("SELECT id FROM returns WHERE state = 'failed'")
            await call_off(stage, return_id, "failed")
            assert await refusal(stage, "failed") == "not-cancellable"
            await call_off(stage, "nothing", "nothing")
            assert await refusal(stage, "nothing") == "not-found"

    in_virtual_time(story())
