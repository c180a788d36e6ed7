"""The HTTP API keeps to its description: a running bridge is sent all that the document allows, and what it does not.

The webhook routes answer whatever is sent, with any method: `test_receiver.py` sends it. A stream has no end to wait
for: `test_feed.py` reads it.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from bridge.app.answering import openapi_document
from bridge.commands.models import RetryPurchase
from tests.support.bridge import ORGANIZATION, TOKEN, BridgeProcess, until
from tests.support.carrier import CARRIER_TOKEN, DRAFT, SlowCarrier
from tests.support.http import NO_TLS
from tests.support.returns import credentials
from tests.unit.shipping.checkouts import ORDER, QUOTE, SOCKS
from tests.unit.shipping.returning import SCENARIO, TICKETS, wanted

SOMEBODY: Final = "token-of-somebody-else"
TOKENS: Final = f"""\
[[api_tokens]]
name = "somebody"
sha256 = "{sha256(SOMEBODY.encode()).hexdigest()}"
scopes = ["read", "events", "purchases:write"]
organizations = [{ORGANIZATION + 1}]
"""
SLOW: Final = """\
[[operations]]
include-path = "/v1/returns/codes"
include-method = "POST"
generation.max-examples = 2
"""
"""A thousand codes take ten calls, which their provider is asked no faster than one a second."""
SHIPMENTS: Final = 3
PLACE: Final = {"street": "Lwowska", "building_number": "10", "city": "Kraków", "post_code": "30-300"}
USE: Final = {
    "reference": "ORDER123",
    "sender": {"phone": "500100200", "email": "jan@example.com"},
    "parcel_size": "A",
    "expires_at": "2100-01-01T12:00:00Z",
}
GIVEN: Final = "a-command-that-was-given"
REFUSED_ANYWAY: Final = "positive_data_acceptance"
"""The one check that is left out, that what the schemas allow is never refused: a well-formed cursor may be none of
ours, an order may come too late, and JSON Schema says little about what one field means for another."""


@dataclass(frozen=True, slots=True)
class Scene:
    """A bridge whose purchases wait for a person, and what it has, by the names of parameters and of bodies."""

    bridge: BridgeProcess
    folder: Path
    parameters: Mapping[tuple[str, str], object]
    bodies: Mapping[str, object]

    def document(self) -> Any:
        """Give the document with what is there as examples, and with answers closed: what is not described is wrong."""
        document: Any = json.loads(json.dumps(openapi_document()))
        for schema in document["components"]["schemas"].values():
            if "properties" in schema:
                schema.setdefault("additionalProperties", False)
        for path, found in document["paths"].items():
            for one in found.values():
                self._exemplify(path, one)
        return document

    def _exemplify(self, path: str, operation: Any) -> None:
        for one in operation["parameters"]:
            if (known := self.parameters.get((operation["tags"][0], one["name"]))) is not None:
                one["examples"] = {"known": {"value": known}}
        if "requestBody" in operation and (body := self.bodies.get(path)) is not None:
            operation["requestBody"]["content"]["application/json"]["examples"] = {"known": {"value": body}}

    async def tried(self, document: Any, token: str, *arguments: str) -> tuple[int, str]:
        """Have schemathesis send what it makes of a document; gives its exit code and what it says."""
        path = self.folder / "openapi.json"
        path.write_text(json.dumps(document))
        program = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()", "run", str(path)]
        running = await asyncio.create_subprocess_exec(
            *[*program, "--url", self.bridge.url, "--header", f"Authorization: Bearer {token}", *COMMON, *arguments],
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await running.communicate()
        assert running.returncode is not None
        return running.returncode, told.decode(errors="replace")


COMMON: Final = (
    "--checks=all",
    f"--exclude-checks={REFUSED_ANYWAY}",
    "--exclude-path=/v1/events/stream",
    "--generation-deterministic",
    "--suppress-health-check=all",
    "--continue-on-failure",
    "--no-color",
)


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    """All that a parameter may name is there."""
    async with opened(tmp_path) as found:
        yield found


@asynccontextmanager
async def opened(folder: Path, *, is_whole: bool = True) -> AsyncIterator[Scene]:
    """Have a bridge with shipments and what was told of them, and where it is whole with a courier and a return."""
    (folder / "bridge.toml").write_text(TOKENS)
    (folder / "schemathesis.toml").write_text(SLOW)
    async with AsyncExitStack() as stack:
        carrier = await stack.enter_async_context(SlowCarrier(takes_s=0, **SCENARIO).open())
        settings = {
            "BRIDGE_CONFIG": str(folder / "bridge.toml"),
            "BRIDGE_SHIPX__BASE_URL": carrier.url,
            "BRIDGE_SHIPX__TOKEN": CARRIER_TOKEN,
            "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "600",
            "BRIDGE_PURCHASING__MODE": "approve",
            **credentials(carrier.url),
        }
        bridge = await stack.enter_async_context(BridgeProcess(folder, **settings))
        carrier.announce_to(bridge.webhook_url)
        shipments = [await carrier.create() for _ in range(SHIPMENTS)]
        http = httpx.AsyncClient(base_url=bridge.url, headers=bridge.headers, trust_env=False, verify=NO_TLS)
        await stack.enter_async_context(http)
        await until(lambda: _are_held(http), 20)
        await http.post(f"/v1/purchases/{shipments[-1]}/retry", headers={"idempotency-key": GIVEN})
        known = await _parameters(http, shipments[0])
        if is_whole:
            known |= await _courier(carrier, http) | await _return(http)
        yield Scene(bridge, folder, known, await _bodies(carrier, shipments[0]))


async def _are_held(http: httpx.AsyncClient) -> bool:
    return len((await http.get("/v1/purchases?state=held")).json()["items"]) == SHIPMENTS


async def _parameters(http: httpx.AsyncClient, shipment: int) -> dict[tuple[str, str], object]:
    deliveries = (await http.get("/v1/deliveries")).json()["items"]
    return {
        ("deliveries", "id"): deliveries[0]["delivery_id"],
        ("commands", "operation"): RetryPurchase.operation,
        ("commands", "id"): GIVEN,
        ("connections", "name"): f"shipx/{ORGANIZATION}",
        ("purchases", "shipment_id"): shipment,
        ("shipments", "shipment_id"): shipment,
        ("service", "type"): "bridge.shipment.confirmed.v1",
    }


async def _courier(carrier: SlowCarrier, http: httpx.AsyncClient) -> dict[tuple[str, str], object]:
    """Have a courier ordered for a shipment that the carrier bought by itself."""
    headers = {"authorization": f"Bearer {CARRIER_TOKEN}"}
    async with httpx.AsyncClient(base_url=carrier.url, headers=headers, trust_env=False, verify=NO_TLS) as merchant:
        bought = DRAFT | {"service": "inpost_locker_standard"}
        made = (await merchant.post(f"/v1/organizations/{ORGANIZATION}/shipments", json=bought)).json()["id"]

        async def is_bought() -> bool:
            return bool((await merchant.get(f"/v1/shipments/{made}")).json()["status"] == "confirmed")

        await until(is_bought)
    asked = {"shipments": [made], "address": PLACE}
    ordered = await http.post("/v1/dispatch-orders", json=asked, headers={"idempotency-key": GIVEN})
    return {
        ("dispatch-orders", "dispatch_order_id"): ordered.json()["dispatch_order_id"],
        ("dispatch-printouts", "shipment_id"): [made],
    }


async def _return(http: httpx.AsyncClient) -> dict[tuple[str, str], object]:
    """Have a return made, an order told of, and a code made in advance."""
    made = await http.post("/v1/returns", json=wanted(TICKETS), headers={"idempotency-key": GIVEN})
    told = await http.post("/v1/return-orders", json=ORDER, headers={"idempotency-key": GIVEN})
    stocked = await http.post("/v1/returns/codes", json={"count": 1}, headers={"idempotency-key": GIVEN})
    return {
        ("returns", "return_id"): made.json()["return_id"],
        ("returns", "id"): "KRA010",
        ("returns", "service_id"): 243,
        ("returns", "country_code"): "PL",
        ("return-orders", "reference"): told.json()["reference"],
        ("returns", "code"): stocked.json()["items"][0]["id"],
    }


async def _bodies(carrier: SlowCarrier, shipment: int) -> dict[str, object]:
    headers = {"authorization": f"Bearer {CARRIER_TOKEN}"}
    async with httpx.AsyncClient(base_url=carrier.url, headers=headers, trust_env=False, verify=NO_TLS) as http:
        read = (await http.get(f"/v1/shipments/{shipment}")).json()
    return {
        "/v1/offers/evaluate": {"organization_id": ORGANIZATION, "shipment": read},
        "/v1/events/replay": {"all": True},
        "/v1/shipments": DRAFT,
        "/v1/returns": wanted(TICKETS),
        "/v1/returns/quotes": QUOTE,
        "/v1/returns/{return_id}/refunded": {"at": None},
        "/v1/return-orders": ORDER,
        "/v1/return-orders/{reference}/items": {"items": [SOCKS]},
        "/v1/returns/codes": {"count": 1},
        "/v1/returns/codes/{code}/activate": USE,
        "/v1/dispatch-orders": {"shipments": [shipment], "address": PLACE},
        "/v1/dispatch-orders/calculate": {"shipments": [shipment]},
    }


def test_the_document_is_openapi_3_1() -> None:
    import schemathesis  # at the top it would cost every process of a test run a second

    schemathesis.openapi.from_dict(openapi_document()).validate()


ASKED_ELSEWHERE: Final = "^/v1/(return-orders|returns/(services|drop-off-points|quotes))"
"""What a provider of returns is asked for each time, a call a second: so it is tried less."""
HERE: Final = f"--exclude-path-regex=^/webhooks/|{ASKED_ELSEWHERE}"
ELSEWHERE: Final = f"--include-path-regex={ASKED_ELSEWHERE}"
EXAMPLES: Final = "OPENAPI_EXAMPLES"
"""How many requests are made up for each operation, beside the document's examples and the bounds of every schema: 4,
for every day. Set it to 15 for a thorough search, as after a change of the API."""
TRIES: Final = [
    # token, which paths, phases, examples for each operation, remark
    (TOKEN, HERE, "examples,coverage,fuzzing,stateful", int(os.environ.get(EXAMPLES) or 4), "an operator"),
    (SOMEBODY, HERE, "examples,fuzzing", 2, "somebody with few scopes, of another organization"),
    (TOKEN, ELSEWHERE, "examples,coverage,fuzzing", 2, "an operator of a checkout"),
]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("token", "paths", "phases", "examples", "remark"), TRIES, ids=[row[-1] for row in TRIES])
async def test_every_answer_is_one_that_is_described(
    scene: Scene, token: str, paths: str, phases: str, examples: int, remark: str
) -> None:
    arguments = (paths, f"--phases={phases}", f"--max-examples={examples}")
    code, told = await scene.tried(scene.document(), token, *arguments)
    assert code == 0, f"{remark}:\n{told}"
    assert "http.bug" not in scene.bridge.log
    async with httpx.AsyncClient(trust_env=False, verify=NO_TLS) as http:
        served = (await http.get(f"{scene.bridge.url}/openapi.json")).json()
    assert served == json.loads(json.dumps(openapi_document()))


async def test_an_answer_that_is_not_described_is_noticed(tmp_path: Path) -> None:
    async with opened(tmp_path, is_whole=False) as scene:
        document = scene.document()
        delivery = document["components"]["schemas"]["Delivery"]
        delivery["required"].remove("verdict")
        del delivery["properties"]["verdict"]
        del document["paths"]["/v1/deliveries"]["get"]["responses"]["400"]
        code, told = await scene.tried(document, TOKEN, "--phases=coverage", "--include-path=/v1/deliveries")
    assert code == 1
    assert "Undocumented status code" in told
    assert "'verdict'" in told, told
