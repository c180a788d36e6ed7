"""The carrier's services, with the labels under which offers show them.

Services: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153507
Labels: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494/Webhooks
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Reach = Literal["locker", "courier"]


@dataclass(frozen=True)
class Label:
    """The three texts by which the carrier names a carrier or a service."""

    id: str
    name: str
    description: str


@dataclass(frozen=True)
class Service:
    """A way of sending. `carrier` is what the offer shows, which is not always the one that carries."""

    label: Label
    carrier: Label
    reach: Reach

    @property
    def allegro(self) -> bool:
        return "allegro" in self.label.id

    @property
    def extras(self) -> frozenset[str]:
        """Name the additional services that fit.

        The page of services lists them for the five services of the courier; for what goes by the locker carrier, which
        includes c2c and Allegro's courier, it lists COD and insurance alone.
        """
        return frozenset(EXTRAS) if self.label.id in COURIER_CONTRACT else frozenset()


LOCKER = Label("inpost_locker", "InPost Paczkomaty", "locker parcels")
COURIER = Label("inpost_courier", "InPost Kurier", "courier parcels")
LETTER = Label("inpost_letter", "InPost MiniKurier24", "letters")


def _service(service_id: str, name: str, description: str, carrier: Label, reach: Reach) -> tuple[str, Service]:
    return service_id, Service(Label(service_id, name, description), carrier, reach)


SERVICES = dict(
    (
        _service("inpost_locker_standard", "Paczkomatowa standardowa", "locker, standard", LOCKER, "locker"),
        _service("inpost_locker_allegro", "Allegro Paczkomaty InPost", "locker, Allegro", LOCKER, "locker"),
        _service("inpost_locker_pass_thru", "Paczkomatowa Pass-Thru", "locker, pass-thru", LOCKER, "locker"),
        _service("inpost_locker_standard_smart", "Paczkomatowa Smart", "locker, smart", LOCKER, "locker"),
        _service("inpost_locker_allegro_smart", "Allegro Smart", "locker, Allegro smart", LOCKER, "locker"),
        _service("inpost_letter_allegro", "Allegro MiniKurier24 InPost", "letter, Allegro", LETTER, "locker"),
        # The published sample shows these two courier services under the locker carrier, and two services
        # with the name "Kurier standard": only service.id tells them apart.
        _service("inpost_courier_c2c", "Kurier standard", "courier, standard", LOCKER, "courier"),
        _service("inpost_courier_allegro", "Allegro Kurier24 InPost", "courier, Allegro", LOCKER, "courier"),
        _service("inpost_courier_standard", "Kurier standard", "courier, standard", COURIER, "courier"),
        _service("inpost_courier_express_1000", "Kurier do 10:00", "courier, by 10:00", COURIER, "courier"),
        _service("inpost_courier_express_1200", "Kurier do 12:00", "courier, by 12:00", COURIER, "courier"),
        _service("inpost_courier_express_1700", "Kurier do 17:00", "courier, by 17:00", COURIER, "courier"),
        _service("inpost_courier_palette", "Paleta standard", "courier, pallet", COURIER, "courier"),
    )
)

COURIER_CONTRACT = frozenset(
    {
        "inpost_courier_standard",
        "inpost_courier_express_1000",
        "inpost_courier_express_1200",
        "inpost_courier_express_1700",
        "inpost_courier_palette",
    }
)
"""What takes a courier contract, which comes with a postpaid account."""
INSURED_WITH_COD = COURIER_CONTRACT
"""What has to be insured where money is collected: the same five."""

EXTRAS = {"sms": "SMS notification", "email": "e-mail notification", "saturday": "delivery on Saturday"}
SENDING_METHODS = {
    "parcel_locker": "at a locker",
    "pok": "at a customer service office",
    "courier_pok": "at a customer service office, for a courier",
    "branch": "at a branch",
    "dispatch_order": "collected by a courier",
    "pop": "at a parcel point",
}
"""The published list; `any_point` is taken as well (observed 2026-10), but does not stand in it.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639234
"""
