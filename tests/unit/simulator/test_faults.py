"""Failures on request, and the record of calls."""

from __future__ import annotations

from typing import Any

import pytest

from .stage import PREPAID, Json, Stage, error_of


async def _fail(stage: Stage, **fault: Any) -> None:
    assert (await stage.client.post("/_control/faults", json=fault)).status_code == 200


async def test_a_lost_answer_hides_a_purchase_that_happened(stage: Stage) -> None:
    shipment = await stage.prepared()
    await _fail(stage, kind="lost", method="POST", path="/v1/shipments/*/buy")
    answer = await stage.buy(shipment)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "text/html; charset=utf-8")
    await stage.advance(1)
    assert len(await stage.charges()) == 1


@pytest.mark.parametrize(("kind", "status", "retry_after"), [("unavailable", 503, None), ("limited", 429, "1")])
async def test_other_failures_keep_the_call_from_the_carrier(
    stage: Stage, kind: str, status: int, retry_after: str | None
) -> None:
    shipment = await stage.prepared()
    await _fail(stage, kind=kind, method="POST")
    answer = await stage.buy(shipment)
    assert (answer.status_code, answer.headers.get("retry-after")) == (status, retry_after)
    await stage.advance(60)
    assert await stage.charges() == []


async def test_a_failure_is_used_up(stage: Stage) -> None:
    await _fail(stage, kind="unavailable", path="/v1/organizations*", times=2)
    statuses = [(await stage.client.get("/v1/organizations")).status_code for _ in range(3)]
    assert (statuses, await stage.control("faults")) == ([503, 503, 200], {"items": []})


async def test_failures_can_be_called_off(stage: Stage) -> None:
    await _fail(stage, kind="unavailable", times=1000)
    assert (await stage.client.delete("/_control/faults")).json() == {"items": []}
    assert (await stage.client.get(f"/v1/organizations/{PREPAID}")).status_code == 200


@pytest.mark.parametrize("fault", [{}, {"kind": "flood"}, {"kind": "lost", "times": 0}, {"kind": "lost", "x": 1}])
async def test_an_unknown_failure_is_refused(stage: Stage, fault: Json) -> None:
    assert error_of(await stage.client.post("/_control/faults", json=fault)) == (400, "validation_failed")


async def test_every_call_is_recorded_with_its_answer(stage: Stage) -> None:
    shipment = await stage.prepared()
    await _fail(stage, kind="limited", method="POST")
    await stage.buy(shipment)
    await stage.buy(shipment)
    seen = [(one["method"], one["status"], one["fault"]) for one in (await stage.control("calls?after=2"))["items"]]
    assert seen == [("POST", 429, "limited"), ("POST", 200, None)]
