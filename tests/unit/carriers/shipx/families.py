"""Everything of shipping on demand that is asked of ShipX for one organization, over one way of asking."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.carriers.shipx.asking import Asker
from bridge.carriers.shipx.cancelling import ShipxCanceller
from bridge.carriers.shipx.choosing import ShipxChooser
from bridge.carriers.shipx.creating import ShipxCreator
from bridge.carriers.shipx.dispatching import ShipxDispatcher
from bridge.carriers.shipx.labels import ShipxLabels
from bridge.carriers.shipx.tracking import ShipxTracker
from bridge.model import OrganizationId


@dataclass(frozen=True, slots=True)
class ShipxShipping:
    """One of each."""

    creator: ShipxCreator
    chooser: ShipxChooser
    canceller: ShipxCanceller
    labels: ShipxLabels
    dispatcher: ShipxDispatcher
    tracker: ShipxTracker

    @classmethod
    def of(cls, asker: Asker, organization: OrganizationId) -> ShipxShipping:
        """Make them."""
        return cls(
            ShipxCreator(asker, organization),
            ShipxChooser(asker),
            ShipxCanceller(asker),
            ShipxLabels(asker, organization),
            ShipxDispatcher(asker, organization),
            ShipxTracker(asker),
        )
