"""What Szybkie Zwroty takes: a function of the draft and the time, which names every field that is wrong.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/101384295 (one active code), …/101384311 (activation)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import MAXYEAR, datetime, timedelta
from typing import Final

from bridge.carriers.szybkie_zwroty.words import SIZES
from bridge.errors import FieldProblem
from bridge.returns import checks
from bridge.returns.contact import nine_digits
from bridge.returns.draft import ReturnDraft

MARGIN: Final = timedelta(hours=2)
"""No page says in which zone an expiry is (2026-10). It is sent in Warsaw's, and the customer is promised this much
less: so the promise holds whichever zone it is taken for, of those that are likely."""
_LONGEST_REFERENCE: Final = 64
"""No length is documented; it is printed on the label."""


def broken(draft: ReturnDraft, now: datetime) -> Sequence[FieldProblem]:
    """Say what is wrong, in the contract's names. What has no effect at the provider is not looked at."""
    return [*_return(draft, now), *_sender(draft)]


def _return(draft: ReturnDraft, now: datetime) -> Iterator[FieldProblem]:
    yield from checks.text("reference", draft.reference, _LONGEST_REFERENCE, is_needed=True)
    yield from checks.one_of("parcel_size", draft.parcel_size, SIZES, is_needed=True)
    if draft.expires_at is None:
        yield FieldProblem("expires_at", "missing")
    elif draft.expires_at <= now + MARGIN:
        yield FieldProblem("expires_at", "too_early")
    elif draft.expires_at.year >= MAXYEAR:
        yield FieldProblem("expires_at", "too_late")
    yield from checks.absent(
        {
            # Of the address that it goes to, only two names of elements are known: it is the account's.
            "receiver": draft.receiver,
            "service_id": draft.service_id,
            "drop_off_point_id": draft.drop_off_point_id,
            "collection": draft.collection,
            "provider_options": draft.provider_options,
        }
    )


def _sender(draft: ReturnDraft) -> Iterator[FieldProblem]:
    """Check who sends it back, and gets the code from InPost: a Polish phone, and an e-mail."""
    phone = draft.sender.phone
    yield from checks.phone("sender.phone", phone, nine_digits(phone or ""), is_needed=True)
    yield from checks.email("sender.email", draft.sender.email, is_needed=True)
