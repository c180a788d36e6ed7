"""What a read proves: only a payment that ended, or a status that no unbought shipment has."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bridge.events import statuses
from bridge.events.catalogue import Offer
from bridge.model import OfferId, ShipmentId
from bridge.purchasing.evidence import Bought, Evidence, Nothing, NotPaid, Underway, evidence, reason
from bridge.purchasing.shipment import Payment, PaymentState, Shipment

AT = datetime(2026, 3, 18, 11, 32, tzinfo=UTC)
OFFER = Offer(
    offer_id=7,
    status="bought",
    service_id="inpost_locker_standard",
    carrier_id=None,
    rate=None,
    expires_at=None,
    additional_services=(),
    unavailability_reasons=(),
)


def seen(status: str = "offers_prepared", *payments: Payment, selected: Offer | None = None) -> Shipment:
    return Shipment(
        id=ShipmentId(1),
        status=status,
        at=AT,
        changed_at=AT - timedelta(seconds=1),
        tracking_number=None,
        return_tracking_number=None,
        service=None,
        selected=selected,
        offers=(OFFER,),
        payments=payments,
    )


def paid(number: int) -> Payment:
    return Payment(number, PaymentState.success, OfferId(7), None)


def failed(number: int, error: str | None = "debt_collection") -> Payment:
    return Payment(number, PaymentState.failure, OfferId(7), error)


def running(number: int) -> Payment:
    return Payment(number, PaymentState.running, OfferId(7), None)


@pytest.mark.parametrize(
    ("shipment", "before", "proof"),
    [
        pytest.param(seen(), [], Nothing(), id="nothing to see: reads lag behind"),
        pytest.param(seen("created"), [], Nothing(), id="nor while offers are prepared"),
        pytest.param(seen("offer_selected"), [], Nothing(), id="selected is not paid"),
        pytest.param(seen("canceled"), [], Nothing(), id="a running purchase overwrites a cancelled shipment"),
        pytest.param(seen("never_documented"), [], Nothing(), id="an unknown word says nothing"),
        pytest.param(seen("other"), [], Nothing(), id="nor does the carrier's own word for it"),
        pytest.param(seen("offers_prepared", paid(1)), [], Bought(None), id="paid, before the status shows it"),
        pytest.param(seen("confirmed", selected=OFFER), [], Bought(OFFER), id="confirmed, before a payment shows"),
        pytest.param(seen("confirmed", paid(1), selected=OFFER), [], Bought(OFFER), id="both"),
        pytest.param(seen("delivered"), [], Bought(None), id="long past it, with no offer to name"),
        pytest.param(seen("canceled", paid(1)), [], Bought(None), id="paid and then cancelled is still paid"),
        pytest.param(seen("never_documented", paid(1)), [], Bought(None), id="paid, whatever the status"),
        pytest.param(seen("offer_selected", paid(1)), [1], Bought(None), id="an older payment that got through counts"),
        pytest.param(seen("offer_selected", failed(1)), [], NotPaid("insufficient_funds"), id="a new payment failed"),
        pytest.param(seen("offer_selected", failed(1)), [1], Nothing(), id="an older one proves nothing about ours"),
        pytest.param(
            seen("offer_selected", failed(1), failed(2, "company_data_missing")),
            [1],
            NotPaid("account_data_missing"),
            id="an old one and a new one: the new one's reason",
        ),
        pytest.param(
            seen("offer_selected", failed(3, "offer_expired"), failed(2)),
            [],
            NotPaid("offer_expired"),
            id="two new ones: the last one's reason",
        ),
        pytest.param(seen("offer_selected", failed(1), paid(2)), [], Bought(None), id="failed, then paid"),
        pytest.param(seen("offers_prepared", running(1)), [], Underway(), id="it runs"),
        pytest.param(seen("offer_selected", failed(1), running(2)), [], Underway(), id="failed, and tried again"),
        pytest.param(seen("offer_selected", running(1)), [1], Underway(), id="somebody's runs"),
    ],
)
def test_what_a_read_proves(shipment: Shipment, before: list[int], proof: Evidence) -> None:
    assert evidence(shipment, before) == proof


@pytest.mark.parametrize("word", list(statuses.words("shipx")))
def test_every_status_after_the_purchase_is_proof_and_no_other(word: str) -> None:
    unbought = {"created", "offers_prepared", "offer_selected", "unconfirmed", "canceled", "cancelled"}
    says_nothing = statuses.lookup("shipx", word).tracking is statuses.TrackingStatus.unknown
    assert isinstance(evidence(seen(word), ()), Bought) is not (word in unbought or says_nothing)


@pytest.mark.parametrize(
    ("key", "published"),
    [
        ("debt_collection", "insufficient_funds"),
        ("company_data_missing", "account_data_missing"),
        ("offer_expired", "offer_expired"),
        ("offer_unavailable", "offer_unavailable"),
        ("validation_failed", "validation"),
        ("forbidden", "forbidden"),
        ("access_forbidden", "forbidden"),
        ("token_invalid", "forbidden"),
        ("unauthorized", "forbidden"),
        ("resource_not_found", "not_found"),
        ("transaction_failed", "other"),
        ("never_documented", "other"),
        (None, "other"),
    ],
)
def test_the_carriers_keys_have_a_published_reason(key: str | None, published: str) -> None:
    assert reason(key) == published
