"""All five identities in one go."""

from __future__ import annotations

from datetime import datetime, timedelta

from bridge.model import moment
from bridge.store.audit.books import Books
from bridge.store.audit.budgets import reserved
from bridge.store.audit.deliveries import counters, verdicts
from bridge.store.audit.ledger import Ledger
from bridge.store.audit.report import Audit
from bridge.store.audit.scope import Watch, pieces, scope
from bridge.store.database import Transaction


def survey(
    transaction: Transaction, now: datetime, since: datetime | None, *, settle: timedelta, watch: Watch
) -> Audit:
    """Look at what is there since then; None: at all of it. Only reads, and needs one consistent view.

    `settle` is over how long a purchase in doubt is read.
    """
    found = scope(transaction, now, since)
    arrived = verdicts(transaction, found, watch)
    books, ledger = Books(found), Ledger(found, settle)
    for piece in pieces(transaction, found):
        books.add(transaction, piece)
        ledger.add(transaction, piece)
        watch("subjects", piece.share)
    kept, numbered, sent = books.close(transaction)
    bought, days = ledger.close(transaction, reserved(transaction, found))
    watch("ledger", 1)
    identities = (arrived, kept, numbered, sent, bought)
    return Audit(moment(found.now), since, identities, counters(transaction, found), days)
