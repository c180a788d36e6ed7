"""What nobody may read in logs, errors or representations: who we are, who sends it, and what opens a locker."""

from __future__ import annotations

import traceback
from contextlib import suppress

import pytest
import structlog
from prometheus_client import generate_latest

from bridge.errors import CarrierError
from bridge.observability import Metrics
from tests.contract.returns.providers import Opened
from tests.contract.returns.stage import PERSONAL, SECRET, ProviderStage

WRONG = "an0ther-one"
KINDS = ["lost", "cut", "page", "unavailable", "dropped", "limited", "crashed"]


@pytest.mark.parametrize("kind", ["", *KINDS])
async def test_neither_secrets_nor_people_are_logged_or_measured(kind: str, opened: Opened) -> None:
    stage = await opened(secret=SECRET if kind else WRONG, metrics=Metrics())
    if kind:
        await stage.meets(kind)
    with structlog.testing.capture_logs() as logs:
        for call in (stage.make, stage.find, stage.make):
            with suppress(CarrierError):
                await call()
    assert logs, "that something was asked is known"
    hidden = [*stage.SECRETS, WRONG, *PERSONAL, stage.draft.reference]
    told = repr(logs) + generate_latest(stage.metrics.registry).decode()
    assert [one for one in hidden if one in told] == []


@pytest.mark.parametrize("kind", KINDS)
async def test_an_error_quotes_nothing(kind: str, stage: ProviderStage) -> None:
    await stage.meets(kind)
    with pytest.raises(CarrierError) as caught:
        await stage.make()
    told = "".join(traceback.format_exception(caught.value, limit=0)) + repr(caught.value.__context__)
    assert [one for one in (SECRET, *PERSONAL, stage.draft.reference) if one in told] == []


async def test_what_was_made_shows_neither_its_code_nor_anybody(stage: ProviderStage) -> None:
    made, found = await stage.make(), await stage.find()
    shown = repr([made, found, stage.draft, stage.broken(stage.draft)])
    assert [one for one in PERSONAL if one in shown] == []
    assert not made.code or made.code not in shown


async def test_a_client_shows_nothing_of_who_we_are(stage: ProviderStage) -> None:
    shown = repr(vars(stage)["client"]) + str(vars(stage)["client"])
    assert [one for one in stage.SECRETS if one in shown] == []
