"""What the policy would choose for a shipment that is known: by the last decision, else by the offers last told."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from bridge.app.serving import application
from bridge.carriers.shipx import shipment as shipments
from bridge.model import ShipmentId
from bridge.purchasing.api import EvaluationApi
from bridge.purchasing.evaluation import Evaluator
from bridge.purchasing.hand import Account
from bridge.purchasing.nobody import Nobody
from bridge.purchasing.policy import Policy, load
from bridge.store.database import ManagedDatabase
from bridge.store.evaluable import SqlEvaluable
from bridge.web.access import Access
from tests.contract.store.shop import ORGANIZATION, POLICY, Shop, shop
from tests.contract.store.test_facts_store import arrival
from tests.unit.ingress.stage import client_of

OTHER = 4822
CLIENTS = [client_of("reader", ["read"]), client_of("reader-of-4822", ["read"], [OTHER])]
STRANGER = 17


def policy(when: str) -> Policy:
    """Buy couriers where `when` holds."""
    return load(f"[[rules]]\nid = 'a'\nwhen = {{ {when} }}\nprefer_services = ['inpost_courier_standard']\n".encode())


async def ask(opened: Shop, policy: Policy = POLICY, token: str = "reader", **asked: object) -> httpx.Response:
    async def present(_organization: object) -> Policy:
        return policy

    evaluator = Evaluator(
        SqlEvaluable(opened.database),
        policy=present,
        read=shipments.read,
        faults=shipments.faults,
        clock=lambda: opened.now,
    )
    transport = httpx.ASGITransport(application(EvaluationApi(evaluator, Access(CLIENTS)).routes()))
    async with httpx.AsyncClient(transport=transport, base_url="http://bridge") as http:
        headers = {"authorization": f"Bearer {token}"}
        return await http.post("/v1/offers/evaluate", content=json.dumps(asked).encode(), headers=headers)


async def told(opened: Shop, shipment: ShipmentId, policy: Policy = POLICY) -> tuple[Any, ...]:
    """Evaluate what is known of it; give what would be done, and why."""
    answer = await ask(opened, policy, shipment_id=shipment)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["policy_sha256"] == policy.sha256
    return found["decision"], found["reason"], found["rule_id"]


async def offered(opened: Shop) -> ShipmentId:
    """Have a shipment whose offers are told."""
    shipment = await opened.create()
    await opened.simulator.advance(0.5)
    await opened.receive()
    return shipment


async def decisions(opened: Shop) -> int:
    (found,) = await opened.rows("SELECT count(*) FROM decisions")
    return int(found)


async def refusal(opened: Shop, policy: Policy = POLICY, token: str = "reader", **asked: object) -> tuple[int, str]:
    answer = await ask(opened, policy, token, **asked)
    return answer.status_code, answer.json()["type"]


async def test_without_a_token_the_policy_is_tried_on_the_offers_that_a_webhook_told(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        opened.account = Account(Nobody(), opened.account.terms)
        shipment = await offered(opened)
        for _ in range(2):
            assert await told(opened, shipment) == ("buy", None, "default")
            await opened.work()
        answer = (await ask(opened, shipment_id=shipment)).json()
        assert answer["price"] == {"amount": "12.99", "currency": "PLN"}
        assert 299 < answer["seconds_left"] < 302, "as of when they were told"
        assert [one["reason"] for one in answer["rejected"]] == ["service_not_listed"]
        assert await opened.rows("SELECT reason FROM purchases") == ["no_token"]


@pytest.mark.parametrize(
    "when",
    [
        pytest.param("cod = false", id="what a webhook does not say"),
        pytest.param("receiver = 'locker'", id="where it goes"),
        pytest.param("weight_kg = { up_to = '25' }", id="how much it weighs"),
        pytest.param("reference_prefix = 'B2B-'", id="what is never kept"),
    ],
)
async def test_a_rule_that_goes_by_more_than_the_offers_needs_the_shipment(
    database: ManagedDatabase, when: str
) -> None:
    async with shop(database) as opened:
        shipment = await offered(opened)
        assert await refusal(opened, policy(when), shipment_id=shipment) == (409, "/problems/not-kept")
        of_another = policy(f"organization = {OTHER}, {when}")
        assert await told(opened, shipment, of_another) == ("decline", "no_rule_match", None)


async def test_a_rule_may_go_by_whose_it_is_and_by_the_time(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await offered(opened)
        day = f"organization = {ORGANIZATION}, time_of_day = {{ from = '12:00', until = '13:00' }}"
        assert await told(opened, shipment, policy(day)) == ("buy", None, "a")
        night = "time_of_day = { from = '22:00', until = '06:00' }"
        assert await told(opened, shipment, policy(night)) == ("decline", "no_rule_match", None)


async def test_what_the_carrier_buys_by_itself_is_not_ours_once_that_was_read(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await opened.create(service="inpost_locker_standard")
        await opened.live(0.5)
        assert (await told(opened, shipment))[:2] == ("not_ours", "carrier_owned_purchase")
        assert (await told(opened, shipment, policy("cod = true")))[:2] == ("not_ours", "carrier_owned_purchase")


async def test_what_somebody_else_bought_is_not_ours(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await offered(opened)
        await opened.pick(shipment)
        await opened.simulator.advance(5)
        await opened.work()
        assert await opened.rows("SELECT reason FROM purchases") == ["adopted"]
        assert (await told(opened, shipment))[:2] == ("not_ours", "already_bought")


async def test_what_ran_out_unseen_is_told_as_of_its_offers_and_then_as_it_was_read(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await offered(opened)
        await opened.simulator.advance(2 * 3600)
        assert await told(opened, shipment) == ("buy", None, "default")
        await opened.work()
        assert await opened.rows("SELECT state FROM purchases") == ["expired"]
        assert await told(opened, shipment) == ("decline", "offers_expired", "default")
        assert await decisions(opened) == 1


async def test_what_waits_for_its_offers_is_read_again_and_again_and_no_row_is_written(
    database: ManagedDatabase,
) -> None:
    async with shop(database) as opened:
        shipment = await opened.create()
        await opened.inbox.accept([arrival("offers_prepared", shipment=shipment)])  # sooner than they are
        await opened.project()
        await opened.work()
        assert await opened.rows("SELECT result FROM journal") == ["wait"]
        assert await decisions(opened) == 0
        assert await refusal(opened, shipment_id=shipment) == (409, "/problems/not-kept")


async def test_a_shipment_that_is_known_without_offers_is_another_answer_than_an_unknown_one(
    database: ManagedDatabase,
) -> None:
    async with shop(database) as opened:
        assert await refusal(opened, shipment_id=STRANGER) == (404, "/problems/not-found")
        await opened.inbox.accept([arrival("delivered", shipment=STRANGER)])
        assert await refusal(opened, shipment_id=STRANGER) == (409, "/problems/not-kept"), "received, not worked off"
        await opened.project()
        assert await refusal(opened, shipment_id=STRANGER) == (409, "/problems/not-kept")
        assert await refusal(opened, token="reader-of-4822", shipment_id=STRANGER) == (404, "/problems/not-found")
        assert (await refusal(opened, shipment_id=STRANGER, organization_id=OTHER))[0] == 404


async def test_of_several_organizations_the_one_is_meant_of_which_something_is_kept(database: ManagedDatabase) -> None:
    async with shop(database) as opened:
        shipment = await offered(opened)
        await opened.inbox.accept([arrival("delivered", shipment=shipment, organization=OTHER)])
        await opened.project()
        assert await told(opened, shipment) == ("buy", None, "default")
        assert await refusal(opened, token="reader-of-4822", shipment_id=shipment) == (409, "/problems/not-kept")
