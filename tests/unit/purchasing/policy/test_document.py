"""A decision is kept by allow-list, and can be made again from what is kept, where that is enough."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given

from bridge.events.catalogue import Offer
from bridge.purchasing.evidence import Bought
from bridge.purchasing.policy import Adopt, Decision, Expired, NotOurs, Policy, Wait, decide
from bridge.purchasing.policy.document import Document, Verdict, again, document, verdict
from bridge.purchasing.policy.rule import Rule
from bridge.purchasing.shipment import PaymentState, Traits
from tests.unit.purchasing.policy.making import (
    ALLEGRO,
    AT,
    COURIER,
    LOCKER,
    ORGANIZATION,
    eur,
    offer,
    payment,
    pln,
    policy,
    rejected,
    rule,
    shipment,
)
from tests.unit.purchasing.policy.test_properties import deterministic, offers, policies, traits

POLICY = policy(rule(LOCKER, COURIER))
KNOWN = Traits("SECRET", "SECRET", "SECRET", pln("50.00"), eur("1.00"), "locker", Decimal("2.5"), AT)


def stored(found: Document) -> Document:
    """Give what is read of a decision after it was written as JSON."""
    return Document.model_validate_json(found.model_dump_json())


def test_a_decision_is_kept_with_everything_it_was_made_from() -> None:
    found = shipment(offer(1), offer(2, ALLEGRO, None, "unavailable", None), traits=KNOWN)
    kept = document(found, decide(found, POLICY, ORGANIZATION))
    assert json.loads(kept.model_dump_json()) == {
        "decision": "buy",
        "rule_id": "a",
        "offer_id": 1,
        "reason": None,
        "price": {"amount": "12.99", "currency": "PLN"},
        "seconds_left": 200.0,
        "rejected": [{"offer_id": 2, "reason": "unavailable"}],
        "shipment": {
            "id": 1,
            "status": "offers_prepared",
            "service": None,
            "at": "2026-03-18T11:32:00Z",
            "created_at": "2026-03-18T11:32:00Z",
            "cod": {"amount": "50.00", "currency": "PLN"},
            "insurance": {"amount": "1.00", "currency": "EUR"},
            "receiver": "locker",
            "weight_kg": "2.5",
            "payments": [],
            "ours": False,
            "selected_here": False,
        },
        "offers": [
            {
                "offer_id": 1,
                "status": "available",
                "service_id": LOCKER,
                "carrier_id": None,
                "rate": {"amount": "12.99", "currency": "PLN"},
                "expires_at": "2026-03-18T11:35:20Z",
                "additional_services": [],
                "unavailability_reasons": [],
            },
            {
                "offer_id": 2,
                "status": "unavailable",
                "service_id": ALLEGRO,
                "carrier_id": None,
                "rate": None,
                "expires_at": None,
                "additional_services": [],
                "unavailability_reasons": [],
            },
        ],
    }
    assert stored(kept) == kept


@pytest.mark.parametrize(
    ("decision", "told"),
    [
        pytest.param(Wait(), Verdict(decision="wait"), id="too early"),
        pytest.param(NotOurs("x"), Verdict(decision="not_ours", reason="x"), id="somebody else's"),
        pytest.param(Adopt(Bought(None)), Verdict(decision="not_ours", reason="already_bought"), id="bought"),
        pytest.param(
            Expired(rejected(_1="expired"), "a"),
            Verdict(decision="decline", reason="offers_expired", rule_id="a", rejected=rejected(_1="expired")),
            id="too late",
        ),
    ],
)
def test_every_decision_has_its_word(decision: Decision, told: Verdict) -> None:
    assert verdict(shipment(), decision) == told


def test_an_offer_without_an_end_has_no_seconds_left() -> None:
    found = shipment(offer(1, left=None))
    assert verdict(found, decide(found, POLICY, ORGANIZATION)).seconds_left is None


@deterministic
@given(offers, policies, traits)
def test_what_is_kept_is_decided_the_same_again(those: list[Offer], found: Policy, known: Traits) -> None:
    read = shipment(*those, traits=known)
    kept = stored(document(read, decide(read, found, ORGANIZATION)))
    assert again(kept, found, ORGANIZATION) == kept.verdict


def test_a_payment_of_ours_that_failed_is_kept_with_what_it_meant() -> None:
    selected = offer(1, status="selected")
    found = shipment(selected, status="offer_selected", service=LOCKER, payments=[payment(PaymentState.failure)])
    kept = stored(document(found, decide(found, POLICY, ORGANIZATION, ours=True), ours=True))
    told = again(kept, POLICY, ORGANIZATION)
    assert told == kept.verdict
    assert kept.decision == "buy"


BY_WORDS = 'when = {{ cod = true, reference_prefix = "B2B-" }}\non_no_match = "{}"'


@pytest.mark.parametrize(
    ("rules", "known", "is_told"),
    [
        pytest.param([rule(COURIER, more=BY_WORDS.format("decline")), rule(LOCKER)], KNOWN, False, id="words decide"),
        pytest.param(
            [rule(COURIER, more=BY_WORDS.format("decline")), rule(LOCKER)],
            replace(KNOWN, cod=None),
            True,
            id="not where what is kept shows that the rule is for others",
        ),
        pytest.param(
            ["when.cod = true\n" + rule(LOCKER), rule(COURIER, more='when.mpk = "A"'), rule(COURIER)],
            KNOWN,
            True,
            id="nor where another rule decides before it",
        ),
        pytest.param(
            [
                "when.cod = true\non_no_match = 'next_rule'\n" + rule(LOCKER),
                rule(COURIER, more='when.external_customer_id = "A"'),
            ],
            KNOWN,
            False,
            id="which is not certain where it may hand over",
        ),
    ],
)
def test_what_cannot_be_told_from_what_is_kept_is_not_told(rules: list[str], known: Traits, is_told: bool) -> None:
    found = shipment(offer(1), offer(2, COURIER), traits=known)
    kept = document(found, decide(found, POLICY, ORGANIZATION))
    told = again(kept, policy(*rules), ORGANIZATION)
    assert isinstance(told, Verdict if is_told else Rule)


def test_the_time_of_the_decision_counts_not_the_present() -> None:
    late = shipment(offer(1), at=AT + timedelta(seconds=200))
    kept = stored(document(late, decide(late, POLICY, ORGANIZATION)))
    assert (kept.decision, kept.reason) == ("decline", "offers_expired")
    assert again(kept, POLICY, ORGANIZATION) == kept.verdict
