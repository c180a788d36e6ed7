"""What people want done about purchases, the same on every database: approved, held, retried, asked for; or refused."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from bridge.events.catalogue import Money, OfferSelected
from bridge.events.cloudevents import Envelope
from bridge.model import (
    DeliveryId,
    Evidence,
    Fact,
    IntentId,
    OfferId,
    OrganizationId,
    PurchaseWork,
    ShipmentId,
    Subject,
    micros,
)
from bridge.store import journal
from bridge.store.approvals import SqlApprovals
from bridge.store.database import ManagedDatabase, Transaction, marks
from bridge.store.facts import Recorder
from bridge.store.feed import SqlFeed
from bridge.store.listed import Listed, SqlListed, Wanted
from bridge.store.orders import Order, Refused
from bridge.store.purchase import ADOPTED, ADOPTED_UNREAD, BY_PERSON, Approval, PurchaseState
from bridge.store.wanting import want

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
SOON, LATE = NOW + timedelta(seconds=90), NOW - timedelta(seconds=90)
WINDOW = timedelta(minutes=5)
ORGANIZATION, OTHER = OrganizationId(4821), OrganizationId(4822)
SHIPMENT = ShipmentId(3900000017)
SERVICE = "inpost_locker_standard"
CHOSEN: dict[str, Any] = {"intent_id": "an-intent", "offer_id": 553001, "service_id": SERVICE}
PRICE = Money(amount=Decimal("12.99"), currency="PLN")


class Desk:
    """Where a person sits, and the rows that they see."""

    def __init__(self, database: ManagedDatabase) -> None:
        self.database = database
        self.recorder = Recorder(Envelope("test"))
        self.approvals = SqlApprovals(self.recorder)
        self.listed = SqlListed(database)

    async def put(
        self, state: str, *, organization: int = ORGANIZATION, shipment: int = SHIPMENT, **columns: Any
    ) -> None:
        """Have a purchase that stands like this."""
        row = {
            "organization": organization,
            "shipment": shipment,
            "state": state,
            "deadline": micros(SOON),
            "due_at": micros(LATE),
            "cause": "a-delivery",
            "updated_at": micros(LATE),
            **columns,
        }
        sql = f"INSERT INTO purchases ({', '.join(row)}) VALUES ({marks(list(row))})"
        await self.database.write(lambda it: it.run(sql, tuple(row.values())))

    async def tell_price(self, price: Money | None = PRICE, intent: str = "an-intent") -> None:
        """Have told what an intent would cost, as the buyer does where it decides."""
        data = OfferSelected(
            shipment_id=SHIPMENT,
            organization_id=ORGANIZATION,
            evidence=Evidence.carrier,
            current=True,
            first_seen=False,
            intent_id=intent,
            offer_id=553001,
            service_id=SERVICE,
            rule_id="default",
            policy_sha256="0" * 64,
            price=price,
            rejected=(),
            seconds_left=90.0,
        )
        subject = Subject.shipment(ORGANIZATION, SHIPMENT)

        def write(transaction: Transaction) -> None:
            ledgers = self.recorder.lock(transaction, [subject])
            self.recorder.record(transaction, ledgers, [Fact(subject, data.type, intent, NOW, data)], NOW)
            self.recorder.save(transaction, ledgers.values())

        await self.database.write(write)

    async def order(
        self, name: str, cause: str = "c-1", *, organization: OrganizationId | None = None, now: datetime = NOW
    ) -> Listed | Refused:
        order = Order(SHIPMENT, organization, "Ewa", cause)
        if name == "buy":
            return await self.database.write(lambda it: self.approvals.buy(it, order, [ORGANIZATION], now))
        act = {"approve": self.approvals.approve, "hold": self.approvals.hold, "retry": self.approvals.retry}[name]
        return await self.database.write(lambda it: act(it, order, now))

    async def row(self, *columns: str) -> tuple[Any, ...]:
        sql = f"SELECT {', '.join(columns)} FROM purchases WHERE organization = {ORGANIZATION}"
        (found,) = await self.database.read(lambda it: it.run(sql))
        return found

    async def told(self) -> list[dict[str, Any]]:
        page = await SqlFeed(self.database).page(None, 100)
        return [json.loads(one.body) for one in page.events]

    async def steps(self) -> list[tuple[str, str, str, str, str | None]]:
        found = await self.database.read(lambda it: journal.entries(it, ORGANIZATION, SHIPMENT))
        return [(one.note.result, one.note.before, one.after, one.holder, one.cause) for one in found]


@pytest.fixture
def desk(database: ManagedDatabase) -> Desk:
    return Desk(database)


# -- approving ---------------------------------------------------------------------------------------------------------


async def test_an_approval_is_of_the_service_and_the_price_that_were_chosen(desk: Desk) -> None:
    await desk.put("held", reason="approval_required", attempts=3, reads=2, **CHOSEN)
    await desk.tell_price()
    found = await desk.order("approve")
    assert isinstance(found, Listed)
    assert (found.state, found.reason, found.price) == (PurchaseState.wanted, None, PRICE)
    assert found.approval == Approval("Ewa", SERVICE, Decimal("12.99"))
    assert await desk.row("approved_by", "approved_service", "approved_amount") == ("Ewa", SERVICE, 129_900)
    assert await desk.row("intent_id", "cause", "attempts", "reads") == ("an-intent", "c-1", 0, 0)
    assert await desk.row("deadline", "due_at") == (micros(SOON), micros(NOW))
    assert await desk.steps() == [("approved", "held", "wanted", "Ewa", "c-1")]


async def test_without_a_known_price_it_is_approved_at_one_that_nobody_knows(desk: Desk) -> None:
    await desk.put("held", reason="approval_required", **CHOSEN)
    await desk.tell_price(None)
    await desk.order("approve")
    assert await desk.row("approved_service", "approved_amount") == (SERVICE, None)


async def test_the_price_of_another_intent_is_not_this_ones(desk: Desk) -> None:
    await desk.put("held", reason="approval_required", **CHOSEN)
    await desk.tell_price(intent="an-older-one")
    await desk.order("approve")
    assert await desk.row("approved_amount") == (None,)


async def test_a_window_that_is_over_as_far_as_we_know_is_given_five_minutes(desk: Desk) -> None:
    await desk.put("held", reason="approval_required", deadline=micros(LATE), **{**CHOSEN})
    await desk.order("approve")
    assert await desk.row("deadline") == (micros(NOW + WINDOW),)


async def test_nothing_is_approved_where_no_offer_was_chosen(desk: Desk) -> None:
    await desk.put("held", reason=BY_PERSON)
    refused = await desk.order("approve")
    assert isinstance(refused, Refused)
    assert "no offer was chosen" in refused.why
    assert await desk.row("state", "approved_by") == ("held", None)


# -- holding -----------------------------------------------------------------------------------------------------------


async def test_a_hold_takes_the_purchase_out_of_the_hand_that_has_it_and_is_told(desk: Desk) -> None:
    await desk.put("wanted", holder="a-replica", held_until=2**61, token=7, approved_by="Jan", approved_amount=1)
    found = await desk.order("hold")
    assert isinstance(found, Listed)
    assert (found.state, found.reason, found.held_by, found.in_hand) == (PurchaseState.held, BY_PERSON, "Ewa", None)
    assert await desk.row("token", "held_until", "approved_by", "approved_amount") == (8, 0, None, None)
    (event,) = await desk.told()
    assert (event["type"], event["causationid"]) == ("bridge.shipment.purchase_held.v1", "c-1")
    assert event["data"] == {
        "shipment_id": SHIPMENT,
        "organization_id": ORGANIZATION,
        "evidence": "webhook",
        "current": True,
        "first_seen": False,
        "intent_id": None,
        "offer_id": None,
        "service_id": None,
        "reason": BY_PERSON,
        "seconds_left": 90.0,
    }


async def test_a_hold_of_what_was_chosen_names_the_offer_and_each_hold_is_told(desk: Desk) -> None:
    await desk.put("wanted", **CHOSEN)
    for number in (1, 2):
        await desk.order("hold", f"hold-{number}")
        await desk.order("approve", f"approve-{number}")
    events = await desk.told()
    assert [(one["data"]["offer_id"], one["causationid"]) for one in events] == [(553001, "hold-1"), (553001, "hold-2")]
    assert {one["data"]["evidence"] for one in events} == {"carrier"}


async def test_a_hold_ends_the_intent_that_was_told_of_and_that_the_carrier_never_took_in(desk: Desk) -> None:
    await desk.put("wanted", answer="not_taken", **CHOSEN)
    await desk.order("hold")
    assert await desk.row("state", "intent_id", "answer") == ("held", None, None)
    failed, held = await desk.told()
    assert (failed["type"], failed["causationid"]) == ("bridge.shipment.purchase_failed.v1", "c-1")
    assert failed["data"] == {
        "shipment_id": SHIPMENT,
        "organization_id": ORGANIZATION,
        "evidence": "carrier",
        "current": True,
        "first_seen": False,
        **CHOSEN,
        "reason": "other",
    }
    assert (held["type"], held["data"]["intent_id"]) == ("bridge.shipment.purchase_held.v1", None)
    assert isinstance(await desk.order("approve", "c-2"), Refused), "what it was about is over"
    await desk.order("retry", "c-3")
    await desk.order("hold", "c-4")
    assert [one["type"] for one in await desk.told()][2:] == ["bridge.shipment.purchase_held.v1"]


# -- retrying and asking -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["retry", "buy"])
@pytest.mark.parametrize("state", ["failed", "declined", "expired", "not_ours"])
async def test_what_ended_unbought_is_decided_about_anew_as_if_nothing_had_been_tried(
    desk: Desk, state: str, name: str
) -> None:
    tried: dict[str, Any] = {
        "attempts": 9,
        "reads": 3,
        "refusals": 2,
        "regenerations": 3,
        "answer": "lost",
        "edited_at": 5,
    }
    await desk.put(state, reason="other", approved_by="Jan", approved_service=SERVICE, **tried, **CHOSEN)
    found = await desk.order(name)
    assert isinstance(found, Listed)
    assert (found.state, found.reason, found.approval) == (PurchaseState.wanted, None, None)
    assert await desk.row(*tried) == (0, 0, 0, 0, "asked", None)
    assert await desk.row("intent_id", "deadline", "due_at", "cause") == (
        None,
        micros(NOW + WINDOW),
        micros(NOW),
        "c-1",
    )


@pytest.mark.parametrize("name", ["retry", "buy"])
async def test_what_is_bought_as_a_webhook_alone_says_is_decided_about_anew_by_a_read(desk: Desk, name: str) -> None:
    await desk.put("succeeded", reason=ADOPTED_UNREAD, deadline=micros(LATE))
    found = await desk.order(name)
    assert isinstance(found, Listed)
    assert (found.state, found.reason, found.deadline) == (PurchaseState.wanted, None, NOW + WINDOW)


@pytest.mark.parametrize("name", ["retry", "buy"])
@pytest.mark.parametrize("reason", [ADOPTED, None])
async def test_what_a_read_showed_to_be_bought_is_left_alone(desk: Desk, name: str, reason: str | None) -> None:
    await desk.put("succeeded", reason=reason)
    assert await desk.order(name) == Refused("the purchase is succeeded: it is bought")


async def test_what_is_held_can_be_retried_as_the_same_purchase_but_no_program_buys_it(desk: Desk) -> None:
    await desk.put("held", reason=BY_PERSON, **CHOSEN)
    refused = await desk.order("buy")
    assert refused == Refused(
        "the purchase is held: it is held (by_person): approve it, or retry it to have it decided about anew"
    )
    assert isinstance(await desk.order("retry"), Listed)
    assert await desk.row("state", "intent_id") == ("wanted", "an-intent")


async def test_a_purchase_nobody_asked_for_is_asked_for_where_it_is_known_for_whom(desk: Desk) -> None:
    for name in ("approve", "hold", "retry"):
        refused = await desk.order(name)
        assert refused == Refused(f"no purchase of shipment {SHIPMENT} was ever asked for")
    refused = await desk.order("buy", organization=OTHER)
    assert refused == Refused("there is no such organization here that has a token", "unknown_value")
    found = await desk.order("buy")
    assert isinstance(found, Listed)
    assert (found.organization, found.state, found.cause) == (ORGANIZATION, PurchaseState.wanted, "c-1")
    assert found.deadline == NOW + WINDOW
    assert await desk.row("answer") == ("asked",)
    assert await desk.steps() == [("asked_for", "none", "wanted", "Ewa", "c-1")]
    assert isinstance(await desk.order("buy"), Refused)


@pytest.mark.parametrize("name", ["approve", "retry"])
@pytest.mark.parametrize(("answer", "kept"), [(None, "asked"), ("lost", "asked"), ("not_taken", "not_taken")])
async def test_what_is_held_and_let_go_says_that_a_person_asks_unless_its_intent_is_yet_to_end(
    desk: Desk, name: str, answer: str | None, kept: str
) -> None:
    await desk.put("held", reason="approval_required", answer=answer, **CHOSEN)
    await desk.order(name)
    assert await desk.row("state", "answer") == ("wanted", kept)


@pytest.mark.parametrize("name", ["retry", "buy"])
async def test_what_begins_without_an_intent_has_none_that_is_yet_to_end(desk: Desk, name: str) -> None:
    await desk.put("failed", reason="other", answer="not_taken", **CHOSEN)
    await desk.order(name)
    assert await desk.row("intent_id", "answer") == (None, "asked")


async def test_what_is_ordered_while_offers_may_be_made_anew_waits_until_that_is_over(desk: Desk) -> None:
    until = micros(NOW + timedelta(seconds=15))
    await desk.put("wanted", edited_at=micros(NOW), due_at=until, held_until=2**61, token=7)
    await desk.order("hold", "c-1")
    await desk.order("retry", "c-2")
    work = PurchaseWork(ORGANIZATION, SHIPMENT, SOON, DeliveryId("another-delivery"))
    await desk.database.write(lambda it: want(it, [work], NOW))
    assert await desk.row("state", "due_at", "edited_at", "token") == ("wanted", until, micros(NOW), 9)


async def test_what_is_held_may_be_approved_while_it_is_read_again_for_a_webhook_that_came_twice(
    desk: Desk,
) -> None:
    await desk.put("held", reason="approval_required", **CHOSEN)
    work = PurchaseWork(ORGANIZATION, SHIPMENT, SOON, DeliveryId("another-delivery"))
    await desk.database.write(lambda it: want(it, [work], NOW))
    before = await desk.row("state", "intent_id", "approved_by")
    await desk.order("approve")
    after = await desk.row("state", "intent_id", "approved_service")
    assert (before[0], before[2], after) == ("wanted", None, ("wanted", before[1], CHOSEN["service_id"]))


@pytest.mark.parametrize(
    "columns", [{"intent_id": None}, {"answer": "not_taken"}, {"answer": "asked"}, {"answer": "renew"}]
)
async def test_what_is_not_as_it_was_held_is_not_approved(desk: Desk, columns: dict[str, Any]) -> None:
    await desk.put("wanted", **{**CHOSEN, **columns})
    refused = await desk.order("approve")
    assert isinstance(refused, Refused)
    assert refused.why.startswith("the purchase is wanted: it is being decided about")


async def test_what_is_held_under_another_intent_than_was_looked_at_is_not_approved(desk: Desk) -> None:
    await desk.put("held", reason="approval_required", **CHOSEN)
    asked = Order(SHIPMENT, ORGANIZATION, "Anna", "c-1")
    approve = desk.approvals.approve
    refused = await desk.database.write(lambda it: approve(it, asked, NOW, IntentId("another")))
    assert isinstance(refused, Refused)
    assert "under the intent an-intent" in refused.why
    assert await desk.row("state", "approved_by") == ("held", None)
    await desk.database.write(lambda it: approve(it, asked, NOW, IntentId("an-intent")))
    assert await desk.row("state", "approved_by") == ("wanted", "Anna")


# -- refusals ----------------------------------------------------------------------------------------------------------

REFUSED = [
    # order, state, what it says
    ("approve", "intended", "it is being bought"),
    ("approve", "doubt", "it is being bought"),
    ("approve", "succeeded", "it is bought"),
    ("approve", "failed", "it was not bought (other)"),
    ("approve", "expired", "its window closed unbought"),
    ("hold", "intended", "it is being bought"),
    ("hold", "doubt", "it is being bought"),
    ("hold", "succeeded", "it is bought"),
    ("hold", "held", "it is held (other)"),
    ("hold", "declined", "nothing acceptable was on offer (other)"),
    ("hold", "not_ours", "it is left to others (other)"),
    ("retry", "wanted", "it is being decided about"),
    ("retry", "intended", "it is being bought"),
    ("retry", "doubt", "it is being bought"),
    ("retry", "succeeded", "it is bought"),
    ("buy", "doubt", "it is being bought"),
    ("buy", "succeeded", "it is bought"),
]


@pytest.mark.parametrize(("name", "state", "says"), REFUSED, ids=[f"{row[0]}-{row[1]}" for row in REFUSED])
async def test_what_cannot_be_done_is_refused_with_the_state_and_changes_nothing(
    desk: Desk, name: str, state: str, says: str
) -> None:
    await desk.put(state, reason="other", token=7, **CHOSEN)
    refused = await desk.order(name)
    assert isinstance(refused, Refused)
    assert refused.why.startswith(f"the purchase is {state}: {says}")
    assert await desk.row("state", "token", "cause") == (state, 7, "a-delivery")
    assert (await desk.steps(), await desk.told()) == ([], [])


async def test_where_several_organizations_have_a_shipment_somebody_has_to_say_which(desk: Desk) -> None:
    await desk.put("held", organization=OTHER, **CHOSEN)
    await desk.put("held", **CHOSEN)
    refused = await desk.order("approve")
    assert isinstance(refused, Refused)
    assert refused.organization == "missing"
    found = await desk.order("approve", organization=ORGANIZATION)
    assert isinstance(found, Listed)
    assert found.organization == ORGANIZATION


# -- held --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reason", "state"), [(BY_PERSON, "held"), ("approval_required", "wanted"), (None, "wanted")])
async def test_new_offers_do_not_release_what_a_person_holds(desk: Desk, reason: str | None, state: str) -> None:
    await desk.put("held", reason=reason)
    work = PurchaseWork(ORGANIZATION, SHIPMENT, SOON, DeliveryId("another-delivery"))
    await desk.database.write(lambda it: want(it, [work], NOW))
    assert await desk.row("state") == (state,)


# -- looking -----------------------------------------------------------------------------------------------------------


async def test_purchases_are_listed_by_state_and_organization_page_by_page(desk: Desk) -> None:
    for shipment, state in ((1, "held"), (2, "wanted"), (3, "held")):
        await desk.put(state, shipment=shipment)
    await desk.put("held", organization=OTHER, shipment=2)

    async def listed(limit: int = 10, **wanted: Any) -> list[tuple[int, int]]:
        return [(one.organization, one.shipment) for one in await desk.listed.list(Wanted(**wanted), limit)]

    everything = [(OTHER, 2), (ORGANIZATION, 3), (ORGANIZATION, 2), (ORGANIZATION, 1)]
    assert await listed() == everything
    assert await listed(2) + await listed(before=everything[1]) == everything
    assert await listed(state=PurchaseState.held) == [(OTHER, 2), (ORGANIZATION, 3), (ORGANIZATION, 1)]
    assert await listed(organizations=frozenset({OTHER})) == [(OTHER, 2)]


async def test_a_purchase_says_who_has_it_in_hand_and_how_long_it_can_be_bought(desk: Desk) -> None:
    await desk.put("wanted", holder="a-replica", held_until=2**61, **CHOSEN)
    await desk.tell_price()
    (found,) = await desk.listed.find(SHIPMENT)
    assert (found.in_hand, found.offer, found.price) == ("a-replica", OfferId(553001), PRICE)
    assert (found.seconds_left(NOW), found.seconds_left(SOON + WINDOW)) == (90.0, 0.0)
    assert await desk.listed.find(ShipmentId(1)) == []
