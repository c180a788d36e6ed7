"""The command as an operator meets it: verbs, words and exit codes, each in a process of its own."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bridge.events import examples
from bridge.events.catalogue import Confirmed, StatusChanged
from bridge.events.cloudevents import Envelope
from bridge.model import Arrival, DeliveryId, OrganizationId, Parked, ShipmentId
from bridge.store.database import Transaction
from bridge.store.facts import Recorder
from bridge.store.inbox import SqlInbox
from bridge.store.migrate import migrations
from bridge.store.sealed import Vault
from bridge.store.sqlite import SqliteDatabase
from tests.reference.commands import verbs
from tests.support.forked import verb
from tests.support.migrated import migrated
from tests.support.ran import Ran

SECRET, NEXT_SECRET = "5" * 40, "6" * 40
NOW = datetime(2026, 10, 10, 12, tzinfo=UTC)


def bridge(*arguments: str, environ: dict[str, str] | None = None) -> Ran:
    """Run the command with these settings and no others."""
    return verb(environ or {}, *arguments)


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


WRONG = [
    ("srve",),
    ("events", "tail", "--nope"),
    ("events", "tail", "--type", "shipment.confirmd"),
    ("events", "replay", "--type", "shipment.confirmd"),
    ("schema", "export"),
    ("events", "replay"),
    ("events", "replay", "--since", "yesterday"),
    ("events", "replay", "--after", "nonsense"),
    ("events", "replay", "--to-queue", "bridge.commands"),
    ("events", "replay", "--all", "--wait", "0"),
    ("deliveries", "list", "--state", "lost"),
    ("deliveries", "list", "--limit", "0"),
    ("deliveries", "list", "--after", "x"),
    ("deliveries", "show"),
    ("deliveries", "replay"),
    ("deliveries", "replay", "a", "--state", "parked"),
    ("deliveries", "replay", "--state", "pending"),
    ("dead", "redrive", "--limit", "0"),
    ("dispatch", "create"),
    ("dispatch", "create", "--shipment", "5"),
    ("dispatch", "create", "--file", "nowhere.json"),
    ("dispatch", "printout", "5"),
    ("dispatch", "cancel", "x"),
    ("policy", "explain"),
    ("policy", "explain", "17x"),
    ("policy", "explain", "17", "--organization", "0"),
]


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_usage_ends_with_2(arguments: tuple[str, ...]) -> None:
    ran = bridge(*arguments)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (2, "", False)


@pytest.mark.parametrize("noun", ["deliveries", "purchases", "returns", "returns codes"])
def test_a_state_that_there_is_not_is_wrong_usage(noun: str, settings: dict[str, str]) -> None:
    ran = bridge(*noun.split(), "list", "--state", "creatd", environ=settings)
    assert (ran.code, ran.out, "'--state'" in ran.err or "--state:" in ran.err) == (2, "", True)


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        (("--point", "7"), "--shipment"),
        (("--shipment", "5"), "--street or --point"),
        (("--shipment", "5", "--shipment", "5", "--point", "7"), "--shipment"),
        (("--shipment", "5", "--street", "Lwowska", "--city", "K", "--post-code", "30-300"), "--building"),
        (
            ("--shipment", "5", "--street", "Lwowska", "--building", "1", "--city", "K", "--post-code", "3"),
            "--post-code",
        ),
        (("--point", "7", "--file", "nowhere.json"), "--file"),
    ],
)
def test_what_is_wrong_with_a_courier_is_told_by_option(arguments: tuple[str, ...], option: str) -> None:
    ran = bridge("dispatch", "create", *arguments)
    assert (ran.code, f"Invalid value for {option}: " in ran.err) == (2, True)


@pytest.mark.parametrize("name", verbs())
def test_every_verb_explains_itself(name: str) -> None:
    ran = bridge(*name.split(), "--help")
    assert ran.code == 0
    first = (verbs()[name].help or "").split(".")[0].split("\n")[0]
    assert first[:40] in ran.out


ENDLESS = {"serve", "simulate"}
"""What they write until they are ended is a log."""


@pytest.mark.parametrize("name", sorted(set(verbs()) - ENDLESS))
def test_every_verb_that_ends_writes_for_programs_where_that_is_asked_for(name: str) -> None:
    assert "--json" in [option for one in verbs()[name].params for option in one.opts]


WITHOUT_AN_EXAMPLE = {
    # verbs whose name alone is the whole call
    "migrate",
    "topology apply",
    "topology show",
    "webhook secret",
}


@pytest.mark.parametrize("name", sorted(set(verbs()) - WITHOUT_AN_EXAMPLE))
def test_a_verb_with_arguments_or_settings_shows_an_example(name: str) -> None:
    assert re.search(rf"Example: .*bridge {name}", verbs()[name].help or "")


# -- settings ----------------------------------------------------------------------------------------------------------

NEEDS_SETTINGS = [
    ("serve",),
    ("migrate",),
    ("doctor",),
    ("webhook", "url"),
    ("events", "tail"),
    ("events", "replay", "--all"),
    ("topology", "apply"),
    ("deliveries", "list"),
    ("deliveries", "show", "a"),
    ("deliveries", "replay", "a"),
    ("dead", "list"),
    ("dead", "redrive"),
    ("policy", "check"),
    ("policy", "explain", "17"),
]


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


@pytest.mark.parametrize("name", ["serve", "migrate"])
def test_the_database_of_another_environment_is_refused(name: str, settings: dict[str, str], tmp_path: Path) -> None:
    assert bridge("migrate", environ=settings).code == 0
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("INSERT INTO meta VALUES ('environment', 'production')")
    connection.close()
    ran = bridge(name, environ=settings)
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


def test_secret_and_url_are_given_to_programs_too(settings: dict[str, str]) -> None:
    assert re.fullmatch(r"[a-z0-9]{32,128}", bridge("webhook", "secret", "--json").json["secret"])
    ran = bridge("webhook", "url", "--base", "https://x.example", "--json", environ=settings)
    assert ran.json == {"items": [{"organization_id": 4821, "url": f"https://x.example/webhooks/shipx/{SECRET}"}]}


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
    assert {"asyncapi.json", "openapi.json", "bridge.shipment.confirmed.v1.json"} <= {path.name for path in written}
    for_programs = bridge("schema", "export", str(tmp_path / "new" / "schemas"), "--json")
    assert for_programs.json == {"files": [str(path) for path in written]}


def test_topology_show_prints_what_would_be_declared() -> None:
    shown = bridge("topology", "show").json
    assert bridge("topology", "show", "--json").json == shown
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


def test_migrate_names_the_same_to_programs(settings: dict[str, str]) -> None:
    names = [migration.name for migration in migrations("sqlite")]
    assert bridge("migrate", "--json", environ=settings).json == {"applied": names}
    assert bridge("migrate", "--json", environ=settings).json == {"applied": []}


def test_migrate_fails_in_words_on_a_file_that_is_no_database(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"not a database at all" * 100)
    ran = bridge("migrate", environ=settings)
    assert (ran.code, ran.out, "Traceback" in ran.err) == (1, "", False)
    assert "not a database" in ran.err


NEEDS_A_DATABASE = [
    ("events", "tail"),
    ("events", "replay", "--all"),
    ("deliveries", "list"),
    ("deliveries", "show", "a"),
    ("deliveries", "replay", "a"),
    ("dead", "list"),
    ("dead", "redrive"),
    ("policy", "explain", "17"),
]


@pytest.mark.parametrize("arguments", NEEDS_A_DATABASE, ids=" ".join)
def test_without_a_database_a_verb_says_what_is_missing(
    arguments: tuple[str, ...], settings: dict[str, str], tmp_path: Path
) -> None:
    ran = bridge(*arguments, environ=settings)
    assert (ran.code, ran.out) == (1, "")
    assert "bridge serve" in ran.err
    assert os.listdir(tmp_path) == []


async def _record(path: Path) -> None:
    """Put two facts of one shipment into a new database."""
    database = SqliteDatabase(migrated(path))
    await database.open()
    try:
        await database.write(_two_facts)
    finally:
        await database.close()


def _two_facts(transaction: Transaction) -> None:
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
    (("--type", "shipment.confirmed", "--last", "1"), ["bridge.shipment.confirmed.v1"]),
    (("--type", "bridge.shipment.cancelled.v1"), []),
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


# -- deliveries and the dead -------------------------------------------------------------------------------------------


def test_a_verb_that_changes_something_wants_the_schema_of_its_version(
    settings: dict[str, str], tmp_path: Path
) -> None:
    assert bridge("migrate", environ=settings).code == 0
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("DELETE FROM migrations WHERE name = '0003_commands'")
    connection.close()
    ran = bridge("dead", "redrive", environ=settings)
    assert (ran.code, ran.err) == (1, "bridge: the database lacks 0003_commands: run `bridge migrate`\n")


LOOKS = [("deliveries", "list"), ("deliveries", "show", "a"), ("events", "tail"), ("dead", "list")]


@pytest.mark.parametrize("arguments", LOOKS, ids=" ".join)
def test_a_verb_that_looks_wants_the_schema_of_its_version(
    arguments: tuple[str, ...], settings: dict[str, str], tmp_path: Path
) -> None:
    assert bridge("migrate", environ=settings).code == 0
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("DELETE FROM migrations WHERE name = '0003_commands'")
    connection.close()
    ran = bridge(*arguments, environ=settings)
    assert ran == Ran(1, "", "bridge: the database lacks 0003_commands: run `bridge migrate`\n")


async def _deliver(path: Path) -> None:
    """Put deliveries into a new database: one that is done, and one that is parked."""
    database = SqliteDatabase(migrated(path))
    await database.open()
    try:
        inbox = SqlInbox(database, Vault())
        body = b'{"receiver": "Kowalska\\u001b[2J", "x": "\x1b[2J"}'
        at = OrganizationId(4821)
        await inbox.accept([Arrival(DeliveryId("01aa"), at, "status", ShipmentId(7), NOW, NOW, body, b"s" * 32)])
        await inbox.accept([Parked(DeliveryId("00bb"), "outside_networks", at, "8.8.4.4", NOW, len(body), body)])
    finally:
        await database.close()


async def test_deliveries_are_listed_for_people_and_for_programs(settings: dict[str, str], tmp_path: Path) -> None:
    await _deliver(tmp_path / "bridge.db")
    head, row, parked = bridge("deliveries", "list", environ=settings).out.splitlines()
    assert head.split() == ["delivery", "state", "organization", "shipment", "event", "received", "repeats", "verdict"]
    assert row.split() == ["01aa", "pending", "4821", "7", "status", "2026-10-10T12:00:00Z", "0", "-"]
    assert [head.index(word) for word in ("state", "event")] == [row.index(word) for word in ("pending", "status")]
    assert parked.split()[:3] == ["00bb", "parked", "4821"]
    (item,) = json.loads(bridge("deliveries", "list", "--state", "parked", "--json", environ=settings).out)["items"]
    assert (item["delivery_id"], item["verdict"], item["peer"]) == ("00bb", "outside_networks", "8.8.4.4")
    nothing = bridge("deliveries", "list", "--organization", "1", environ=settings)
    assert nothing == Ran(0, "", "no such deliveries\n")


async def test_a_list_of_deliveries_goes_on_where_it_ended(settings: dict[str, str], tmp_path: Path) -> None:
    await _deliver(tmp_path / "bridge.db")
    first = bridge("deliveries", "list", "-n", "1", "--json", environ=settings).json
    assert [one["delivery_id"] for one in first["items"]] == ["01aa"]
    people = bridge("deliveries", "list", "-n", "1", environ=settings)
    assert people.err == f"go on with --after {first['next']}\n"
    second = bridge("deliveries", "list", "--after", first["next"], "--json", environ=settings).json
    assert ([one["delivery_id"] for one in second["items"]], second["next"]) == (["00bb"], None)


async def test_what_a_delivery_said_is_shown_only_when_asked_and_cannot_steer_the_terminal(
    settings: dict[str, str], tmp_path: Path
) -> None:
    await _deliver(tmp_path / "bridge.db")
    for arguments in ((), ("--json",)):
        shown = bridge("deliveries", "show", "01aa", *arguments, environ=settings)
        assert (shown.code, "01aa" in shown.out, "Kowalska" in shown.out) == (0, True, False)
    people = bridge("deliveries", "show", "01aa", "--body", environ=settings)
    assert ("Kowalska" in people.out, "\x1b" in people.out) == (True, False)
    programs = bridge("deliveries", "show", "00bb", "--body", "--json", environ=settings)
    assert "\x1b[2J" in json.loads(programs.out)["body"]


def test_a_delivery_that_is_not_there_is_told(settings: dict[str, str]) -> None:
    assert bridge("migrate", environ=settings).code == 0
    assert bridge("deliveries", "show", "a", environ=settings) == Ran(1, "", "bridge: there is no such delivery\n")


async def test_without_a_broker_only_the_outbox_can_hold_what_is_dead(settings: dict[str, str], tmp_path: Path) -> None:
    await _record(tmp_path / "bridge.db")
    with sqlite3.connect(tmp_path / "bridge.db") as connection:
        connection.execute("UPDATE outbox SET state = 2 WHERE position = 1")
    connection.close()
    head, _, row = bridge("dead", "list", environ=settings).out.splitlines()
    assert head == "outbox: 1 dead events"
    assert row.startswith("2026-10-10T12:00:00Z  shipment/")
    listed = json.loads(bridge("dead", "list", "--json", environ=settings).out)
    assert (listed["queue"], listed["events"]["count"]) == (None, 1)


def test_a_broker_that_is_away_is_told_without_its_address(settings: dict[str, str]) -> None:
    assert bridge("migrate", environ=settings).code == 0
    ran = bridge("dead", "list", environ=settings | {"BRIDGE_AMQP_URL": "amqp://guest:hunter2@127.0.0.1:1/"})
    assert (ran.code, ran.out) == (1, "outbox: 0 dead events\n")
    assert "nothing listens" in ran.err
    assert "hunter2" not in ran.err
    assert "Traceback" not in ran.err
