"""`bridge policy`: a file checked by line and key, and a decision explained from what is kept of it."""

from __future__ import annotations

import asyncio
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from bridge.model import IntentId, OrganizationId, ShipmentId
from bridge.purchasing.policy import decide, load
from bridge.purchasing.policy.document import document
from bridge.store import decisions
from bridge.store.decisions import Decided
from bridge.store.sqlite import SqliteDatabase
from tests.support import forked
from tests.support.migrated import migrated
from tests.support.ran import Ran
from tests.unit.purchasing.policy.making import ALLEGRO, AT, COURIER, LOCKER, offer, shipment

SHIPPED = Path(__file__).parents[3] / "config" / "policy.toml"
ORGANIZATION, OTHER = OrganizationId(4821), OrganizationId(4822)
SETTINGS = {
    "BRIDGE_ENVIRONMENT": "demo",
    "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9",
    "BRIDGE_SHIPX__ORGANIZATION_ID": "4821",
    "BRIDGE_SHIPX__WEBHOOK_SECRETS": "5" * 40,
}
WRITTEN = b"""
[[rules]]
id = "cod"
when = { cod = true, weight_kg = { up_to = "5" } }
prefer_services = ["inpost_courier_standard"]
max_price = { amount = 25.50, currency = "PLN" }

[[rules]]
id = "rest"
prefer_services = ["inpost_locker_standard", "inpost_courier_standard"]
"""
OFFERS = (
    offer(1, COURIER, "12.99"),
    offer(2, LOCKER, None),
    offer(3, ALLEGRO, None, "unavailable", None).model_copy(update={"unavailability_reasons": ("no_contract",)}),
)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_bytes(WRITTEN)
    return path


@pytest.fixture
async def environ(tmp_path: Path, policy: Path) -> dict[str, str]:
    """Settings, and a database in which each of two organizations has a decision about shipment 1, one about 2."""
    database = SqliteDatabase(migrated(tmp_path / "bridge.db"))
    await database.open()
    for organization, number in ((ORGANIZATION, 1), (OTHER, 1), (ORGANIZATION, 2)):
        found = shipment(*OFFERS)
        body = document(found, decide(found, load(WRITTEN), organization)).model_dump_json()
        kept = Decided(organization, ShipmentId(number), AT, IntentId("intent"), sha256(WRITTEN).hexdigest(), body)
        await database.write(lambda transaction, kept=kept: decisions.write(transaction, kept))  # type: ignore[misc] # bound
    await database.close()
    return SETTINGS | {"BRIDGE_DATABASE_URL": f"sqlite:///{tmp_path}/bridge.db", "BRIDGE_POLICY": str(policy)}


async def write(path: Path, text: bytes) -> None:
    await asyncio.to_thread(path.write_bytes, text)


async def verb(environ: dict[str, str], *arguments: str) -> Ran:
    return await asyncio.to_thread(forked.verb, environ, *arguments)


async def explain(environ: dict[str, str], *arguments: str) -> Ran:
    return await verb(environ, "policy", "explain", *arguments)


# -- check -------------------------------------------------------------------------------------------------------------


async def test_the_shipped_policy_is_fine() -> None:
    ran = await verb({}, "policy", "check", str(SHIPPED))
    assert (ran.code, ran.err) == (0, "")
    assert sha256(SHIPPED.read_bytes()).hexdigest() in ran.out


async def test_a_policy_that_can_be_followed_is_printed_rule_by_rule(policy: Path) -> None:
    ran = await verb(SETTINGS | {"BRIDGE_POLICY": str(policy)}, "policy", "check")
    assert (ran.code, ran.err) == (0, "")
    _, cod, rest, *_ = ran.out.splitlines()
    assert "cod true, weight_kg up to 5" in cod
    assert "25.50 PLN" in cod
    assert "decline" in cod
    assert "every shipment" in rest
    assert "inpost_locker_standard > inpost_courier_standard" in rest


async def test_a_policy_that_can_be_followed_is_written_for_programs(policy: Path) -> None:
    ran = await verb({}, "policy", "check", str(policy), "--json")
    assert (ran.code, ran.json["valid"], ran.json["problems"]) == (0, True, [])
    assert ran.json["sha256"] == sha256(WRITTEN).hexdigest()
    assert ran.json["rules"][0]["max_price"] == {"amount": "25.50", "currency": "PLN"}


async def test_what_is_wrong_is_said_by_line_and_key(policy: Path) -> None:
    await write(policy, WRITTEN.replace(b"cod = true", b"cod = 1"))
    ran = await verb({}, "policy", "check", str(policy))
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"{policy}:4: rules.0.when.cod: ")
    await write(policy, WRITTEN + b"colour = 1\n")
    ran = await verb({}, "policy", "check", str(policy), "--json")
    assert (ran.code, ran.json["valid"]) == (2, False)
    assert ran.json["problems"] == [{"line": 11, "key": "rules.1.colour", "message": "there is no such key"}]


async def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    ran = await verb({}, "policy", "check", str(tmp_path / "none.toml"))
    assert (ran.code, "none.toml: cannot be read" in ran.err, "Traceback" in ran.err) == (2, True, False)


# -- explain -----------------------------------------------------------------------------------------------------------


async def test_a_decision_is_explained_offer_by_offer(environ: dict[str, str]) -> None:
    ran = await explain(environ, "shipment/2")
    assert (ran.code, ran.err) == (0, "")
    lines = [" ".join(line.split()) for line in ran.out.splitlines()]
    assert lines == [
        "shipment 2 of organization 4821",
        "decided 2026-03-18T11:32:00Z",
        "decision buy offer 2 at an unknown price, with 200 s left",
        "rule rest",
        f"policy {sha256(WRITTEN).hexdigest()}",
        f"now {environ['BRIDGE_POLICY']} is the same policy",
        "",
        "offer service price status not taken because",
        "1 inpost_courier_standard 12.99 PLN available not_preferred",
        "2 inpost_locker_standard - available -",
        "3 inpost_locker_allegro - unavailable unavailable (no_contract)",
    ]


async def test_a_decision_is_written_for_programs(environ: dict[str, str]) -> None:
    found = (await explain(environ, "2", "--json")).json
    assert (found["decision"], found["offer_id"], found["intent_id"]) == ("buy", 2, "intent")
    assert [one["reason"] for one in found["rejected"]] == ["not_preferred", "unavailable"]
    assert len(found["offers"]) == 3
    assert (found["now"]["is_the_same_policy"], found["now"]["decides_the_same"]) == (True, True)


@pytest.mark.parametrize(
    ("written", "now", "told"),
    [
        pytest.param(
            WRITTEN + b"# a comment\n",
            {"is_the_same_policy": False, "decides_the_same": True},
            "which decides the same",
            id="other bytes, the same rules",
        ),
        pytest.param(
            WRITTEN + b'strategy = "cheapest"\n',
            {"is_the_same_policy": False, "decides_the_same": False},
            "which decides buy offer 1 at 12.99 PLN, with 200 s left (rule rest)",
            id="other rules",
        ),
        pytest.param(
            WRITTEN.replace(b'cod = true, weight_kg = { up_to = "5" }', b'mpk = "A"'),
            {"is_the_same_policy": False, "decides_the_same": None},
            "cannot be told: rule cod goes by what is not kept of a shipment",
            id="a rule that goes by what is not kept",
        ),
        pytest.param(
            b"rules = 5",
            {"is_the_same_policy": False, "decides_the_same": None},
            "cannot be told: BRIDGE_POLICY line 1 rules",
            id="no policy any more",
        ),
    ],
)
async def test_what_the_present_policy_would_decide_is_told(
    environ: dict[str, str], policy: Path, written: bytes, now: dict[str, Any], told: str
) -> None:
    await write(policy, written)
    assert told in (await explain(environ, "2")).out
    found = (await explain(environ, "2", "--json")).json["now"]
    assert {key: found[key] for key in now} == now


async def test_a_number_that_several_organizations_have_needs_one_of_them(environ: dict[str, str]) -> None:
    ran = await explain(environ, "1")
    assert (ran.code, "4821, 4822; add --organization" in ran.err) == (2, True)
    assert "of organization 4822" in (await explain(environ, "1", "--organization", "4822")).out


async def test_nothing_was_decided_about_a_stranger(environ: dict[str, str]) -> None:
    ran = await explain(environ, "17")
    assert (ran.code, ran.out, "nothing was decided" in ran.err) == (1, "", True)
