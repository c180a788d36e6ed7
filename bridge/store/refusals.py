"""A carrier's refusal of a whole account: it pauses the account at once, is tried again, and ends by itself.

What is called where, for whoever buys:

- in the transaction that writes down a purchase which failed or was refused for the whole account, as the last thing:
  `pause_account`, with one of `AccountReason`;
- in the transaction that claims: `tried` cuts down what is taken to candidates for one purchase, in one replica of
  all, and `want_one_to_try` adds one where none is wanted that is vouched for;
- in the transaction of the intent: `connections.is_paused` with the number of intents, which lets one through alone;
- in the transaction that writes down a purchase of ours as succeeded, as the last thing: `resume_account`.

Nothing has to be done about the permit: while the try is taken, the first permit to buy is given out and counts as
the try. Where it comes to none, because what was claimed is not for sale, the same try may be taken again soon.

Locks: a connection's row comes after the subjects of shipments, purchases and budgets, and its own subject after the
row. Who has one of the two waits for nothing that comes before, so one organization in a transaction cannot lead to a
deadlock; of several, the caller begins with the smallest, or the server lets one transaction begin anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Final

from bridge.limits.pause import AccountReason, Pause
from bridge.model import Micros, OrganizationId, moment
from bridge.store.connections import (
    end_pause,
    locked,
    made,
    pause_of,
    set_pause,
    shipx,
    to_be_tried,
    write_pause,
)
from bridge.store.database import Database, Transaction
from bridge.store.facts import Recorder
from bridge.store.outlook import LIVE, Errand, Take
from bridge.store.resuming import rewant

CANDIDATES: Final = 100
"""How many are looked through for the one purchase of a try: one list."""
_VOUCHED_FOR: Final = "(offer_id IS NOT NULL OR coalesce(answer, '') = 'asked')"
"""What a read has shown once to be for sale, or more than a webhook asks for: nobody can forge that."""
CANDIDATES_FIRST: Final = (
    f"CASE WHEN {_VOUCHED_FOR} THEN 0 WHEN coalesce(answer, '') = 'stranger' THEN 2 ELSE 1 END, deadline"
)
_AFTER: Final = timedelta(seconds=30)
"""A purchase begun so long after a pause is one that the pause was tried with: others were begun before it."""


def pause_account(
    transaction: Transaction, recorder: Recorder, organization: OrganizationId, reason: AccountReason
) -> bool:
    """Buy nothing more for an organization, from the commit on, until a try succeeds; say whether that is new.

    One that is paused stays as it is: an older reason is not told anew, and a person's pause stays the person's.
    """
    name = shipx(organization)
    if pause_of(transaction, name) is not None:
        return False
    found = made(transaction, name)
    if found.pause is None:
        set_pause(transaction, recorder, found, Pause.by_carrier(reason, transaction.now))
    return found.pause is None


def resume_account(
    transaction: Transaction,
    recorder: Recorder,
    organization: OrganizationId,
    send_before: datetime | None,
    now: datetime,
    *,
    regenerate: bool,
) -> bool:
    """End the carrier's pause of an organization, because a purchase succeeded that it was tried with.

    `send_before` is that purchase's, by the same clock as `now`: one that was begun before the pause shows nothing
    about it. With `regenerate`, what the pause kept from being bought is wanted again. Says whether it ended one.
    """
    name = shipx(organization)
    if send_before is None or not _shows_its_end(transaction, pause_of(transaction, name), now - send_before):
        return False
    found = locked(transaction, name)
    if found is None or found.pause is None or not found.pause.ends_by_itself:
        return False
    end_pause(transaction, recorder, found, found.pause, now, regenerate=regenerate)
    return True


def _shows_its_end(transaction: Transaction, pause: Pause | None, ago: timedelta) -> bool:
    """Say whether a purchase begun so long ago was begun well after the pause."""
    if pause is None or not pause.ends_by_itself:
        return False
    return ago + _AFTER < timedelta(microseconds=transaction.now - pause.since)


def take_probe(transaction: Transaction, organization: OrganizationId, now: Micros) -> bool:
    """Take the try that is due: nobody else does for half a minute. Says whether it is ours."""
    found = locked(transaction, shipx(organization))
    if found is None or found.pause is None or not found.pause.is_due(now):
        return False
    write_pause(transaction, found.name, found.pause.taken(now))
    return True


def tried(transaction: Transaction, organization: OrganizationId, takes: Sequence[Take]) -> tuple[Sequence[Take], bool]:
    """Cut down what is taken of an organization whose pause is to be tried, to candidates, if the try is ours.

    Says whether it is. Of any other organization all is taken that was planned. Where another replica took the try just
    now, what is due was counted while nobody had it: nothing of it is taken to buy.
    """
    pause, now = pause_of(transaction, shipx(organization)), transaction.now
    if pause is None or not (pause.is_due_to_buy(now) or pause.lets_begin(now)):
        return takes, False
    others = [one for one in takes if one.errand is not Errand.buy]
    if len(others) == len(takes) or not take_probe(transaction, organization, transaction.now):
        return others, False
    return [Take(Errand.buy, CANDIDATES), *others], True


def want_one_to_try(transaction: Transaction, now: datetime, forgoing: Collection[OrganizationId] = ()) -> None:
    """Where a pause is to be tried, want one of what it kept back, unless one is wanted that is vouched for.

    Nothing is wanted for those that forgo what a pause kept back.

    Whatever else is wanted may be forged: a webhook alone asks for it.
    """
    for organization, pause in to_be_tried(transaction):
        if organization not in forgoing and not _is_one_vouched_for(transaction, organization):
            since = now - timedelta(microseconds=transaction.now - pause.since)
            rewant(transaction, organization, since, now, most=1)


def _is_one_vouched_for(transaction: Transaction, organization: OrganizationId) -> bool:
    those = f"organization = ? AND {LIVE} AND state = 'wanted' AND {_VOUCHED_FOR}"
    return bool(transaction.run(f"SELECT 1 FROM purchases WHERE {those} LIMIT 1", (organization,)))


class SqlRefusals:
    """What comes out about an account by asking the carrier about it, and about no shipment.

    What a pause kept from being bought is wanted again when it ends, but for those `forgoing` it.
    """

    def __init__(self, database: Database, recorder: Recorder, *, forgoing: Collection[OrganizationId] = ()) -> None:
        self._database = database
        self._recorder = recorder
        self._forgoing = frozenset(forgoing)

    async def take(self, organization: OrganizationId) -> bool:
        """Take the try that is due, in one replica of all."""
        return await self._database.write(lambda transaction: take_probe(transaction, organization, transaction.now))

    async def refused(self, organization: OrganizationId) -> bool:
        """Pause an organization whose token is not accepted for it. Says whether that is new."""
        return await self._database.write(
            lambda transaction: pause_account(transaction, self._recorder, organization, AccountReason.forbidden)
        )

    async def accepted(self, organization: OrganizationId) -> bool:
        """End a pause for the sake of a token, which is accepted now. Says whether there was one."""
        return await self._database.write(lambda transaction: self._accepted(transaction, organization))

    async def unanswered(self, organization: OrganizationId, dice: float) -> None:
        """Try a pause for the sake of a token later again. `dice` is a random number from 0 to 1."""
        await self._database.write(lambda transaction: _put_off(transaction, organization, dice))

    def _accepted(self, transaction: Transaction, organization: OrganizationId) -> bool:
        found = locked(transaction, shipx(organization))
        if found is None or found.pause is None or not found.pause.is_about_token:
            return False
        now = moment(transaction.now)
        end_pause(transaction, self._recorder, found, found.pause, now, regenerate=organization not in self._forgoing)
        return True


def _put_off(transaction: Transaction, organization: OrganizationId, dice: float) -> None:
    found = locked(transaction, shipx(organization))
    if found is not None and found.pause is not None and found.pause.is_about_token:
        write_pause(transaction, found.name, found.pause.made(transaction.now, dice))
