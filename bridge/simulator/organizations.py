"""The accounts at the carrier."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import count

from bridge.simulator.errors import Refusal
from bridge.simulator.scenario import OrganizationTerms, ServiceTerms

FIRST_SHIPMENT = 3_900_000_001
SHIPMENTS_EACH = 10_000_000


@dataclass
class Organization:
    """One account: its terms, and what changes while the simulator runs."""

    terms: OrganizationTerms
    funds: Decimal
    webhook_url: str | None
    unpaid_invoices: bool
    shipment_ids: Iterator[int]
    """its own, so that what follows from an id does not depend on other organizations' calls"""

    @classmethod
    def open(cls, terms: OrganizationTerms, place: int) -> Organization:
        """Open the account as the scenario describes it."""
        ids = count(FIRST_SHIPMENT + place * SHIPMENTS_EACH)
        return cls(terms, terms.funds, terms.webhook_url, terms.unpaid_invoices, ids)

    @property
    def id(self) -> int:
        return self.terms.id

    @property
    def prepaid(self) -> bool:
        return self.terms.account == "prepaid"

    def terms_of(self, service_id: str) -> ServiceTerms | None:
        """Find a contracted service."""
        return next((service for service in self.terms.services if service.id == service_id), None)

    def refuse_if_in_debt(self) -> None:
        """Refuse what costs money.

        Observed inside a transaction (2026-10-10); that it also comes as a direct answer is what the FAQ suggests.
        """
        if self.unpaid_invoices:
            raise Refusal(422, "debt_collection", "debt_collection")

    def pay(self, rate: Decimal | None) -> bool:
        """Collect the price; a postpaid account owes it instead. False when the funds do not reach."""
        if not self.prepaid or rate is None:
            return True
        if self.funds < rate:
            return False
        self.funds -= rate
        return True


class Organizations:
    """All accounts, by number and by token."""

    def __init__(self, terms: Iterable[OrganizationTerms]) -> None:
        self._by_id = {one.id: Organization.open(one, place) for place, one in enumerate(terms)}
        self._by_token = {one.terms.token: one for one in self._by_id.values()}

    def __iter__(self) -> Iterator[Organization]:
        return iter(self._by_id.values())

    def get(self, organization_id: int) -> Organization | None:
        return self._by_id.get(organization_id)

    def of_token(self, token: str) -> Organization | None:
        return self._by_token.get(token)
