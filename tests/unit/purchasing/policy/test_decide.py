"""Which offer is bought, and why every other one is not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from bridge.events.catalogue import Offer, RejectedOffer
from bridge.purchasing.evidence import Bought
from bridge.purchasing.policy import Adopt, Buy, Decision, Decline, Expired, Hold, NotOurs, Wait, decide
from bridge.purchasing.shipment import Payment, PaymentState, Shipment, Traits
from tests.unit.purchasing.policy.making import (
    ALLEGRO,
    AT,
    C2C,
    COURIER,
    LOCKER,
    ORGANIZATION,
    POP,
    eur,
    offer,
    payment,
    pln,
    policy,
    rejected,
    rule,
    shipment,
)

POLICY = policy(rule(LOCKER, COURIER))
UNAVAILABLE = offer(3, ALLEGRO, None, "unavailable", None)
BOUGHT = offer(1, status="bought", left=None)


def buy(chosen: Offer, others: tuple[RejectedOffer, ...] = (), by: str = "a") -> Buy:
    return Buy(chosen, others, by, chosen.rate)


def hold(chosen: Offer, reason: str, others: tuple[RejectedOffer, ...] = ()) -> Hold:
    return Hold(chosen, reason, others, "a", chosen.rate)


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        pytest.param(shipment(offer(1)), buy(offer(1), ()), id="the only one"),
        pytest.param(
            shipment(offer(1, COURIER, "9.99"), offer(2, LOCKER, "12.99")),
            buy(offer(2), rejected(_1="not_preferred")),
            id="preference before price",
        ),
        pytest.param(
            shipment(offer(1, price="12.99"), offer(2, price="9.99")),
            buy(offer(2, price="9.99"), rejected(_1="not_preferred")),
            id="the cheaper of one service",
        ),
        pytest.param(
            shipment(offer(1, price=None), offer(2, price="99.99")),
            buy(offer(2, price="99.99"), rejected(_1="not_preferred")),
            id="an unknown price is not 0: a known one comes first, however high",
        ),
        pytest.param(
            shipment(offer(1, price="0.00"), offer(2, price="9.99")),
            buy(offer(1, price="0.00"), rejected(_2="not_preferred")),
            id="0 is a price",
        ),
        pytest.param(
            shipment(offer(2, price=None), offer(1, price=None)),
            buy(offer(1, price=None), rejected(_2="not_preferred")),
            id="a postpaid account has no prices: the lower id",
        ),
        pytest.param(
            shipment(offer(1, ALLEGRO, "1.00"), offer(2)),
            buy(offer(2), rejected(_1="service_not_listed")),
            id="what is not listed is not bought, at no price",
        ),
        pytest.param(
            shipment(offer(1, status="unavailable"), offer(2, COURIER)),
            buy(offer(2, COURIER), rejected(_1="unavailable")),
            id="what is unavailable is not bought",
        ),
        pytest.param(
            shipment(offer(1, status="never_documented"), offer(2, COURIER)),
            buy(offer(2, COURIER), rejected(_1="unavailable")),
            id="nor what has a status nobody knows",
        ),
        pytest.param(
            shipment(offer(1, left=-1), offer(2, COURIER)),
            buy(offer(2, COURIER), rejected(_1="expired")),
            id="nor what has expired",
        ),
        pytest.param(shipment(offer(1, left=None)), buy(offer(1, left=None), ()), id="what says no expiry has none"),
        pytest.param(
            shipment(offer(1, left=0)), Expired(rejected(_1="expired"), "a"), id="the last moment is too late"
        ),
        pytest.param(
            shipment(offer(1, left=-1), UNAVAILABLE),
            Expired(rejected(_1="expired", _3="unavailable"), "a"),
            id="only the expired one would have done",
        ),
        pytest.param(
            shipment(offer(1, status="expired", left=None)),
            Expired(rejected(_1="expired"), "a"),
            id="nor what says itself that it expired",
        ),
        pytest.param(
            shipment(offer(1, ALLEGRO, left=-1)),
            Decline("no_rule_match", rejected(_1="service_not_listed"), "a"),
            id="what would not be bought anyway is not made anew",
        ),
        pytest.param(
            shipment(UNAVAILABLE), Decline("none_available", rejected(_3="unavailable"), "a"), id="nothing to be had"
        ),
        pytest.param(shipment(), Decline("none_available", (), "a"), id="no offers at all"),
        pytest.param(
            shipment(offer(1, ALLEGRO), UNAVAILABLE),
            Decline("no_rule_match", rejected(_1="service_not_listed", _3="unavailable"), "a"),
            id="only what is not listed: no falling through to it",
        ),
        pytest.param(shipment(status="created"), Wait(), id="offers are not prepared yet"),
        pytest.param(
            shipment(offer(1), payments=[payment(PaymentState.running)]), Wait(), id="somebody's payment is under way"
        ),
        pytest.param(
            shipment(offer(1), payments=[payment(PaymentState.failure)]),
            buy(offer(1), ()),
            id="an earlier payment failed, and there are offers anew",
        ),
        pytest.param(shipment(status="canceled"), NotOurs("not_for_sale"), id="cancelled"),
        pytest.param(
            shipment(status="canceled", service=LOCKER), NotOurs("not_for_sale"), id="cancelled, whoever would buy it"
        ),
        pytest.param(
            shipment(offer(1, POP, "9.99"), offer(2, COURIER, "1.00")),
            buy(offer(1, POP, "9.99"), rejected(_2="not_preferred")),
            id="a parcel point is a locker by another id",
        ),
        pytest.param(
            shipment(offer(1, price=eur("1.00")), offer(2, price="99.99")),
            buy(offer(2, price="99.99"), rejected(_1="not_preferred")),
            id="a price in another currency is not compared: one that can be comes first",
        ),
        pytest.param(
            shipment(offer(1), status="never_documented"), NotOurs("not_for_sale"), id="a status nobody knows"
        ),
        pytest.param(
            shipment(offer(1), service=LOCKER), NotOurs("carrier_owned_purchase"), id="simplified: the carrier buys"
        ),
        pytest.param(
            shipment(status="created", service=LOCKER),
            NotOurs("carrier_owned_purchase"),
            id="simplified, before its offers",
        ),
        pytest.param(
            shipment(offer(1, status="selected"), status="offer_selected", service=LOCKER),
            NotOurs("carrier_owned_purchase"),
            id="parked: whoever selected it pays for it",
        ),
        pytest.param(
            shipment(offer(1), status="offer_selected"), NotOurs("carrier_owned_purchase"), id="selected in the panel"
        ),
        pytest.param(
            shipment(BOUGHT, status="confirmed", service=LOCKER, selected=BOUGHT),
            Adopt(Bought(BOUGHT)),
            id="bought already",
        ),
        pytest.param(
            shipment(offer(1), payments=[payment(PaymentState.success)]),
            Adopt(Bought(None)),
            id="paid for already, before the status shows it",
        ),
        pytest.param(shipment(status="delivered"), Adopt(Bought(None)), id="long past it"),
    ],
)
def test_what_is_decided(found: Shipment, decision: Decision) -> None:
    assert decide(found, POLICY, ORGANIZATION) == decision


MAX = 'max_price = { amount = "13.00", currency = "PLN" }'
APPROVE = 'approve_above = { amount = "10.00", currency = "PLN" }'
TABLE = """
[price_table]
version = "2026-01"
[price_table.prices]
inpost_locker_customer_service_point = { amount = "11.50", currency = "PLN" }
inpost_courier_c2c = { amount = "14.00", currency = "PLN" }
"""
TIERS = 'prefer_services = [["inpost_locker_standard", "inpost_locker_allegro"], "inpost_courier_standard"]'
POSTPAID = (offer(1, LOCKER, None), offer(2, COURIER, None))


@pytest.mark.parametrize(
    ("rules", "offers", "decision"),
    [
        pytest.param(
            rule(LOCKER, COURIER, more='strategy = "cheapest"'),
            (offer(1, LOCKER, "12.99"), offer(2, COURIER, "9.99"), offer(3, ALLEGRO, "1.00")),
            buy(offer(2, COURIER, "9.99"), rejected(_1="not_preferred", _3="service_not_listed")),
            id="the cheapest of what is listed",
        ),
        pytest.param(
            rule(COURIER, LOCKER, more='strategy = "cheapest"'),
            (offer(1, LOCKER), offer(2, COURIER)),
            buy(offer(2, COURIER), rejected(_1="not_preferred")),
            id="of the same price: the preferred service, not the lower id",
        ),
        pytest.param(
            rule(COURIER, LOCKER, more='strategy = "cheapest"'),
            (offer(1, LOCKER, "12.99"), offer(2, COURIER, None)),
            buy(offer(1, LOCKER, "12.99"), rejected(_2="not_preferred")),
            id="an unknown price is never the cheapest",
        ),
        pytest.param(
            rule(COURIER, LOCKER, more='strategy = "cheapest"'),
            (offer(1, LOCKER, None), offer(2, COURIER, None)),
            buy(offer(2, COURIER, None), rejected(_1="not_preferred")),
            id="where no price is known, the order of preference decides",
        ),
        pytest.param(
            f'{TIERS}\nstrategy = "cheapest_within_tier"',
            (offer(1, LOCKER, "12.99"), offer(2, ALLEGRO, "11.99"), offer(3, COURIER, "5.00")),
            buy(offer(2, ALLEGRO, "11.99"), rejected(_1="not_preferred", _3="not_preferred")),
            id="the cheapest of the first tier, whatever the next one costs",
        ),
        pytest.param(
            f'{TIERS}\nstrategy = "cheapest_within_tier"',
            (offer(1, LOCKER, "12.99", "unavailable"), offer(3, COURIER, "5.00")),
            buy(offer(3, COURIER, "5.00"), rejected(_1="unavailable")),
            id="the next tier where the first has nothing",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more='require_services = ["sms"]'),
            (offer(1, LOCKER, extra=["email"]), offer(2, COURIER, extra=["email", "sms"])),
            buy(offer(2, COURIER, extra=["email", "sms"]), rejected(_1="required_service_missing")),
            id="only an offer that has what is required on its own list",
        ),
        pytest.param(
            rule(LOCKER, more='require_services = ["sms"]'),
            (offer(1),),
            Decline("no_rule_match", rejected(_1="required_service_missing"), "a"),
            id="and none where none has it",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more=MAX),
            (offer(1, LOCKER, "13.01"), offer(2, COURIER, "13.00")),
            buy(offer(2, COURIER, "13.00"), rejected(_1="price_above_max")),
            id="nothing above the limit, and the limit itself is within it",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more=MAX),
            (offer(1, LOCKER, "13.0001"), offer(2, COURIER, "99.00"), UNAVAILABLE),
            Decline("price_above_max", rejected(_1="price_above_max", _2="price_above_max", _3="unavailable"), "a"),
            id="all too dear",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more=MAX),
            POSTPAID,
            Decline("price_unknown", rejected(_1="price_unknown", _2="price_unknown"), "a"),
            id="an unknown price passes no limit",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more=f'{MAX}\non_missing_rate = "preference_list"'),
            POSTPAID,
            buy(POSTPAID[0], rejected(_2="not_preferred")),
            id="unless the rule says so",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more=f'{MAX}\non_missing_rate = "preference_list"'),
            (offer(1, LOCKER, eur("1.00")), offer(2, LOCKER, "13.01")),
            Decline("price_above_max", rejected(_1="price_in_other_currency", _2="price_above_max"), "a"),
            id="a price in another currency is not unknown, and within no limit",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more='on_missing_rate = "decline"'),
            (offer(1, LOCKER, None), offer(2, COURIER)),
            buy(offer(2, COURIER), rejected(_1="price_unknown")),
            id="only what has a price",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more='on_missing_rate = "hold"'),
            POSTPAID,
            hold(POSTPAID[0], "price_unknown", rejected(_2="not_preferred")),
            id="a person is asked about an unknown price",
        ),
        pytest.param(
            rule(LOCKER, COURIER, more=APPROVE),
            (offer(1, LOCKER, "10.01"), offer(2, COURIER, "5.00")),
            hold(offer(1, LOCKER, "10.01"), "approval_required", rejected(_2="not_preferred")),
            id="a person is asked about a high price, not offered the next best",
        ),
        pytest.param(
            rule(LOCKER, more=APPROVE),
            (offer(1, price="10.00"),),
            buy(offer(1, price="10.00")),
            id="not above, asked not",
        ),
        pytest.param(
            rule(LOCKER, more=APPROVE),
            (offer(1, price=eur("0.01")),),
            hold(offer(1, price=eur("0.01")), "approval_required"),
            id="who knows whether that is above",
        ),
        pytest.param(
            rule(LOCKER, more=APPROVE),
            (offer(1, price=None),),
            hold(offer(1, price=None), "price_unknown"),
            id="nor is an unknown price known to be below",
        ),
        pytest.param(
            rule(LOCKER, COURIER, C2C, more=f'{MAX}\non_missing_rate = "price_table"'),
            (offer(1, LOCKER, None), offer(2, COURIER, None), offer(3, C2C, None)),
            Buy(
                offer(1, LOCKER, None),
                rejected(_2="price_unknown", _3="price_above_max"),
                "a",
                pln("11.50"),
            ),
            id="the table's price where the carrier names none: without one there it stays unknown",
        ),
        pytest.param(
            rule(LOCKER, more='on_missing_rate = "price_table"'),
            (offer(1, POP, "20.00"),),
            buy(offer(1, POP, "20.00")),
            id="the carrier's own price before the table's",
        ),
    ],
)
def test_what_a_rule_makes_of_the_offers(rules: str, offers: tuple[Offer, ...], decision: Decision) -> None:
    found = policy(rules, head=TABLE)
    assert decide(shipment(*offers), found, ORGANIZATION) == decision


COD = "when.cod = true\n"
WITH_COD = Traits(cod=pln("50.00"))


@pytest.mark.parametrize(
    ("rules", "traits", "offers", "decision"),
    [
        pytest.param(
            (COD + rule(COURIER), rule(LOCKER)),
            WITH_COD,
            (offer(1, LOCKER), offer(2, COURIER)),
            buy(offer(2, COURIER), rejected(_1="service_not_listed")),
            id="the first that is for it",
        ),
        pytest.param(
            (COD + rule(COURIER), rule(LOCKER)),
            Traits(),
            (offer(1, LOCKER), offer(2, COURIER)),
            buy(offer(1, LOCKER), rejected(_2="service_not_listed"), by="b"),
            id="the next where the first is not",
        ),
        pytest.param(
            (COD + rule(COURIER), rule(LOCKER)),
            WITH_COD,
            (offer(1, LOCKER),),
            Decline("no_rule_match", rejected(_1="service_not_listed"), "a"),
            id="no falling through: the first that is for it decides",
        ),
        pytest.param(
            (COD + rule(COURIER, more='on_no_match = "next_rule"'), rule(LOCKER)),
            WITH_COD,
            (offer(1, LOCKER),),
            buy(offer(1, LOCKER), by="b"),
            id="unless it says so",
        ),
        pytest.param(
            (COD + rule(COURIER, more=f'{MAX}\non_no_match = "next_rule"'),),
            WITH_COD,
            (offer(1, COURIER, "20.00"),),
            Decline("price_above_max", rejected(_1="price_above_max"), "a"),
            id="and there is no next one: the reasons of the last that was",
        ),
        pytest.param(
            (COD + rule(COURIER, more='on_no_match = "next_rule"'), rule(LOCKER)),
            WITH_COD,
            (offer(1, COURIER, left=0), offer(2, LOCKER)),
            Expired(rejected(_1="expired", _2="service_not_listed"), "a"),
            id="what only came too late is made anew, not replaced",
        ),
        pytest.param(
            (COD + rule(COURIER),),
            Traits(),
            (offer(1), offer(2, left=0), UNAVAILABLE),
            Decline("no_rule_match", rejected(_1="no_rule_match", _2="expired", _3="unavailable")),
            id="no rule is for it",
        ),
        pytest.param(
            (COD + rule(COURIER),),
            Traits(),
            (UNAVAILABLE,),
            Decline("none_available", rejected(_3="unavailable")),
            id="which does not matter where nothing is to be had",
        ),
    ],
)
def test_which_rule_decides(
    rules: tuple[str, ...], traits: Traits, offers: tuple[Offer, ...], decision: Decision
) -> None:
    assert decide(shipment(*offers, traits=traits), policy(*rules), ORGANIZATION) == decision


STUCK = policy(rule(LOCKER, COURIER), head='carrier_owned = "buy_when_stuck"')
OFFERS = (offer(1, LOCKER), offer(2, COURIER))
SELECTED = offer(1, LOCKER, status="selected")


def made(seconds: float | None) -> Traits:
    return Traits(created_at=None if seconds is None else AT - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("status", "offers", "payments", "age", "decision"),
    [
        pytest.param("created", (), (), 0, Wait(), id="its offers are not prepared yet"),
        pytest.param("offers_prepared", OFFERS, (), 19.9, Wait(), id="the carrier may be about to buy it"),
        pytest.param(
            "offers_prepared",
            OFFERS,
            (),
            20,
            buy(offer(2, COURIER), rejected(_1="not_the_requested_service")),
            id="it did not: the service that was asked for, and no other",
        ),
        pytest.param(
            "offers_prepared",
            OFFERS[:1],
            (),
            20,
            Decline("none_available", rejected(_1="not_the_requested_service"), "a"),
            id="which is not on offer",
        ),
        pytest.param(
            "offers_prepared", OFFERS, (), None, NotOurs("carrier_owned_purchase"), id="who knows how old it is"
        ),
        pytest.param(
            "offers_prepared", OFFERS, [payment(PaymentState.running)], 60, Wait(), id="the carrier pays for it now"
        ),
        pytest.param(
            "offer_selected", OFFERS, (), 60, NotOurs("carrier_owned_purchase"), id="parked: somebody else pays"
        ),
    ],
)
def test_what_the_carrier_should_have_bought_is_bought_where_the_policy_says_so(
    status: str, offers: tuple[Offer, ...], payments: Sequence[Payment], age: float | None, decision: Decision
) -> None:
    found = shipment(*offers, status=status, service=COURIER, payments=payments, traits=made(age))
    assert decide(found, STUCK, ORGANIZATION) == decision
    assert decide(found, POLICY, ORGANIZATION) == NotOurs("carrier_owned_purchase")


@pytest.mark.parametrize("service", [None, LOCKER])
def test_a_selected_offer_that_we_failed_to_pay_for_can_be_paid_for_again(service: str | None) -> None:
    found = shipment(
        SELECTED, status="offer_selected", service=service, payments=[payment(PaymentState.failure)], selected=SELECTED
    )
    assert decide(found, POLICY, ORGANIZATION, ours=True) == buy(SELECTED)
    assert decide(found, POLICY, ORGANIZATION) == NotOurs("carrier_owned_purchase")
    running = replace(found, payments=(*found.payments, replace(payment(PaymentState.running), id=6)))
    assert decide(running, POLICY, ORGANIZATION, ours=True) == Wait()


def test_a_selected_offer_beside_others_is_not_bought() -> None:
    found = shipment(SELECTED, offer(2, COURIER))
    assert decide(found, POLICY, ORGANIZATION) == buy(offer(2, COURIER), rejected(_1="unavailable"))
