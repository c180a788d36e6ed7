"""Tokens: for those who show a secret, and not for long."""

from __future__ import annotations

import pytest

from ..shapes import differences
from ..stage import as_object
from .conftest import Opened
from .counter import TOKEN, Counter, sample


async def test_a_token_has_the_shape_of_the_page(counter: Counter) -> None:
    assert not list(differences(sample("token"), as_object(await counter.token())))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"client_secret": "wrong"}, (401, "invalid_client")),
        ({"client_id": "nobody"}, (401, "invalid_client")),
        ({"grant_type": "password"}, (400, "unsupported_grant_type")),
        ({"grant_type": ""}, (400, "invalid_request")),
    ],
)
async def test_others_get_none(counter: Counter, changes: dict[str, str], expected: tuple[int, str]) -> None:
    answer = await counter.token(**changes)
    assert (answer.status_code, as_object(answer)["error"]) == expected


async def test_a_body_that_is_no_form_has_no_fields(counter: Counter) -> None:
    answer = await counter.stage.client.post(TOKEN, json={"grant_type": "client_credentials"})
    assert answer.status_code == 400


async def test_a_token_is_good_until_it_expires(counter: Counter) -> None:
    await counter.stage.advance(299)
    assert (await counter.ask()).status_code == 200
    await counter.stage.advance(1)
    assert (await counter.ask()).status_code == 401
    await counter.entered()
    assert (await counter.ask()).status_code == 200


async def test_tokens_can_be_taken_back(counter: Counter) -> None:
    await counter.stage.client.delete("/_control/inpost-returns/tokens")
    refused = await counter.create()
    assert (refused.status_code, refused.headers["www-authenticate"]) == (401, 'Bearer error="invalid_token"')


async def test_an_account_without_permission_is_told_so(opened: Opened) -> None:
    counter = await opened({"permitted": False})
    assert (await counter.create()).status_code == 403
    assert (await counter.ask()).status_code == 403
