"""The balance: what the carrier did against what a consumer was told. Pure, so that a test can break each check."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bridge.demo.records import (
    DECLINED,
    FAILED,
    OFFERS,
    OUTCOMES,
    REQUESTED,
    STATUS_CHANGED,
    SUCCEEDED,
    Delivery,
    Mishap,
    Order,
    Parcel,
    Seen,
)
from bridge.demo.telling import Telling

_EXAMPLES = 3


@dataclass(frozen=True, slots=True)
class Account:
    """Everything that is compared. `charges` are the shipments the carrier was paid for, `recorded` the bridge's own
    event ids as its feed lists them, `events` what a consumer received, repeats included, `mishaps` what went wrong at
    the carrier: only they excuse that something is not known or not bought."""

    orders: Sequence[Order]
    deliveries: Sequence[Delivery]
    events: Sequence[Seen]
    charges: Sequence[int]
    parcels: Sequence[Parcel]
    recorded: Sequence[str]
    mishaps: Sequence[Mishap] = ()

    @property
    def distinct(self) -> list[Seen]:
        """The events as a consumer keeps them: the first of each id."""
        first: dict[str, Seen] = {}
        for event in self.events:
            first.setdefault(event.id, event)
        return list(first.values())

    def of(self, kind: str) -> list[Seen]:
        """The events of one type."""
        return [event for event in self.distinct if event.type == kind]

    @property
    def telling(self) -> Telling:
        """What the carrier told, and what it did not."""
        return Telling(self.deliveries, self.mishaps)


@dataclass(frozen=True, slots=True)
class Check:
    """One identity, and what stands against it: nothing, where it holds."""

    name: str
    problems: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return not self.problems

    @property
    def told(self) -> str:
        """The problems in one line, the first few of many."""
        more = len(self.problems) - _EXAMPLES
        return "; ".join(self.problems[:_EXAMPLES]) + (f"; and {more} more" if more > 0 else "")


@dataclass(frozen=True, slots=True)
class Summary:
    """The counts by name, in the order to show them, and the checks."""

    counts: Mapping[str, int]
    slowest: float | None
    """Seconds from the carrier's sending to the first event that came of it, of the slowest webhook."""
    checks: tuple[Check, ...]

    @property
    def balances(self) -> bool:
        return all(check.holds for check in self.checks)


Finder = Callable[[Account], Iterator[str]]


def summarize(account: Account) -> Summary:
    """Count, compare, and say what does not balance."""
    checks = tuple(Check(name, tuple(find(account))) for name, find in CHECKS.items())
    return Summary(_counts(account), max(_latencies(account), default=None), checks)


def _counts(account: Account) -> dict[str, int]:
    outcomes = Counter(delivery.outcome for delivery in account.deliveries)
    succeeded = account.of(SUCCEEDED)
    adopted = sum(event.data["adopted"] for event in succeeded)
    return {
        "shipments created": len(account.orders),
        "webhooks sent by the carrier": len(account.deliveries),
        "deliveries accepted": outcomes["accepted"],
        "duplicates dropped": outcomes["duplicate"],
        "deliveries parked": outcomes["parked"],
        "charges at the carrier": len(account.charges),
        "purchases requested": len(account.of(REQUESTED)),
        "purchases succeeded": len(succeeded) - adopted,
        "purchases adopted": adopted,
        "purchases failed": len(account.of(FAILED)),
        "left to the carrier": sum(event.data["reason"] == "carrier_owned_purchase" for event in account.of(DECLINED)),
        "not told by the carrier": len(_untold(account)),
        "events": len(account.distinct),
        "repeats dropped by the consumer": len(account.events) - len(account.distinct),
        **{f"faults: {kind}": times for kind, times in sorted(Counter(one.kind for one in account.mishaps).items())},
    }


def _untold(account: Account) -> set[int]:
    """Give the shipments of which the carrier never told the offers, or what became of them in the end."""
    telling = account.telling
    offers = {order.shipment for order in account.orders if telling.was_kept(order.shipment, OFFERS)}
    return offers | {one.shipment for one in account.parcels if telling.was_kept(one.shipment, one.status)}


def _latencies(account: Account) -> Iterator[float]:
    """Give the seconds from each accepted webhook to the first event it caused, where it caused one."""
    first: dict[str, datetime] = {}
    for event in account.events:
        if event.cause is not None and (event.cause not in first or event.at < first[event.cause]):
            first[event.cause] = event.at
    for delivery in account.deliveries:
        if delivery.outcome == "accepted" and delivery.delivery_id in first:
            yield (first[delivery.delivery_id] - delivery.sent_at).total_seconds()


# -- the checks: each yields what stands against it --------------------------------------------------------------------


def _answered(account: Account) -> Iterator[str]:
    for one in account.deliveries:
        if one.status != 200 or one.outcome is None:
            yield f"webhook {one.id} was answered {one.status or one.error or 'by nobody'}"


def _accounted(account: Account) -> Iterator[str]:
    found = sum(Counter(one.outcome for one in account.deliveries)[outcome] for outcome in OUTCOMES)
    if found != len(account.deliveries):
        yield f"{found} accepted, duplicate or parked, of {len(account.deliveries)} sent"


def _taken_once(account: Account) -> Iterator[str]:
    for key, times in Counter(one.delivery_id for one in account.deliveries if one.outcome == "accepted").items():
        if times != 1:
            yield f"delivery {key} was accepted {times} times"


def _charged_once(account: Account) -> Iterator[str]:
    for shipment, times in sorted(Counter(account.charges).items()):
        if times > 1:
            yield f"shipment {shipment} was charged {times} times"


def _charged(account: Account) -> Iterator[str]:
    """A shipment may stay unbought if nobody told its offers, or if its purchase never got to the carrier."""
    telling, charged = account.telling, set(account.charges)
    failed = {event.shipment for event in account.of(FAILED)}
    lost = {one.shipment for one in account.mishaps if one.about.endswith("/buy") and not one.reached}
    for order in account.orders:
        excused = telling.was_kept(order.shipment, OFFERS) or order.shipment in failed & lost
        if order.shipment not in charged and (order.mode == "simplified" or not excused):
            yield f"shipment {order.shipment} was not charged"


def _bought(account: Account) -> Iterator[str]:
    simplified = {order.shipment for order in account.orders if order.mode == "simplified"}
    ours = Counter(event.shipment for event in account.of(SUCCEEDED) if not event.data["adopted"])
    charged = Counter(shipment for shipment in account.charges if shipment not in simplified)
    for shipment in sorted({*ours, *charged}):
        if ours[shipment] != charged[shipment]:
            yield f"shipment {shipment}: {charged[shipment]} charges, {ours[shipment]} purchases succeeded"


def _settled(account: Account) -> Iterator[str]:
    settled = {event.data["intent_id"] for event in [*account.of(SUCCEEDED), *account.of(FAILED)]}
    for event in account.of(REQUESTED):
        if event.data["intent_id"] not in settled:
            yield f"shipment {event.shipment}: nobody knows what became of its purchase"


def _states(account: Account) -> Iterator[str]:
    known: dict[int, str] = {}
    for event in sorted(account.of(STATUS_CHANGED), key=lambda event: event.sequence):
        if event.data["current"]:
            known[event.shipment] = event.data["carrier_status"]
    telling, charged = account.telling, set(account.charges)
    for parcel in account.parcels:
        found = known.get(parcel.shipment)
        untold = telling.was_kept(parcel.shipment, parcel.status) or parcel.shipment not in charged
        excused = untold and found in telling.possible(parcel.shipment)
        if found != parcel.status and not excused:
            yield f"shipment {parcel.shipment}: {parcel.status} at the carrier, {found} in events"


def _sequences(account: Account) -> Iterator[str]:
    numbers: dict[tuple[str, str], list[int]] = defaultdict(list)
    for event in account.distinct:
        numbers[event.source, event.subject].append(event.sequence)
    for (_, subject), found in numbers.items():
        if found != list(range(1, len(found) + 1)):
            yield f"{subject}: {', '.join(map(str, found))}"


def _complete(account: Account) -> Iterator[str]:
    recorded, received = Counter(account.recorded), {event.id for event in account.events}
    for key, times in recorded.items():
        if times != 1 or key not in received:
            yield f"event {key} is recorded {times} times and " + ("received" if key in received else "never received")
    for key in received - set(recorded):
        yield f"event {key} was received and is not recorded"


CHECKS: Mapping[str, Finder] = {
    "every webhook was answered 200": _answered,
    "accepted + duplicate + parked = sent": _accounted,
    "no webhook was accepted twice": _taken_once,
    "no shipment was charged twice": _charged_once,
    "every shipment was charged, or a fault is why not": _charged,
    "charges = purchases succeeded + the carrier's own": _bought,
    "every requested purchase has an outcome": _settled,
    "every shipment ended as the carrier told": _states,
    "sequence is 1..n without gaps, in order": _sequences,
    "every recorded event was received, each id once": _complete,
}
