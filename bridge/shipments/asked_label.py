"""What is asked for where a label is to be fetched: over the bus, over HTTP, or because a shipment was confirmed."""

from __future__ import annotations

from typing import Self

from pydantic import ValidationError, model_validator

from bridge.commands.models import Body
from bridge.shipments import label_rules
from bridge.shipments.label import LabelFormat, LabelKind, LabelWish
from bridge.web.fields import Number


class LabelAsked(Body):
    """Which label; whose it is where several organizations have a shipment of its number."""

    format: LabelFormat = LabelFormat.pdf
    type: LabelKind | None = None
    organization_id: Number | None = None

    @model_validator(mode="after")
    def _keeps_the_rules(self) -> Self:
        """Check what can be said without knowing the shipment."""
        if found := label_rules.broken(self.format, self.type):
            raise ValidationError.from_exception_data(self.__class__.__name__, [one.line for one in found])
        return self

    @property
    def wish(self) -> LabelWish:
        """What it comes to."""
        return LabelWish.of(self.format, self.type)


class FetchLabel(LabelAsked):
    """Fetch a shipment's label and keep it; one that is kept already is not asked for again."""

    operation = "label.fetch"

    shipment_id: Number


class KeepLabel(FetchLabel):
    """Fetch the label of a shipment that was just confirmed, however long it takes until there is one."""

    operation = "label.keep"
