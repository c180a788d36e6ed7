"""A return is made once: what comes of it, and what is known where its answer was lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bridge.errors import CarrierUnavailable, NoPermit
from tests.contract.returns.providers import Opened
from tests.contract.returns.stage import ProviderStage

DONE = ["lost", "crashed", "hung_up", "cut", "page"]
"""What was done without an answer that says so (`bridge.simulator.faults`)."""
NOT_DONE = ["limited", "unavailable", "failed", "dropped"]
"""What never reached the provider."""


async def test_a_return_is_made_once_and_found_again(stage: ProviderStage) -> None:
    assert await stage.find() is None
    made = await stage.make()
    found = await stage.find()
    assert await stage.made() == 1
    assert found is not None
    assert found.code == made.code
    assert made.tracking_number in (None, found.tracking_number)
    assert len(stage.asked()) == 3


async def test_a_ticket_has_what_the_customer_needs_and_what_it_is_known_by(stage: ProviderStage) -> None:
    made = await stage.make()
    assert made.is_usable
    assert made.provider_reference or made.code or made.tracking_number
    if made.expires_at is not None:
        assert made.expires_at.utcoffset() == timedelta(0)
        assert stage.now() < made.expires_at <= stage.in_days(20)
    if made.cancellable_until is not None:
        assert made.cancellable_until > stage.now()


async def test_its_label_is_a_file_and_may_be_fetched_again(stage: ProviderStage) -> None:
    made = await stage.make()
    labels = [await stage.label(made), await stage.label(made)]
    if not stage.HAS_LABELS:
        assert labels == [None, None]
        return
    assert labels[0] is not None
    assert labels[0].format == "pdf"
    assert labels[0].content.startswith(b"%PDF-")
    assert labels[0] == labels[1]
    assert await stage.made() == 1


@pytest.mark.parametrize("kind", DONE)
async def test_after_a_lost_answer_it_is_found_and_not_made_again(kind: str, stage: ProviderStage) -> None:
    await stage.meets(kind)
    with pytest.raises(CarrierUnavailable) as caught:
        await stage.make()
    assert not isinstance(caught.value, NoPermit), "nobody may say that nothing was sent"
    assert len(stage.asked()) == 1, "no write is made twice by itself"
    assert await stage.made() == 1
    found = await stage.find()
    assert found is not None
    assert found.code or found.tracking_number


@pytest.mark.parametrize("kind", NOT_DONE)
async def test_what_never_got_there_is_found_nowhere_and_may_be_made(kind: str, stage: ProviderStage) -> None:
    await stage.meets(kind)
    with pytest.raises(CarrierUnavailable) as caught:
        await stage.make()
    assert (caught.value.status == 429) is (kind == "limited")
    assert len(stage.asked()) == 1
    assert await stage.find() is None
    await stage.make()
    assert await stage.made() == 1


async def test_an_answer_that_does_not_come_in_time_is_none(opened: Opened) -> None:
    stage = await opened(patience_s=0.2)
    await stage.meets("slow", seconds=[5, 5])
    with pytest.raises(CarrierUnavailable, match="Timeout") as caught:
        await stage.make()
    assert not isinstance(caught.value, NoPermit)
    assert await stage.made() == 1
    assert await stage.find() is not None
