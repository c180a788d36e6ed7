"""The doctor asks each provider of returns something as its account, and says what to do where that is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from bridge.simulator import Scenario, create_app
from tests.unit.shipping.returning import SCENARIO
from tests.unit.simulator.stage import SCENARIO as CARRIER
from tests.unit.test_doctor import environ, found, looked_at

HOST = "http://127.0.0.1:9"
RETURNS = {
    "BRIDGE_INPOST_RETURNS__BASE_URL": f"{HOST}/inpost-returns",
    "BRIDGE_INPOST_RETURNS__TOKEN_URL": f"{HOST}/inpost-returns/auth/realms/external/protocol/openid-connect/token",
    "BRIDGE_INPOST_RETURNS__CLIENT_ID": "shop",
    "BRIDGE_INPOST_RETURNS__CLIENT_SECRET": "secret",
    "BRIDGE_SZYBKIE_ZWROTY__BASE_URL": f"{HOST}/szybkie-zwroty",
    "BRIDGE_SZYBKIE_ZWROTY__EMAIL": "shop@example.com",
    "BRIDGE_SZYBKIE_ZWROTY__PASSWORD": "secret",
    "BRIDGE_INTELLIGENTRETURNS__BASE_URL": f"{HOST}/intelligentreturns",
    "BRIDGE_INTELLIGENTRETURNS__LOGIN": "shop",
    "BRIDGE_INTELLIGENTRETURNS__API_KEY": "secret",
}
SECRETS = {
    "inpost_returns": "BRIDGE_INPOST_RETURNS__CLIENT_SECRET",
    "szybkie_zwroty": "BRIDGE_SZYBKIE_ZWROTY__PASSWORD",
    "intelligentreturns": "BRIDGE_INTELLIGENTRETURNS__API_KEY",
}


@pytest.fixture
def providers(httpx_mock: HTTPXMock) -> None:
    """Let the stand-in providers answer."""
    answering(httpx_mock)


def answering(httpx_mock: HTTPXMock, **scenario: Any) -> None:
    """Let the stand-in providers answer in a scenario."""
    written = {**CARRIER, **SCENARIO, **scenario}
    inner = httpx.ASGITransport(create_app(Scenario.model_validate(written)))

    async def answer(request: httpx.Request) -> httpx.Response:
        found = await inner.handle_async_request(request)
        return httpx.Response(found.status_code, headers=found.headers, content=await found.aread())

    httpx_mock.add_callback(answer, is_reusable=True)


@pytest.mark.usefixtures("providers")
@pytest.mark.parametrize("provider", SECRETS)
async def test_credentials_that_are_taken_are_fine_and_others_are_named(tmp_path: Path, provider: str) -> None:
    right = found(await looked_at(environ(tmp_path, **RETURNS)), f"carrier/{provider}")
    assert (right.state, right.told) == ("ok", "the provider takes the credentials")
    wrong = await looked_at(environ(tmp_path, **RETURNS | {SECRETS[provider]: "not-the-secret"}))
    check = found(wrong, f"carrier/{provider}")
    assert check.state == "failed"
    assert f"BRIDGE_{provider.upper()}__" in (check.do or "")
    assert "not-the-secret" not in str(wrong)


async def test_a_report_is_asked_for_in_the_form_that_is_set(tmp_path: Path, httpx_mock: HTTPXMock) -> None:
    answering(httpx_mock, szybkie_zwroty={**SCENARIO["szybkie_zwroty"], "sections": "nested"})
    for form, state in (("nested", "ok"), ("siblings", "failed")):
        report = await looked_at(environ(tmp_path, **RETURNS, BRIDGE_SZYBKIE_ZWROTY__REPORT_FORM=form))
        assert found(report, "carrier/szybkie_zwroty").state == state


async def test_a_provider_that_is_away_is_said_to_be(tmp_path: Path, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_exception(httpx.ConnectError("no"), is_reusable=True)
    report = await looked_at(environ(tmp_path, **RETURNS))
    for provider in SECRETS:
        check = found(report, f"carrier/{provider}")
        assert (check.state, "no usable answer" in check.told) == ("failed", True)
        assert f"BRIDGE_{provider.upper()}__BASE_URL" in (check.do or "")


async def test_a_rule_that_leads_to_nobody_who_is_set_up_is_named(tmp_path: Path) -> None:
    codes = {key: value for key, value in RETURNS.items() if "SZYBKIE_ZWROTY" in key}
    rules = [
        '[[returns.routes]]\nproviders = ["intelligentreturns", "szybkie_zwroty"]\n',
        '[[returns.routes]]\ncountries = ["DE"]\nproviders = ["intelligentreturns"]\n',
    ]
    for written, expected in (
        (rules[:1], ("ok", "every rule leads to a provider that is set up")),
        (rules, ("warning", "rules that lead to no provider that is set up: 2 (intelligentreturns)")),
    ):
        (tmp_path / "bridge.toml").write_text("".join(written))
        report = await looked_at(environ(tmp_path, **codes, BRIDGE_CONFIG=str(tmp_path / "bridge.toml")))
        check = found(report, "returns")
        assert (check.state, check.told) == expected
    without = await looked_at(environ(tmp_path, **codes))
    assert [check for check in without.checks if check.name == "returns"] == []
