"""The scenario file: who is registered with the carrier, how fast it works, and what happens to the parcels."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Final, Literal, Self

from pydantic import Field, ValidationError, model_validator

from bridge.simulator.errors import ScenarioError
from bridge.simulator.faults import FaultTable
from bridge.simulator.inpost_returns.terms import InPostReturnsTerms
from bridge.simulator.intelligentreturns.terms import IntelligentreturnsTerms
from bridge.simulator.parts import Part, Seconds, Share, Span
from bridge.simulator.services import SERVICES
from bridge.simulator.szybkie_zwroty.terms import SzybkieZwrotyTerms

PACKAGED: Final = ("demo", "faults")
"""The names of the scenarios that come with the simulator."""
Price = Annotated[Decimal, Field(ge=0, le=100_000, decimal_places=2)]
StatusName = Annotated[str, Field(pattern=r"^[a-z0-9_]{1,64}$")]


class Delays(Part):
    """How long the carrier takes, in seconds."""

    offers: Seconds = 0.2
    """from a create or an edit to `offers_prepared`"""
    purchase: Seconds = 0.6
    """from an accepted purchase to its visible effect"""
    list_lag: Seconds = 0.0
    """how long a new shipment is missing from lists (observed: 0 to 5.4)"""
    labels: Seconds = 0.0
    """from a purchase's effect to its label; until then `label_generation_failed`"""
    offers_valid: Seconds = 300.0
    """from preparation to `expires_at`; the carrier's value is exactly five minutes"""
    jitter: Share = 0.0
    """the share by which `offers` and `purchase` vary, up and down"""
    answer: Span = (0.0, 0.0)
    """from a call, which is done at once, to its answer: at least and at most"""


class Purchases(Part):
    """What nobody could find out about buying."""

    again: Literal["refuse", "accept", "charge"] = "refuse"
    """a buy of what is bought or being bought: refused, answered 200 without effect, or paid a second time"""
    bulk_refusals: Literal["named", "unnamed"] = "unnamed"
    """whether a bulk call that is refused for other reasons than validation names the items that are the reason"""
    empty_edit: Literal["renew", "refuse"] = "renew"
    """an edit without any attribute: it makes offers anew, or is not valid"""


class Creates(Part):
    """What nobody could find out about creating, and what the carrier knows that a scenario has to say."""

    points: tuple[str, ...] | None = None
    """the only points that exist; unset: every point does"""
    stray_services: Literal["accept", "refuse"] = "accept"
    """additional services without a service: taken, at the cost of the locker offers, or not valid"""


class Lists(Part):
    """What nobody could find out about lists."""

    without: tuple[Literal["offers", "selected_offer", "transactions"], ...] = ()
    """what a list leaves out of its items"""
    most_ids: Annotated[int, Field(ge=1)] | None = None
    """how many ids the filter takes; further ones are left out in silence"""


class Webhooks(Part):
    """How notifications are sent."""

    repeat_every: Annotated[int, Field(ge=0)] = 0
    """send every n-th notification twice; 0 never"""
    repeat_after: Seconds = 0.0
    """seconds between a notification and its repetition"""
    retries: tuple[Seconds, ...] = ()
    """seconds before each new attempt when the answer was not 200; the carrier's own schedule is not documented"""
    also_announce: tuple[Literal["created", "offers_prepared", "offer_selected", "confirmed", "canceled"], ...] = ()
    """statuses before the journey that also come as `shipment_status_changed`; the documents do not say which do"""
    timeout: Annotated[float, Field(gt=0)] = 10.0
    max_in_flight: Annotated[int, Field(ge=1, le=256)] = 8


class ServiceTerms(Part):
    """One contracted service and its price; a postpaid organization is never told the price."""

    id: str
    rate: Price | None = None

    @model_validator(mode="after")
    def _known(self) -> Self:
        if self.id not in SERVICES:
            raise ValueError(f"not a service of the carrier: one of {', '.join(SERVICES)}")
        return self


class DispatchPointTerms(Part):
    """A registered place where couriers collect."""

    id: Annotated[int, Field(gt=0, lt=2**63)]
    street: str
    building_number: str
    city: str
    post_code: Annotated[str, Field(pattern=r"^[0-9]{2}-[0-9]{3}$")]


class OrganizationTerms(Part):
    """One account with the carrier."""

    id: Annotated[int, Field(gt=0, lt=2**63)]
    name: str
    token: Annotated[str, Field(min_length=1)]
    account: Literal["prepaid", "postpaid"]
    funds: Annotated[Decimal, Field(ge=0, decimal_places=2)] = Decimal(0)
    webhook_url: str | None = None
    cost_centres: tuple[str, ...] = ()
    company_data: bool = True
    """whether the account has its company and bank data; without them the payment of a COD parcel fails"""
    unpaid_invoices: bool = False
    """whether the carrier refuses to create and to sell, as it may do until they are paid"""
    dispatch_points: tuple[DispatchPointTerms, ...] = ()
    services: tuple[ServiceTerms, ...] = ()

    @model_validator(mode="after")
    def _priced(self) -> Self:
        unpriced = [service.id for service in self.services if service.rate is None]
        if self.account == "prepaid" and unpriced:
            raise ValueError(f"a prepaid organization needs a rate for {', '.join(unpriced)}")
        return self


class Step(Part):
    """One status of a journey, `after` seconds from the one before."""

    status: StatusName
    after: Seconds


class JourneyPlan(Part):
    """What happens to a share of the parcels once they are confirmed."""

    name: str
    share: Annotated[float, Field(gt=0)] = 1.0
    steps: tuple[Step, ...]


class PickupPrices(Part):
    """What a courier's visit costs, by what is collected; only a prepaid organization is told."""

    courier: Price = Decimal("12.00")
    locker: Price = Decimal("4.30")
    allegro: Price = Decimal("4.30")


class Dispatch(Part):
    """What happens to dispatch orders."""

    steps: tuple[Step, ...] = (Step(status="sent", after=0.5),)
    """the statuses after `new`; the current page knows `sent`, an older one also what follows"""
    prices: PickupPrices = PickupPrices()


class Tracking(Part):
    """How the public tracking writes what it has written in more than one way."""

    point_key: Literal["target_machine_id", "target_point_id"] = "target_machine_id"
    """the key of the target point: as in the sample of 2023, or as in that of 2015"""


class Scenario(Part):
    """Everything that can be set; without journeys nothing moves past `confirmed`, as on the carrier's sandbox."""

    speed: Annotated[float, Field(gt=0)] = 1.0
    """divides the seconds of every journey step"""
    delays: Delays = Delays()
    purchases: Purchases = Purchases()
    creates: Creates = Creates()
    lists: Lists = Lists()
    dispatch: Dispatch = Dispatch()
    tracking: Tracking = Tracking()
    webhooks: Webhooks = Webhooks()
    organizations: Annotated[list[OrganizationTerms], Field(min_length=1)]
    journeys: tuple[JourneyPlan, ...] = ()
    inpost_returns: InPostReturnsTerms = InPostReturnsTerms()
    szybkie_zwroty: SzybkieZwrotyTerms = SzybkieZwrotyTerms()
    intelligentreturns: IntelligentreturnsTerms = IntelligentreturnsTerms()
    faults: FaultTable = FaultTable()
    """what goes wrong by itself"""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        for values in ([o.id for o in self.organizations], [o.token for o in self.organizations]):
            if len(set(values)) != len(values):
                raise ValueError("ids and tokens of organizations must differ")
        return self


def load_scenario(path: Path | None = None) -> Scenario:
    """Read a scenario file, or a packaged one by its name (`demo`). ScenarioError names what is wrong with it."""
    name = str(path or "demo")
    source = files("bridge.simulator") / "scenarios" / f"{name}.toml" if name in PACKAGED else Path(name)
    try:
        return Scenario.model_validate(tomllib.loads(source.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise ScenarioError([(_key(e["loc"]), e["msg"]) for e in error.errors()]) from None
    except (OSError, ValueError) as error:
        raise ScenarioError([(str(source), str(error))]) from None


def _key(loc: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in loc) or "scenario"
