"""The doctor with a real broker, a real database and a carrier on a real port, run as an operator runs it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import aio_pika
import httpx
import pytest
from pydantic import SecretStr

from bridge.broker.rabbit import apply_topology
from bridge.doctor import Report, examine
from bridge.simulator import load_scenario, serve
from bridge.simulator.scenario import Lists
from bridge.store.migrate import migrate
from bridge.store.postgres import PostgresDatabase
from tests.support.bridge import until
from tests.support.http import NO_TLS
from tests.support.ran import Ran
from tests.support.verbs import verb

ORGANIZATION, TOKEN = 4821, "demo-token-prepaid"
OTHER_TOKEN = "demo-token-postpaid"
POLICY = Path(__file__).parents[2] / "config" / "policy.toml"
WEBHOOK_SECRET = "5ecret0f0ne" * 4
FURTHER_SECRET = "an0thersecret" * 4
API_TOKEN = "operator-token-of-the-tests"
KEY = "c2VjcmV0LWtleS1vZi10aGUtdGVzdHMtMzItYnl0ZXM="


@pytest.fixture
async def carrier() -> AsyncIterator[str]:
    """The stand-in carrier with its two organizations."""
    async with standing() as url:
        yield url


@asynccontextmanager
async def standing(**changes: object) -> AsyncIterator[str]:
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    scenario = load_scenario(None).model_copy(update=changes)
    serving = asyncio.create_task(serve(scenario, port=0, stop=stop, on_ready=ready.set_result))
    try:
        yield await ready
    finally:
        stop.set()
        await serving


def environ(folder: Path, carrier: str, **more: str) -> dict[str, str]:
    return {
        "BRIDGE_ENVIRONMENT": "demo",
        "BRIDGE_DATABASE_URL": f"sqlite:///{folder}/bridge.db",
        "BRIDGE_POLICY": str(POLICY),
        "BRIDGE_SHIPX__BASE_URL": carrier,
        "BRIDGE_SHIPX__ORGANIZATION_ID": str(ORGANIZATION),
        "BRIDGE_SHIPX__TOKEN": TOKEN,
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": f"{WEBHOOK_SECRET},{FURTHER_SECRET}",
        **more,
    }


def states(report: Report) -> dict[str, str]:
    return {check.name: check.state for check in report.checks}


def told(report: Report, name: str) -> str:
    """Give what was told and advised about this."""
    (check,) = (check for check in report.checks if check.name == name)
    return f"{check.told} {check.do}"


async def test_everything_is_well(tmp_path: Path, carrier: str, amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    report = await examine(environ(tmp_path, carrier, BRIDGE_AMQP_URL=amqp_url))
    assert states(report) == {
        "settings": "ok",
        "database": "ok",
        "broker": "ok",
        "broker/topology": "ok",
        "broker/bridge.unrouted": "ok",
        "broker/bridge.dead": "ok",
        "carrier/4821": "ok",
        "carrier/4821/lists": "skipped",
        "webhook/4821": "warning",
        "purchasing": "ok",
        "policy": "ok",
        "statuses/carrier": "skipped",
        "statuses": "ok",
    }


async def test_a_broker_without_the_topology_is_told_so(tmp_path: Path, carrier: str, amqp_url: str) -> None:
    report = await examine(environ(tmp_path, carrier, BRIDGE_AMQP_URL=amqp_url))
    assert (states(report)["broker"], states(report)["broker/topology"]) == ("ok", "warning")
    assert "exchange bridge.events" in told(report, "broker/topology")
    assert "queue bridge.commands" in told(report, "broker/topology")
    declared_by_others = environ(tmp_path, carrier, BRIDGE_AMQP_URL=amqp_url, BRIDGE_AMQP__DECLARE="false")
    report = await examine(declared_by_others)
    assert states(report)["broker/topology"] == "failed"
    assert "bridge topology apply" in told(report, "broker/topology")


async def test_a_deleted_unrouted_queue_is_a_failure(tmp_path: Path, carrier: str, amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    async with await aio_pika.connect(amqp_url) as connection:
        await (await connection.channel()).queue_delete("bridge.unrouted")
    report = await examine(environ(tmp_path, carrier, BRIDGE_AMQP_URL=amqp_url))
    assert states(report)["broker/topology"] == "failed"
    assert "queue bridge.unrouted" in told(report, "broker/topology")
    assert "bridge topology apply" in told(report, "broker/topology")


async def test_what_nobody_was_bound_for_is_a_warning(tmp_path: Path, carrier: str, amqp_url: str) -> None:
    await apply_topology(SecretStr(amqp_url))
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel()
        for exchange in ("bridge.events", "bridge.dead"):
            await (await channel.get_exchange(exchange)).publish(aio_pika.Message(b"{}"), "nobody.wants.this")
    report = await examine(environ(tmp_path, carrier, BRIDGE_AMQP_URL=amqp_url))
    assert (states(report)["broker/bridge.unrouted"], states(report)["broker/bridge.dead"]) == ("warning", "warning")
    assert "holds 1" in told(report, "broker/bridge.unrouted")
    assert report.healthy


WRONG = [
    # how the right URL is made wrong, what is told
    (lambda url: url.replace("guest:guest@", "guest:wrong-password@"), "refuses the user or the password"),
    (lambda url: f"{url}-that-is-not-there", "does not open the virtual host"),
    (lambda _url: "amqp://guest:guest@127.0.0.1:1/", "cannot be reached"),
]


@pytest.mark.parametrize(("wrong", "expected"), WRONG, ids=[row[1] for row in WRONG])
async def test_a_broker_that_does_not_let_us_in(
    tmp_path: Path, carrier: str, amqp_url: str, wrong: Callable[[str], str], expected: str
) -> None:
    report = await examine(environ(tmp_path, carrier, BRIDGE_AMQP_URL=wrong(amqp_url)))
    assert states(report)["broker"] == "failed"
    assert expected in told(report, "broker")


TOKENS = [
    # the token, what is told
    ("no-such-token", "the carrier refuses the token (token_invalid (401))"),
    (OTHER_TOKEN, "the token belongs to another organization (4822): webhooks never arrive"),
]


@pytest.mark.parametrize(("token", "expected"), TOKENS)
async def test_a_token_that_is_not_this_organizations(tmp_path: Path, carrier: str, token: str, expected: str) -> None:
    report = await examine(environ(tmp_path, carrier, BRIDGE_SHIPX__TOKEN=token))
    assert states(report)["carrier/4821"] == "failed"
    assert expected in told(report, "carrier/4821")
    assert "Manager" in told(report, "carrier/4821")
    assert report.exit_code == 1


@pytest.mark.parametrize(
    ("lists", "state", "expected"),
    [
        (Lists(), "ok", "many are bought by one call"),
        (Lists(without=("offers",)), "warning", "purchases are made one by one"),
    ],
    ids=["the same", "without offers"],
)
async def test_lists_are_compared_with_the_read_of_one(tmp_path: Path, lists: Lists, state: str, expected: str) -> None:
    async with standing(lists=lists) as url:
        async with httpx.AsyncClient(
            headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False, verify=NO_TLS
        ) as http:
            draft = {"receiver": {"email": "a@example.com", "phone": "888000000"}, "parcels": [{"template": "small"}]}
            target = {"custom_attributes": {"target_point": "KRA010"}}
            made = await http.post(f"{url}/v1/organizations/{ORGANIZATION}/shipments", json=draft | target)
            shipment = f"{url}/v1/shipments/{made.json()['id']}"

            async def offers() -> list[int]:
                found = (await http.get(shipment)).json()["offers"] or []
                return [one["id"] for one in found if one["status"] == "available"]

            offer, *_ = await until(offers, 20)
            assert (await http.post(f"{shipment}/buy", json={"offer_id": offer})).status_code == 200

        async def compared() -> Report | None:
            """Look until what was bought has stood still for so long that a list could not be late any more."""
            report = await examine(environ(tmp_path, url))
            return None if states(report)["carrier/4821/lists"] == "skipped" else report

        report = await until(compared, 30)
    assert states(report)["carrier/4821/lists"] == state
    assert expected in told(report, "carrier/4821/lists")


async def test_every_organization_is_asked_with_its_own_token(tmp_path: Path, carrier: str) -> None:
    config = tmp_path / "bridge.toml"
    config.write_text(f'[[shipx.organizations]]\nid = 4822\ntoken = "{OTHER_TOKEN}"\n')
    report = await examine(environ(tmp_path, carrier, BRIDGE_CONFIG=str(config)))
    assert (states(report)["carrier/4821"], states(report)["carrier/4822"]) == ("ok", "ok")


async def test_a_carrier_that_is_away(tmp_path: Path) -> None:
    report = await examine(environ(tmp_path, "http://127.0.0.1:9"))
    assert "no usable answer (ConnectError)" in told(report, "carrier/4821")


async def run(settings: dict[str, str], *arguments: str) -> Ran:
    return await verb(settings, "doctor", *arguments)


async def test_the_command_prints_nothing_but_the_report(tmp_path: Path, carrier: str) -> None:
    people, program = await run(environ(tmp_path, carrier)), await run(environ(tmp_path, carrier), "--json")
    assert (people.code, people.err, program.code, program.err) == (0, "", 0, "")
    assert people.out.endswith("ok.\n")
    assert json.loads(program.out)["healthy"] is True


async def test_the_exit_code_tells_a_failure_from_settings_that_do_not_load(tmp_path: Path, carrier: str) -> None:
    assert (await run(environ(tmp_path, carrier, BRIDGE_SHIPX__TOKEN="no-such-token"))).code == 1
    assert (await run(environ(tmp_path, carrier, BRIDGE_NO_SUCH="1"))).code == 2


async def test_no_output_holds_a_secret_whatever_is_wrong(tmp_path: Path, carrier: str, amqp_url: str) -> None:
    """Each secret once where it belongs, and once where settings refuse it."""
    broker = amqp_url.replace("guest:guest", "guest:broker-password")
    (tmp_path / "bridge.db").write_bytes(b"broken" * 500)
    well_formed = environ(
        tmp_path,
        carrier,
        BRIDGE_SHIPX__TOKEN="carrier-token-secret",
        BRIDGE_AMQP_URL=broker,
        BRIDGE_API_TOKEN=API_TOKEN,
        BRIDGE_PERSONAL_DATA__KEYS=KEY,
        BRIDGE_INPOST_RETURNS__CLIENT_ID="client",
        BRIDGE_INPOST_RETURNS__CLIENT_SECRET="client-secret-of-returns",
        BRIDGE_SZYBKIE_ZWROTY__EMAIL="returns@example.com",
        BRIDGE_SZYBKIE_ZWROTY__PASSWORD="password-of-returns",
        BRIDGE_INTELLIGENTRETURNS__LOGIN="login-of-returns",
        BRIDGE_INTELLIGENTRETURNS__API_KEY="api-key-of-returns",
    )
    secrets = [WEBHOOK_SECRET, FURTHER_SECRET, "carrier-token-secret", "broker-password", API_TOKEN, KEY]
    secrets += ["client-secret-of-returns", "password-of-returns", "login-of-returns", "api-key-of-returns"]
    swapped = {
        **well_formed,
        "BRIDGE_SHIPX__WEBHOOK_SECRETS": f"{WEBHOOK_SECRET.upper()}",
        "BRIDGE_DATABASE_URL": "postgresql:/user:database-password@host/db",
        "BRIDGE_AMQP_URL": "http://guest:broker-password@host/",
        "BRIDGE_PERSONAL_DATA__KEYS": KEY + "AAAA",
        "BRIDGE_HTTP__PORT": "carrier-token-secret",
        "BRIDGE_ENVIRONMENT": "broker-password",
        "BRIDGE_WEBHOOK__NETWORKS": API_TOKEN,
    }
    secrets += [WEBHOOK_SECRET.upper(), "database-password"]
    for settings, code in ((well_formed, 1), (swapped, 2)):
        for arguments in ((), ("--json",)):
            ran = await run(settings, *arguments)
            assert ran.code == code, ran
            assert [secret for secret in secrets if secret in ran.out + ran.err] == []
            assert "Traceback" not in ran.err


# -- PostgreSQL --------------------------------------------------------------------------------------------------------


async def migrated(url: str) -> None:
    database = PostgresDatabase(SecretStr(url))
    await database.rebuild(migrate)
    await database.close()


async def test_a_server_that_is_well_and_has_no_schema_yet(tmp_path: Path, carrier: str, postgres_url: str) -> None:
    settings = environ(tmp_path, carrier, BRIDGE_DATABASE_URL=postgres_url)
    report = await examine(settings)
    assert (states(report)["database"], states(report)["database/schema"]) == ("ok", "failed")
    assert "bridge migrate" in told(report, "database/schema")
    await migrated(postgres_url)
    report = await examine(settings)
    assert (states(report)["database/schema"], states(report)["database/environment"]) == ("ok", "ok")


async def test_a_server_that_may_lose_what_it_has_kept_is_a_warning(
    tmp_path: Path, carrier: str, postgres_url: str
) -> None:
    """The tests' own server does not sync to disk."""
    report = await examine(environ(tmp_path, carrier, BRIDGE_DATABASE_URL=postgres_url))
    found = [check for check in report.checks if check.name == "database/durability"]
    assert [(check.state, check.do) for check in found] == [
        ("warning", "set fsync = on in postgresql.conf"),
        ("warning", "set full_page_writes = on in postgresql.conf"),
    ]


async def test_a_server_that_is_away_or_refuses_us_is_told_without_the_password(tmp_path: Path, carrier: str) -> None:
    url = "postgresql://bridge:hidden-password@127.0.0.1:9/bridge"
    report = await examine(environ(tmp_path, carrier, BRIDGE_DATABASE_URL=url))
    assert states(report)["database"] == "failed"
    assert "server runs and is reachable" in told(report, "database")
    assert "hidden-password" not in report.model_dump_json()


async def test_a_database_that_takes_no_writes_is_a_failure(tmp_path: Path, carrier: str, postgres_url: str) -> None:
    url = f"{postgres_url}?options=-cdefault_transaction_read_only%3Don"
    report = await examine(environ(tmp_path, carrier, BRIDGE_DATABASE_URL=url))
    assert states(report)["database"] == "failed"
    assert "primary" in told(report, "database")
