"""The demo with faults: what they make possible is excused, by the carrier's own record of them, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bridge.demo.ledger import Ledger
from bridge.demo.records import Mishap, Mode, Order, Parcel, Seen
from bridge.demo.stage import IMPATIENT
from bridge.demo.summary import Account, Summary, summarize
from bridge.demo.words import met, wrong
from bridge.simulator import load_scenario
from tests.unit.demo.test_summary import ACCOUNT, START, delivery, seen, status

SHIPMENT = 3
BUY = f"POST /v1/shipments/{SHIPMENT}/buy"
CHARGED = "every shipment was charged, or a fault is why not"
ENDED = "every shipment ended as the carrier told"


def mishap(kind: str, about: str, *, second: float = 0, reached: bool = True) -> Mishap:
    return Mishap(kind, about, SHIPMENT, reached, None, START + timedelta(seconds=second))


def missing(word: str, second: float) -> Mishap:
    """A webhook that was never sent, somewhere within that second."""
    return mishap("missing", word, second=second + 0.7, reached=False)


def requested(then: str) -> tuple[Seen, ...]:
    """The events of a purchase that came to this end."""
    end = {"intent_id": "i3", "adopted": False}
    kinds = ("offers_prepared", "offer_selected", "purchase_requested", then)
    return tuple(seen(SHIPMENT, place, kind, 10, **end) for place, kind in enumerate(kinds, 1))


def account(
    *,
    ended: str,
    told: tuple[tuple[str, int], ...] = (("offers_prepared", 10),),
    events: tuple[Seen, ...] = (),
    charges: int = 0,
    mishaps: Sequence[Mishap] = (),
    mode: Mode = "offer",
) -> Account:
    """Add a shipment to the sound account: words with their seconds, what came of them, and what went wrong."""
    webhooks = [
        replace(delivery(number, SHIPMENT, word), happened_at=START + timedelta(seconds=at))
        for number, (word, at) in enumerate(told, 101)
    ]
    return replace(
        ACCOUNT,
        orders=(*ACCOUNT.orders, Order(SHIPMENT, 4821, mode)),
        deliveries=(*ACCOUNT.deliveries, *webhooks),
        events=(*ACCOUNT.events, *events),
        recorded=(*ACCOUNT.recorded, *(event.id for event in events)),
        charges=(*ACCOUNT.charges, *[SHIPMENT] * charges),
        parcels=(*ACCOUNT.parcels, Parcel(SHIPMENT, ended)),
        mishaps=mishaps,
    )


def broken(summary: Summary) -> dict[str, str]:
    """What does not balance, and why."""
    return {check.name: check.told for check in summary.checks if not check.holds}


# -- offers that nobody told -------------------------------------------------------------------------------------------

UNTOLD = account(ended="offers_prepared", told=(), mishaps=(missing("offers_prepared", 10),))


def test_a_shipment_whose_offers_were_never_told_is_counted_and_excused() -> None:
    summary = summarize(UNTOLD)
    assert broken(summary) == {}
    assert summary.counts["not told by the carrier"] == summary.counts["faults: missing"] == 1


def test_without_the_carriers_word_for_it_nothing_is_excused() -> None:
    assert broken(summarize(replace(UNTOLD, mishaps=()))) == {CHARGED: "shipment 3 was not charged"}


def test_offers_that_came_on_another_way_are_no_excuse() -> None:
    told = account(ended="offers_prepared", mishaps=UNTOLD.mishaps)
    assert broken(summarize(told)) == {CHARGED: "shipment 3 was not charged"}


def test_what_the_carrier_buys_by_itself_is_not_excused() -> None:
    own = account(ended="offers_prepared", told=(), mishaps=UNTOLD.mishaps, mode="simplified")
    assert broken(summarize(own)) == {CHARGED: "shipment 3 was not charged"}


def test_a_charge_for_what_nobody_told_is_found() -> None:
    summary = summarize(replace(UNTOLD, charges=(*UNTOLD.charges, SHIPMENT)))
    assert "charges = purchases succeeded + the carrier's own" in broken(summary)


# -- purchases ---------------------------------------------------------------------------------------------------------

DROPPED = account(
    ended="offers_prepared",
    events=requested("purchase_failed"),
    mishaps=(mishap("dropped", BUY, reached=False),),
)


def test_a_purchase_that_never_got_to_the_carrier_may_fail() -> None:
    summary = summarize(DROPPED)
    assert broken(summary) == {}
    assert summary.counts["purchases failed"] == summary.counts["faults: dropped"] == 1


@pytest.mark.parametrize(
    "mishaps",
    [(), (mishap("lost", BUY),), (mishap("dropped", f"GET /v1/shipments/{SHIPMENT}", reached=False),)],
    ids=["no fault", "an answer that was lost", "a read that was lost"],
)
def test_another_purchase_may_not(mishaps: tuple[Mishap, ...]) -> None:
    assert broken(summarize(replace(DROPPED, mishaps=mishaps))) == {CHARGED: "shipment 3 was not charged"}


def test_a_lost_purchase_that_nobody_settled_is_found() -> None:
    unsettled = account(ended="offers_prepared", events=requested("offers_prepared")[:3], mishaps=DROPPED.mishaps)
    assert broken(summarize(unsettled)) == {
        CHARGED: "shipment 3 was not charged",
        "every requested purchase has an outcome": "shipment 3: nobody knows what became of its purchase",
    }


def test_a_purchase_that_was_charged_and_is_said_to_have_failed_is_found() -> None:
    """As if effects stayed hidden for longer than a doubt takes to be settled."""
    told = (("offers_prepared", 10), ("confirmed", 11))
    events = (*requested("purchase_failed"), status(SHIPMENT, 5, "confirmed", 11))
    hidden = account(ended="confirmed", told=told, events=events, charges=1, mishaps=(mishap("hidden", "purchase"),))
    assert broken(summarize(hidden)) == {
        "charges = purchases succeeded + the carrier's own": "shipment 3: 1 charges, 0 purchases succeeded"
    }


# -- endings -----------------------------------------------------------------------------------------------------------


def ended(known: str, *, told: tuple[tuple[str, int], ...], mishaps: tuple[Mishap, ...]) -> Account:
    """A shipment that was bought and delivered, and of which a consumer knows this."""
    events = (*requested("purchase_succeeded"), status(SHIPMENT, 5, known, 20))
    words = (("offers_prepared", 10), ("confirmed", 11), *told)
    return account(ended="delivered", told=words, events=events, charges=1, mishaps=mishaps)


LAST = missing("delivered", 16)


def test_the_last_status_that_was_told_is_known_where_the_end_is_missing() -> None:
    summary = summarize(ended("avizo", told=(("avizo", 15),), mishaps=(LAST,)))
    assert broken(summary) == {}
    assert summary.counts["not told by the carrier"] == 1


@pytest.mark.parametrize(
    ("known", "remark"),
    [
        ("out_for_delivery", "in the same second as the last: no webhook tells which came first"),
        ("ready_to_pickup", "never told, and later: a read may have shown it"),
        ("delivered", "the end itself, shown by a read"),
    ],
)
def test_something_else_may_be_known_instead(known: str, remark: str) -> None:
    told = (("out_for_delivery", 15), ("avizo", 15))
    found = ended(known, told=told, mishaps=(missing("ready_to_pickup", 15), LAST))
    assert broken(summarize(found)) == {}, remark


@pytest.mark.parametrize("known", ["confirmed", "out_for_delivery", "sent_from_source_branch"])
def test_nothing_older_than_what_was_told_may_be_known(known: str) -> None:
    told = (("out_for_delivery", 14), ("avizo", 15))
    found = ended(known, told=told, mishaps=(missing("sent_from_source_branch", 13), LAST))
    assert broken(summarize(found)) == {ENDED: f"shipment 3: delivered at the carrier, {known} in events"}


def test_an_end_that_was_told_must_be_known_whatever_else_is_missing() -> None:
    told = (("avizo", 15), ("delivered", 16))
    found = ended("avizo", told=told, mishaps=(missing("ready_to_pickup", 15),))
    assert broken(summarize(found)) == {ENDED: "shipment 3: delivered at the carrier, avizo in events"}


def test_a_repetition_that_came_takes_the_excuse_away() -> None:
    found = ended("avizo", told=(("avizo", 15), ("delivered", 16)), mishaps=(LAST,))
    assert broken(summarize(found)) == {ENDED: "shipment 3: delivered at the carrier, avizo in events"}


# -- when it is over ---------------------------------------------------------------------------------------------------


def test_nobody_waits_for_what_is_never_told() -> None:
    ledger = Ledger()
    ledger.order(Order(SHIPMENT, 4821, "offer"))
    assert ledger.open == 1
    ledger.mishap(missing("offers_prepared", 10))
    assert (ledger.open, ledger.is_complete([Parcel(SHIPMENT, "offers_prepared")])) == (0, True)


def test_an_end_is_waited_for_once_it_was_told() -> None:
    ledger = Ledger()
    parcels = [Parcel(SHIPMENT, "delivered")]
    assert ledger.is_complete(parcels)
    ledger.deliver(delivery(1, SHIPMENT, "delivered"))
    assert not ledger.is_complete(parcels)
    ledger.receive(status(SHIPMENT, 1, "delivered", 1))
    assert ledger.is_complete(parcels)


def test_offers_that_come_after_the_carriers_own_purchase_need_no_decision() -> None:
    ledger = Ledger()
    ledger.order(Order(SHIPMENT, 4821, "simplified"))
    ledger.receive(status(SHIPMENT, 1, "confirmed", 1))
    assert ledger.open == 1
    ledger.receive(seen(SHIPMENT, 2, "offers_prepared", 2, current=False))
    assert ledger.open == 0


def test_events_may_come_before_the_order_was_answered() -> None:
    ledger = Ledger()
    for event in requested("purchase_succeeded"):
        ledger.receive(replace(event, data={**event.data, "current": True}))
    assert ledger.open == 0
    ledger.order(Order(SHIPMENT, 4821, "offer"))
    assert ledger.open == 0


# -- the scenario ------------------------------------------------------------------------------------------------------


def test_a_purchase_comes_to_light_before_its_doubt_is_settled() -> None:
    """However late the call gets there and for however long its effect is hidden, with half as much to spare."""
    scenario = load_scenario(Path("faults"))
    timeout, settle = (float(IMPATIENT[key]) for key in ("BRIDGE_SHIPX__TIMEOUT_S", "BRIDGE_PURCHASING__SETTLE_S"))
    late = max(one.span[1] for one in scenario.faults.calls if one.kind == "late" and one.span)
    paying = scenario.delays.purchase * (1 + scenario.delays.jitter)
    hidden = paying + scenario.faults.hidden.seconds[1]
    assert 1.5 * max(hidden, late - timeout + hidden) < settle


@pytest.mark.parametrize(
    ("found", "name", "words"),
    [
        (mishap("lost", BUY), "POST buy", "done, but answered 502"),
        (
            replace(mishap("slow", "GET /v1/shipments/3"), seconds=1.25),
            "GET shipment",
            "its answer takes its time, 1.2 s",
        ),
        (missing("delivered", 1), "delivered", "never sent"),
        (mishap("odd", "purchase"), "purchase", "odd"),
    ],
)
def test_a_fault_is_told_in_a_few_words(found: Mishap, name: str, words: str) -> None:
    assert (met(found), wrong(found)) == (name, words)
