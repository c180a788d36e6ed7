"""InPost Returns' own shapes, as it sends them: whatever is not read here is not there.

Every field of a ticket but its id depends on settings of the account, so none of them may hide the ticket. It is called
a first version with basic functions (2026-10): new fields are expected, and ignored.
https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/1043791894/InPost+Returns+REST+API
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field

from bridge.carriers.shapes import Lenient, Moment, Number, Shape, Text, Word


def _as_text(value: object) -> object:
    """Take a number for its digits: samples have codes of 4 and of 10 of them, so they are text."""
    return str(value) if type(value) is int else value


TicketId = Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")]
"""A uuid, says the page; it goes into paths, so its form is safe rather than exact."""
Code = Annotated[
    Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,64}$")] | None,
    Lenient,
    BeforeValidator(_as_text),
    Field(repr=False),
]
TrackingNumber = Annotated[Number, Lenient, BeforeValidator(_as_text)]
Size = Annotated[Word | None, Lenient]
Time = Annotated[Moment | None, Lenient]
Personal = Annotated[Text | None, Lenient, Field(repr=False)]


class TokenShape(Shape):
    """An access token. Its characters are those that a header may hold."""

    access_token: Annotated[str, Field(pattern=r"^[A-Za-z0-9._~+/=-]{1,16384}$", repr=False)]
    expires_in: Annotated[int, Field(ge=0, le=86_400)] = 0


class TokenRefusal(Shape):
    """Why there is none."""

    error: Text


class TicketShape(Shape):
    """A ticket that was just made."""

    id: TicketId
    size: Size = None
    tracking_number: TrackingNumber = Field(None, alias="trackingNumber")
    expiration_date: Time = Field(None, alias="expirationDate")
    code: Code = None
    label_url: Annotated[Annotated[str, Field(min_length=1, max_length=2048)] | None, Lenient] = Field(
        None, alias="labelUrl", repr=False
    )


class SenderShape(Shape):
    """Who sends it back."""

    name: Personal = None
    email: Personal = None
    phone_number: Personal = Field(None, alias="phoneNumber")


class TrackingShape(Shape):
    """How the parcel is found. The addresses beside the number are for people, and are not called."""

    number: TrackingNumber = None


class ShipmentShape(Shape):
    """The parcel."""

    size: Size = None
    tracking: Annotated[TrackingShape | None, Lenient] = None


class ListedShape(Shape):
    """A ticket in a list, without the reference that it was made with."""

    id: TicketId
    status: Word
    code: Code = None
    sender: Annotated[SenderShape | None, Lenient] = None
    shipment: Annotated[ShipmentShape | None, Lenient] = None
    created_at: Time = Field(None, alias="createdAt")
    expires_at: Time = Field(None, alias="expiresAt")
    sent_at: Time = Field(None, alias="sentAt")
    delivered_at: Time = Field(None, alias="deliveredAt")


class ListShape(Shape):
    """A page of tickets. Whether `count` is of the page or of all is not said, so it is not read."""

    returns: Annotated[list[Annotated[ListedShape | None, Lenient]], Field(max_length=10_000)]
    page: Annotated[int | None, Lenient] = None
    per_page: Annotated[int | None, Lenient] = Field(None, alias="perPage")
