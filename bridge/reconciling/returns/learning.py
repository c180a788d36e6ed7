"""What looks at a provider showed goes into the store, is told and counted: all of a return in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

import structlog

from bridge.errors import KeyMissing, RowRefused, StoreError
from bridge.events.catalogue import ReturnStatusChanged
from bridge.events.return_projection import About, label_ready
from bridge.events.returned import Meaning
from bridge.events.statuses import ReturnStatus
from bridge.lifecycle import Clock
from bridge.model import Event, Fact, Subject
from bridge.observability import Metrics
from bridge.reconciling.returns.changes import Change, Reading, change
from bridge.reconciling.returns.pace import Pace
from bridge.store import open_returns, returns
from bridge.store.database import Database, Transaction
from bridge.store.facts import Ledger, Recorder
from bridge.store.open_returns import Key, OpenReturn
from bridge.store.sealed import Vault

log = structlog.get_logger()

_UNKNOWN: Final = f"{ReturnStatusChanged.type}.{ReturnStatus.unknown}"
_POISON: Final = timedelta(hours=6)
"""How long a return is left alone whose news cannot be taken in."""


class Learning:
    """Takes looks in, for one connection. `on_events` wakes who waits for events."""

    def __init__(
        self,
        connection: str,
        meaning: Meaning,
        pace: Pace,
        *,
        database: Database,
        vault: Vault,
        recorder: Recorder,
        metrics: Metrics,
        clock: Clock,
        on_events: Callable[[], None],
    ) -> None:
        self._connection = connection
        self._meaning = meaning
        self._pace = pace
        self._database = database
        self._vault = vault
        self._recorder = recorder
        self._metrics = metrics
        self._clock = clock
        self._on_events = on_events

    async def take(self, key: Key, readings: Mapping[str, Reading]) -> set[str]:
        """Take in what is shown of returns that the provider calls so; gives which of them are kept here, by our id.

        What brings nothing new costs no commit. Raises StoreError.
        """
        found = await self._database.read(lambda it: open_returns.find(it, self._connection, key, readings))
        by_id = {one.id: readings[str(getattr(one, key))] for one in found}
        news = {one.id: by_id[one.id] for one in found if self._is_news(one, by_id[one.id])}
        if news:
            self._tell(await self._database.write(lambda it: self._write(it, news)))
        return set(by_id)

    def _change(self, before: OpenReturn, reading: Reading) -> Change | None:
        return change(before, reading(before), self._meaning, self._pace, self._clock())

    def _is_news(self, before: OpenReturn, reading: Reading) -> bool:
        try:
            return self._change(before, reading) is not None
        except Exception:  # noqa: BLE001 - met again where it is written down, and told of there
            return True

    def _write(self, transaction: Transaction, news: Mapping[str, Reading]) -> list[Event]:
        """Take in what is new under the locks of the returns: whoever was faster with it told it already."""
        subjects = {Subject.returned(self._connection, id_): id_ for id_ in news}
        ledgers = {subjects[subject]: one for subject, one in self._recorder.lock(transaction, set(subjects)).items()}
        told: list[Event] = []
        for one in open_returns.find(transaction, self._connection, "id", news):
            told += self._alone(transaction, one, news[one.id], ledgers[one.id])
        return told

    def _alone(self, transaction: Transaction, before: OpenReturn, reading: Reading, ledger: Ledger) -> list[Event]:
        """Write one down, so that what the database refuses, or a bug, keeps no other from it."""
        try:
            with transaction.savepoint():
                found = self._change(before, reading)
                return [] if found is None else self._keep(transaction, found, ledger)
        except StoreError as error:
            if not isinstance(error, RowRefused):
                raise
            log.warning("return.refused_by_database", return_id=before.id, reason=str(error))
        except Exception:  # the bug's own return: it is put off, so that the others are taken in
            log.exception("return.bug", return_id=before.id)
        open_returns.looked(transaction, [(before, self._clock() + _POISON)])
        return []

    def _keep(self, transaction: Transaction, found: Change, ledger: Ledger) -> list[Event]:
        now, one = self._clock(), found.after
        facts = [*found.facts, *self._seal(transaction, found)]
        if found.label is not None:
            one = replace(one, label_due_at=None)
        open_returns.save(transaction, one)
        made = self._recorder.record(transaction, {ledger.subject: ledger}, facts, now)
        self._recorder.save(transaction, [ledger])
        return [one.pending.event for one in made]

    def _seal(self, transaction: Transaction, found: Change) -> list[Fact]:
        """Keep a code and a label that are new; what no key opens any more stays as it is."""
        if found.code is None and found.label is None:
            return []
        try:
            kept = returns.find(transaction, self._vault, found.after.id)
        except KeyMissing:
            log.warning("return.sealed_with_unknown_key", return_id=found.after.id)
            return []
        assert kept is not None
        if kept.secrets.code is None and found.code is not None:
            kept = replace(kept, secrets=replace(kept.secrets, code=found.code))
        label, one = found.label, found.after
        if label is None:
            returns.save(transaction, self._vault, kept)
            return []
        labelled = replace(kept, label_format=label.format, label_sha256=label.sha256)
        returns.save(transaction, self._vault, labelled, label.content)
        about = About(one.id, one.connection, one.organization)
        return [label_ready(about, label.format, label.sha256, len(label.content), self._clock())]

    def _tell(self, told: Sequence[Event]) -> None:
        if not told:
            return
        facts = Counter(one.type for one in told)
        for fact, number in facts.items():
            self._metrics.found_by_poll.labels(fact).inc(number)
        self._metrics.unknown_words.inc(sum(one.routing_key.endswith(_UNKNOWN) for one in told))
        log.info("return.found", connection=self._connection, facts=dict(facts))
        self._on_events()
