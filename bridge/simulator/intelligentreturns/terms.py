"""What a scenario says about Intelligentreturns: its accounts, and what the page leaves open."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bridge.simulator.courses import Course
from bridge.simulator.intelligentreturns.catalogue import POINTS, SERVICES, Point, Service
from bridge.simulator.parts import Part, Seconds


class AccountTerms(Part):
    """One login."""

    login: Annotated[str, Field(min_length=1)]
    api_key: Annotated[str, Field(min_length=1, repr=False)]
    services: tuple[int, ...] | None = None
    """which services it may use; unset: all that there are"""


class IntelligentreturnsTerms(Part):
    """The provider as a whole."""

    wrong_logins: Annotated[int, Field(ge=1)] = 10
    """after how many in a row everybody is `ip_blocked`; the page says `many`"""
    error_status: Annotated[int, Field(ge=200, le=499)] = 200
    """the HTTP status of an error, which the page does not say"""
    xml_text: Literal["escaped", "bare"] = "escaped"
    """`bare`: ampersands in XML answers stand as they are, as in the page's samples"""
    same_external_id: Literal["refuse", "accept"] = "refuse"
    """a second return with an `external_id`: `return_invalid`, or booked"""
    cancel_until: Seconds = 604_800.0
    """how long after its booking a return can be cancelled"""
    cancels_after: Seconds = 1.0
    """from a cancel that was asked for to tracking status 310"""
    cancels: Literal["granted", "ignored"] = "granted"
    """what becomes of a cancel that was asked for: 310 after that time, or nothing"""
    scan_lag: Seconds = 0.0
    """how long an event of a course is on its way into the system: between `dt` and `date_added`"""
    label_lag: Seconds = 0.0
    """how long after its booking a return has no label yet"""
    most_items: Annotated[int, Field(ge=1, le=1000)] = 1000
    """how many returns a search gives at once"""
    most_events: Annotated[int, Field(ge=1, le=20_000)] = 20_000
    """the default and the maximum of `count_per_page`"""
    services: tuple[Service, ...] = SERVICES
    points: tuple[Point, ...] = POINTS
    accounts: tuple[AccountTerms, ...] = ()
    courses: tuple[Course, ...] = ()
    """what happens to returns that were booked; the statuses are tracking codes"""

    @model_validator(mode="after")
    def _distinct(self) -> Self:
        logins = [account.login for account in self.accounts]
        if len(set(logins)) != len(logins):
            raise ValueError("logins must differ")
        return self
