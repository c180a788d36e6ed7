"""The label of a return for whoever cannot ask over HTTP: the one that is kept, or else the provider's."""

from __future__ import annotations

from base64 import b64decode
from typing import Any

import pytest

from bridge.model import CommandState
from bridge.shipping.returns.asked import FetchReturnLabel
from tests.unit.purchasing.virtual_time import in_virtual_time
from tests.unit.shipping.returning import CREATE, PLATFORM, SCENARIO, TICKETS, ask, returning, wanted
from tests.unit.shipping.stage import Stage

FETCH = FetchReturnLabel.operation
LABELS = {"accounts": [{"client_id": "shop", "client_secret": "secret", "labels": True}]}


def stage_of(**scenario: Any) -> Stage:
    return Stage(returning(), **{**SCENARIO, **scenario})


async def fetch(stage: Stage, provider: str, key: str = "label") -> None:
    await ask(stage, wanted(provider))
    return_id = (await stage.done(CREATE))["return_id"]
    await ask(stage, {"return_id": return_id}, key, command=FetchReturnLabel)


@pytest.mark.parametrize("provider", [TICKETS, PLATFORM])
def test_it_is_the_providers(provider: str) -> None:
    async def story() -> None:
        async with stage_of(inpost_returns=LABELS).open() as stage:
            stage.start()
            await fetch(stage, provider)
            result = await stage.done(FETCH, "label")
            content = b64decode(result["content"])
            assert (content[:4], result["format"], result["media_type"]) == (b"%PDF", "pdf", "application/pdf")
            assert result["bytes"] == len(content)

    in_virtual_time(story())


def test_where_there_is_none_that_is_said() -> None:
    async def story() -> None:
        async with stage_of().open() as stage:
            stage.start()
            await fetch(stage, TICKETS)
            standing = await stage.ended(FETCH, "label")
            assert (standing.state, standing.result) == (CommandState.rejected, {"problem": "not-found"})
            await ask(stage, {"return_id": "nothing"}, "nothing", command=FetchReturnLabel)
            assert (await stage.ended(FETCH, "nothing")).result == {"problem": "not-found"}

    in_virtual_time(story())


def test_where_the_provider_gives_none_just_now_it_may_be_asked_for_again() -> None:
    async def story() -> None:
        async with stage_of(inpost_returns=LABELS).open() as stage:
            stage.start()
            await stage.fault("unavailable", method="GET", path="*label*", times=100)
            await fetch(stage, TICKETS)
            standing = await stage.ended(FETCH, "label")
            assert (standing.state, "try again" in (standing.error or "")) == (CommandState.failed, True)

    in_virtual_time(story())
