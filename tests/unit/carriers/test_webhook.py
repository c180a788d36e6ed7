"""A ShipX webhook becomes a notification: documented samples, odd bodies with their reason, and the key."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.carriers.shipx import times, webhook
from bridge.errors import Unreadable
from bridge.events.catalogue import Money, Offer
from bridge.events.notification import Content, NothingKnown, Notification, OffersSeen, StatusSeen
from bridge.model import Delivery, DeliveryId, Evidence, OrganizationId, ShipmentId

SAMPLES = Path(__file__).parents[2] / "samples" / "shipx"
RECEIVED = datetime(2026, 11, 20, 12, 0, 0, 5, tzinfo=UTC)
NUMBER = "620000000000000000000017"
CLOSES = datetime(2026, 3, 18, 11, 36, 58, 279_000, tzinfo=UTC)

deterministic = settings(derandomize=True, database=None, deadline=None)


def offer(number: int, service: str, *, carrier: str = "inpost_locker", **changes: Any) -> Offer:
    values: dict[str, Any] = {
        "offer_id": number,
        "status": "unavailable",
        "service_id": service,
        "carrier_id": carrier,
        "rate": None,
        "expires_at": None,
        "additional_services": ("email", "sms"),
        "unavailability_reasons": (),
    }
    return Offer.model_validate(values | changes)


OFFERS = OffersSeen(
    (
        offer(
            1700000001,
            "inpost_locker_standard",
            unavailability_reasons=("additional_service_email_unavailable", "additional_service_sms_unavailable"),
        ),
        offer(1700000002, "inpost_courier_c2c", unavailability_reasons=("sending_method_required",)),
        offer(1700000003, "inpost_courier_standard", carrier="inpost_courier", status="available", expires_at=CLOSES),
        offer(
            1700000004,
            "inpost_courier_express_1000",
            carrier="inpost_courier",
            status="available",
            expires_at=CLOSES,
            additional_services=(),
            rate=Money(amount=Decimal("13.50"), currency="PLN"),
        ),
    )
)
SMART = OffersSeen(
    (
        offer(
            1700000005,
            "inpost_locker_standard_smart",
            additional_services=(),
            unavailability_reasons=("parcels_size_invalid",),
        ),
    )
)
MEANT: dict[str, tuple[int, datetime, Content]] = {
    # sample: shipment, moment in UTC, what it says
    "offers_prepared": (3900000018, datetime(2026, 3, 18, 11, 31, 58, tzinfo=UTC), OFFERS),
    "offers_prepared_unavailable": (3900000019, datetime(2026, 3, 18, 11, 31, 58, tzinfo=UTC), SMART),
    "returned_to_sender": (
        3900000017,
        datetime(2026, 5, 23, 12, 56, 1, tzinfo=UTC),  # summer time
        StatusSeen("returned_to_sender", NUMBER, "520000000000000000000099"),
    ),
    "shipment_confirmed": (3900000017, datetime(2026, 3, 20, 14, 8, 6, tzinfo=UTC), StatusSeen("confirmed", NUMBER)),
    "shipment_confirmed_2018": (
        90017,
        datetime(2018, 7, 19, 8, 5, 12, tzinfo=UTC),
        StatusSeen("confirmed", "620000000000000000000018"),
    ),
    "shipment_confirmed_null_number": (
        3900000017,
        datetime(2026, 3, 20, 14, 8, 6, tzinfo=UTC),
        StatusSeen("confirmed", None),
    ),
    "shipment_status_changed": (
        3900000017,
        datetime(2026, 3, 22, 8, 41, 10, tzinfo=UTC),
        StatusSeen("ready_to_pickup", NUMBER),
    ),
}
GOLDEN = {
    "offers_prepared": "0169ba8d2ee1f9f016903b0c2f3822bd188ed63a20",
    "offers_prepared_unavailable": "0169ba8d2e1db29254a3686a3cd5b37c916270f5bc",
    "returned_to_sender": "016a11a3e1cbcd9e5796d9dcbb9e32c48c4dbec320",
    "shipment_confirmed": "0169bd54c696cc587ee7bc4baf513b9cfdfea25579",
    "shipment_confirmed_2018": "015b5046386d181ab552ec48501a4cb8cd3c50b022",
    "shipment_confirmed_null_number": "0169bd54c651754c8a318958c93faa4c52e0940d67",
    "shipment_status_changed": "0169bfab26ee365e5289cd44dee392df31809c7b8e",
}
"""The keys that databases hold: with others, what was received before an update would be accepted once more."""


def sample(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / f"webhook_{name}.json").read_bytes())
    return found


def read(document: object, received: datetime = RECEIVED) -> webhook.Webhook:
    return webhook.read(document if isinstance(document, bytes) else json.dumps(document).encode(), received)


# --- the documents ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MEANT)
def test_a_documented_webhook_is_read_word_by_word(name: str) -> None:
    shipment, moment, content = MEANT[name]
    body = (SAMPLES / f"webhook_{name}.json").read_bytes()
    found = read(body)
    assert webhook.notification(Delivery(found.id, found.organization, found.event, RECEIVED, body)) == Notification(
        organization=OrganizationId(4821),
        shipment=ShipmentId(shipment),
        at=moment,
        evidence=Evidence.webhook,
        content=content,
        delivery=DeliveryId(GOLDEN[name]),
    )


def test_every_sample_of_a_webhook_is_in_the_table() -> None:
    assert {path.stem.removeprefix("webhook_") for path in SAMPLES.glob("webhook_*.json")} == set(MEANT) == set(GOLDEN)


# --- what is read kindly ----------------------------------------------------------------------------------------------

STATUS = sample("shipment_status_changed")


def with_payload(**changes: object) -> dict[str, Any]:
    return STATUS | {"payload": STATUS["payload"] | changes}


def with_offer(**changes: object) -> dict[str, Any]:
    document = sample("offers_prepared")
    document["payload"]["offers"] = [document["payload"]["offers"][3] | changes]
    return document


KIND: list[tuple[object, Content, str]] = [
    # document, what it says, remark
    (with_payload(tracking_number=None), StatusSeen("ready_to_pickup", None), "no number yet"),
    ({**STATUS, "payload": {"shipment_id": 1, "status": "x"}}, StatusSeen("x", None), "no number at all"),
    (with_payload(status="never_seen_before"), StatusSeen("never_seen_before", NUMBER), "a word nobody documented"),
    (with_payload(status="a" * 64), StatusSeen("a" * 64, NUMBER), "the longest safe word"),
    (with_payload(shipment_id="3900000017"), StatusSeen("ready_to_pickup", NUMBER), "an id as text"),
    (with_payload(return_tracking_number=None), StatusSeen("ready_to_pickup", NUMBER), "an empty return number"),
    (with_payload(receiver={"x": 1}), StatusSeen("ready_to_pickup", NUMBER), "keys nobody documented"),
    (STATUS | {"event": "claim_opened"}, NothingKnown("claim_opened"), "an event nobody documented"),
]


@pytest.mark.parametrize(("document", "content", "remark"), KIND, ids=[row[-1] for row in KIND])
def test_what_is_odd_but_clear_is_read(document: object, content: Content, remark: str) -> None:
    assert read(document).content == content, remark


ODD_OFFERS: list[tuple[dict[str, Any], dict[str, object], str]] = [
    # offer's keys, ours, remark
    ({"rate": None}, {"rate": None}, "an unknown price is unknown, never 0"),
    ({"currency": None}, {"rate": None}, "a price without currency is unknown"),
    ({"rate": 0}, {"rate": Money(amount=Decimal("0.00"), currency="PLN")}, "free is a price"),
    ({"rate": "9.9"}, {"rate": Money(amount=Decimal("9.90"), currency="PLN")}, "a price as text"),
    ({"rate": 12.3456}, {"rate": Money(amount=Decimal("12.3456"), currency="PLN")}, "no digit is dropped"),
    ({"rate": 1e2}, {"rate": Money(amount=Decimal("100.00"), currency="PLN")}, "a price with an exponent"),
    ({"expires_at": None}, {"expires_at": None}, "no end of the window"),
    (
        {"expires_at": "2026-07-18T12:36:58.279+02:00"},
        {"expires_at": datetime(2026, 7, 18, 10, 36, 58, 279_000, tzinfo=UTC)},
        "summer",
    ),
    ({"additional_services": None}, {"additional_services": ()}, "no services"),
    ({"carrier": None}, {"carrier_id": None}, "no carrier: the service says it all"),
    (
        {"unavailability_reasons": [{"receiver": "x", "trucker": "y"}, 3, None, "no_way"]},
        {"unavailability_reasons": ("other", "other", "other", "no_way")},
        "reasons of old clients",
    ),
    (
        {"unavailability_reasons": [{"key": "Jan Kowalski, tel. 500"}]},
        {"unavailability_reasons": ("other",)},
        "free text stays behind",
    ),
    ({"id": "1700000004"}, {"offer_id": 1700000004}, "an id as text"),
    ({"id": 10**17}, {"offer_id": 10**17}, "more than 32 bits"),
]


@pytest.mark.parametrize(("keys", "ours", "remark"), ODD_OFFERS, ids=[row[-1] for row in ODD_OFFERS])
def test_an_odd_offer_is_an_offer(keys: dict[str, Any], ours: dict[str, object], remark: str) -> None:
    plain = read(with_offer()).content
    found = read(with_offer(**keys)).content
    assert isinstance(plain, OffersSeen)
    assert isinstance(found, OffersSeen)
    assert found.offers == (plain.offers[0].model_copy(update=ours),), remark


# --- what is not read -------------------------------------------------------------------------------------------------

PLAIN = {"id": 1, "status": "available", "service": {"id": "x"}}
HOSTILE: list[tuple[object, str, str]] = [
    # body, reason, remark
    (b"", "not_json", "nothing"),
    (b"\xff\xfe{}", "not_json", "no UTF-8"),
    (b"\xef\xbb\xbf{}", "not_json", "a byte order mark"),
    (b"{", "not_json", "half of it"),
    (b"event=shipment_confirmed", "not_json", "a form"),
    (json.dumps(STATUS).encode() + b"{}", "not_json", "more than one"),
    (b'{"event":"\\ud800"}', "not_json", "half of a surrogate pair"),
    (b"[" * 100_000, "not_json", "deeper than anybody reads"),
    (b'{"event":"x","organization_id":1,"payload":{"a":' + b"9" * 5000 + b"}}", "not_json", "a number without end"),
    (b"null", "no_envelope", "null"),
    (b"[]", "no_envelope", "a list"),
    (b"{}", "no_envelope", "an empty object"),
    ({"type": "shipment", "payload": {}}, "no_envelope", "another product's"),
    (STATUS | {"payload": None}, "no_envelope", "no payload"),
    (STATUS | {"payload": [1]}, "no_envelope", "a list as payload"),
    (STATUS | {"event": 5}, "no_envelope", "a number as event"),
    (STATUS | {"event_ts": 5}, "no_envelope", "a number as time"),
    (STATUS | {"organization_id": None}, "no_envelope", "no organization"),
    (STATUS | {"organization_id": True}, "no_envelope", "yes as organization"),
    (STATUS | {"organization_id": 4821.5}, "no_envelope", "half an organization"),
    (STATUS | {"organization_id": "04821"}, "no_envelope", "a padded id"),
    (STATUS | {"organization_id": "٤٨٢١"}, "no_envelope", "digits of another script"),
    (STATUS | {"organization_id": 0}, "unsafe_value", "no number of ours"),
    (STATUS | {"organization_id": 10**18}, "unsafe_value", "too large a number"),
    (STATUS | {"organization_id": 10**40}, "unsafe_value", "far too large a number"),
    (STATUS | {"event": ""}, "unsafe_value", "an empty event"),
    (STATUS | {"event": "x" * 65}, "unsafe_value", "too long an event"),
    (STATUS | {"event": "x\n"}, "unsafe_value", "a line break behind an event"),
    (STATUS | {"event": "claim/../x"}, "unsafe_value", "a path as event"),
    (STATUS | {"payload": {}}, "unsafe_value", "no shipment"),
    (with_payload(shipment_id=-1), "unsafe_value", "a negative id"),
    (with_payload(shipment_id="1; DROP"), "unsafe_value", "words as id"),
    (with_payload(shipment_id=1e3), "unsafe_value", "a fraction as id"),
    (with_payload(status="Odebrana z punktu"), "unsafe_value", "free text as status"),
    (with_payload(status=""), "unsafe_value", "no status"),
    (with_payload(status="x" * 65), "unsafe_value", "too long a status"),
    (with_payload(status=None), "unsafe_value", "null as status"),
    (with_payload(tracking_number="62 000"), "unsafe_value", "a space in a number"),
    (with_payload(tracking_number="6" * 41), "unsafe_value", "too long a number"),
    (with_payload(tracking_number=62), "unsafe_value", "a number as number"),
    (with_payload(return_tracking_number="<b>"), "unsafe_value", "markup as number"),
    (with_offer(service=None), "unsafe_value", "an offer of nothing"),
    (with_offer(service={"id": "a b"}), "unsafe_value", "a service that is no word"),
    (with_offer(rate=-1), "unsafe_value", "a negative price"),
    (with_offer(rate=float("nan")), "unsafe_value", "a price that is none"),
    (with_offer(rate=1e12), "unsafe_value", "a price out of all bounds"),
    (with_offer(currency="zł"), "unsafe_value", "no currency code"),
    (with_offer(expires_at="2026-03-18T12:36:58"), "unsafe_value", "a window without offset"),
    (with_offer(expires_at="0001-01-01T00:00:00+14:00"), "unsafe_value", "before the calendar begins in UTC"),
    (with_offer(expires_at="9999-12-31T23:59:59-14:00"), "unsafe_value", "after the calendar ends in UTC"),
    (with_offer(additional_services=["a b"]), "unsafe_value", "an extra that is no word"),
    (
        sample("offers_prepared") | {"payload": {"shipment_id": 1, "offers": [PLAIN] * 1001}},
        "unsafe_value",
        "a thousand offers and one",
    ),
]


@pytest.mark.parametrize(("body", "reason", "remark"), HOSTILE, ids=[row[-1] for row in HOSTILE])
def test_what_cannot_be_read_has_a_reason_of_ours(body: object, reason: str, remark: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(body)
    assert caught.value.reason == reason, remark
    assert str(caught.value) == reason, "and repeats nothing that was sent"


# --- when it happened -------------------------------------------------------------------------------------------------

MOMENTS = [
    # event_ts, moment in UTC or None, remark
    ("2026-03-20 15:08:42 +0100", datetime(2026, 3, 20, 14, 8, 42, tzinfo=UTC), "winter"),
    ("2026-07-20 15:08:42 +0200", datetime(2026, 7, 20, 13, 8, 42, tzinfo=UTC), "summer"),
    ("2026-10-25 02:30:00 +0200", datetime(2026, 10, 25, 0, 30, tzinfo=UTC), "the hour that comes twice, first"),
    ("2026-10-25 02:30:00 +0100", datetime(2026, 10, 25, 1, 30, tzinfo=UTC), "the hour that comes twice, second"),
    ("2026-01-01 00:30:00 +0100", datetime(2025, 12, 31, 23, 30, tzinfo=UTC), "another year in UTC"),
    ("2026-03-20T15:08:42+01:00", datetime(2026, 3, 20, 14, 8, 42, tzinfo=UTC), "ISO 8601"),
    ("2026-03-20T14:08:42.999Z", datetime(2026, 3, 20, 14, 8, 42, tzinfo=UTC), "parts of a second go"),
    ("2026-11-20 13:59:59 +0100", datetime(2026, 11, 20, 12, 59, 59, tzinfo=UTC), "a clock somewhat ahead"),
    ("2026-11-20 14:00:01 +0100", None, "a clock more than an hour ahead"),
    ("9999-12-31 23:59:59 +0100", None, "far in the future"),
    ("9999-12-31 23:59:59 -1400", None, "after the calendar ends in UTC"),
    ("0001-01-01 00:00:00 +1400", None, "before the calendar begins in UTC"),
    ("2014-12-31 23:59:59 +0000", None, "before there was ShipX"),
    ("2026-02-30 00:00:00 +0100", None, "no such day"),
    ("2026-03-20 25:00:00 +0100", None, "no such hour"),
    ("2026-03-20 15:08:42 +9900", None, "no such offset"),
    ("2026-03-20 15:08:42", None, "no offset"),
    ("20.03.2026 15:08", None, "another form"),
    ("٢٠٢٦-03-20 15:08:42 +0100", None, "digits of another script"),
    ("2026-03-20 15:08:42 +0100" + " " * 100_000, None, "more than a time"),
    ("", None, "nothing"),
    (None, None, "null"),
]


@pytest.mark.parametrize(("text", "moment", "remark"), MOMENTS, ids=[row[-1] for row in MOMENTS])
def test_a_time_is_read_or_the_time_of_receipt_stands_in(
    text: str | None, moment: datetime | None, remark: str
) -> None:
    found = read(STATUS | {"event_ts": text})
    assert found.at == (moment or RECEIVED), remark
    seconds = int(found.id[2:10], 16)
    midnight = RECEIVED.replace(hour=0, minute=0, second=0, microsecond=0)
    assert seconds == int((moment or midnight).timestamp()), "the key begins with it; the day where it is unknown"


def test_without_a_time_the_same_webhook_is_one_all_day_and_another_the_next() -> None:
    nameless = STATUS | {"event_ts": None}
    assert read(nameless).id == read(nameless, RECEIVED + timedelta(hours=11)).id
    assert read(nameless).id != read(nameless, RECEIVED + timedelta(hours=13)).id


def test_a_long_text_in_the_place_of_a_time_is_not_remembered() -> None:
    before = times.parse.cache_info().currsize
    for n in range(50):
        read(STATUS | {"event_ts": f"{n}" * 1000})
    assert times.parse.cache_info().currsize == before


# --- the key ----------------------------------------------------------------------------------------------------------


def test_the_key_is_a_version_the_second_and_a_hash_of_the_fields_each_behind_its_length() -> None:
    fields = [
        "4821",
        "shipment_status_changed",
        "2026-03-22 09:41:10 +0100",
        "3900000017",
        "ready_to_pickup",
        NUMBER,
        "",
    ]
    joined = b"".join(len(one).to_bytes(4, "big") + one.encode() for one in fields)
    second = int(datetime(2026, 3, 22, 8, 41, 10, tzinfo=UTC).timestamp())
    expected = b"\x01" + second.to_bytes(4, "big") + blake2b(joined, digest_size=16).digest()
    assert read(STATUS).id == expected.hex() == GOLDEN["shipment_status_changed"]


def shuffled(value: object, chance: random.Random) -> object:
    """Give the same document with its keys in another order."""
    if isinstance(value, Mapping):
        keys = list(value)
        chance.shuffle(keys)
        return {key: shuffled(value[key], chance) for key in keys}
    if isinstance(value, list):
        return [shuffled(one, chance) for one in value]
    return value


@pytest.mark.parametrize("name", MEANT)
def test_the_same_words_in_other_bytes_have_the_same_key(name: str) -> None:
    @deterministic
    @given(st.randoms(use_true_random=False), st.sampled_from([None, 0, 1, 4]), st.booleans(), st.booleans())
    def same(chance: random.Random, indent: int | None, as_text: bool, escaped: bool) -> None:
        document = shuffled(sample(name) | {"created_by_id": None}, chance)
        assert isinstance(document, dict)
        if as_text:
            document["organization_id"] = str(document["organization_id"])
            document["payload"]["shipment_id"] = str(document["payload"]["shipment_id"])
        body = json.dumps(document, indent=indent, ensure_ascii=escaped).encode()
        assert webhook.read(body, RECEIVED + timedelta(days=3)).id == GOLDEN[name]

    same()


def test_the_order_of_offers_does_not_matter_and_their_prices_do_not_either() -> None:
    document = sample("offers_prepared")
    document["payload"]["offers"].reverse()
    document["payload"]["offers"][0]["rate"] = 14
    assert read(document).id == GOLDEN["offers_prepared"]


DIFFERENT: list[tuple[str, dict[str, Any], str]] = [
    # sample, what changes in it, remark
    ("shipment_status_changed", {"event_ts": "2026-03-22 09:41:11 +0100"}, "the second"),
    ("shipment_status_changed", {"organization_id": 4822}, "the organization"),
    ("shipment_status_changed", {"event": "shipment_confirmed"}, "the event"),
    ("shipment_status_changed", {"shipment_id": 3900000018}, "the shipment"),
    ("shipment_status_changed", {"status": "delivered"}, "the status"),
    ("shipment_status_changed", {"tracking_number": None}, "the number"),
    ("shipment_status_changed", {"return_tracking_number": "5"}, "the return number"),
    ("shipment_confirmed", {"tracking_number": "1"}, "the number of a purchase"),
    ("offers_prepared", {"offers": []}, "the offers"),
]


@pytest.mark.parametrize(("name", "change", "remark"), DIFFERENT, ids=[row[-1] for row in DIFFERENT])
def test_any_other_word_has_another_key(name: str, change: dict[str, Any], remark: str) -> None:
    document = sample(name)
    envelope = {key: value for key, value in change.items() if key in document}
    payload = document["payload"] | {key: value for key, value in change.items() if key not in document}
    assert read(document | envelope | {"payload": payload}).id != GOLDEN[name], remark


WORDS = st.text("abc_", min_size=1, max_size=3)
NUMBERS = st.none() | st.text("12", min_size=1, max_size=3)


@deterministic
@given(st.lists(st.tuples(WORDS, NUMBERS, NUMBERS), min_size=2, max_size=2, unique=True))
def test_no_two_different_statuses_share_a_key(two: list[tuple[str, str | None, str | None]]) -> None:
    first, second = (
        read(with_payload(status=word, tracking_number=number, return_tracking_number=back)).id
        for word, number, back in two
    )
    assert first != second


@deterministic
@given(st.lists(st.tuples(*[st.text(max_size=3)] * 3), min_size=2, max_size=2, unique=True))
def test_no_two_lists_of_fields_read_the_same(two: list[tuple[str, str, str]]) -> None:
    assert len({webhook.delivery_id(None, RECEIVED, fields) for fields in two}) == 2


def test_keys_sort_by_the_time_at_which_things_happened() -> None:
    keys = [read(STATUS | {"event_ts": f"20{year}-06-01 00:00:00 +0200"}).id for year in range(16, 27)]
    assert keys == sorted(keys)


@deterministic
@given(st.binary(max_size=200))
def test_whatever_the_bytes_they_are_read_or_unreadable(body: bytes) -> None:
    with suppress(Unreadable):
        read(body)
