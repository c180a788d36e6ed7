"""Values as the carrier may write them: read where their meaning is plain, refused where it is not."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import ValidationError

from bridge.carriers.shipx import wire
from bridge.carriers.shipx.offers import read_offer


def amount(rate: str) -> Decimal | None:
    """Read a rate both ways: as JSON text, and as the numbers a webhook's payload was already read to."""
    text = f'{{"shipment_id": 1, "offers": [{_OFFER % rate}]}}'
    envelope = wire.Envelope.model_validate_json(
        f'{{"event": "offers_prepared", "organization_id": 1, "payload": {text}}}'
    )
    [one] = wire.OffersPayload.model_validate(envelope.payload).offers
    other = wire.Offer.model_validate_json(_OFFER % rate)
    found = [money.amount if (money := read_offer(offer).rate) else None for offer in (one, other)]
    assert str(found[0]) == str(found[1])
    return found[0]


_OFFER = '{"id": 1, "status": "available", "service": {"id": "x"}, "currency": "PLN", "rate": %s}'


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("13.5", "13.50"),
        ("13.50", "13.50"),
        ("14", "14.00"),
        ("0", "0.00"),
        ("0.0", "0.00"),
        ("12.9987", "12.9987"),
        ('"13.50"', "13.50"),
        ('"12.9987"', "12.9987"),
        ("13.530000000000001", "13.53"),
        ("13.529999999999999", "13.53"),
        ('"13.530000000000001"', "13.53"),
        ("0.30000000000000004", "0.30"),
        ("10.00000000000001", "10.00"),
        ("0.00005", "0.00"),
        ("0.00015", "0.0002"),
        ("12.34565", "12.3456"),
        ("99999999.99", "99999999.99"),
        ("1e-9", "0.00"),
        ("1e2", "100.00"),
    ],
)
def test_a_rate_is_read_as_written_or_rounded_to_its_fourth_place(written: str, read: str) -> None:
    assert str(amount(written)) == read


@pytest.mark.parametrize(
    "written", ["-1", "-0.00001", "1e300", "1000000000", '"x"', '""', '"NaN"', '"1e999999999"', "[]", "{}", "NaN"]
)
def test_what_is_no_rate_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        amount(written)


@pytest.mark.parametrize("number", ["", None])
def test_an_empty_number_is_none(number: str | None) -> None:
    both = {"tracking_number": number, "return_tracking_number": number}
    status = wire.StatusPayload.model_validate({"shipment_id": 1, "status": "x"} | both)
    confirmed = wire.ConfirmedPayload.model_validate({"shipment_id": 1} | both)
    shipment = wire.Shipment.model_validate({"id": 1, "status": "x"} | both)
    assert (status.tracking_number, status.return_tracking_number) == (None, None)
    assert (confirmed.tracking_number, shipment.tracking_number, shipment.return_tracking_number) == (None, None, None)


@pytest.mark.parametrize(
    ("sent", "kept"), [("debt_collection", "debt_collection"), ("anna_kowalska", "other"), (5, "other"), (None, None)]
)
def test_why_a_payment_failed_is_a_documented_key_or_other(sent: object, kept: str | None) -> None:
    assert wire.TransactionDetails.model_validate({"error": sent}).error == kept
