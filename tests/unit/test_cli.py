"""The command as an operator meets it: verbs, words and exit codes, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.events import examples
from bridge.events.catalogue import Confirmed, StatusChanged
from bridge.events.cloudevents import Envelope
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.migrate import migrate, migrations
from bridge.store.sqlite import SqliteDatabase
from tests.reference.commands import verbs

SECRET, NEXT_SECRET = "5" * 40, "6" * 40
NOW = datetime(2026, 10, 10, 12, tzinfo=UTC)


@dataclass(frozen=True)
class Ran:
    """How a run ended, and what it wrote."""

    code: int
    out: str
    err: str


def bridge(*arguments: str, environ: dict[str, str] | None = None) -> Ran:
    """Run the command with these settings and no others."""
    bare = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "bridge.cli", *arguments],
        env={**bare, **(environ or {})},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, str]:
    """Settings that load, with a database in the test's folder."""
    return {
        "BRIDGE_ENVIRONMENT": "demo",
        "BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/bridge.db",
        "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
        "BRIDGE_SHIPX__ORGANIZATION_ID": "4821",
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": f"{SECRET},{NEXT_SECRET}",
    }


# -- usage -------------------------------------------------------------------------------------------------------------


def test_without_a_verb_the_verbs_are_listed_and_the_usage_was_wrong() -> None:
    ran = bridge()
    assert ran.code == 2
    assert all(verb.split()[0] in ran.out + ran.err for verb in verbs())


@pytest.mark.parametrize("arguments", [("srve",), ("events", "tail", "--nope"), ("schema", "export")])
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    ran = bridge(*arguments)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (2, "", False)


@pytest.mark.parametrize("verb", verbs())
def test_every_verb_explains_itself(verb: str) -> None:
    ran = bridge(*verb.split(), "--help")
    assert ran.code == 0
    first = (verbs()[verb].help or "").split(".")[0].split("\n")[0]
    assert first[:40] in ran.out


WITHOUT_AN_EXAMPLE = {
    # verbs without arguments, whose name alone is the whole call
    "migrate",
    "topology apply",
    "topology show",
    "webhook secret",
}


@pytest.mark.parametrize("verb", sorted(set(verbs()) - WITHOUT_AN_EXAMPLE))
def test_a_verb_with_arguments_or_settings_shows_an_example(verb: str) -> None:
    assert re.search(rf"Example: .*bridge {verb}", verbs()[verb].help or "")


# -- settings ----------------------------------------------------------------------------------------------------------

NEEDS_SETTINGS = [("serve",), ("migrate",), ("doctor",), ("webhook", "url"), ("events", "tail"), ("topology", "apply")]


@pytest.mark.parametrize("arguments", NEEDS_SETTINGS, ids=" ".join)
def test_an_unknown_setting_is_named_and_ends_with_2(arguments: tuple[str, ...], settings: dict[str, str]) -> None:
    ran = bridge(*arguments, environ=settings | {"BRIDGE_HTTP__PROT": "80"})
    assert ran.code == 2
    assert "BRIDGE_HTTP__PROT" in ran.out + ran.err
    assert "Traceback" not in ran.err


UNSAFE = [
    # what is set, the key that is named
    ({"BRIDGE_SHIPX__BASE_URL": "http://example.com"}, "BRIDGE_SHIPX__BASE_URL"),
    ({"BRIDGE_SHIPX__BASE_URL": "https://example.com"}, "BRIDGE_PERSONAL_DATA__KEYS"),
    ({"BRIDGE_WEBHOOK__NETWORKS": "0.0.0.0/0"}, "BRIDGE_WEBHOOK__NETWORKS"),
    ({"BRIDGE_WEBHOOK__TRUSTED_PROXIES": "0.0.0.0/0"}, "BRIDGE_WEBHOOK__TRUSTED_PROXIES"),
    ({"BRIDGE_SHIPX__WEBHOOK_SECRETS": "short"}, "BRIDGE_SHIPX__WEBHOOK_SECRETS"),
    ({"BRIDGE_DATABASE_URL": "mysql://user:password@host/bridge"}, "BRIDGE_DATABASE_URL"),
    ({"BRIDGE_POLICY": "no-such-policy.toml"}, "BRIDGE_POLICY"),
]


@pytest.mark.parametrize(("unsafe", "key"), UNSAFE, ids=[f"{key}={next(iter(row))}" for row, key in UNSAFE])
def test_serve_refuses_unsafe_settings_and_names_the_key(
    unsafe: dict[str, str], key: str, settings: dict[str, str]
) -> None:
    ran = bridge("serve", environ=settings | unsafe)
    assert ran.code == 2
    assert key in ran.err
    assert all(value not in ran.out + ran.err for value in ("short", "password"))
    assert "Traceback" not in ran.err


def test_serve_refuses_the_database_of_another_environment(settings: dict[str, str], tmp_path: Path) -> None:
    assert bridge("migrate", environ=settings).code == 0
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("INSERT INTO meta VALUES ('environment', 'production')")
    connection.close()
    ran = bridge("serve", environ=settings)
    assert (ran.code, ran.err) == (
        2,
        "BRIDGE_ENVIRONMENT: the database belongs to production; event ids would not match\n",
    )


# -- webhook -----------------------------------------------------------------------------------------------------------


def test_a_new_webhook_secret_is_one_that_the_settings_take_and_another_each_time(settings: dict[str, str]) -> None:
    first, second = bridge("webhook", "secret").out.strip(), bridge("webhook", "secret").out.strip()
    assert re.fullmatch(r"[a-z0-9]{32,128}", first)
    assert first != second
    both = settings | {"BRIDGE_SHIPX__WEBHOOK_SECRETS": f"{first},{second}"}
    assert bridge("webhook", "url", environ=both).code == 0


def test_the_webhook_url_of_every_organization_holds_its_newest_secret(
    settings: dict[str, str], tmp_path: Path
) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(f'[[shipx.organizations]]\nid = 4822\nwebhook_secrets = ["{"7" * 40}"]\n')
    ran = bridge("webhook", "url", "--base", "https://x.example/", environ=settings | {"BRIDGE_CONFIG": str(config)})
    assert ran == Ran(
        0,
        f"4821\thttps://x.example/webhooks/shipx/{SECRET}\n4822\thttps://x.example/webhooks/shipx/{'7' * 40}\n",
        "",
    )


BASES = [
    # what is given, the exit code
    ("http://127.0.0.1:8080", 0),
    ("http://hooks.example.com", 2),
    ("hooks.example.com", 2),
    ("https://user:password@hooks.example.com", 2),
    ("ftp://hooks.example.com", 2),
]


@pytest.mark.parametrize(("base", "code"), BASES)
def test_a_webhook_url_is_https_or_stays_on_this_machine(base: str, code: int, settings: dict[str, str]) -> None:
    ran = bridge("webhook", "url", "--base", base, environ=settings)
    assert (ran.code, SECRET in ran.out, "--base" in ran.err) == (code, code == 0, code == 2)


# -- documents ---------------------------------------------------------------------------------------------------------


def test_schema_export_writes_every_schema_and_names_the_files(tmp_path: Path) -> None:
    ran = bridge("schema", "export", str(tmp_path / "new" / "schemas"))
    written = sorted((tmp_path / "new" / "schemas").iterdir())
    assert (ran.code, ran.out.split()) == (0, [str(path) for path in written])
    assert {"asyncapi.json", "bridge.shipment.confirmed.v1.json"} <= {path.name for path in written}


def test_topology_show_prints_what_would_be_declared() -> None:
    shown = json.loads(bridge("topology", "show").out)
    assert {one["name"] for one in shown["queues"]} == {"bridge.unrouted", "bridge.commands", "bridge.dead"}
    assert {one["name"]: one["type"] for one in shown["exchanges"]} == {
        "bridge.events": "topic",
        "bridge.unrouted": "fanout",
        "bridge.commands": "topic",
        "bridge.dead": "topic",
    }


def test_topology_apply_without_a_broker_is_a_matter_of_settings(settings: dict[str, str]) -> None:
    ran = bridge("topology", "apply", environ=settings)
    assert (ran.code, "BRIDGE_AMQP_URL" in ran.err) == (2, True)


def test_topology_apply_with_a_broker_that_is_away_fails_without_its_address(settings: dict[str, str]) -> None:
    ran = bridge("topology", "apply", environ=settings | {"BRIDGE_AMQP_URL": "amqp://guest:password@127.0.0.1:1/"})
    assert (ran.code, ran.out, "password" in ran.err, "Traceback" in ran.err) == (1, "", False, False)


# -- database ----------------------------------------------------------------------------------------------------------


def test_migrate_names_what_it_applied_and_the_second_time_has_nothing_to_do(settings: dict[str, str]) -> None:
    names = [migration.name for migration in migrations("sqlite")]
    assert bridge("migrate", environ=settings) == Ran(0, "\n".join(names) + "\n", "")
    assert bridge("migrate", environ=settings) == Ran(0, "The schema is up to date.\n", "")


def test_migrate_fails_in_words_on_a_file_that_is_no_database(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"not a database at all" * 100)
    ran = bridge("migrate", environ=settings)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (1, "", False)
    assert "not a database" in ran.err


def test_events_tail_without_a_database_says_what_is_missing(settings: dict[str, str], tmp_path: Path) -> None:
    ran = bridge("events", "tail", environ=settings)
    assert (ran.code, ran.out) == (1, "")
    assert "bridge serve" in ran.err
    assert os.listdir(tmp_path) == []


async def _record(path: Path) -> None:
    """Put two facts of one shipment into a new database."""
    database = SqliteDatabase(path)
    await database.open()
    try:
        await database.write(_two_facts)
    finally:
        await database.close()


def _two_facts(transaction: Transaction) -> None:
    migrate(transaction)
    facts = [examples.fact(Confirmed), examples.fact(StatusChanged)]
    recorder = Recorder(Envelope("demo"))
    ledgers = recorder.lock(transaction, {fact.subject for fact in facts})
    recorder.record(transaction, ledgers, facts, NOW)
    recorder.save(transaction, ledgers.values())


TAILS = [
    # arguments, the types that are printed
    ((), ["bridge.shipment.confirmed.v1", "bridge.shipment.status_changed.v1"]),
    (("--last", "1"), ["bridge.shipment.status_changed.v1"]),
    (("--type", "bridge.shipment.confirmed.v1"), ["bridge.shipment.confirmed.v1"]),
    (("--subject", "shipment/1"), []),
]


@pytest.mark.parametrize(("arguments", "types"), TAILS, ids=[" ".join(row[0]) or "all" for row in TAILS])
async def test_events_tail_prints_the_published_events(
    arguments: tuple[str, ...], types: list[str], settings: dict[str, str], tmp_path: Path
) -> None:
    await _record(tmp_path / "bridge.db")
    ran = bridge("events", "tail", "--json", *arguments, environ=settings)
    assert (ran.code, ran.err) == (0, "" if types else "no such events yet\n")
    assert [json.loads(line)["type"] for line in ran.out.splitlines()] == types


async def test_events_tail_prints_aligned_lines_for_people_with_the_time_of_recording(
    settings: dict[str, str], tmp_path: Path
) -> None:
    await _record(tmp_path / "bridge.db")
    first, second = bridge("events", "tail", environ=settings).out.splitlines()
    assert first.startswith("2026-10-10T12:00:00Z      shipment/")
    assert "bridge.shipment.confirmed.v1" in first
    assert "available_for_pickup" in second
    assert second.index("bridge.shipment") == first.index("bridge.shipment")


def test_events_tail_says_when_there_is_nothing(settings: dict[str, str]) -> None:
    assert bridge("migrate", environ=settings).code == 0
    assert bridge("events", "tail", environ=settings) == Ran(0, "", "no events yet\n")
