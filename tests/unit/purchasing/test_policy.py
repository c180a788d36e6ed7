"""Which offer is bought, and why every other one is not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.errors import SettingsError
from bridge.events.catalogue import Money, Offer, RejectedOffer
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.evidence import Bought
from bridge.purchasing.policy import Adopt, Buy, Decision, Decline, Expired, NotOurs, Policy, Wait, decide, load
from bridge.purchasing.shipment import Payment, PaymentState, Shipment

AT = datetime(2026, 3, 18, 11, 32, tzinfo=UTC)
LOCKER, COURIER, ALLEGRO = "inpost_locker_standard", "inpost_courier_standard", "inpost_locker_allegro"
POLICY = Policy("default", (LOCKER, COURIER), "0" * 64)
deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=300)


def offer(
    number: int, service: str = LOCKER, price: str | None = "12.99", status: str = "available", left: float | None = 200
) -> Offer:
    return Offer(
        offer_id=number,
        status=status,
        service_id=service,
        carrier_id=None,
        rate=None if price is None else Money(amount=Decimal(price), currency="PLN"),
        expires_at=None if left is None else AT + timedelta(seconds=left),
        additional_services=(),
        unavailability_reasons=(),
    )


def shipment(
    *offers: Offer,
    status: str = "offers_prepared",
    service: str | None = None,
    payments: Sequence[Payment] = (),
    selected: Offer | None = None,
) -> Shipment:
    return Shipment(ShipmentId(1), status, AT, AT, None, None, service, selected, offers, tuple(payments))


def payment(state: PaymentState) -> Payment:
    return Payment(5, state, OfferId(1), None)


def rejected(**reasons: str) -> tuple[RejectedOffer, ...]:
    return tuple(RejectedOffer(offer_id=int(number[1:]), reason=reason) for number, reason in reasons.items())


UNAVAILABLE = offer(3, ALLEGRO, None, "unavailable", None)
BOUGHT = offer(1, status="bought", left=None)


@pytest.mark.parametrize(
    ("found", "decision"),
    [
        pytest.param(shipment(offer(1)), Buy(offer(1), ()), id="the only one"),
        pytest.param(
            shipment(offer(1, COURIER, "9.99"), offer(2, LOCKER, "12.99")),
            Buy(offer(2), rejected(_1="not_preferred")),
            id="preference before price",
        ),
        pytest.param(
            shipment(offer(1, price="12.99"), offer(2, price="9.99")),
            Buy(offer(2, price="9.99"), rejected(_1="not_preferred")),
            id="the cheaper of one service",
        ),
        pytest.param(
            shipment(offer(1, price=None), offer(2, price="99.99")),
            Buy(offer(2, price="99.99"), rejected(_1="not_preferred")),
            id="an unknown price is not 0: a known one comes first, however high",
        ),
        pytest.param(
            shipment(offer(1, price="0.00"), offer(2, price="9.99")),
            Buy(offer(1, price="0.00"), rejected(_2="not_preferred")),
            id="0 is a price",
        ),
        pytest.param(
            shipment(offer(2, price=None), offer(1, price=None)),
            Buy(offer(1, price=None), rejected(_2="not_preferred")),
            id="a postpaid account has no prices: the lower id",
        ),
        pytest.param(
            shipment(offer(1, ALLEGRO, "1.00"), offer(2)),
            Buy(offer(2), rejected(_1="service_not_listed")),
            id="what is not listed is not bought, at no price",
        ),
        pytest.param(
            shipment(offer(1, status="unavailable"), offer(2, COURIER)),
            Buy(offer(2, COURIER), rejected(_1="unavailable")),
            id="what is unavailable is not bought",
        ),
        pytest.param(
            shipment(offer(1, status="never_documented"), offer(2, COURIER)),
            Buy(offer(2, COURIER), rejected(_1="unavailable")),
            id="nor what has a status nobody knows",
        ),
        pytest.param(
            shipment(offer(1, left=-1), offer(2, COURIER)),
            Buy(offer(2, COURIER), rejected(_1="expired")),
            id="nor what has expired",
        ),
        pytest.param(shipment(offer(1, left=None)), Buy(offer(1, left=None), ()), id="what says no expiry has none"),
        pytest.param(shipment(offer(1, left=0)), Expired(), id="the last moment is too late"),
        pytest.param(shipment(offer(1, left=-1), UNAVAILABLE), Expired(), id="only the expired one would have done"),
        pytest.param(
            shipment(UNAVAILABLE), Decline("none_available", rejected(_3="unavailable")), id="nothing to be had"
        ),
        pytest.param(shipment(), Decline("none_available"), id="no offers at all"),
        pytest.param(
            shipment(offer(1, ALLEGRO), UNAVAILABLE),
            Decline("no_rule_match", rejected(_1="service_not_listed", _3="unavailable")),
            id="only what is not listed: no falling through to it",
        ),
        pytest.param(shipment(status="created"), Wait(), id="offers are not prepared yet"),
        pytest.param(
            shipment(offer(1), payments=[payment(PaymentState.running)]), Wait(), id="somebody's payment is under way"
        ),
        pytest.param(
            shipment(offer(1), payments=[payment(PaymentState.failure)]),
            Buy(offer(1), ()),
            id="an earlier payment failed, and there are offers anew",
        ),
        pytest.param(shipment(status="canceled"), NotOurs("not_for_sale"), id="cancelled"),
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
    assert decide(found, POLICY) == decision


prices = st.one_of(st.none(), st.decimals("0", "100", places=2).map(str))
offers = st.lists(
    st.builds(
        offer,
        st.integers(1, 10**6),
        st.sampled_from([LOCKER, COURIER, ALLEGRO]),
        prices,
        st.sampled_from(["available", "available", "unavailable", "selected", "expired"]),
        st.sampled_from([None, -1.0, 0.0, 0.001, 200.0]),
    ),
    max_size=5,
    unique_by=lambda one: one.offer_id,
)
policies = st.permutations([LOCKER, COURIER, ALLEGRO, "inpost_courier_c2c"]).flatmap(
    lambda order: st.integers(1, 4).map(lambda n: Policy("generated", tuple(order[:n]), "0" * 64))
)


@deterministic
@given(offers, policies)
def test_the_order_of_the_offers_makes_no_difference(found: list[Offer], policy: Policy) -> None:
    assert len({repr(decide(shipment(*order), policy)) for order in permutations(found)}) == 1


@deterministic
@given(offers, policies)
def test_only_an_available_unexpired_listed_offer_is_ever_bought(found: list[Offer], policy: Policy) -> None:
    decision = decide(shipment(*found), policy)
    fit = [
        one
        for one in found
        if one.status == "available"
        and (one.expires_at is None or one.expires_at > AT)
        and one.service_id in policy.prefer_services
    ]
    assert isinstance(decision, Buy) == bool(fit)
    assert not isinstance(decision, Buy) or decision.offer in fit


@deterministic
@given(offers, policies)
def test_every_other_offer_is_rejected_with_a_reason(found: list[Offer], policy: Policy) -> None:
    decision = decide(shipment(*found), policy)
    if isinstance(decision, Buy | Decline):
        chosen = [decision.offer.offer_id] if isinstance(decision, Buy) else []
        assert sorted([one.offer_id for one in decision.rejected] + chosen) == sorted(one.offer_id for one in found)
        assert all(one.reason for one in decision.rejected)


@deterministic
@given(offers, policies)
def test_an_unknown_price_never_wins_against_a_known_one_of_its_service(found: list[Offer], policy: Policy) -> None:
    decision = decide(shipment(*found), policy)
    if isinstance(decision, Buy) and decision.offer.rate is None:
        reasons = {one.offer_id: one.reason for one in decision.rejected}
        same = [one for one in found if one.service_id == decision.offer.service_id and one.rate is not None]
        assert all(reasons[one.offer_id] != "not_preferred" for one in same)


@deterministic
@given(offers, policies, st.sampled_from(["created", "offers_prepared", "offer_selected"]))
def test_a_shipment_made_with_a_service_is_never_bought(found: list[Offer], policy: Policy, status: str) -> None:
    assert decide(shipment(*found, status=status, service=LOCKER), policy) == NotOurs("carrier_owned_purchase")


def test_the_shipped_policy_loads_and_lists_what_both_kinds_of_accounts_can_have() -> None:
    text = (Path(__file__).parents[3] / "config" / "policy.toml").read_bytes()
    policy = load(text)
    assert (policy.rule_id, policy.sha256) == ("default", sha256(text).hexdigest())
    assert policy.prefer_services == (LOCKER, COURIER, "inpost_courier_c2c")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param(b"prefer_services = [", "BRIDGE_POLICY", id="not TOML"),
        pytest.param(b"prefer_services = ['\xff']", "BRIDGE_POLICY", id="not UTF-8"),
        pytest.param(b"", "BRIDGE_POLICY prefer_services", id="nothing is listed: nothing could be bought"),
        pytest.param(b"prefer_services = []", "BRIDGE_POLICY prefer_services", id="an empty list, too"),
        pytest.param(b"prefer_services = 'x'", "BRIDGE_POLICY prefer_services", id="a text is no list"),
        pytest.param(b"prefer_services = ['x', 1]", "BRIDGE_POLICY prefer_services.1", id="a number is no service"),
        pytest.param(b"prefer_services = ['x']\nprefer = 1", "BRIDGE_POLICY prefer", id="a misspelt key"),
        pytest.param(b"prefer_services = ['x']\nid = 'a.b'", "BRIDGE_POLICY id", id="an id that is no routing word"),
    ],
)
def test_a_policy_that_cannot_be_followed_is_refused_by_its_key(text: bytes, key: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(text)
    assert [name for name, _ in caught.value.problems] == [key]
