"""Bodies that a webhook should not have: rubbish, and webhooks that something happened to."""

from __future__ import annotations

import json
from collections.abc import Callable
from random import Random
from typing import Any, Final

MARK: Final = "nobody-may-see-this"
"""Stands where people or secrets would stand: it must not turn up in a log or an event."""
_WORDS: Final = ("confirmed", "delivered", "ready_to_pickup", "returned_to_sender", "taken_by_nobody_yet", "other")
_EVENTS: Final = ("shipment_status_changed", "shipment_confirmed", "offers_prepared", "shipment_lost", "x")
_MOMENTS: Final = (
    "2026-03-22 09:41:10 +0100",
    "2026-03-22T08:41:10Z",
    "2026-03-22T08:41:10.123456789+01:00",
    "1970-01-01 00:00:00 +0000",
    "9999-12-31 23:59:59 -1400",
    "0000-00-00 00:00:00",
    "2026-02-30 25:61:61 +9999",
    "1774168870",
    "١٢",
    "now",
    "",
)
_STRINGS: Final = (
    "",
    "\x00",
    "a\x00b",
    "\ud800",
    "é" * 70,
    "🦊",
    "'; DROP TABLE deliveries; --",
    "${jndi:ldap://x}",
    "<script>",
    "../../etc/passwd",
    "x" * 65,
    "x" * 5_000,
    " ",
    "\r\nx: y",
    "null",
    MARK,
)
_NUMBERS: Final = (
    0,
    -1,
    1,
    2**31,
    2**53 + 1,
    2**63,
    10**17,
    10**18,
    10**400,
    -(10**30),
    1.5,
    1e308,
    -0.0,
    float("inf"),
    float("nan"),
)
_OFTEN_ENOUGH: Final = 3_000_000
"""Shipments that hostile webhooks are about: few enough that some are met again."""


def body(random: Random, organization: int) -> bytes:
    """Make one."""
    return random.choices(_KINDS, _WEIGHTS)[0](random, organization)


def webhook(random: Random, organization: int) -> dict[str, Any]:
    """Make a webhook that is as it should be, but for words and moments that nobody documented."""
    event = random.choice(_EVENTS)
    payload: dict[str, Any] = {"shipment_id": random.randrange(1, _OFTEN_ENOUGH)}
    if event == "offers_prepared":
        payload["offers"] = [_offer(random) for _ in range(random.randrange(4))]
    else:
        payload |= {"status": random.choice(_WORDS), "tracking_number": f"62{random.randrange(10**9):022}"}
    return {
        "event_ts": random.choice(_MOMENTS[:3]),
        "event": event,
        "organization_id": organization,
        "payload": payload,
    }


def _offer(random: Random) -> dict[str, Any]:
    return {
        "id": random.randrange(1, 10**9),
        "status": random.choice(("available", "unavailable", "expired", "?")),
        "expires_at": random.choice(("2026-03-18T12:36:58.279+01:00", None, *_MOMENTS[3:5])),
        "rate": random.choice((13.5, "9.99", None, -1, 1e20, "NaN")),
        "currency": random.choice(("PLN", "EUR", "zł", None)),
        "additional_services": random.choice(([], ["sms"], None, "sms")),
        "carrier": {"id": "inpost_courier", "name": MARK, "description": MARK},
        "service": {"id": "inpost_courier_standard", "name": MARK, "description": MARK},
        "unavailability_reasons": random.choice((None, [], [{"key": "k", "message": MARK}])),
    }


def anything(random: Random, depth: int = 3) -> Any:
    """Make a JSON value of any kind."""
    kind = random.randrange(8 if depth else 5)
    if kind == 0:
        return random.choice(_NUMBERS)
    if kind == 1:
        return random.choice(_STRINGS)
    if kind == 2:
        return random.choice((True, False, None))
    if kind == 3:
        return random.randrange(-(10**6), 10**6)
    if kind == 4:
        return "".join(chr(random.randrange(1, 0xD7FF)) for _ in range(random.randrange(12)))
    if kind == 5:
        return [anything(random, depth - 1) for _ in range(random.randrange(4))]
    keys = ("shipment_id", "status", "payload", "event", "organization_id", "event_ts", "id", "offers", *_STRINGS[:5])
    return {random.choice(keys): anything(random, depth - 1) for _ in range(random.randrange(4))}


def _as_it_is(random: Random, organization: int) -> bytes:
    return _dumped(webhook(random, organization))


def _other_values(random: Random, organization: int) -> bytes:
    """Put other things where they do not belong, somewhere in a webhook."""
    made = webhook(random, organization)
    for _ in range(random.randrange(1, 4)):
        place = random.choice((made, made["payload"])) if isinstance(made.get("payload"), dict) else made
        key = random.choice([*place, "more"])
        if random.random() < 0.3:
            place.pop(key, None)
        else:
            place[key] = random.choice((anything(random), random.choice(_MOMENTS), MARK))
    return _dumped(made)


def _personal(random: Random, organization: int) -> bytes:
    """Tell about people what no webhook should."""
    made = webhook(random, organization)
    made["payload"] |= {"receiver": {"email": f"{MARK}@example.com", "phone": MARK}, "details": MARK}
    return _dumped(made)


def _damaged(random: Random, organization: int) -> bytes:
    """Change, drop, double or add bytes somewhere in a webhook."""
    data = bytearray(_as_it_is(random, organization))
    for _ in range(random.randrange(1, 6)):
        at = random.randrange(len(data))
        match random.randrange(4):
            case 0:
                data[at] = random.randrange(256)
            case 1:
                del data[at : at + random.randrange(1, 20)]
            case 2:
                data[at:at] = data[at : at + random.randrange(1, 20)]
            case _:
                data[at:at] = random.randbytes(random.randrange(1, 5))
        if not data:
            break
    return bytes(data)


def _truncated(random: Random, organization: int) -> bytes:
    data = _as_it_is(random, organization)
    return data[: random.randrange(len(data))]


def _foreign(random: Random, organization: int) -> bytes:
    return _as_it_is(random, random.choice((organization - 1, 1, 0, -1, 10**17)))


def _any_json(random: Random, _organization: int) -> bytes:
    return _dumped(anything(random, 5))


def _noise(random: Random, _organization: int) -> bytes:
    return random.randbytes(random.randrange(1500))


def _deep(random: Random, organization: int) -> bytes:
    """Nest deeper than anybody looks."""
    opening, closing = random.choice(((b"[", b"]"), (b'{"a":', b"}")))
    depth = random.choice((100, 1_000, 20_000))
    nested = opening * depth + b"1" + closing * depth * random.choice((0, 1))
    if random.random() < 0.5:
        return nested
    return _as_it_is(random, organization).replace(b'"payload":', b'"more":' + nested + b',"payload":', 1)


def _doubled_keys(random: Random, organization: int) -> bytes:
    data = _as_it_is(random, organization)
    return b'{"event":"x","organization_id":1,' + data[1:]


def _other_encoding(random: Random, organization: int) -> bytes:
    text = _as_it_is(random, organization).decode()
    return random.choice((b"\xef\xbb\xbf" + text.encode(), text.encode("utf-16"), text.encode("utf-32"), b"\xff" * 9))


def _long(random: Random, organization: int) -> bytes:
    """Fill a webhook up to what is still read whole."""
    made = webhook(random, organization)
    made["filler"] = MARK + "x" * random.randrange(1_000, 200_000)
    return _dumped(made)


def _dumped(value: Any) -> bytes:
    """Write JSON, with `NaN` and lone surrogates as Python writes them."""
    return json.dumps(value).encode()


_KINDS: Final[tuple[Callable[[Random, int], bytes], ...]] = (
    _as_it_is,
    _other_values,
    _personal,
    _damaged,
    _truncated,
    _foreign,
    _any_json,
    _noise,
    _deep,
    _doubled_keys,
    _other_encoding,
    _long,
)
_WEIGHTS: Final = (10, 30, 5, 20, 6, 6, 10, 6, 2, 2, 2, 1)
