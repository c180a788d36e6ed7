"""What happened to a return is told: who was to make it, what was sent, that nobody knew, what was found."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from bridge.inspection.document import of_return
from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import timeline
from bridge.returns.routing import Route
from bridge.store.database import Transaction
from bridge.store.story import Story, story
from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.shipping.returning import CODES, CREATE, SCENARIO, SENDER, TICKETS, ask, at_provider, returning, wanted
from tests.unit.shipping.settling import doubted, look_for, operations, say
from tests.unit.shipping.stage import Stage

NO_TOKEN = {"accounts": [{"client_id": "shop", "client_secret": "another"}]}
NO_PURCHASE = timedelta(0)


def stage_of(**scenario: Any) -> Stage:
    return Stage(operations, **{**SCENARIO, **scenario})


def story_of(stage: Stage) -> Story:
    [(id_, connection)] = stage.disk.rows("SELECT id, connection FROM returns")

    def read(transaction: Transaction) -> Story:
        return story(transaction, f"/{connection}", f"return/{id_}")

    with stage.disk.writing(stage.clock) as transaction:
        return read(transaction)


def lines(stage: Stage) -> list[str]:
    return [f"{one.kind}: {one.text}" for one in timeline(story_of(stage)) if one.kind != "publish"]


def next_(stage: Stage) -> list[str]:
    return outlook(story_of(stage), stage.clock(), NO_PURCHASE)


def test_who_could_not_be_asked_and_who_made_it_is_told() -> None:
    async def story() -> None:
        async with stage_of(inpost_returns=NO_TOKEN).open() as stage:
            stage.operations = returning(Route((TICKETS, CODES)))
            stage.start()
            await ask(stage, {**wanted(CODES), "provider": None})
            result = await stage.done(CREATE)
            asked, sent, event = lines(stage)
            assert asked == (
                "return: asked for by tests, command one: to be made at szybkie_zwroty/main;"
                " not at inpost_returns/main: the provider takes nothing just now (invalid_client), so nothing was done"
            )
            assert sent == "return: sent to szybkie_zwroty/main, once in all"
            assert event.startswith("event: #1 return.created: ")
            told = json.dumps(of_return(story_of(stage), "one", stage.clock(), NO_PURCHASE), default=str)
            assert not [word for word in (result["code"], "ORDER123", SENDER["email"]) if word in told]

    in_virtual_time(story())


def test_what_is_in_doubt_says_how_often_it_was_looked_for_and_what_a_person_can_do() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, CODES, "dropped")
            await look_for(stage, 300)
            _, sent, unknown, looked = lines(stage)
            assert sent.startswith("return: sent to szybkie_zwroty/main, once in all")
            assert unknown == "event: #1 return.creation_unknown"
            assert looked == "return: looked for 4 times in doubt: nothing shows it"
            doubt, due, person, *_ = next_(stage)
            assert doubt == "nobody knows whether szybkie_zwroty/main has made it: it is not sent again"
            assert due.startswith("it is looked for ")
            assert "`bridge returns settle" in person

    in_virtual_time(story())


def test_what_was_found_or_said_later_is_told_so() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, TICKETS, "hung_up")
            await look_for(stage, 150)
            [ticket] = await at_provider(stage, TICKETS)
            words = f"{ticket['id']}, created, {ticket['tracking_number']}"
            assert lines(stage)[-1] == f"event: #2 return.created: {words}, found out later, for command one"
            assert next_(stage)[0] == "nothing more is done to make it"

    in_virtual_time(story())


def test_what_was_not_made_says_who_knows_and_that_nothing_follows() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            await doubted(stage, CODES, "dropped")
            stage.start()
            [(id_,)] = stage.disk.rows("SELECT id FROM returns")
            await say(stage, id_, made=False)
            assert lines(stage)[-1] == "event: #2 return.creation_failed: not_made, found out later, for command one"
            assert next_(stage)[0] == "nothing: it has failed, not_made"
            await pass_time(1)

    in_virtual_time(story())
