"""What InPost Returns takes: a function of the draft and the time, which names every field that is wrong.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/1043791894/InPost+Returns+REST+API (Create Return)
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.carriers.inpost_returns.words import SIZES
from bridge.errors import FieldProblem
from bridge.returns import checks
from bridge.returns.contact import e164
from bridge.returns.draft import Address, Party, ReturnDraft

EARLIEST: Final = timedelta(days=7)
LATEST: Final = timedelta(days=720)
_LONGEST_REFERENCE: Final = 64
"""No length is documented; a public client cuts there. Graphic codes want 5 to 20 letters and digits."""
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)


def broken(draft: ReturnDraft, now: datetime) -> Sequence[FieldProblem]:
    """Say what is wrong, in the contract's names. What has no effect at the provider is not looked at."""
    return [*_return(draft, now), *_sender(draft.sender), *_receiver(draft.receiver)]


def _return(draft: ReturnDraft, now: datetime) -> Iterator[FieldProblem]:
    yield from checks.text("reference", draft.reference, _LONGEST_REFERENCE, is_needed=True)
    yield from checks.one_of("parcel_size", draft.parcel_size, SIZES)
    yield from checks.text("description", draft.description, 255)
    if draft.expires_at is not None and draft.expires_at < now + EARLIEST:
        yield FieldProblem("expires_at", "too_early")
    if draft.expires_at is not None and draft.expires_at > now + LATEST:
        yield FieldProblem("expires_at", "too_late")
    yield from checks.absent(
        {
            "service_id": draft.service_id,
            "drop_off_point_id": draft.drop_off_point_id,
            "collection": draft.collection,
            "provider_options": draft.provider_options,
        }
    )


def _sender(sender: Party) -> Iterator[FieldProblem]:
    yield from checks.text("sender.first_name", sender.first_name, 125, is_needed=True)
    yield from checks.text("sender.last_name", sender.last_name, 125, is_needed=True)
    yield from checks.phone("sender.phone", sender.phone, e164(sender.phone or ""), is_needed=True)
    yield from checks.email("sender.email", sender.email, is_needed=True)


def _receiver(receiver: Party | None) -> Iterator[FieldProblem]:
    """Check who gets it. Without one it is whom the settings of the account name."""
    if receiver is None:
        return
    is_person = receiver.company_name is None
    yield from checks.text("receiver.company_name", receiver.company_name, 255)
    yield from checks.text("receiver.first_name", receiver.first_name, 50, is_needed=is_person)
    yield from checks.text("receiver.last_name", receiver.last_name, 50, is_needed=is_person)
    yield from checks.phone("receiver.phone", receiver.phone, e164(receiver.phone or ""), is_needed=True)
    yield from checks.email("receiver.email", receiver.email)
    if receiver.address is not None:
        yield from _address(receiver.address)


def _address(address: Address) -> Iterator[FieldProblem]:
    yield from checks.text("receiver.address.building_number", address.building_number, 10, is_needed=True)
    yield from checks.text("receiver.address.state", address.state, 50)
    yield from checks.text("receiver.address.street", address.street, 50, is_needed=True)
    yield from checks.text("receiver.address.city", address.city, 50, is_needed=True)
    yield from checks.post_code("receiver.address.post_code", address.post_code)
    if address.country_code is not None and not _COUNTRY.fullmatch(address.country_code):
        yield FieldProblem("receiver.address.country_code", "invalid_format")
