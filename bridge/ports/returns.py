"""What returns need of InPost's two providers, in our words; whatever has these methods will do.

A call that changes something is sent once, and raises as calls of shipping do: NoPermit means that nothing was taken
in, CarrierRefused that nothing was done, and any other CarrierUnavailable that nobody knows, unless its status is 429.
A CarrierRefused of 401 or 403, or with the key `access_denied`, is about the login. A read raises the same, and may be
asked again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from bridge.errors import FieldProblem
from bridge.events.statuses import Status
from bridge.limits.connection import Purpose

if TYPE_CHECKING:  # for the types alone: who needs one port must not drag in what the others speak of
    from bridge.returns.codes import CodePage, CodeQuery, ReportedCode, SpareCode
    from bridge.returns.draft import ReturnDraft
    from bridge.returns.listed import Listed, TicketPage, TicketQuery
    from bridge.returns.ticket import ReturnLabel, Ticket


class TicketDesk(Protocol):
    """Where return tickets are made, listed and labelled."""

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what would be refused, by field and in the contract's names, without asking anybody."""
        ...

    def meaning(self, status: str) -> Status:
        """Say what a ticket's status means."""
        ...

    async def create(self, draft: ReturnDraft) -> Ticket:
        """Make a ticket. After a doubt it is known again only by who sends it, and when it was made."""
        ...

    async def tickets(self, query: TicketQuery, purpose: Purpose = Purpose.sweep) -> TicketPage:
        """Read a page of those that were made within a window and have one status."""
        ...

    async def find(
        self, ticket: str, created_at: datetime, statuses: Collection[str], purpose: Purpose = Purpose.read
    ) -> Listed | None:
        """Read one, with a call for each status until it is there."""
        ...

    async def label(self, ticket: str, url: str | None = None) -> ReturnLabel:
        """Fetch a label; CarrierUnavailable with the reason `not_a_label` means that something else came."""
        ...


class CodeDesk(Protocol):
    """Where codes are made that open a locker: at once, or in advance and activated later."""

    def broken(self, draft: ReturnDraft) -> Sequence[FieldProblem]:
        """Say what would be refused, by field and in the contract's names, without asking anybody."""
        ...

    def word(self, code: ReportedCode, expires_at: datetime | None) -> str:
        """Say in a word what a row of the report shows. When a code expires, only whoever made it knows."""
        ...

    def meaning(self, word: str) -> Status:
        """Say what such a word means."""
        ...

    def ticket(self, code: ReportedCode, draft: ReturnDraft) -> Ticket:
        """Give the code that was made of a draft, from a row of the report."""
        ...

    async def create(self, draft: ReturnDraft, rma: str) -> Ticket:
        """Make a code that can be used at once. After a doubt, look for `rma` in the report."""
        ...

    async def make_spare(self, count: int) -> Sequence[SpareCode]:
        """Make up to a hundred in advance; there may come fewer."""
        ...

    async def activate(self, code: str, draft: ReturnDraft, rma: str | None = None) -> Ticket:
        """Make one usable. After a doubt, the report says whether it is."""
        ...

    async def invalidate(self, code: str) -> None:
        """Make one useless that was never activated; an active one cannot be called back."""
        ...

    async def report(self, query: CodeQuery, purpose: Purpose = Purpose.sweep) -> CodePage:
        """Read a page of codes that were created within some days."""
        ...

    def reported(self, query: CodeQuery, purpose: Purpose = Purpose.sweep) -> AsyncIterator[ReportedCode]:
        """Read all pages, each code once."""
        ...
