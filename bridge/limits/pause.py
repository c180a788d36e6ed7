"""A pause: why nothing is bought for an account, and how it comes out that the reason is gone. Pure rules.

A person's pause ends when a person says so, and so does that of a login with which no more tries may be made. One that
the carrier's own refusal of an account began is tried again, later and later, and ends when a try succeeds: one
purchase that is let through, or where the token was refused, a question about the account. A try is taken first, which
keeps it from everybody else for as long as it may run.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from bridge.model import Micros

BY_CARRIER: Final = "carrier"
LOGIN_REFUSED: Final = "login_refused"
_SECOND: Final = 1_000_000
FIRST_PROBE: Final = 60 * _SECOND
LONGEST_PROBE: Final = 15 * 60 * _SECOND
PROBING: Final = 30 * _SECOND
"""How long a try may run; one that nobody made by then may be taken again."""
_JITTER: Final = 0.2
MOST_PROBE: Final = round(LONGEST_PROBE * (1 + _JITTER))
"""The furthest ahead that the next try can lie."""


class AccountReason(StrEnum):
    """What a carrier refuses a whole account for, in its own words as the contract has them."""

    debt_collection = "debt_collection"
    """No credit on a prepaid account, or unpaid invoices: single purchases fail with `insufficient_funds`."""
    company_data_missing = "company_data_missing"
    """Company or bank data: single purchases fail with `account_data_missing`."""
    no_carriers = "no_carriers"
    forbidden = "forbidden"
    """The token is not accepted for this organization."""


@dataclass(frozen=True, slots=True)
class Pause:
    """Why nothing is bought, since when, and by whom. `probe_at` is when to try again: None where a person paused."""

    since: Micros
    reason: str
    by: str
    probe_at: Micros | None = None
    probes: int = 0
    """How often it was tried."""
    probing_until: Micros | None = None

    @classmethod
    def by_carrier(cls, reason: AccountReason, now: Micros) -> Pause:
        """Begin one after a refusal of the whole account."""
        return cls(now, reason.value, BY_CARRIER, probe_at=Micros(now + FIRST_PROBE))

    @classmethod
    def by_login(cls, now: Micros) -> Pause:
        """Begin one after a refused login: only a person can say that it is right now, or that a block is gone."""
        return cls(now, LOGIN_REFUSED, BY_CARRIER)

    @property
    def ends_by_itself(self) -> bool:
        return self.probe_at is not None

    @property
    def is_about_token(self) -> bool:
        """Whether a question about the account shows that it is over, and no purchase has to be risked."""
        return self.ends_by_itself and self.reason == AccountReason.forbidden

    def is_due(self, now: Micros) -> bool:
        """Say whether a try may be taken. One further ahead than can be is due: a clock was set back."""
        return self.probe_at is not None and not now < self.probe_at <= now + MOST_PROBE

    def is_due_to_buy(self, now: Micros) -> bool:
        """Say whether the try that may be taken is a purchase."""
        return self.is_due(now) and not self.is_about_token

    def is_probing(self, now: Micros) -> bool:
        """Say whether somebody has the try, and time for it."""
        return self.probing_until is not None and now < self.probing_until <= now + PROBING

    def taken(self, now: Micros) -> Pause:
        """Take the try: nobody else does until it has been made, or had its time."""
        until = Micros(now + PROBING)
        return replace(self, probe_at=until, probing_until=until)

    def made(self, now: Micros, dice: float) -> Pause:
        """Count a try that is made now: the next one comes later, unless this one ends the pause. `dice`: 0 to 1."""
        usual = min(FIRST_PROBE << min(self.probes + 1, 10), LONGEST_PROBE)
        wait = round(usual * (1 - _JITTER + 2 * _JITTER * dice))
        return replace(self, probes=self.probes + 1, probe_at=Micros(now + wait))

    def lets_begin(self, now: Micros) -> bool:
        """Say whether the one purchase of a try may be written down now."""
        return not self.is_about_token and self.is_probing(now)

    def lets_call(self, now: Micros) -> bool:
        """Say whether its one call may have a permit: while the try is taken, and not made yet."""
        return self.lets_begin(now) and self.probe_at == self.probing_until
