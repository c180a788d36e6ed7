"""Verbs that only look change nothing, whatever there is to see, on both databases."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import psycopg
import pytest

from tests.faults.books import Books
from tests.reference.commands import verbs
from tests.support.bridge import BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.returns import credentials
from tests.support.verbs import verb
from tests.unit.shipping.returning import SCENARIO, TICKETS, wanted

SAMPLE = Path(__file__).parents[1] / "samples" / "shipx" / "webhook_shipment_status_changed.json"
ADDRESS = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}
READS = (
    "audit",
    "connections list",
    "dead list",
    "deliveries list",
    "deliveries show {delivery} --body",
    "dispatch show {order}",
    "events tail",
    "policy explain {shipment}",
    "purchases list",
    "purchases show {shipment}",
    "returns codes list --with-codes",
    "returns list",
    "returns show {made}",
    "shipments show {shipment}",
    "why dispatch_order/{order}",
    "why return/{made}",
    "why shipment/{shipment}",
)
"""Whatever looks into the database, and at what."""
OTHERS = (
    *("backfill", "demo", "doctor", "migrate", "serve", "simulate"),
    *("connections pause", "connections resume", "dead redrive", "deliveries replay", "events replay"),
    *("dispatch cancel", "dispatch create", "dispatch printout"),
    *("policy check", "schema export", "topology apply", "topology show", "webhook secret", "webhook url"),
    *("purchases approve", "purchases hold", "purchases retry"),
    *("returns cancel", "returns create", "returns label", "returns settle"),
    *("returns codes activate", "returns codes create", "returns codes invalidate"),
    *("shipments buy", "shipments cancel", "shipments create", "shipments label", "shipments refresh"),
    "shipments select",
)
"""Whatever gives a command, is a process of its own, asks others than the database, or does not look at it at all."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What there is to look at."""

    shipment: int
    order: int
    made: str
    """A return."""
    delivery: str


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    """Settings for one of the databases; those of the process for SQLite."""
    if request.param == "sqlite":
        return {}
    return {"BRIDGE_DATABASE_URL": request.getfixturevalue("postgres_url"), "BRIDGE_MIGRATE": "true"}


async def result(bridge: BridgeProcess, *arguments: str) -> Any:
    """Give a command, and what came of it."""
    ran = await verb(bridge.environ, *arguments, "--json")
    assert ran.code == 0, ran
    return ran.json["result"]


async def fill(bridge: BridgeProcess, carrier: SlowCarrier) -> Seen:
    """Have something of every kind: a purchase, a courier, a return, a spare code, a delivery from somebody else."""
    carrier.announce_to(bridge.webhook_url)
    shipment, books = await carrier.create(), Books(bridge.database_url)
    await until(lambda: books.count("events WHERE type = 'shipment.purchase_succeeded'") == 1, 30)
    courier, back = (bridge.folder / name for name in ("courier.json", "return.json"))
    courier.write_text(json.dumps({"shipments": [shipment], "address": ADDRESS}))
    back.write_text(json.dumps(wanted(TICKETS)))
    order = await result(bridge, "dispatch", "create", "--file", str(courier))
    made = await result(bridge, "returns", "create", "--file", str(back))
    await result(bridge, "returns", "codes", "create", "--count", "1")
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        answer = await http.post(bridge.webhook_url, content=SAMPLE.read_bytes())
    return Seen(shipment, order["dispatch_order_id"], made["return_id"], answer.json()["delivery_id"])


def for_reading(database_url: str) -> str:
    """Give the URL of a user who may look at everything and write nothing; of a file, the file's."""
    place = urlsplit(database_url)
    if place.scheme == "sqlite":
        return database_url
    user = f"reader_of_{place.path.strip('/')}"
    with psycopg.connect(database_url, autocommit=True) as server:
        server.execute(f"CREATE ROLE {user} LOGIN")
        server.execute(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}")
        server.execute(f"GRANT SELECT ON ALL SEQUENCES IN SCHEMA public TO {user}")
    return f"{place.scheme}://{user}@{place.hostname}:{place.port}{place.path}"


def contents(books: Books) -> dict[str, list[str]]:
    """Give every row of every table; of a file, all its bytes besides."""
    tables = "sqlite_master WHERE type = 'table'" if books.is_file else "pg_tables WHERE schemaname = 'public'"
    name = "name" if books.is_file else "tablename"
    found = {table: books.rows(f"SELECT * FROM {table}") for (table,) in books.rows(f"SELECT {name} FROM {tables}")}
    written = {table: sorted(map(repr, rows)) for table, rows in found.items()}
    if books.is_file:
        written["the file"] = [Path(books.url.removeprefix("sqlite:///")).read_bytes().hex()]
    return written


async def test_verbs_that_read_leave_the_database_as_it_was(
    tmp_path: Path, database: dict[str, str], amqp_url: str
) -> None:
    async with SlowCarrier(takes_s=0.0, **SCENARIO).open() as carrier:
        settings = credentials(carrier.url) | {"BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN} | database
        async with BridgeProcess(tmp_path, amqp_url=amqp_url, **settings) as bridge:
            seen = await fill(bridge, carrier)
            assert await bridge.terminate() == 0
    books = Books(bridge.database_url)
    environ = bridge.environ | {"BRIDGE_DATABASE_URL": for_reading(bridge.database_url)}
    before = contents(books)
    for words in READS:
        ran = await verb(environ, *words.format(**asdict(seen)).split())
        assert (ran.code, ran.err, bool(ran.out)) == (0, "", True), words
    assert contents(books) == before
    given = await verb(environ, "dead", "redrive", "--wait", "0.5")
    assert (given.code, "permission denied" in given.err) == (1, bool(database))
    assert database or contents(books) != before, "what changes anything is seen"


def test_of_every_verb_it_is_said_whether_it_only_looks() -> None:
    known = verbs().keys()
    looking = {name for name in known if any(f"{words} ".startswith(f"{name} ") for words in READS)}
    assert looking.isdisjoint(OTHERS)
    assert looking | set(OTHERS) == known
