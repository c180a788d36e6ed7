"""The carrier's status words are compared with our table once a day; what differs is told, and is no error."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import pytest

from bridge.doctor import vocabulary as doctor
from bridge.errors import CarrierError, CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.reconciling.vocabulary import Vocabulary
from bridge.settings import Settings, load
from bridge.store import vocabulary
from bridge.store.condition import Condition
from bridge.store.sqlite import SqliteDatabase
from bridge.tracking.dictionary import Dictionary, StatusText
from bridge.tracking.drift import Drift
from bridge.tracking.trail import Tracking
from tests.support.migrated import migrated

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
OURS = ("created", "confirmed", "forgotten")


def dictionary(*words: str) -> Dictionary:
    return Dictionary(tuple(StatusText(word, None, None) for word in words))


@dataclass
class Carrier:
    """Lists its words, and counts how often it was asked."""

    answer: Dictionary | CarrierError
    times: int = 0

    async def statuses(self, language: Literal["en_GB", "pl_PL"] = "en_GB") -> Dictionary:
        self.times += 1
        if isinstance(self.answer, CarrierError):
            raise self.answer
        return self.answer

    async def track(self, number: str, purpose: Purpose = Purpose.tracking) -> Tracking:
        raise NotImplementedError


@dataclass
class Desk:
    database: SqliteDatabase
    now: datetime = NOW

    async def compare(self, carrier: Carrier) -> Drift | None:
        await Vocabulary(self.database, carrier, lambda: OURS, lambda: self.now).compare()
        kept = await self.database.read(vocabulary.kept)
        return None if kept is None else Drift.load(kept)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    yield Desk(database)
    await database.close()


async def test_what_differs_is_kept(desk: Desk) -> None:
    found = await desk.compare(Carrier(dictionary("created", "confirmed", "new_one", "another")))
    assert found == Drift(NOW, ("another", "new_one"), ("forgotten",))


async def test_it_is_done_once_a_day_whoever_does_it(desk: Desk) -> None:
    carrier = Carrier(dictionary(*OURS))
    await desk.compare(carrier)
    desk.now += timedelta(hours=23, minutes=59)
    await desk.compare(carrier)
    assert carrier.times == 1
    desk.now += timedelta(minutes=1)
    assert (await desk.compare(carrier), carrier.times) == (Drift(desk.now), 2)


async def test_a_carrier_that_does_not_answer_is_asked_in_the_next_round(desk: Desk) -> None:
    carrier = Carrier(CarrierUnavailable("no_answer"))
    assert await desk.compare(carrier) is None
    carrier.answer = dictionary(*OURS)
    assert await desk.compare(carrier) == Drift(NOW)


SETTINGS = {
    "BRIDGE_ENVIRONMENT": "demo",
    "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
    "BRIDGE_SHIPX__ORGANIZATION_ID": "4821",
    "BRIDGE_SHIPX__TOKEN": "token",
    "BRIDGE_SHIPX__WEBHOOK_SECRETS": "5" * 40,
}


def settings() -> Settings:
    return load(SETTINGS)


@pytest.mark.parametrize(
    ("words", "state", "told"),
    [
        (None, "skipped", "not compared"),
        (Drift(NOW).dump(), "ok", "compared on 2026-11-20 at 12:00Z"),
        (Drift(NOW, ("new_one",)).dump(), "warning", "new_one"),
        (Drift(NOW, tuple(f"word_{n:02}" for n in range(12))).dump(), "warning", "word_09 and 2 more"),
        (Drift(NOW, (), ("forgotten",)).dump(), "ok", "every word of the carrier"),
    ],
)
def test_the_doctor_tells_what_the_last_comparison_found(words: str | None, state: str, told: str) -> None:
    [check] = doctor.examine(settings(), Condition(words=words))
    assert (check.name, check.state, told in check.told) == ("statuses/carrier", state, True)
