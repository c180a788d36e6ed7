"""What shipping on demand needs of a carrier, in our words; whatever has these methods will do.

A call that changes something is sent once, and raises one of three: NoPermit means that nothing was sent,
CarrierRefused that nothing was done, and says of which fields, and any other CarrierUnavailable that nobody knows,
unless its status is 429: then nothing was taken in. A read raises CarrierUnavailable, and may be asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from bridge.limits.connection import Purpose
from bridge.model import BatchId, CommentId, DispatchOrderId, ShipmentId

if TYPE_CHECKING:  # for the types alone: who needs one port must not drag in what the others speak of
    from bridge.dispatch.order import DispatchDraft, DispatchOrder, DispatchPage
    from bridge.dispatch.price import Price
    from bridge.dispatch.printout import Printout
    from bridge.purchasing.shipment import Choice, Shipment
    from bridge.shipments.created import Batch
    from bridge.shipments.draft import Draft
    from bridge.shipments.label import Label, LabelFormat, LabelWish
    from bridge.tracking.dictionary import Dictionary
    from bridge.tracking.trail import Tracking


class Creator(Protocol):
    """Where shipments are made."""

    async def create(self, draft: Draft) -> Shipment:
        """Make one. Nothing keeps the carrier from making it twice: after a doubt, look before you send it again."""
        ...

    async def create_batch(self, drafts: Sequence[Draft]) -> Batch:
        """Have up to 2,500 made. A refusal names drafts by their places, from 0, and then none was taken in."""
        ...

    async def read_batch(self, batch: BatchId, purpose: Purpose = Purpose.create) -> Batch:
        """Read how far it has come."""
        ...


class Chooser(Protocol):
    """Where offers are chosen without being paid for."""

    async def select(self, choice: Choice) -> Shipment:
        """Choose one, and give the shipment as it is then."""
        ...


class Canceller(Protocol):
    """Where shipments are cancelled."""

    async def cancel(self, shipment: ShipmentId) -> None:
        """Cancel one. Returning means accepted, and may be overtaken by a purchase: read it again after a while."""
        ...


class Labels(Protocol):
    """Where labels come from, of shipments that were bought.

    CarrierUnavailable with the reason `not_a_label` means that something else came: there may be one later.
    """

    async def fetch(self, shipment: ShipmentId, wish: LabelWish) -> Label:
        """Fetch one shipment's."""
        ...

    async def fetch_many(self, shipments: Sequence[ShipmentId], wish: LabelWish) -> Label:
        """Fetch up to a hundred together."""
        ...

    async def fetch_returns(self, shipments: Sequence[ShipmentId], form: LabelFormat) -> Label:
        """Fetch up to a hundred for the way back."""
        ...


class Dispatcher(Protocol):
    """Where couriers are ordered."""

    async def create(self, draft: DispatchDraft) -> DispatchOrder:
        """Order one. After a doubt, list the orders for one of the shipments."""
        ...

    async def calculate(self, shipments: Sequence[ShipmentId], dispatch_point_id: int | None = None) -> Price:
        """Ask what it would cost; a read, for nothing is ordered."""
        ...

    async def read(self, order: DispatchOrderId, purpose: Purpose = Purpose.dispatch) -> DispatchOrder:
        """Read an order."""
        ...

    async def list_orders(self, page: int = 1, shipment: ShipmentId | None = None) -> DispatchPage:
        """Read a page of them, newest first, from 1; of those for one shipment, where it is given."""
        ...

    async def delete(self, order: DispatchOrderId) -> None:
        """Call a courier off. Returning means accepted."""
        ...

    async def add_comment(self, order: DispatchOrderId, text: str) -> CommentId:
        """Say something to the courier."""
        ...

    async def update_comment(self, order: DispatchOrderId, comment: CommentId, text: str) -> None:
        """Say it in other words."""
        ...

    async def printout(self, order: DispatchOrderId) -> Printout:
        """Fetch the list of one order. Raises `not_a_label` as labels do."""
        ...

    async def printouts(self, shipments: Sequence[ShipmentId]) -> Printout:
        """Fetch the lists of up to a hundred shipments."""
        ...


class Tracker(Protocol):
    """Where anybody may ask where a parcel is."""

    async def track(self, number: str, purpose: Purpose = Purpose.tracking) -> Tracking:
        """Read a parcel's trail."""
        ...

    async def statuses(self, language: Literal["en_GB", "pl_PL"] = "en_GB") -> Dictionary:
        """Read the words that the carrier uses now."""
        ...
