"""What is asked for about couriers: the carrier's names, checked field by field.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153482 (orders), …/18153498 (prices)
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, ValidationError, model_validator

from bridge.commands.models import Body
from bridge.dispatch.order import DispatchDraft
from bridge.model import ShipmentId
from bridge.shipments import asked as shipments
from bridge.shipments.asked import Email, Line, Phone
from bridge.shipments.party import Address
from bridge.shipments.rules import Broken
from bridge.web.fields import Number

MOST_COLLECTED: Final = 1000
"""The carrier names no limit; a courier's van has one."""
MOST_PRINTED: Final = 100
"""What the carrier prints lists of at once."""


Shipments = Annotated[tuple[Number, ...], Field(min_length=1, max_length=MOST_COLLECTED)]


class _Personal(Body):
    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: it is about people."""
        return ()


class Collection(_Personal):
    """What is to be collected."""

    shipments: Shipments
    organization_id: Number | None = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        """Check what one field means for another."""
        if found := list(self._broken()):
            raise ValidationError.from_exception_data(type(self).__name__, [one.line for one in found])
        return self

    def _broken(self) -> Iterator[Broken]:
        times = Counter(self.shipments)
        for place, one in enumerate(self.shipments):
            if times[one] > 1:
                yield Broken(("shipments", place), "not_unique", "is named more than once")

    @property
    def ids(self) -> tuple[ShipmentId, ...]:
        return tuple(map(ShipmentId, self.shipments))


class CreateDispatchOrder(Collection):
    """Order a courier to collect shipments, at an address or at a dispatch point that the carrier knows."""

    operation: ClassVar[str] = "dispatch_order.create"

    name: Line | None = None
    phone: Phone | None = None
    email: Email | None = None
    comment: Line | None = None
    office_hours: Line | None = None
    address: shipments.Address | None = None
    dispatch_point_id: Number | None = None

    def _broken(self) -> Iterator[Broken]:
        yield from super()._broken()
        if self.address is None and self.dispatch_point_id is None:
            yield Broken(("address",), "missing", "is needed, or a dispatch_point_id")
        if self.address is not None and self.dispatch_point_id is not None:
            yield Broken(("dispatch_point_id",), "unexpected", "is another place than the address: give one of them")
        if self.address is not None and self.address.line1 is None:
            for name in ("street", "building_number"):
                if getattr(self.address, name) is None:
                    yield Broken(("address", name), "missing", "is needed: a courier has to find it")

    @property
    def draft(self) -> DispatchDraft:
        """Write it as the carrier is given it: an address as it was written, for the carrier compares spellings."""
        return DispatchDraft(
            shipments=self.ids,
            address=None if self.address is None else Address(**self.address.model_dump()),
            dispatch_point_id=self.dispatch_point_id,
            name=self.name,
            phone=self.phone,
            email=self.email,
            comment=self.comment,
            office_hours=self.office_hours,
        )


class CalculateDispatchOrder(Collection):
    """Ask what it would cost to have shipments collected; nothing is ordered."""

    operation: ClassVar[str] = "dispatch_order.calculate"

    dispatch_point_id: Number | None = None


class AboutDispatchOrder(_Personal):
    """What is asked for about one order; whose it is where several organizations are here."""

    dispatch_order_id: Number
    organization_id: Number | None = None


class CancelDispatchOrder(AboutDispatchOrder):
    """Call a courier off."""

    operation: ClassVar[str] = "dispatch_order.cancel"


class AddDispatchComment(AboutDispatchOrder):
    """Say something to the courier."""

    operation: ClassVar[str] = "dispatch_order.add_comment"

    comment: Line


class ChangeDispatchComment(AboutDispatchOrder):
    """Say it in other words."""

    operation: ClassVar[str] = "dispatch_order.change_comment"

    comment_id: Number
    comment: Line


class PrintDispatchOrder(AboutDispatchOrder):
    """Fetch the list of an order that the courier signs."""

    operation: ClassVar[str] = "dispatch_order.print"
