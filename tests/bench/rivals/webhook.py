"""A webhook's body as the rivals that validate would model it."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel


class Webhook(BaseModel):
    """What every webhook has, and the payload as it is."""

    event_ts: str
    event: str
    organization_id: int
    payload: dict[str, Any]
