"""What a scenario says about InPost Returns: its accounts, and what the page leaves open."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bridge.simulator.courses import Course
from bridge.simulator.parts import Part, Seconds

Size = Literal["A", "B", "C"]


class AccountTerms(Part):
    """One client, with the settings of its Returns Portal."""

    client_id: Annotated[str, Field(min_length=1)]
    client_secret: Annotated[str, Field(min_length=1, repr=False)]
    codes: bool = True
    """returns without a label: the answer has a code"""
    labels: bool = False
    """labels to print: the answer has a `labelUrl`"""
    numbers: bool = True
    """whether the answer to a create has the tracking number"""
    size: Size = "A"
    """the size where none is asked for"""
    expires_after_days: Annotated[int, Field(ge=7, le=720)] = 7
    """how long a ticket lives where nothing is asked for"""
    permitted: bool = True
    """`false`: everything is 403"""
    codes_left: Annotated[int, Field(ge=0)] | None = None
    """how many codes the account has; without any a create is 404"""


class InPostReturnsTerms(Part):
    """The provider as a whole."""

    token_seconds: Annotated[int, Field(ge=1, le=86_400)] = 300
    """how long a token is good; the sample's value"""
    list_lag: Seconds = 0.0
    """how long a new ticket is missing from the list"""
    status_case: Literal["upper", "lower"] = "upper"
    """how the list writes a status: as in the text, or as in the sample"""
    count: Literal["total", "page"] = "total"
    """what `count` counts: all that was found, or what is on the page"""
    unset: Literal["null", "missing"] = "null"
    """what stands for a moment that has not come"""
    echoes: bool = False
    """`true`: the answer has size and expiry although they were asked for, as in the sample"""
    dates: Literal["any", "plain", "zoned"] = "any"
    """which form `dateFrom` and `dateTo` may have: that of the text, that of the sample's URL, or both"""
    label_host: Literal["own", "foreign"] = "own"
    """where `labelUrl` points: here, or to another host, as in the sample"""
    unlabelled: Literal["not_found", "forbidden"] = "not_found"
    """how a label is refused that the account has none of"""
    accounts: tuple[AccountTerms, ...] = ()
    courses: tuple[Course, ...] = ()
    """what happens to tickets; without any they stay NEW until they expire"""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        ids = [account.client_id for account in self.accounts]
        if len(set(ids)) != len(ids):
            raise ValueError("client ids must differ")
        return self
