"""The carrier's services, and what each kind wants of a shipment: their words in a table.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153507 (services), …/18153501 (attributes),
…/47415642 (which account may use which), …/18153491 (how a parcel of which may be given up)
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """To what a service delivers."""

    locker = "locker"
    courier = "courier"


@dataclass(frozen=True, slots=True)
class Service:
    """One of them: who may use it, and whether it is for accounts with a contract alone.

    Those take additional services, and want money on delivery insured. `never_by` are the sending methods that the
    carrier's table marks as not to be had; it says nothing of `pok`, `courier_pok`, `branch` and `any_point`.
    """

    kind: Kind
    is_contract: bool = False
    never_by: frozenset[str] = frozenset()


_NOT_AT_A_LOCKER: Final = frozenset({"parcel_locker"})


SERVICES: Final = {
    "inpost_locker_standard": Service(Kind.locker),
    "inpost_locker_allegro": Service(Kind.locker),
    "inpost_locker_pass_thru": Service(Kind.locker, never_by=frozenset({"dispatch_order", "pop"})),
    "inpost_letter_allegro": Service(Kind.locker),
    "inpost_courier_allegro": Service(Kind.courier),
    "inpost_courier_c2c": Service(Kind.courier),
    "inpost_courier_standard": Service(Kind.courier, is_contract=True, never_by=_NOT_AT_A_LOCKER),
    "inpost_courier_express_1000": Service(Kind.courier, is_contract=True, never_by=_NOT_AT_A_LOCKER),
    "inpost_courier_express_1200": Service(Kind.courier, is_contract=True, never_by=_NOT_AT_A_LOCKER),
    "inpost_courier_express_1700": Service(Kind.courier, is_contract=True, never_by=_NOT_AT_A_LOCKER),
    "inpost_courier_palette": Service(Kind.courier, is_contract=True),
}
"""Those that are documented, and open to every postpaid account. Others exist; a service is never refused for being
none of these."""

PASS_THRU: Final = "inpost_locker_pass_thru"  # noqa: S105 - a service, no password


def kind(service: str) -> Kind | None:
    """Say to what a service delivers; by its name where nobody documented it, None where that says nothing."""
    if service in SERVICES:
        return SERVICES[service].kind
    return next((one for one in Kind if service.startswith(f"inpost_{one.value}_")), None)
