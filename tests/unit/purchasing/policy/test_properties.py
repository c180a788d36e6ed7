"""What holds for every decision, whatever the offers and the rules."""

from __future__ import annotations

from decimal import Decimal
from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events.catalogue import Money, Offer
from bridge.purchasing.policy import Buy, Decline, Expired, Hold, NotOurs, Policy, decide
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.policy.services import known_as
from bridge.purchasing.shipment import Shipment, Traits
from tests.unit.purchasing.policy.making import (
    ALLEGRO,
    AT,
    C2C,
    COURIER,
    LOCKER,
    ORGANIZATION,
    POP,
    offer,
    pln,
    shipment,
)

deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=100)
SERVICES = [LOCKER, COURIER, ALLEGRO, C2C]
STRATEGIES = ["preference_list", "cheapest", "cheapest_within_tier"]
MISSING = [None, "preference_list", "price_table", "hold", "decline"]
LIMITS = [None, "5.00", "10.00", "20.00"]

amounts = st.decimals("0", "30", places=2)
prices = st.one_of(
    st.none(),
    st.builds(Money, amount=amounts, currency=st.sampled_from(["PLN", "PLN", "PLN", "EUR"])),
)
offers = st.lists(
    st.builds(
        offer,
        st.integers(1, 10**6),
        st.sampled_from([*SERVICES, POP]),
        prices,
        st.sampled_from(["available", "available", "available", "unavailable", "selected", "expired", "never_met"]),
        st.sampled_from([None, -1.0, 0.0, 0.001, 200.0]),
        st.sampled_from([[], ["sms"], ["sms", "email"]]),
    ),
    max_size=5,
    unique_by=lambda one: one.offer_id,
)


@st.composite
def rules(draw: st.DrawFn, name: str) -> Rule:
    services = draw(st.permutations(SERVICES))[: draw(st.integers(1, 4))]
    strategy = draw(st.sampled_from(STRATEGIES))
    split = draw(st.integers(0, len(services) - 1)) if strategy == "cheapest_within_tier" else len(services)
    highest, asked = draw(st.sampled_from(LIMITS)), draw(st.sampled_from(LIMITS))
    return Rule.model_validate(
        {
            "id": name,
            "when": draw(st.sampled_from([{}, {"cod": True}, {"receiver": "locker"}])),
            "prefer_services": [*services[:split], *([services[split:]] if services[split:] else [])],
            "strategy": strategy,
            "require_services": draw(st.sampled_from([[], [], ["sms"]])),
            "max_price": None if highest is None else {"amount": highest, "currency": "PLN"},
            "approve_above": None if asked is None else {"amount": asked, "currency": "PLN"},
            "on_missing_rate": draw(st.sampled_from(MISSING)),
            "on_no_match": draw(st.sampled_from(["decline", "next_rule"])),
        }
    )


policies = st.builds(
    lambda one, two, table: Policy(
        rules=(one, two), sha256="0" * 64, prices={name: pln(amount) for name, amount in table.items()}
    ),
    rules("a"),
    rules("b"),
    st.dictionaries(st.sampled_from(SERVICES), amounts.map(str)),
)
traits = st.builds(
    Traits, cod=st.sampled_from([None, pln("50.00")]), receiver=st.sampled_from([None, "locker", "address"])
)
Chosen = Buy | Hold


def found(those: list[Offer], known: Traits) -> Shipment:
    return shipment(*those, traits=known)


def followed(policy: Policy, rule_id: str) -> Rule:
    return next(rule for rule in policy.rules if rule.id == rule_id)


@deterministic
@given(offers, policies, traits)
def test_the_order_of_the_offers_makes_no_difference(those: list[Offer], policy: Policy, known: Traits) -> None:
    told = {repr(decide(found(list(order), known), policy, ORGANIZATION)) for order in permutations(those)}
    assert len(told) == 1


@deterministic
@given(offers, policies, traits)
def test_every_offer_is_explained_exactly_once(those: list[Offer], policy: Policy, known: Traits) -> None:
    decision = decide(found(those, known), policy, ORGANIZATION)
    assert isinstance(decision, Buy | Hold | Decline | Expired)
    chosen = [decision.offer.offer_id] if isinstance(decision, Chosen) else []
    assert sorted([one.offer_id for one in decision.rejected] + chosen) == sorted(one.offer_id for one in those)
    assert all(one.reason for one in decision.rejected)


@deterministic
@given(offers, policies, traits)
def test_only_what_is_available_listed_and_in_time_is_chosen(those: list[Offer], policy: Policy, known: Traits) -> None:
    decision = decide(found(those, known), policy, ORGANIZATION)
    if isinstance(decision, Chosen):
        chosen, rule = decision.offer, followed(policy, decision.rule_id)
        assert chosen in those
        assert chosen.status == "available"
        assert chosen.expires_at is None or chosen.expires_at > AT
        assert known_as(chosen.service_id) in rule.services
        assert set(rule.require_services) <= set(chosen.additional_services)


@deterministic
@given(offers, policies, traits)
def test_nothing_is_chosen_above_the_limit_of_its_rule(those: list[Offer], policy: Policy, known: Traits) -> None:
    decision = decide(found(those, known), policy, ORGANIZATION)
    if isinstance(decision, Chosen):
        rule = followed(policy, decision.rule_id)
        if rule.max_price is not None and decision.price is not None:
            assert decision.price.currency == "PLN"
            assert decision.price.amount <= rule.max_price.amount
        if isinstance(decision, Buy) and rule.approve_above is not None and decision.price is not None:
            assert decision.price.amount <= rule.approve_above.amount


@deterministic
@given(offers, policies, traits)
def test_an_unknown_price_is_never_taken_for_0(those: list[Offer], policy: Policy, known: Traits) -> None:
    decision = decide(found(those, known), policy, ORGANIZATION)
    if isinstance(decision, Buy) and decision.price is None:
        rule = followed(policy, decision.rule_id)
        is_limited = rule.max_price is not None or rule.approve_above is not None
        assert not is_limited or rule.on_missing_rate == "preference_list", "it passes a limit only where that is said"
        passed_over = {one.offer_id for one in decision.rejected if one.reason == "not_preferred"}
        others = [one for one in those if one.offer_id in passed_over and one.rate is not None]
        tier = rule.tier(decision.offer.service_id)
        assert not any(rule.tier(one.service_id) <= tier and one.rate.currency == "PLN" for one in others if one.rate)


@deterministic
@given(offers, policies, traits, amounts)
def test_a_price_that_rises_is_never_the_reason_for_a_purchase(
    those: list[Offer], policy: Policy, known: Traits, more: Decimal
) -> None:
    """What is bought after the price of an offer rose is that offer only if it was bought before."""
    before = decide(found(those, known), policy, ORGANIZATION)
    for n, one in enumerate(those):
        if one.rate is not None:
            dearer = Money(amount=one.rate.amount + more, currency=one.rate.currency)
            changed = [*those[:n], one.model_copy(update={"rate": dearer}), *those[n + 1 :]]
            after = decide(found(changed, known), policy, ORGANIZATION)
            if isinstance(after, Buy) and after.offer.offer_id == one.offer_id:
                assert isinstance(before, Buy)
                assert before.offer.offer_id == one.offer_id


@deterministic
@given(offers, policies, st.sampled_from(["created", "offers_prepared", "offer_selected"]))
def test_a_shipment_made_with_a_service_is_left_alone(those: list[Offer], policy: Policy, status: str) -> None:
    made = shipment(*those, status=status, service=LOCKER)
    assert decide(made, policy, ORGANIZATION) == NotOurs("carrier_owned_purchase")
