"""Commands: stored under their key, handed out by deadline, one hand at a time, ended once.

Whoever carries one out holds it for eight seconds by the database's clock and renews that; a token that grows with
every change of hands is checked on every write. What was asked and what came of it may be personal: both are sealed.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Any, Final, Literal, TypeVar

from bridge.errors import KeyMissing, KeyUsed, LeaseLost
from bridge.model import ClaimedCommand, Command, CommandState, Micros, Outcome, Progress, Standing, micros, moment
from bridge.store import sealed
from bridge.store.database import Database, Row, Transaction, Unit, marks
from bridge.store.leases import LEASE
from bridge.store.sealed import Vault

T = TypeVar("T")
PATIENCE: Final = timedelta(minutes=1)
"""A command without a deadline stands where one with so much time left stands."""
MOST_ATTEMPTS: Final = 5
"""So often one is begun without coming any further; then it is left alone, for it may be what ends the processes."""
Withdrawable = Literal["waiting", "unattended", "live"]
"""Which commands may be taken back: what nobody has begun, what nobody has in hand, whatever has not ended."""
LastWord = Callable[[Transaction, ClaimedCommand], None]
"""Tells what follows from a command's end that no handler told, because none came so far. It must not raise."""
_GAVE_UP: Final = Outcome(CommandState.unknown, error=f"it was begun {MOST_ATTEMPTS} times and never came any further")


@dataclass(frozen=True, slots=True)
class Submitted:
    """A command as it stands after it was given; one that was there before is not new."""

    standing: Standing
    is_new: bool


class SqlCommands:
    """Takes commands, hands them out to one holder, and takes what came of them."""

    def __init__(self, database: Database, vault: Vault, holder: str) -> None:
        self._database = database
        self._vault = vault
        self._holder = holder

    async def submit(self, command: Command) -> Submitted:
        """Store a command; the same one again gives the first one's standing. Raises KeyUsed for another body."""
        return await self._database.write(lambda transaction: self._submit(transaction, command))

    async def look(self, operation: str, key: str) -> Standing | None:
        """Say how a command stands. Raises KeyMissing where its result cannot be opened any more."""
        return await self._database.read(lambda transaction: self._look(transaction, operation, key))

    async def withdraw(self, operation: str, key: str, *, only: Withdrawable) -> bool:
        """Take back a command, if it is still so and nothing of it was sent to a carrier; says whether it was.

        Whoever has it in hand loses it, and stops at its next write.
        """
        return await self._database.write(lambda transaction: withdraw(transaction, operation, key, only))

    async def forget_result(self, operation: str, key: str) -> None:
        """Erase what came of a command: whoever wanted it has it, and it may be personal."""
        await self._database.write(lambda transaction: _erase(transaction, [_result_of(operation, key)]))

    async def underway(self, operation: str) -> int:
        """Count the commands of an operation that somebody has in hand."""
        sql = "SELECT count(*) FROM commands WHERE operation = ? AND state = 'running' AND held_until > ?"
        rows = await self._database.read(lambda transaction: transaction.run(sql, (operation, transaction.now)))
        return int(rows[0][0])

    async def claim(
        self, rooms: Mapping[str, int], last_words: Mapping[str, LastWord] | None = None
    ) -> Sequence[ClaimedCommand]:
        """Take what is to be done for eight seconds, the earliest deadline first, so many of each operation at most.

        As long as there was any, there may be more: of an operation that stood behind one without room. What is given
        up has its operation's last word, in one commit with the end.
        """
        wanted = {operation: room for operation, room in rooms.items() if room > 0}
        if not wanted:
            return ()
        return await self._database.write(lambda transaction: self._claim(transaction, wanted, last_words or {}))

    async def free_in(self) -> float | None:
        """Say in how many seconds the next lease ends, if nobody renews it; None where nobody has anything in hand."""
        sql = "SELECT min(held_until) FROM commands WHERE state = 'running' AND held_until > ?"
        now, ((ends,),) = await self._database.read(
            lambda transaction: (now := transaction.now, transaction.run(sql, (now,)))
        )
        return None if ends is None else float(ends - now) / 1_000_000

    async def renew(self, claimed: ClaimedCommand) -> None:
        """Hold a command for another eight seconds. Raises LeaseLost where it is not ours any more."""
        await self._database.write(lambda transaction: self._renew(transaction, claimed))

    async def note(self, claimed: ClaimedCommand, progress: Progress) -> None:
        """Write down how far a command has come. Raises LeaseLost where it is not ours any more."""
        await self.step(claimed, lambda _: None, lambda _: progress)

    async def step(self, claimed: ClaimedCommand, write: Unit[T], progress: Callable[[T], Progress]) -> T:
        """Do a piece of a command's work, in one commit with how far it has come then.

        Raises LeaseLost where it is not ours any more, and then nothing of the piece counts.
        """
        return await self._database.write(lambda transaction: self._step(transaction, claimed, write, progress))

    async def release(self, claimed: ClaimedCommand, after: timedelta = timedelta(0), *, is_attempt: bool) -> None:
        """Let another one go on, not before some time has gone by. Raises LeaseLost where it is not ours any more."""
        attempts = "attempts" if is_attempt else "0"
        await self._database.write(
            lambda transaction: self._change(
                transaction,
                claimed,
                f"holder = NULL, held_until = ?, attempts = {attempts}",
                (micros(moment(transaction.now) + after),),
            )
        )

    async def put_off(self, claimed: ClaimedCommand, after: timedelta, progress: Progress) -> None:
        """Have anybody go on with it after some time, from here. Raises LeaseLost where it is not ours any more."""
        await self._database.write(
            lambda transaction: self._change(
                transaction,
                claimed,
                "holder = NULL, attempts = 0, progress = ?, held_until = ?",
                (_written(progress), micros(moment(transaction.now) + after)),
            )
        )

    async def end(self, claimed: ClaimedCommand, write: Unit[Outcome]) -> Outcome:
        """Do the last piece of a command's work, in one commit with the end, and give what came of it.

        Raises LeaseLost where it is not ours any more, and then nothing of the piece counts.
        """
        return await self._database.write(lambda transaction: self._end(transaction, claimed, write))

    # -- giving ------------------------------------------------------------------------------------------------------

    def _submit(self, transaction: Transaction, command: Command) -> Submitted:
        digests = _digests(self._vault, command)
        made = transaction.insert(_GIVEN, [_given(command, digests[0], transaction.now)], tail=_GIVEN_AGAIN)
        if made:
            sealed.keep(transaction, self._vault, [(_body_of(command.operation, command.id), command.body)])
            _erase(transaction, [_result_of(command.operation, command.id)])  # of the first, where it was withdrawn
            transaction.notify("commands")
        elif _digest(transaction, command) not in (*digests, sha256(command.body).digest()):  # as of an older version
            raise KeyUsed(f"{command.operation}: this key was used for something else")
        standing = self._look(transaction, command.operation, command.id)
        assert standing is not None
        return Submitted(standing, is_new=bool(made))

    def _look(self, transaction: Transaction, operation: str, key: str) -> Standing | None:
        rows = transaction.run(
            "SELECT state, progress, error, submitted_at, held_until, given_by FROM commands"
            " WHERE operation = ? AND id = ?",
            (operation, key),
        )
        if not rows:
            return None
        state, progress, error, submitted_at, held_until, given_by = rows[0]
        now = transaction.now
        since = max(submitted_at, held_until)
        waited = 0.0 if CommandState(state).is_over else max(now - since, 0) / 1_000_000
        result = self._opened(transaction, _result_of(operation, key))
        told = None if result is None else json.loads(result)
        return Standing(operation, key, CommandState(state), _read(progress), told, error, waited, given_by)

    def _opened(self, transaction: Transaction, owner: str) -> bytes | None:
        rows = transaction.run("SELECT key_id, data FROM sealed WHERE owner = ?", (owner,))
        return self._vault.open(owner, *rows[0]) if rows else None

    # -- carrying out ------------------------------------------------------------------------------------------------

    def _claim(
        self, transaction: Transaction, rooms: Mapping[str, int], last_words: Mapping[str, LastWord]
    ) -> list[ClaimedCommand]:
        now = transaction.now
        _lapse(transaction, now)
        operations = sorted(rooms)
        rows = transaction.run(
            "SELECT operation, id, given_by, attempts, progress FROM commands"
            f" WHERE state IN ('waiting', 'running') AND held_until <= ? AND operation IN ({marks(operations)})"
            f" ORDER BY deadline, submitted_at, operation, id LIMIT ? {transaction.skip_locked('commands')}",
            [now, *operations, sum(rooms.values())],
        )
        left = dict(rooms)
        claimed = []
        for row in rows:
            if left[row[0]] and (one := self._take(transaction, row, now, last_words.get(row[0]))) is not None:
                left[one.operation] -= 1
                claimed.append(one)
        return claimed

    def _take(
        self, transaction: Transaction, row: Row, now: Micros, last_word: LastWord | None
    ) -> ClaimedCommand | None:
        """Take one in hand; one that cannot be carried out by anybody is ended instead."""
        operation, key, given_by, attempts, progress = row
        token = transaction.run(
            "UPDATE commands SET state = 'running', holder = ?, held_until = ?, token = token + 1,"
            " attempts = attempts + 1 WHERE operation = ? AND id = ? RETURNING token",
            (self._holder, _lease(now), operation, key),
        )[0][0]
        body, unread = self._body(transaction, operation, key)
        claimed = ClaimedCommand(operation, key, given_by, body or b"", token, _read(progress))
        if unread is not None:
            ending = _unread(claimed, unread)
        elif attempts >= MOST_ATTEMPTS:
            ending = _GAVE_UP
        else:
            return claimed
        if last_word is not None:
            last_word(transaction, claimed)
        self._conclude(transaction, claimed, ending)
        return None

    def _body(self, transaction: Transaction, operation: str, key: str) -> tuple[bytes | None, str | None]:
        """Open what was asked, or say why nobody can."""
        try:
            body = self._opened(transaction, _body_of(operation, key))
        except KeyMissing as error:
            return None, f"what was asked cannot be read: {error}"
        return body, None if body is not None else "what was asked was erased"

    def _step(
        self, transaction: Transaction, claimed: ClaimedCommand, write: Unit[T], progress: Callable[[T], Progress]
    ) -> T:
        found = write(transaction)
        noted = _written(progress(found)), _lease(transaction.now)
        self._change(transaction, claimed, "progress = ?, attempts = 0, held_until = ?", noted)
        return found

    def _end(self, transaction: Transaction, claimed: ClaimedCommand, write: Unit[Outcome]) -> Outcome:
        outcome = write(transaction)
        self._conclude(transaction, claimed, outcome)
        return outcome

    def _conclude(self, transaction: Transaction, claimed: ClaimedCommand, outcome: Outcome) -> None:
        self._change(
            transaction,
            claimed,
            "state = ?, error = ?, ended_at = ?, held_until = 0",
            (outcome.state.value, outcome.error, transaction.now),
        )
        _erase_bodies(transaction, [(claimed.operation, claimed.id)])
        _keep_result(transaction, self._vault, claimed.operation, claimed.id, outcome)
        transaction.notify("commands")

    def _renew(self, transaction: Transaction, claimed: ClaimedCommand) -> None:
        self._change(transaction, claimed, "held_until = ?", (_lease(transaction.now),))

    def _change(
        self, transaction: Transaction, claimed: ClaimedCommand, changes: str, values: Sequence[object]
    ) -> None:
        """Change a command in hand. Raises LeaseLost, and then nothing of the unit counts."""
        changed = transaction.run(
            f"UPDATE commands SET {changes} WHERE {_HELD} RETURNING id",
            [*values, claimed.operation, claimed.id, self._holder, claimed.token, transaction.now],
        )
        if not changed:
            raise LeaseLost(f"the command {claimed.id} is not in this hand any more")


def withdraw(transaction: Transaction, operation: str, key: str, only: Withdrawable) -> bool:
    """Take back a command in somebody's transaction, if it is still so and nothing of it was sent to a carrier."""
    now = transaction.now
    sql = f"SELECT progress FROM commands WHERE operation = ? AND id = ? {transaction.for_update}"
    if any(_read(text).is_sent for (text,) in transaction.run(sql, (operation, key))):
        return False
    changed = transaction.run(
        "UPDATE commands SET state = 'withdrawn', token = token + 1, ended_at = ?"
        f" WHERE operation = ? AND id = ? AND {_WITHDRAWABLE[only]} RETURNING operation, id",
        [now, operation, key, *([now] if only == "unattended" else [])],
    )
    _erase_bodies(transaction, changed)
    if changed:
        transaction.notify("commands")
    return bool(changed)


def call_off(
    transaction: Transaction, vault: Vault, operation: str, key: str, given: Mapping[str, object], then: Outcome
) -> bool:
    """End a command for good that has not ended, if nothing of it was sent to a carrier; says whether it was.

    Unlike what is withdrawn it uses its key up. `given` is what its progress must hold, as where one is settled.
    """
    live = f"operation = ? AND id = ? AND {_WITHDRAWABLE['live']}"
    rows = transaction.run(f"SELECT progress FROM commands WHERE {live} {transaction.for_update}", (operation, key))
    progress = _read(rows[0][0]) if rows else None
    if progress is None or progress.is_sent or not given.items() <= progress.at.items():
        return False
    transaction.run(
        f"UPDATE commands SET state = ?, error = ?, ended_at = ?, held_until = 0, token = token + 1 WHERE {live}",
        (then.state.value, then.error, transaction.now, operation, key),
    )
    _erase_bodies(transaction, [(operation, key)])
    _keep_result(transaction, vault, operation, key, then)
    transaction.notify("commands")
    return True


def follow(transaction: Transaction, vault: Vault, wanted: Sequence[Command]) -> None:
    """Have commands carried out because of what this transaction writes; those that there are stay as they are."""
    now = transaction.now
    rows = [_given(one, _digests(vault, one)[0], now) for one in wanted]
    made = transaction.insert(_GIVEN, rows, tail="ON CONFLICT DO NOTHING RETURNING operation, id")
    new = {(row[0], row[1]) for row in made}
    bodies = [(_body_of(one.operation, one.id), one.body) for one in wanted if (one.operation, one.id) in new]
    if bodies:
        sealed.keep(transaction, vault, bodies)
        transaction.notify("commands")


def settle(
    transaction: Transaction, vault: Vault, operation: str, key: str, given: Mapping[str, object], then: Outcome
) -> None:
    """Say what came of a command that ended with nobody knowing. `given` is what its progress must hold.

    So another command of its key, from after the first was forgotten, is left alone.
    """
    sql = f"SELECT progress FROM commands WHERE operation = ? AND id = ? AND state = 'unknown' {transaction.for_update}"
    rows = transaction.run(sql, (operation, key))
    if not rows or not given.items() <= _read(rows[0][0]).at.items():
        return
    sql = "UPDATE commands SET state = ?, error = ? WHERE operation = ? AND id = ?"
    transaction.run(sql, (then.state.value, then.error, operation, key))
    _keep_result(transaction, vault, operation, key, then)
    transaction.notify("commands")


def forget(transaction: Transaction, keys: Sequence[tuple[str, str]]) -> None:
    """Delete commands that have ended, by operation and key, with what came of them."""
    _erase(transaction, [_result_of(operation, key) for operation, key in keys])
    those = transaction.given(("text", "text"), keys)
    transaction.run(f"DELETE FROM commands WHERE (operation, id) IN (SELECT * FROM {those.sql})", those.parameters)


_WITHDRAWABLE: Final[dict[Withdrawable, str]] = {
    "waiting": "state = 'waiting'",
    "unattended": "state IN ('waiting', 'running') AND held_until <= ?",
    "live": "state IN ('waiting', 'running')",
}
_PURPOSE: Final = "command"
_HELD: Final = "operation = ? AND id = ? AND state = 'running' AND holder = ? AND token = ? AND held_until > ?"
_GIVEN: Final = "commands (operation, id, body_sha256, given_by, submitted_at, deadline, begin_by)"
_GIVEN_AGAIN: Final = (
    "ON CONFLICT (operation, id) DO UPDATE SET body_sha256 = excluded.body_sha256, given_by = excluded.given_by,"
    " submitted_at = excluded.submitted_at, deadline = excluded.deadline, begin_by = excluded.begin_by,"
    " state = 'waiting', held_until = 0, attempts = 0, progress = NULL, error = NULL, ended_at = NULL"
    " WHERE commands.state = 'withdrawn' RETURNING id"
)
"""Only what was withdrawn may be given again as if it never had been."""


def _given(command: Command, digest: bytes, now: Micros) -> Row:
    begin_by = None if command.begin_within is None else micros(moment(now) + command.begin_within)
    deadline = micros(command.deadline or moment(now) + PATIENCE)
    return command.operation, command.id, digest, command.given_by, now, deadline, begin_by


def _digests(vault: Vault, command: Command) -> list[bytes]:
    """Give what a body is known again by, under each key: it may hold the ten digits of a code, and little else."""
    return [bytes.fromhex(one) for one in vault.digests(_PURPOSE, command.body)]


def _digest(transaction: Transaction, command: Command) -> bytes:
    rows = transaction.run(
        "SELECT body_sha256 FROM commands WHERE operation = ? AND id = ?", (command.operation, command.id)
    )
    return bytes(rows[0][0])


def _lapse(transaction: Transaction, now: Micros) -> None:
    """Withdraw what nobody began in time."""
    lapsed = transaction.run(
        "UPDATE commands SET state = 'withdrawn', ended_at = ?"
        " WHERE state = 'waiting' AND begin_by < ? RETURNING operation, id",
        (now, now),
    )
    _erase_bodies(transaction, lapsed)


def _unread(claimed: ClaimedCommand, why: str) -> Outcome:
    """End what nobody can read: of what was sent before nobody knows."""
    return Outcome(CommandState.unknown if claimed.progress.is_sent else CommandState.failed, error=why)


def _keep_result(transaction: Transaction, vault: Vault, operation: str, key: str, outcome: Outcome) -> None:
    if outcome.result is not None:
        sealed.keep(transaction, vault, [(_result_of(operation, key), json.dumps(dict(outcome.result)).encode())])


def _erase_bodies(transaction: Transaction, keys: Sequence[Row]) -> None:
    """Keep what was asked no longer than it is needed."""
    _erase(transaction, [_body_of(operation, key) for operation, key in keys])


def _erase(transaction: Transaction, owners: Sequence[str]) -> None:
    if owners:
        transaction.run(f"DELETE FROM sealed WHERE owner IN ({marks(owners)})", owners)


def _body_of(operation: str, key: str) -> str:
    return f"command:body/{operation}/{key}"


def _result_of(operation: str, key: str) -> str:
    return f"command:result/{operation}/{key}"


def _lease(now: Micros) -> Micros:
    return micros(moment(now) + LEASE)


def _written(progress: Progress) -> str:
    at, is_sent = dict(progress.at), progress.is_sent
    return json.dumps({"done": progress.done, "share": progress.share, "at": at, "is_sent": is_sent})


def _read(text: str | None) -> Progress:
    found: dict[str, Any] = json.loads(text) if text else {}
    return Progress(**found)
