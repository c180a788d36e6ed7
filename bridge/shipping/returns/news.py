"""What is told of a return, never with its code or anything of who sends it. Pure."""

from __future__ import annotations

from typing import Any

from bridge.events.catalogue import ReturnCreated, ReturnCreationFailed, ReturnCreationUnknown
from bridge.model import Evidence
from bridge.store.returns import Kept


def created(kept: Kept, *, is_usable: bool) -> ReturnCreated:
    """Tell that it was made, and whether anybody can send anything with it."""
    return ReturnCreated(
        **_about(kept),
        provider_id=kept.provider_reference,
        tracking_number=kept.tracking_number,
        expires_at=kept.expires_at,
        return_status=kept.return_status or "created",
        attention=not is_usable,
    )


def failed(kept: Kept, reason: str) -> ReturnCreationFailed:
    """Tell that it was refused."""
    return ReturnCreationFailed(**_about(kept), reason=reason)


def unknown(kept: Kept) -> ReturnCreationUnknown:
    """Tell that nobody knows."""
    return ReturnCreationUnknown(**_about(kept))


def _about(kept: Kept) -> dict[str, Any]:
    return {
        "return_id": kept.id,
        "organization_id": kept.organization,
        "provider": kept.provider,
        "evidence": Evidence.carrier,
        "current": True,
    }
