"""What is asked for about codes made in advance: the contract's names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Final

from pydantic import BaseModel, ConfigDict, Field

from bridge.commands.models import Body
from bridge.returns.draft import ReturnDraft
from bridge.shipping.returns.asked import Sender, Text
from bridge.web.fields import Moment, Number

MOST: Final = 1000
"""So many codes are made by one command."""
Code = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
"""A code made in advance, or the bridge's id of it."""


class MakeCodes(Body):
    """Make codes in advance, to be packed with what is sold."""

    operation: ClassVar[str] = "return.code.create"

    count: Annotated[int, Field(ge=1, le=MOST, strict=True)]
    connection: Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")] | None = None
    organization_id: Number | None = None


class Activation(BaseModel):
    """What a code is to be used for."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    reference: Text
    sender: Sender
    parcel_size: Annotated[str, Field(max_length=64)] | None = None
    expires_at: Moment | None = None
    description: Text | None = None

    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: it is about people."""
        return ()

    @property
    def draft(self) -> ReturnDraft:
        """Write it as the provider is given it."""
        return ReturnDraft(
            reference=self.reference,
            sender=self.sender.draft,
            parcel_size=self.parcel_size,
            expires_at=self.expires_at,
            description=self.description,
        )


class ActivateCode(Activation, Body):
    """Make a code usable: a return is made of it."""

    operation: ClassVar[str] = "return.code.activate"

    code: Code


class InvalidateCode(Body):
    """Make a code useless that was never activated."""

    operation: ClassVar[str] = "return.code.invalidate"

    code: Code

    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing: it opens a locker once it is activated."""
        return ()
