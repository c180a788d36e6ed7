"""Which news of a webhook are told at once, and which wait until a read shows the same: pure.

Webhooks are not signed. What waits has no effect at all: whoever asks the carrier finds the same facts under the same
ids. https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494 (webhooks, without any signature)
"""

from __future__ import annotations

from typing import Final, Literal, assert_never

from bridge.events.catalogue import Confirmed, StatusChanged
from bridge.events.projection import Projection
from bridge.events.shipment import ShipmentState
from bridge.events.statuses import TrackingStatus
from bridge.model import Fact

ReadBack = Literal["purchases", "terminal", "always"]

WAITS: Final = "waits_for_read"
"""The verdict on a webhook whose facts wait: the carrier is about to be asked."""
NOT_SHOWN: Final = "not_shown_by_read"
"""The verdict on one whose facts no read showed, although the carrier knows the shipment."""


def waits(found: Projection, known: ShipmentState | None, read_back: ReadBack, *, is_read: bool) -> bool:
    """Say whether what a webhook says may be told only once a read shows it.

    `known` is what was known of the shipment before; `is_read` says whether the carrier has shown it since the webhook
    came: then it exists, whatever else is true.
    """
    match read_back:
        case "purchases":
            return False
        case "terminal":
            is_first = known is None and not is_read
            return any(is_first or _is_weighty(fact) for fact in found.facts)
        case "always":
            return any(not (is_read and _is_before_purchase(fact)) for fact in found.facts)
        case _:
            assert_never(read_back)


def held_back(found: Projection, *, waits: bool, is_told: bool, is_late: bool) -> Projection:
    """Give what a webhook comes to that waits, or that a read was made for.

    `is_told`: all its facts were told meanwhile; `is_late`: reads had time enough to show them.
    """
    if is_told:
        return Projection(verdict="nothing_new")
    if not waits:
        return found
    return Projection(verdict=NOT_SHOWN if is_late else WAITS)


def _is_weighty(fact: Fact) -> bool:
    """Say whether others would act on it as on the end of something."""
    return isinstance(fact.data, Confirmed) or (isinstance(fact.data, StatusChanged) and fact.data.terminal)


def _is_before_purchase(fact: Fact) -> bool:
    """Say whether it is a status that reads do not tell of: one before a purchase, which only webhooks announce."""
    return isinstance(fact.data, StatusChanged) and fact.data.tracking_status == TrackingStatus.pending
