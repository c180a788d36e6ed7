"""What is asked for where a customer was paid back."""

from __future__ import annotations

from typing import ClassVar

from bridge.commands.models import Body
from bridge.shipping.returns.asked import Part
from bridge.web.fields import Moment


class Refund(Part):
    """When the money was paid back; by default now."""

    at: Moment | None = None


class MarkRefunded(Body):
    """Tell a return's provider that its customer was paid back."""

    operation: ClassVar[str] = "return.mark_refunded"

    return_id: str
    at: Moment | None = None
