"""What every edge shares: problems in one shape, probes that tell the truth, metrics by their names, one line each."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from structlog.testing import capture_logs

from bridge.errors import StoreUnavailable
from bridge.observability import Metrics
from bridge.web.kinds import UNPROCESSABLE
from bridge.web.operations import Health, Operations
from bridge.web.problems import FieldError, Problem
from tests.unit.ingress.stage import OPERATOR, SECRET, Stage, client_of, told

SINCE = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)

# --- problems ---------------------------------------------------------------------------------------------------------

PROBLEMS: list[tuple[str, str, str | None, int, dict[str, str], str]] = [
    # method, path, token, status, headers that must be there, detail
    ("GET", "/v1/events?limit=0", OPERATOR, 400, {}, "limit: must be a number from 1 to 1000"),
    ("GET", "/v1/events", None, 401, {"www-authenticate": "Bearer"}, "A bearer token is needed."),
    ("GET", "/v1/events", "reader", 403, {}, "This token lacks the scope events."),
    ("GET", "/v1/nothing", OPERATOR, 404, {}, "Not Found"),
    ("GET", "/v1/deliveries/x", OPERATOR, 404, {}, "There is no such delivery."),
    ("GET", "/v1/events/", OPERATOR, 404, {}, "Not Found"),
    ("POST", "/webhooks/shipx/a/b", None, 404, {}, "Not Found"),
    ("GET", "/schemas/nothing.json", None, 404, {}, "There is no such event type."),
    ("POST", "/v1/events", OPERATOR, 405, {}, "Method Not Allowed"),
    ("GET", "/v1/deliveries/x/replay", OPERATOR, 405, {}, "Method Not Allowed"),
    ("DELETE", "/livez", None, 405, {}, "Method Not Allowed"),
]
KINDS = {
    400: ("bad-request", "Bad Request"),
    401: ("unauthorized", "Unauthorized"),
    403: ("forbidden", "Forbidden"),
    404: ("not-found", "Not Found"),
    405: ("method-not-allowed", "Method Not Allowed"),
}


@pytest.mark.parametrize(
    ("method", "path", "token", "status", "headers", "detail"), PROBLEMS, ids=[f"{row[0]} {row[1]}" for row in PROBLEMS]
)
async def test_a_refusal_is_a_problem_document(
    tmp_path: Path, method: str, path: str, token: str | None, status: int, headers: dict[str, str], detail: str
) -> None:
    async with Stage(tmp_path, clients=[client_of("reader", ["read"])]) as stage:
        response = await stage.ask(method, path, token=token)
        kind, title = KINDS[status]
        body = response.json()
        errors = body.pop("errors", None)
        assert body == {"type": f"/problems/{kind}", "title": title, "status": status, "detail": detail}
        assert (errors is not None) == (status == 400)
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert headers.items() <= dict(response.headers).items()
        assert ("allow" in response.headers) == (status == 405)


def test_a_problem_with_fields_names_each() -> None:
    problem = Problem(UNPROCESSABLE, "Two fields.", [FieldError("sender.phone", "invalid_format", "is no number")])
    assert json.loads(bytes(problem.response().body)) == {
        "type": "/problems/unprocessable",
        "title": HTTPStatus(422).phrase,
        "status": 422,
        "detail": "Two fields.",
        "errors": [{"field": "sender.phone", "code": "invalid_format", "message": "is no number"}],
    }


AUTHORIZATIONS = [
    # header, status, remark
    (f"Bearer {OPERATOR}", 200, "as it should be"),
    (f"bearer {OPERATOR}", 200, "the scheme in lower case"),
    (f"Bearer  {OPERATOR} ", 200, "spaces"),
    (f"Basic {OPERATOR}", 401, "another scheme"),
    (OPERATOR, 401, "no scheme"),
    ("Bearer", 401, "no token"),
    ("Bearer ", 401, "an empty token"),
    (f"Bearer {OPERATOR}x", 401, "a longer token"),
    (f"Bearer {OPERATOR[:-1]}", 401, "a shorter token"),
]


@pytest.mark.parametrize(("header", "status", "remark"), AUTHORIZATIONS, ids=[row[-1] for row in AUTHORIZATIONS])
async def test_a_token_is_right_or_nobody_is_there(tmp_path: Path, header: str, status: int, remark: str) -> None:
    async with Stage(tmp_path) as stage:
        response = await stage.ask("GET", "/v1/events", headers=[("authorization", header)])
        assert response.status_code == status, remark


async def test_a_database_that_is_away_is_a_503_with_words(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        stage.change("ALTER TABLE events RENAME TO elsewhere")
        response = await stage.ask("GET", "/v1/events", token=OPERATOR)
        assert (response.status_code, response.headers["retry-after"]) == (503, "5")
        assert response.json() == {
            "type": "/problems/unavailable",
            "title": "Service Unavailable",
            "status": 503,
            "detail": "The database cannot be reached.",
        }


# --- probes -----------------------------------------------------------------------------------------------------------

HEALTH: list[tuple[Health, int, dict[str, Any], str]] = [
    # what is known, status, what the body says, remark
    (Health(), 200, {}, "nothing is wrong"),
    (Health(loops={"worker": True}), 200, {"loops": {"worker": "running"}}, "loops run"),
    (
        Health(loops={"worker": False, "relay": True}),
        503,
        {"ready": False, "loops": {"worker": "ended", "relay": "running"}},
        "a loop has ended",
    ),
    (Health(problems=("database: gone",)), 503, {"ready": False, "problems": ["database: gone"]}, "no database"),
    (
        Health(degraded={"broker": SINCE}),
        200,
        {"degraded": {"broker": {"since": "2026-11-20T12:00:00Z"}}},
        "a broker never fails it",
    ),
    (Health(warnings=("look at this",)), 200, {"warnings": ["look at this"]}, "advice never fails it"),
]


def operations(health: Health, *, broken: bool = False) -> Operations:
    async def told_health() -> Health:
        return health

    async def measure() -> None:
        if broken:
            raise StoreUnavailable("gone")

    return Operations(Metrics(), told_health, measure)


@pytest.mark.parametrize(("health", "status", "says", "remark"), HEALTH, ids=[row[-1] for row in HEALTH])
async def test_ready_means_that_the_roles_can_work(
    health: Health, status: int, says: dict[str, Any], remark: str
) -> None:
    answer = await asked(operations(health), "/readyz")
    plain = {"ready": True, "problems": [], "loops": {}, "degraded": {}, "warnings": []}
    assert (answer.status_code, answer.json()) == (status, plain | says), remark


async def asked(found: Operations, path: str) -> httpx.Response:
    app = Starlette(routes=[*found.routes()])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://bridge") as client:
        return await client.get(path)


async def test_alive_needs_nothing() -> None:
    answer = await asked(operations(Health(problems=("everything",)), broken=True), "/livez")
    assert (answer.status_code, answer.json()) == (200, {"alive": True})


NAMES = {
    "bridge_deliveries_total",
    "bridge_ack_seconds",
    "bridge_inbox_pending",
    "bridge_inbox_oldest_seconds",
    "bridge_outbox_pending",
    "bridge_outbox_oldest_seconds",
    "bridge_events_published_total",
    "bridge_unrouted_messages",
    "bridge_dead_messages",
    "bridge_purchases_total",
    "bridge_purchase_seconds_left",
    "bridge_carrier_request_seconds",
    "bridge_parked_total",
}
"""Those of the contract's names (section 6) that stand for something this version does."""


async def test_metrics_have_the_names_that_alerts_rely_on() -> None:
    answer = await asked(operations(Health()), "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; ")
    found = {line.split()[2] for line in answer.text.splitlines() if line.startswith("# TYPE")}
    assert found >= NAMES


async def test_metrics_come_also_while_the_database_is_away() -> None:
    answer = await asked(operations(Health(), broken=True), "/metrics")
    assert answer.status_code == 200
    assert "bridge_inbox_pending 0.0" in answer.text


async def test_metrics_measure_what_waits(tmp_path: Path) -> None:
    async with Stage(tmp_path) as stage:
        await stage.post(told())
        text = (await stage.ask("GET", "/metrics")).text
        assert "bridge_inbox_pending 1.0" in text
        await stage.project()
        text = (await stage.ask("GET", "/metrics")).text
        assert "bridge_inbox_pending 0.0" in text
        assert 'bridge_deliveries_total{event="shipment_status_changed",outcome="accepted",source="shipx"} 1.0' in text


# --- the log ----------------------------------------------------------------------------------------------------------

LINES: list[tuple[str, str, list[dict[str, object]], str]] = [
    # method, path, lines, remark
    ("GET", "/v1/events?after=MS4w", [{"method": "GET", "route": "/v1/events", "status": 200}], "by route"),
    ("GET", "/v1/deliveries/abc", [{"method": "GET", "route": "/v1/deliveries/{id}", "status": 404}], "ids stay out"),
    ("GET", f"/v1/{SECRET}", [{"method": "GET", "route": "unknown", "status": 404}], "what was made up stays out"),
    ("GET", f"//webhooks/shipx/{SECRET}", [{"method": "GET", "route": "unknown", "status": 404}], "nearly a webhook"),
    ("GET", f"/webhooks/shipx/{SECRET}", [], "the receiver writes its own"),
    ("GET", "/livez", [], "probes say nothing new"),
]


@pytest.mark.parametrize(("method", "path", "lines", "remark"), LINES, ids=[row[-1] for row in LINES])
async def test_a_request_is_one_line_without_what_was_in_its_path(
    tmp_path: Path, method: str, path: str, lines: list[dict[str, object]], remark: str
) -> None:
    async with Stage(tmp_path) as stage:
        with capture_logs() as found:
            await stage.ask(method, f"http://bridge{path}", token=OPERATOR)
        told_lines = [{key: line[key] for key in ("method", "route", "status")} for line in found]
        assert told_lines == lines, remark
        assert SECRET not in repr(found)
        assert OPERATOR not in repr(found)
