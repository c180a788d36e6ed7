"""A client of the returns provider, with a token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ..stage import Stage, scenario
from .counter import ACCOUNT, Counter

Opened = Callable[..., Awaitable[Counter]]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Open a counter with other terms of the account (`account`) or of the provider."""
    async with AsyncExitStack() as stack:

        async def open_(account: dict[str, Any] | None = None, **terms: Any) -> Counter:
            accounts = [{**ACCOUNT, **(account or {})}, {**ACCOUNT, "client_id": "other"}]
            stage = await stack.enter_async_context(Stage(scenario(inpost_returns={"accounts": accounts, **terms})))
            return await Counter(stage).entered()

        yield open_


@pytest.fixture
async def counter(opened: Opened) -> Counter:
    """The plain account: codes, no labels."""
    return await opened()
