"""What a scenario says about Szybkie Zwroty: its accounts, and what the pages leave open."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bridge.simulator.courses import Course
from bridge.simulator.parts import Part, Seconds


class AccountTerms(Part):
    """One login of the Manager."""

    email: Annotated[str, Field(min_length=1)]
    password: Annotated[str, Field(min_length=1, repr=False)]
    enabled: bool = True
    """whether the service is switched on for it"""
    codes_left: Annotated[int, Field(ge=0)] | None = None
    """how many active codes it may have made; what is more is refused"""


class SzybkieZwrotyTerms(Part):
    """The provider as a whole."""

    report_lag: Seconds = 0.0
    """how long a new code is missing from the report"""
    most_codes: Annotated[int, Field(ge=1, le=100_000)] = 1000
    """how many inactive codes one call may make"""
    elements: Literal["numbered", "item"] = "numbered"
    """the names of what is repeated: `<0>` as on the page, which is no XML, or `<item>`"""
    answer: Literal["whole", "short"] = "whole"
    """an active code with its validity and size, as scenario one says, or without"""
    errors: Literal["text", "key"] = "text"
    """a refusal: its text alone, or also a word in an attribute"""
    error_status: Annotated[int, Field(ge=200, le=499)] = 200
    """the HTTP status of a refusal"""
    sections: Literal["any", "siblings", "nested"] = "any"
    """where the report looks for `dateRange` and `paging`: beside `paczkomaty`, in it, or in both places"""
    dates: Literal["lenient", "strict"] = "lenient"
    """whether `expirationDate` may also have an offset"""
    zone: Literal["Europe/Warsaw", "UTC"] = "Europe/Warsaw"
    """the zone of `expirationDate` and of the report's days"""
    same_rma: Literal["accept", "refuse"] = "accept"
    """a second active code with the same `rma`"""
    first_row: Literal[0, 1] = 0
    """the `offset` of the first row: 0 by the text, 1 by the sample"""
    accounts: tuple[AccountTerms, ...] = ()
    courses: tuple[Course, ...] = ()
    """what happens to the parcels of active codes; without any nobody uses them"""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        logins = [account.email for account in self.accounts]
        if len(set(logins)) != len(logins):
            raise ValueError("logins must differ")
        return self
