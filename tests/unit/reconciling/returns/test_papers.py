"""A label that the provider has somewhere is fetched and told of once; a customer is reminded in time, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import httpx
import pytest

from tests.unit.purchasing.virtual_time import in_virtual_time, pass_time
from tests.unit.reconciling.returns.watch import DAY, HOUR, MINUTE, Story, story
from tests.unit.shipping.returning import CODES, TICKETS
from tests.unit.shipping.settling import doubted, look_for

LABELLED: Final[dict[str, Any]] = {
    "inpost_returns": {"accounts": [{"client_id": "shop", "client_secret": "secret", "labels": True}]}
}


def labels(it: Story) -> int:
    """Count the labels that were fetched."""
    return sum(url.path.endswith("/label") for url in it.watch.way.asked)


def test_a_label_is_fetched_kept_and_told_of_once() -> None:
    async def play() -> None:
        async with story(**LABELLED) as it:
            made = await it.made(TICKETS)
            for _ in range(3):
                await it.looked(TICKETS)
            [ready] = [data for kind, data in it.told(made) if kind == "label_ready"]
            form, digest, due = it.row(made, "label_format, label_sha256, label_due_at")
            assert (ready["format"], ready["sha256"], form, due) == ("pdf", digest, "pdf", None)
            assert ready["path"] == f"/v1/returns/{made['return_id']}/label"
            assert labels(it) == 1
            [(size,)] = it.stage.disk.rows("SELECT count(*) FROM sealed WHERE owner LIKE 'return/%/label'")
            assert size == 1

    in_virtual_time(play())


@pytest.mark.parametrize("kind", ["unavailable", "cut", "page", "limited"])
def test_a_label_that_cannot_be_had_is_fetched_later(kind: str) -> None:
    async def play() -> None:
        async with story(**LABELLED) as it:
            made = await it.made(TICKETS)
            await it.stage.fault(kind, method="GET", path="*/label")
            await it.looked(TICKETS)
            assert "label_ready" not in it.kinds(made)
            for _ in range(4):
                await it.looked(TICKETS)
            assert it.kinds(made).count("label_ready") == 1

    in_virtual_time(play())


def test_a_label_of_a_return_that_was_found_later_is_fetched_though_no_list_says_that_there_is_one() -> None:
    async def play() -> None:
        async with story(**LABELLED) as it:
            await doubted(it.stage, TICKETS, "hung_up")
            await look_for(it.stage, 3 * MINUTE)
            [(id_, state)] = it.stage.disk.rows("SELECT id, state FROM returns")
            assert state == "created"
            for _ in range(3):
                await it.looked(TICKETS)
            assert it.kinds({"return_id": id_}).count("label_ready") == 1
            assert labels(it) == 1

    in_virtual_time(play())


def test_a_return_that_is_made_in_the_middle_of_a_round_has_its_label_all_the_same() -> None:
    async def play() -> None:
        async with story(**LABELLED) as it:
            await it.made(TICKETS)
            late: dict[str, Any] = {}

            async def meanwhile(_: httpx.URL) -> None:
                it.watch.way.meanwhile = None
                late.update(await it.made(TICKETS, "late", reference="LATE"))

            it.watch.way.meanwhile = meanwhile  # behind the token, before the list
            for _ in range(3):
                await it.looked(TICKETS)
            assert it.statuses(late) == [("NEW", "created")]
            assert it.kinds(late).count("label_ready") == 1

    in_virtual_time(play())


def test_a_label_is_not_given_up_where_no_token_was_to_be_had_to_ask_for_it() -> None:
    async def play() -> None:
        async with story(**LABELLED) as it:
            await doubted(it.stage, TICKETS, "hung_up")
            await look_for(it.stage, 3 * MINUTE)
            [(id_,)] = it.stage.disk.rows("SELECT id FROM returns")
            rounds = {one.name: one for one in it.watch.rounds[f"{TICKETS}/main"]}
            await pass_time(5 * MINUTE)
            await rounds["returns"].make()
            await pass_time(5 * MINUTE)  # the token of that round has ended
            it.watch.way.forbidden = "/token"
            await rounds["labels"].make()
            assert labels(it) == 0
            it.watch.way.forbidden = None
            it.change("UPDATE connections SET paused_since = NULL, paused_reason = NULL, paused_by = NULL")
            for _ in range(3):
                await it.looked(TICKETS)
            assert it.kinds({"return_id": id_}).count("label_ready") == 1

    in_virtual_time(play())


@pytest.mark.parametrize("unlabelled", ["not_found", "forbidden"])
def test_without_labels_each_is_asked_for_once_and_the_rest_goes_on(unlabelled: str) -> None:
    async def play() -> None:
        account = {"client_id": "shop", "client_secret": "secret"}
        async with story(inpost_returns={"accounts": [account], "unlabelled": unlabelled}) as it:
            made, another = await it.made(TICKETS), await it.made(TICKETS, "two")
            for _ in range(3):
                await it.looked(TICKETS)
            assert labels(it) == 2
            assert it.row(made, "label_due_at") == it.row(another, "label_due_at") == (None,)
            await it.moved(TICKETS, status="USED")
            await it.looked(TICKETS)
            told = [*it.kinds(made), *it.kinds(another)]
            assert ("label_ready" in told, "status_changed" in told) == (False, True)

    in_virtual_time(play())


@pytest.mark.parametrize("provider", [TICKETS, CODES])
def test_that_little_time_is_left_is_told_once(provider: str) -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(provider)
            [(expires_at,)] = it.stage.disk.rows("SELECT expires_at FROM returns")
            left = expires_at / 1_000_000 - it.stage.clock().timestamp()
            await it.looked(provider, left - 2 * DAY - HOUR)
            assert "expiry_approaching" not in it.kinds(made)
            for _ in range(3):
                await it.looked(provider, 2 * HOUR)
            it.watched_by_another()
            await it.looked(provider)
            [told] = [data for kind, data in it.told(made) if kind == "expiry_approaching"]
            assert datetime.fromisoformat(told["expires_at"]).timestamp() == expires_at / 1_000_000

    in_virtual_time(play())


def test_a_new_expiry_is_told_of_anew() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            await it.looked(TICKETS, 5 * DAY + HOUR)
            assert it.kinds(made).count("expiry_approaching") == 1
            it.change("UPDATE returns SET expires_at = expires_at - 3600000000")
            await it.looked(TICKETS, 6 * HOUR)
            await it.looked(TICKETS, HOUR)
            assert it.kinds(made).count("expiry_approaching") == 1, "it is the one that was told of"

    in_virtual_time(play())


def test_who_has_sent_it_is_not_reminded() -> None:
    async def play() -> None:
        async with story() as it:
            made = await it.made(TICKETS)
            await it.moved(TICKETS, status="USED")
            await it.looked(TICKETS)
            await it.looked(TICKETS, 6 * DAY)
            assert "expiry_approaching" not in it.kinds(made)
            assert it.row(made, "expiry_due_at") == (None,)

    in_virtual_time(play())
