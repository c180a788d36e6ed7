"""Access tokens: when one is fetched, for whom, and what becomes of those who wait for it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import parse_qs

import httpx
import pytest
from pydantic import SecretStr

from bridge.carriers.inpost_returns.tokens import Credentials, Token, Tokens
from bridge.errors import CarrierUnavailable
from bridge.limits.connection import Purpose
from bridge.observability import Metrics
from tests.support.permits import FreePermits

from .stage import NOW, REFUSED, SECRET, TICKET, TOKEN_URL, UNUSABLE, Stage, failed, refused, sample


class Login(httpx.AsyncBaseTransport):
    """Gives out tokens, each after a moment that the test decides on; some of them fail."""

    def __init__(self, *failing: int) -> None:
        self.asked = 0
        self.may_answer = asyncio.Event()
        self._failing = failing

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.asked += 1
        number = self.asked
        await self.may_answer.wait()
        if number in self._failing:
            return httpx.Response(503)
        return httpx.Response(200, json=sample("token") | {"access_token": f"token-{number}"})


def tokens_on(login: Login) -> Tokens:
    return Tokens(
        httpx.AsyncClient(transport=login, timeout=10),
        token_url=TOKEN_URL,
        credentials=Credentials("merchant", SecretStr(SECRET)),
        permits=FreePermits(),
        metrics=Metrics(),
        clock=lambda: NOW,
    )


async def outcome(getting: asyncio.Task[Token]) -> str:
    try:
        return (await getting).value.get_secret_value()
    except CarrierUnavailable as error:
        return str(error)


async def waiting(tokens: Tokens, count: int) -> list[asyncio.Task[Token]]:
    tasks = [asyncio.create_task(tokens.current(Purpose.create)) for _ in range(count)]
    for _ in range(20):
        await asyncio.sleep(0)
    return tasks


async def test_it_is_asked_for_by_a_form_with_everything_escaped(stage: Stage) -> None:
    stage.tokens("first")
    stage.mock.add_response(status_code=404)
    await refused(stage.client.label(TICKET))
    [request, _] = stage.mock.get_requests()
    assert (request.method, str(request.url)) == ("POST", TOKEN_URL)
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "authorization" not in request.headers
    assert parse_qs(request.content.decode("ascii"), strict_parsing=True) == {
        "client_id": ["merchant"],
        "client_secret": [SECRET],
        "grant_type": ["client_credentials"],
    }


@pytest.mark.parametrize(
    ("expires_in", "seconds", "fetched"),
    [
        pytest.param(300, 239, 1, id="long before its end"),
        pytest.param(300, 240, 2, id="a minute before its end"),
        pytest.param(60, 29, 1, id="a short one: half of its time"),
        pytest.param(60, 30, 2, id="a short one: renewed at half of its time"),
        pytest.param(0, 0, 2, id="one that ends at once is used once"),
    ],
)
async def test_it_is_kept_until_shortly_before_its_end(
    expires_in: int, seconds: int, fetched: int, stage: Stage
) -> None:
    stage.tokens(*[f"token-{number}" for number in range(fetched)], expires_in=expires_in)
    stage.mock.add_response(status_code=404, is_reusable=True)
    await refused(stage.client.label(TICKET))
    stage.now = NOW + timedelta(seconds=seconds)
    await refused(stage.client.label(TICKET))
    assert (stage.fetched(), stage.used()[-1]) == (fetched, f"token-{fetched - 1}")


async def test_those_who_come_at_once_share_one_fetch() -> None:
    login = Login()
    tokens = tokens_on(login)
    getting = await waiting(tokens, 5)
    login.may_answer.set()
    assert ([await outcome(one) for one in getting], login.asked) == (["token-1"] * 5, 1)


async def test_those_who_waited_for_a_fetch_share_its_failure_and_the_next_one_tries_again() -> None:
    login = Login(1)
    tokens = tokens_on(login)
    getting = await waiting(tokens, 5)
    login.may_answer.set()
    assert ([await outcome(one) for one in getting], login.asked) == (["not_now (503)"] * 5, 1)
    assert ((await tokens.current(Purpose.read)).value.get_secret_value(), login.asked) == ("token-2", 2)


async def test_one_who_goes_away_while_fetching_leaves_it_to_the_next() -> None:
    login = Login()
    tokens = tokens_on(login)
    first, second = await waiting(tokens, 2)
    first.cancel()
    login.may_answer.set()
    with pytest.raises(asyncio.CancelledError):
        await first
    assert (await outcome(second), login.asked) == ("token-2", 2)


async def test_those_whose_token_was_refused_share_one_renewal() -> None:
    login = Login()
    login.may_answer.set()
    tokens = tokens_on(login)
    old = await tokens.current(Purpose.read)
    renewed = await asyncio.gather(*(tokens.renewed(old, Purpose.read) for _ in range(3)))
    assert ({one.value.get_secret_value() for one in renewed}, login.asked) == ({"token-2"}, 2)


@pytest.mark.parametrize(
    ("status", "body", "told"),
    [
        pytest.param(401, sample("error_token"), "invalid_client (401)", id="a wrong secret, as the RFC has it"),
        pytest.param(400, {"error": "unauthorized_client"}, "unauthorized_client (400)", id="no client of this kind"),
        pytest.param(403, {}, "other (403)", id="no word at all"),
    ],
)
async def test_a_refused_login_is_a_refusal_and_the_connection_shows_it(
    status: int, body: object, told: str, stage: Stage
) -> None:
    stage.mock.add_response(url=TOKEN_URL, status_code=status, json=body)
    assert str(await refused(stage.client.label(TICKET))) == told
    assert (stage.permits.outcomes, stage.asked()) == ([REFUSED], [])


@pytest.mark.parametrize(
    ("status", "body"),
    [
        pytest.param(400, {"error": "secret s3cr3t"}, id="a word that is not the RFC's"),
        pytest.param(404, {"error": "Realm does not exist"}, id="a wrong address"),
    ],
)
async def test_a_no_that_may_be_about_the_address_says_nothing_of_who_we_are(
    status: int, body: object, stage: Stage
) -> None:
    stage.mock.add_response(url=TOKEN_URL, status_code=status, json=body)
    assert await failed(stage.client.label(TICKET)) == f"no_login ({status})"
    assert stage.permits.outcomes == [UNUSABLE]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="no token"),
        pytest.param({"access_token": "", "expires_in": 300}, id="an empty one"),
        pytest.param({"access_token": "a\r\nX-Evil: 1", "expires_in": 300}, id="one that would be another header"),
        pytest.param({"access_token": "a b", "expires_in": 300}, id="one that is none"),
        pytest.param({"access_token": "x" * 16_385, "expires_in": 300}, id="a huge one"),
        pytest.param({"access_token": "a", "expires_in": -1}, id="one that ended"),
        pytest.param({"access_token": "a", "expires_in": 10**9}, id="one for ever"),
        pytest.param([], id="no object"),
    ],
)
async def test_what_is_no_token_is_no_answer(body: object, stage: Stage) -> None:
    stage.mock.add_response(url=TOKEN_URL, json=body)
    assert await failed(stage.client.label(TICKET)) == "unreadable_answer (200)"
    assert stage.permits.outcomes == [UNUSABLE]


async def test_it_shows_itself_nowhere(stage: Stage) -> None:
    login = Login()
    login.may_answer.set()
    tokens = tokens_on(login)
    shown = repr(await tokens.current(Purpose.read)) + repr(tokens.__dict__) + repr(tokens.held)
    assert not {"token-1", SECRET} & set(shown.split("'"))
