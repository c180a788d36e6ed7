"""What happened to a shipment, from what is kept: every step with its reason, and what is going to happen."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from bridge.inspection.outlook import outlook
from bridge.inspection.timeline import timeline
from bridge.lifecycle import Stop
from bridge.model import OrganizationId, ShipmentId
from bridge.observability import Metrics
from bridge.reconciling.retention import Retention
from bridge.store import journal
from bridge.store.database import ManagedDatabase
from bridge.store.journal import Entry, Note
from bridge.store.leases import SqlLeases
from bridge.store.outlook import Errand, Take
from bridge.store.pruning import TABLES, SqlPruning
from bridge.store.story import Story, sources, story
from tests.contract.store.shop import ORGANIZATION, Shop, shop
from tests.contract.store.test_facts_store import NOW, arrival
from tests.support.purchases import hand

SETTLE = timedelta(seconds=20)
SOURCE = f"/shipx/{ORGANIZATION}"


async def tell(opened: Shop, shipment: ShipmentId) -> Story:
    return await opened.database.read(lambda it: story(it, SOURCE, f"shipment/{shipment}"))


async def next_(opened: Shop, shipment: ShipmentId) -> list[str]:
    return outlook(await tell(opened, shipment), opened.now, SETTLE)


def lines(found: Story) -> list[tuple[str, str]]:
    return [(one.kind, one.text) for one in timeline(found)]


async def test_a_purchase_is_told_from_the_webhook_to_the_publish(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        for _ in range(3):
            await opened.live(1)
        await opened.publish(most=4)
        found = await tell(opened, shipment)
        steps = [(kind, text) for kind, text in lines(found) if kind in ("read", "call")]
        assert steps == [
            ("read", "offers_prepared, no payments: buy offer 1700000001; wanted -> intended"),
            ("call", "buy offer 1700000001: accepted; intended -> doubt"),
            ("read", "confirmed, payments 500000001:success: bought; doubt -> succeeded"),
        ]
        kinds = [one.kind for one in timeline(found)]
        assert (kinds[0], kinds.count("delivery"), kinds.count("event"), kinds.count("publish")) == (
            "delivery",
            len(found.deliveries),
            len(found.events),
            4,
        )
        [repeated] = [text for kind, text in lines(found) if kind == "delivery" and "repeated" in text]
        assert "repeated once" in repeated
        [selected] = [text for kind, text in lines(found) if "offer_selected" in text]
        assert "not taken: 1700000002 service_not_listed" in selected
        assert "12.99 PLN" in selected
        assert await next_(opened, shipment) == [
            "nothing: this bridge bought it: offer 1700000001 (inpost_locker_standard)",
            f"{len(found.events) - 4} of its events will be published,"
            " each after the broker has confirmed the one before",
        ]


async def test_a_purchase_in_doubt_says_what_ends_it_and_when(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        await opened.simulator.advance(0.5)
        await opened.receive()
        waits = await next_(opened, shipment)
        assert waits[0].startswith("it will be read and decided about now: it has been due since 2026-03-18 11:31:58")
        assert waits[1] == "its window closes at 2026-03-18 11:36:58.479Z"
        await opened.work()
        doubt = await next_(opened, shipment)
        assert doubt[0].startswith("whether offer 1700000001 was bought is in doubt: only reads end that")
        assert doubt[1].startswith("it will be read at 2026-03-18 11:3")
        assert doubt[1].endswith("so far 0 reads showed no trace of it")
        assert doubt[2].startswith("it can count as not bought from 2026-03-18 11:32:")


async def test_what_is_held_declined_and_adopted_says_why(database: ManagedDatabase) -> None:
    async with shop(database, "approve") as opened:
        held = await opened.create()
        declined = await opened.create()
        found = opened.simulator.world.shipments.get(declined)
        await opened.simulator.advance(0.3)
        assert found is not None
        found.offers[:] = [offer for offer in found.offers if "courier" in offer.service.label.id]
        await opened.live(1)
        assert (await next_(opened, held))[0] == "it waits for a person: approval_required"
        assert (await next_(opened, declined))[0].startswith("nothing acceptable was on offer: no_rule_match")
        reads = [text for kind, text in lines(await tell(opened, declined)) if kind == "read"]
        assert reads == ["offers_prepared, no payments: decline (no_rule_match); wanted -> declined"]
        await opened.pick(held)
        await opened.live(2)
        assert "a webhook says that it is bought: a read is to show it" in " ".join(await next_(opened, held))
        await opened.live(3)
        assert (await next_(opened, held))[0].startswith("nothing: somebody else bought it, as a read showed")


async def test_a_carrier_that_does_not_answer_is_one_line_however_often_it_is_asked(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await opened.inbox.accept([arrival("offers_prepared", shipment=17)])  # of which the carrier knows nothing
        await opened.project()
        for _ in range(5):
            await opened.live(16)
        [(kind, text)] = [line for line in lines(await tell(opened, ShipmentId(17))) if line[0] == "read"]
        assert kind == "read"
        assert text.startswith(
            "the carrier's shipment: refused (resource_not_found (404)); still wanted (5 times until"
        )


def entry(second: int, result: str = "nothing", *, before: str = "doubt", after: str = "doubt", **note: Any) -> Entry:
    at = NOW + timedelta(seconds=second)
    found = Note("read", result, before, **note)
    return Entry(ORGANIZATION, ShipmentId(1), at, at, 1, found, after, None, note.get("reason"), "cause", "one")


STEPS = [
    # what is written after `nothing`, how many lines that makes
    (entry(1), 1, "the same again"),
    (entry(1, "underway"), 2, "another result"),
    (entry(1, carrier_status="offer_selected"), 2, "another status"),
    (entry(1, payments=("5:running",)), 2, "a payment"),
    (entry(1, reason="ReadTimeout"), 2, "a reason"),
    (entry(1, after="failed"), 2, "it ends"),
]


@pytest.mark.parametrize(("step", "expected", "remark"), STEPS, ids=[row[2] for row in STEPS])
async def test_a_step_that_changes_nothing_is_counted_and_any_other_is_a_line(
    step: Entry, expected: int, remark: str, database: ManagedDatabase
) -> None:
    await database.write(lambda it: journal.write(it, entry(0)))
    await database.write(lambda it: journal.write(it, step))
    found = await database.read(lambda it: journal.entries(it, ORGANIZATION, ShipmentId(1)))
    assert (len(found), sum(one.times for one in found)) == (expected, 2), remark
    assert (found[0].at, found[-1].last_at) == (NOW, NOW + timedelta(seconds=1))
    assert (found[-1].note.carrier_status, found[-1].note.payments) == (step.note.carrier_status, step.note.payments)


async def test_a_step_that_came_to_nothing_leaves_no_line(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await opened.create()
        await opened.simulator.advance(0.5)
        await opened.receive()
        [batch] = (await opened.purchases.claim(lambda _: [Take(Errand.buy, 1)], opened.now)).batches
        await opened.change("UPDATE purchases SET token = token + 1")
        await hand(opened.purchases, opened.account, lambda: opened.now).handle(batch)
        assert await opened.rows("SELECT count(*) FROM journal") == [0]
        assert not opened.simulator.world.ledger.charges


async def test_a_shipment_of_two_organizations_is_known_under_both(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        await opened.inbox.accept([arrival("created", shipment=5), arrival("created", shipment=6)])
        await opened.inbox.accept([arrival("created", shipment=5, organization=4822)])
        await opened.project()
        await opened.inbox.accept([arrival("created", shipment=8, organization=4823)])
        known = {
            n: await database.read(lambda it, n=n: sources(it, f"shipment/{n}"))  # type: ignore[misc]
            for n in (5, 6, 7, 8)
        }
        assert known == {5: ["/shipx/4821", "/shipx/4822"], 6: ["/shipx/4821"], 7: [], 8: ["/shipx/4823"]}
        theirs = await database.read(lambda it: story(it, "/shipx/4823", "shipment/8"))
        assert [one.verdict for one in theirs.deliveries] == [None]
        assert outlook(theirs, NOW, SETTLE) == [
            "1 of its deliveries will be worked off",
            "no purchase was ever asked for",
        ]
        assert await database.read(lambda it: sources(it, "shipment/nonsense")) == []
        assert OrganizationId(4821) == ORGANIZATION


async def test_what_was_deleted_for_its_age_is_still_named(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        for _ in range(3):
            await opened.live(1)
        before = await tell(opened, shipment)
        await opened.simulator.advance(91 * 86_400)
        await Retention(
            store=SqlPruning(database, "one"),
            leases=SqlLeases(database, "one"),
            keep=dict.fromkeys(TABLES, timedelta(days=90)),
            metrics=Metrics(),
            clock=lambda: opened.now,
            stop=Stop(),
        ).sweep()
        found = await tell(opened, shipment)
        assert (found.deliveries, found.events, found.steps) == ([], [], [])
        assert found.deleted == [told.type for told in before.events]
        assert found.purchase == before.purchase
