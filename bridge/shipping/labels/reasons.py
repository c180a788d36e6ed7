"""Why there is no label: for now, or for good. Pure."""

from __future__ import annotations

from typing import Final

from bridge.errors import CarrierRefused

NO_LABEL: Final = "not_a_label"
"""Why a carrier counts as away that answered something else."""
LATER_ON: Final = "label_available_from"
"""What the carrier has against a label that exists from 48 hours after the creation on."""
_GENERATION: Final = "label_generation_failed"
_WRONG_STATUS: Final = "invalid_action"


def not_yet(refusal: CarrierRefused, *, is_bought: bool) -> str | None:
    """Say in a word why a later try may succeed; None where none will.

    Right after a purchase a label is refused as if there had been none: `is_bought` says that there was. A token may
    be replaced.
    """
    if refusal.key == _GENERATION or refusal.is_unauthorized:
        return refusal.key
    if any(one.field.endswith(LATER_ON) or one.code == LATER_ON for one in refusal.fields):
        return LATER_ON
    return refusal.key if refusal.key == _WRONG_STATUS and is_bought else None
