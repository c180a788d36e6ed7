"""What the benchmarks stand on: rivals that do what they are said to do, and a history that is one."""

from __future__ import annotations

import asyncio
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from bridge.nodes.guard import free_ports
from tests.bench import broker, crowd, history, load, server
from tests.bench.cores import Cores
from tests.bench.errors import Failed
from tests.bench.webhooks import PATH, SECRET, body
from tests.faults.books import Books, check_identities
from tests.support.bridge import until

CORES = Cores.found().server
PUBLISHING = ["starlette_pika", "fastapi_pika", "fastapi_faststream"]


def post(port: int, path: str) -> int:
    with closing(HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request("POST", path, body(1), {"content-type": "application/json"})
        return connection.getresponse().status


@pytest.mark.parametrize("name", PUBLISHING)
def test_a_rival_that_publishes_does_so_before_it_answers(name: str, amqp_url: str) -> None:
    asyncio.run(broker.add_queue(amqp_url))
    with server.rival(name, amqp_url, cores=CORES) as running:
        assert post(running.port, PATH) == 200
        asyncio.run(broker.filled(amqp_url, 1, seconds=5))
        assert post(running.port, PATH.replace(SECRET, "a" * 40)) == 404


def test_the_rival_that_stores_has_a_row_for_each_webhook(postgres_url: str) -> None:
    with server.rival("fastapi_sqlalchemy", postgres_url, cores=CORES) as running:
        assert [post(running.port, PATH), post(running.port, PATH)] == [200, 200]
        assert post(running.port, PATH.replace(SECRET, "a" * 40)) == 404
    assert (
        Books(postgres_url).rows("SELECT event, payload->>'shipment_id' FROM received")
        == [("shipment_status_changed", "1")] * 2
    )


def test_a_rival_that_does_not_start_gives_no_figure() -> None:
    with pytest.raises(Failed, match="ended with"), server.rival("starlette_pika", "amqp://127.0.0.1:9/", cores=CORES):
        pass


def test_a_rival_that_refuses_gives_no_figure() -> None:
    (port,) = free_ports(1)
    command = [sys.executable, "-m", "tests.bench.rivals.noop", str(port), "a" * 40]
    with server.running(command, port, CORES), pytest.raises(Failed, match="0 of 3 webhooks"):
        load.run(port, 3)


@pytest.fixture(params=["sqlite", "postgres"])
def empty_database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/bridge.db"
    found: str = request.getfixturevalue("postgres_url")
    return found


async def test_a_history_is_what_a_bridge_would_have_written_and_one_goes_on_from_it(empty_database: str) -> None:
    told: list[str] = []
    await asyncio.to_thread(history.build, empty_database, 200, CORES, told.append)
    books = Books(empty_database)
    check_identities(books)
    assert (books.count("deliveries WHERE state = 1"), books.count("sealed"), books.count("subjects")) == (200, 200, 25)
    assert books.count("deliveries JOIN events ON events.delivery = deliveries.id") == books.count("events") == 250
    assert books.rows("SELECT n FROM tallies WHERE name = 'accepted'") == [(200,)]
    assert told == ["history: 192 webhooks written"]
    with server.bridge(empty_database, cores=CORES) as running:
        assert post(running.port, PATH) == 200
        await until(lambda: books.count("events") == 251)
    last = "SELECT position, sequence FROM events ORDER BY position DESC LIMIT 1"
    assert books.rows(last) == [(251, 1)]
    new = "SELECT count(*) FROM events WHERE position = 251 AND subject_id > 25"  # an id that was tried may be left out
    assert books.rows(new) == [(1,)]


def test_the_crowd_is_answered_and_nobody_waits_for_ever(tmp_path: Path) -> None:
    with server.bridge(f"sqlite:///{tmp_path}/bridge.db", cores=CORES) as running:
        answers = crowd.run(running.port)
    assert answers["200"] > 0
    assert answers.total() == crowd.CONNECTIONS
