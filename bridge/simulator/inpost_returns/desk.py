"""What InPost Returns does: it makes tickets, and lets them go their way."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from bridge.simulator.courses import Courses
from bridge.simulator.inpost_returns.drafts import Draft
from bridge.simulator.inpost_returns.problems import Problem
from bridge.simulator.inpost_returns.terms import AccountTerms
from bridge.simulator.inpost_returns.tickets import ENDED, Ticket, Tickets
from bridge.simulator.inpost_returns.tokens import Tokens
from bridge.simulator.world import World


class Desk:
    """The provider's state, and what changes it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.terms = world.scenario.inpost_returns
        self.tokens = Tokens(self.terms.accounts, self.terms.token_seconds, world.clock)
        self.tickets = Tickets()
        self._codes: Counter[str] = Counter()
        self._courses = Courses("inpost-returns", self.terms.courses, world.chance, world.schedule)

    def create(self, account: AccountTerms, draft: Draft) -> Ticket:
        """Make a ticket, whatever else has the same reference: nothing says that it must be unique."""
        now, number = self.world.now(), len(self.tickets) + 1
        lasting = now + timedelta(days=account.expires_after_days)
        ticket = Ticket(
            number=number,
            id=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account.client_id}/{number}")),
            account=account,
            sender=draft.shipment.sender,
            size=draft.shipment.size or account.size,
            reference=draft.external_reference,
            created_at=now,
            expires_at=draft.expiration_date or lasting,
            code=self._code(account, number),
            tracking_number=f"62{number:022d}",
        )
        self.tickets.add(ticket)
        self.world.deeds.record("ticket_created", account.client_id, ticket.id, ticket.reference, now)
        self._courses.start(number, partial(self._enter, ticket))
        return ticket

    def visible(self, account: AccountTerms) -> Iterator[Ticket]:
        """List the account's tickets that have come to be known to the list."""
        known = self.world.now() - timedelta(seconds=self.terms.list_lag)
        return (one for one in self.tickets if one.account is account and one.created_at <= known)

    def labelled(self, account: AccountTerms, ticket_id: str) -> Ticket:
        """Give a ticket that has a label, and write down that it was asked for."""
        ticket = self.tickets.get(ticket_id)
        if not account.labels and self.terms.unlabelled == "forbidden":
            raise Problem(403, "Labels are not for this organization")
        if ticket is None or ticket.account is not account or not account.labels:
            raise Problem(404, "Label for ticket was not found")
        self.world.deeds.record("ticket_label_made", account.client_id, ticket.id, ticket.reference, self.world.now())
        return ticket

    def _code(self, account: AccountTerms, number: int) -> str | None:
        if not account.codes:
            return None
        if account.codes_left is not None and self._codes[account.client_id] >= account.codes_left:
            raise Problem(404, "Code not found for given organization")
        self._codes[account.client_id] += 1
        return f"88{number:08d}"

    def _enter(self, ticket: Ticket, status: str) -> bool:
        """Take a step of its course, unless it has ended meanwhile."""
        now = self.world.now()
        if ticket.status(now) in ENDED:
            return False
        ticket.move(status, now)
        return True
