"""The doctor says what is wrong and what to do about it, in words, in time, and without a secret."""

from __future__ import annotations

import asyncio
import json
import os
import sqlite3
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bridge.doctor import Check, Report, examine, render, sqlite
from bridge.events import examples
from bridge.events.catalogue import Confirmed
from bridge.events.cloudevents import Envelope
from bridge.ingress.receiver import UNPROXIED
from bridge.model import Arrival, DeliveryId, OrganizationId, Parked, ShipmentId, micros
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.inbox import SqlInbox
from bridge.store.outbox import SqlOutbox, begun
from bridge.store.received import say
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from tests.support.migrated import migrated

NOW = datetime(2026, 10, 10, 12, 0, tzinfo=UTC)
ORGANIZATION = 4821
SECRET = "5" * 40
CLOSED = "http://127.0.0.1:9"
POLICY = Path(__file__).parents[2] / "config" / "policy.toml"


def environ(folder: Path, **more: str) -> dict[str, str]:
    """Give settings that load: one organization that receives, without a token and without a broker."""
    return {
        "BRIDGE_ENVIRONMENT": "demo",
        "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.db",
        "BRIDGE_POLICY": str(POLICY),
        "BRIDGE_SHIPX__BASE_URL": CLOSED,
        "BRIDGE_SHIPX__ORGANIZATION_ID": str(ORGANIZATION),
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": SECRET,
        **more,
    }


async def looked_at(settings: Mapping[str, str], patience_s: float = 10) -> Report:
    return await examine(settings, clock=lambda: NOW, patience_s=patience_s)


def found(report: Report, name: str) -> Check:
    """Give the only check of this name."""
    (check,) = (check for check in report.checks if check.name == name)
    return check


async def made(folder: Path, rows: Iterable[Arrival | Parked] = (), environment: str = "demo") -> None:
    """Make a database that a bridge has served from, with these rows in its inbox."""
    async with opened(migrated(folder / "bridge.db")) as database:
        await database.write(lambda transaction: begun(transaction, environment))
        if batch := list(rows):
            await SqlInbox(database, Vault()).accept(batch)


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[SqliteDatabase]:
    database = SqliteDatabase(path)
    await database.open()
    try:
        yield database
    finally:
        await database.close()


def arrival(at: datetime, organization: int = ORGANIZATION) -> Arrival:
    return Arrival(
        id=DeliveryId(f"01{int(at.timestamp()):08x}{organization:032x}"),
        organization=OrganizationId(organization),
        event="shipment_confirmed",
        shipment=ShipmentId(1),
        occurred_at=at,
        received_at=at,
        body=b"{}",
        body_sha256=b"",
    )


def parked(reason: str, peer: str, at: datetime = NOW) -> Parked:
    key = DeliveryId(f"{reason}/{peer}")
    return Parked(key, reason, OrganizationId(ORGANIZATION), peer, at, size=2, body=b"{}")


# -- settings ----------------------------------------------------------------------------------------------------------


async def test_settings_that_do_not_load_are_all_named_and_nothing_else_is_looked_at() -> None:
    report = await looked_at({"BRIDGE_HTTP__PRT": "1", "BRIDGE_SHUTDOWN_S": "soon"})
    refused = [check for check in report.checks if check.name == "settings"]
    told = " ".join(check.told for check in refused)
    assert all(key in told for key in ("BRIDGE_HTTP__PRT", "BRIDGE_SHUTDOWN_S", "BRIDGE_SHIPX__WEBHOOK_SECRETS"))
    assert {check.state for check in refused} == {"failed"}
    assert {check.state for check in report.checks if check.name != "settings"} == {"skipped"}
    assert report.exit_code == 2


async def test_a_fresh_machine_is_healthy_and_told_how_to_register_the_webhook(tmp_path: Path) -> None:
    report = await looked_at(environ(tmp_path))
    assert {check.name: check.state for check in report.checks} == {
        "settings": "ok",
        "database": "ok",
        "broker": "skipped",
        "carrier/4821": "skipped",
        "webhook/4821": "warning",
        "purchasing": "skipped",
        "policy": "ok",
        "statuses": "ok",
    }
    assert "bridge webhook url" in (found(report, "webhook/4821").do or "")
    assert (report.healthy, report.exit_code) == (True, 0)
    assert os.listdir(tmp_path) == [], "looking makes nothing"


# -- database ----------------------------------------------------------------------------------------------------------


async def test_a_database_that_a_bridge_has_served_from_is_fine(tmp_path: Path) -> None:
    await made(tmp_path)
    report = await looked_at(environ(tmp_path))
    states = {check.state for check in report.checks if check.name.startswith("database")}
    assert states == {"ok"}


async def test_a_file_that_is_no_database_is_told_from_a_missing_one(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"these are not the bytes of a database" * 100)
    check = found(await looked_at(environ(tmp_path)), "database")
    assert (check.state, "not a database" in check.told) == ("failed", True)


async def test_an_empty_file_lacks_every_migration(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").touch()
    check = found(await looked_at(environ(tmp_path)), "database/schema")
    assert (check.state, "0001_spine" in check.told) == ("warning", True)
    by_hand = found(await looked_at(environ(tmp_path, BRIDGE_MIGRATE="false")), "database/schema")
    assert (by_hand.state, "bridge migrate" in (by_hand.do or "")) == ("failed", True)


async def test_a_missing_database_is_a_failure_where_serve_would_not_make_it(tmp_path: Path) -> None:
    check = found(await looked_at(environ(tmp_path, BRIDGE_MIGRATE="false")), "database")
    assert (check.state, "bridge migrate" in (check.do or "")) == ("failed", True)


async def test_a_missing_database_of_production_is_worth_a_look(tmp_path: Path) -> None:
    check = found(await looked_at(environ(tmp_path, BRIDGE_ENVIRONMENT="production")), "database")
    assert (check.state, "does not exist yet; `bridge serve` makes it" in check.told) == ("warning", True)


async def test_a_database_that_somebody_else_is_writing_is_locked(tmp_path: Path) -> None:
    await made(tmp_path)
    with closing(sqlite3.connect(tmp_path / "bridge.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        check = found(await looked_at(environ(tmp_path)), "database")
    assert (check.state, "is locked" in check.told) == ("failed", True)


async def test_trying_to_write_changes_nothing(tmp_path: Path) -> None:
    await made(tmp_path)
    path = tmp_path / "bridge.db"
    before = path.read_bytes()
    await looked_at(environ(tmp_path))
    assert path.read_bytes() == before


REFUSALS = [
    # SQLite's code, what is told
    (sqlite3.SQLITE_BUSY, "is locked"),
    (sqlite3.SQLITE_READONLY, "is read-only"),
    (sqlite3.SQLITE_READONLY_DIRECTORY, "is read-only"),
    (sqlite3.SQLITE_FULL, "the disk is full"),
    (sqlite3.SQLITE_CANTOPEN, "cannot be opened"),
    (sqlite3.SQLITE_IOERR, "takes no write: an example"),
]


@pytest.mark.parametrize(("code", "told"), REFUSALS)
def test_a_refused_write_is_told_in_words(code: int, told: str) -> None:
    error = sqlite3.OperationalError("an example")
    error.sqlite_errorcode = code
    check = sqlite.refused(Path("bridge.db"), error)
    assert (check.state, told in check.told, bool(check.do)) == ("failed", True, True)


def test_little_room_on_the_disk_is_a_warning() -> None:
    assert sqlite.room(100_000_000) == []
    (check,) = sqlite.room(12_000_000)
    assert (check.state, "12 MB are free" in check.told) == ("warning", True)


async def test_events_that_wait_long_for_the_broker_are_a_warning(tmp_path: Path) -> None:
    def record(transaction: Transaction) -> None:
        fact, recorder = examples.fact(Confirmed), Recorder(Envelope("demo"))
        ledgers = recorder.lock(transaction, {fact.subject})
        recorder.record(transaction, ledgers, [fact], NOW - timedelta(seconds=61))
        recorder.save(transaction, ledgers.values())

    await made(tmp_path)
    async with opened(tmp_path / "bridge.db") as rows:
        await SqlOutbox(rows, "one").begin("earliest")
        await rows.write(record)
    report = await looked_at(environ(tmp_path, BRIDGE_AMQP_URL="amqp://guest:guest@127.0.0.1:1/"))
    check = found(report, "database/outbox")
    assert (check.state, check.told) == ("warning", "1 events wait for the broker, the oldest for 61 s")
    assert "database/outbox" not in {one.name for one in (await looked_at(environ(tmp_path))).checks}


async def test_the_rows_of_another_environment_are_refused(tmp_path: Path) -> None:
    await made(tmp_path, environment="sandbox")
    check = found(await looked_at(environ(tmp_path)), "database/environment")
    assert (check.state, "sandbox" in check.told) == ("failed", True)


async def test_a_folder_that_is_a_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "var").touch()
    check = found(await looked_at(environ(tmp_path / "var")), "database")
    assert (check.state, "cannot be written" in check.told) == ("failed", True)


# -- webhooks ----------------------------------------------------------------------------------------------------------


async def test_the_last_accepted_webhook_is_named(tmp_path: Path) -> None:
    await made(tmp_path, [arrival(NOW - timedelta(hours=2)), arrival(NOW - timedelta(hours=1)), arrival(NOW, 9)])
    check = found(await looked_at(environ(tmp_path)), "webhook/4821")
    assert check == Check(name="webhook/4821", state="ok", told="the last one accepted came 2026-10-10 11:00:00 UTC")


async def test_webhooks_that_do_not_come_are_a_warning_with_what_only_asking_found(tmp_path: Path) -> None:
    await made(tmp_path, [arrival(NOW - timedelta(hours=1))])
    async with opened(tmp_path / "bridge.db") as rows:
        since = micros(NOW - timedelta(minutes=20))
        await rows.write(
            lambda it: it.run(
                "INSERT INTO webhook_health (organization, state, since, missed) VALUES (4821, 'silent', ?, 4)",
                (since,),
            )
        )
    _, check = (one for one in (await looked_at(environ(tmp_path))).checks if one.name == "webhook/4821")
    assert (check.state, check.told) == (
        "warning",
        "no webhooks come since 2026-10-10 11:40:00 UTC: 4 shipments had news that only asking found",
    )
    assert "bridge webhook url" in (check.do or "")


PARKED = [
    # reason, from, trusted proxies, what the advice speaks of
    ("outside_networks", "10.1.2.3", "", UNPROXIED),
    ("outside_networks", "10.1.2.3", "192.168.0.0/16", "outside BRIDGE_WEBHOOK__TRUSTED_PROXIES"),
    ("outside_networks", "91.216.26.7", "", "BRIDGE_WEBHOOK__NETWORKS"),
    ("outside_networks", "unreadable", "", "BRIDGE_WEBHOOK__NETWORKS"),
    ("foreign_organization", "91.216.25.7", "", "another organization's Manager account"),
    ("too_large", "91.216.25.7", "", "BRIDGE_WEBHOOK__MAX_BODY_BYTES"),
    ("encoded_body", "91.216.25.7", "", "switch that off in the proxy"),
    ("not_json", "91.216.25.7", "", "GET /v1/deliveries?state=parked"),
]


@pytest.mark.parametrize(("reason", "peer", "proxies", "advice"), PARKED)
async def test_what_was_parked_comes_with_advice(
    tmp_path: Path, reason: str, peer: str, proxies: str, advice: str
) -> None:
    await made(tmp_path, [arrival(NOW), parked(reason, peer)])
    report = await looked_at(environ(tmp_path, BRIDGE_WEBHOOK__TRUSTED_PROXIES=proxies))
    _, check = (check for check in report.checks if check.name == "webhook/4821")
    assert (check.state, reason in check.told, peer in check.told) == ("warning", True, True)
    assert advice in (check.do or "")
    assert report.healthy


async def test_what_was_parked_long_ago_is_left_alone(tmp_path: Path) -> None:
    await made(tmp_path, [arrival(NOW), parked("too_large", "91.216.25.7", NOW - timedelta(days=3))])
    assert found(await looked_at(environ(tmp_path)), "webhook/4821").state == "ok"


WORKER = {"BRIDGE_SHIPX__WEBHOOK_SECRETS": "", "BRIDGE_SHIPX__TOKEN": "t", "BRIDGE_ROLES": "worker,reconciler"}
"""What a process is told that has no part in receiving."""


async def said_by_a_receiver(folder: Path) -> None:
    async with opened(folder / "bridge.db") as rows:
        await rows.write(lambda it: say(it, [OrganizationId(ORGANIZATION)], NOW))


async def test_a_process_without_secrets_judges_what_others_receive(tmp_path: Path) -> None:
    await made(tmp_path, [arrival(NOW - timedelta(hours=1)), parked("outside_networks", "10.1.2.3")])
    await said_by_a_receiver(tmp_path)
    async with opened(tmp_path / "bridge.db") as rows:
        await rows.write(
            lambda it: it.run("INSERT INTO webhook_health (organization, state, missed) VALUES (4821, 'missing', 3)")
        )
    report = await looked_at(environ(tmp_path, **WORKER), patience_s=1)
    arrived, unheard, put_aside = (one for one in report.checks if one.name == "webhook/4821")
    assert (arrived.state, arrived.told) == (
        "ok",
        "received by other processes: the last one accepted came 2026-10-10 11:00:00 UTC",
    )
    assert (unheard.state, "some webhooks do not come" in unheard.told) == ("warning", True)
    assert (put_aside.state, "10.1.2.3" in put_aside.told) == ("warning", True)
    assert "the receivers' BRIDGE_WEBHOOK__TRUSTED_PROXIES" in (put_aside.do or "")


async def test_a_process_without_secrets_tells_that_others_have_received_nothing(tmp_path: Path) -> None:
    await made(tmp_path)
    await said_by_a_receiver(tmp_path)
    check = found(await looked_at(environ(tmp_path, **WORKER), patience_s=1), "webhook/4821")
    assert (check.state, check.told) == ("warning", "received by other processes: none has been accepted yet")


async def test_where_no_process_receives_the_last_one_is_named_all_the_same(tmp_path: Path) -> None:
    await made(tmp_path, [arrival(NOW - timedelta(hours=1))])
    check = found(await looked_at(environ(tmp_path, **WORKER), patience_s=1), "webhook/4821")
    assert (check.state, check.told) == (
        "skipped",
        "no process has said for 24 hours that it receives this organization's;"
        " the last one accepted came 2026-10-10 11:00:00 UTC",
    )


async def test_an_organization_without_secrets_receives_nothing(tmp_path: Path) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text('[[shipx.organizations]]\nid = 7\ntoken = "t"\n')
    await made(tmp_path)
    report = await looked_at(environ(tmp_path, BRIDGE_CONFIG=str(config)))
    check = found(report, "webhook/7")
    assert (check.state, check.told) == ("skipped", "no webhook secrets: this organization's are not received")


# -- purchasing and tables ---------------------------------------------------------------------------------------------

MODES = [
    # the carrier, the mode asked for, the state, what is told
    (CLOSED, "auto", "ok", "bought by the policy"),
    (CLOSED, "dry_run", "ok", "never bought"),
    ("https://127.0.0.2", "approve", "ok", "held until a person approves them"),
]


@pytest.mark.parametrize(("carrier", "mode", "state", "told"), MODES)
async def test_the_purchasing_mode_is_told_in_words(
    tmp_path: Path, carrier: str, mode: str, state: str, told: str
) -> None:
    more = {"BRIDGE_SHIPX__TOKEN": "t", "BRIDGE_SHIPX__BASE_URL": carrier, "BRIDGE_PURCHASING__MODE": mode}
    check = found(await looked_at(environ(tmp_path, **more), patience_s=1), "purchasing")
    assert (check.state, told in check.told) == (state, True)


async def test_auto_with_a_carrier_elsewhere_is_said_to_wait_for_approval(tmp_path: Path) -> None:
    more = {
        "BRIDGE_SHIPX__TOKEN": "t",
        "BRIDGE_SHIPX__BASE_URL": "https://carrier.invalid",
        "BRIDGE_PERSONAL_DATA__KEYS": "A" * 43 + "=",
    }
    check = found(await looked_at(environ(tmp_path, **more)), "purchasing")
    assert (check.state, "auto works as approve" in check.told) == ("warning", True)


async def test_a_policy_that_does_not_load_is_named(tmp_path: Path) -> None:
    missing = found(await looked_at(environ(tmp_path, BRIDGE_POLICY=str(tmp_path / "none.toml"))), "policy")
    (tmp_path / "policy.toml").write_text("prefer_services = []\n")
    empty = found(await looked_at(environ(tmp_path, BRIDGE_POLICY=str(tmp_path / "policy.toml"))), "policy")
    assert (missing.state, empty.state) == ("failed", "failed")
    assert "prefer_services" in empty.told


# -- time, and how it is told ------------------------------------------------------------------------------------------


async def test_who_never_answers_is_given_up_in_time(tmp_path: Path) -> None:
    """The broker and the carrier here take the connection, and say nothing."""
    end = asyncio.Event()

    async def mute(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await end.wait()
        writer.close()

    async with await asyncio.start_server(mute, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        more = {
            "BRIDGE_AMQP_URL": f"amqp://guest:guest@127.0.0.1:{port}/",
            "BRIDGE_SHIPX__BASE_URL": f"http://127.0.0.1:{port}",
            "BRIDGE_SHIPX__TOKEN": "t",
        }
        async with asyncio.timeout(5):
            report = await looked_at(environ(tmp_path, **more), patience_s=0.2)
        end.set()
    assert (found(report, "broker").state, found(report, "carrier/4821").state) == ("failed", "failed")
    assert report.exit_code == 1


REPORT = Report(
    checks=(
        Check(name="settings", state="ok", told="fine"),
        Check(name="broker/topology", state="failed", told="missing", do="apply it"),
    )
)


def test_people_read_aligned_lines_with_the_advice_below() -> None:
    assert render(REPORT).splitlines() == [
        "ok       settings         fine",
        "failed   broker/topology  missing",
        "                          → apply it",
        "",
        "Not healthy: 1 failed, 1 ok.",
    ]


def test_programs_read_the_same_as_json() -> None:
    document = json.loads(REPORT.model_dump_json())
    assert document["healthy"] is False
    assert document["checks"][1] == {"name": "broker/topology", "state": "failed", "told": "missing", "do": "apply it"}
