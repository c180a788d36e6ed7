"""A shop's login, and the same with other terms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ..stage import Stage, scenario
from .platform import ACCOUNT, Platform

Opened = Callable[..., Awaitable[Platform]]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Open a platform with other terms of the account (`account`) or of the provider."""
    async with AsyncExitStack() as stack:

        async def open_(account: dict[str, Any] | None = None, **terms: Any) -> Platform:
            accounts = [{**ACCOUNT, **(account or {})}, {**ACCOUNT, "login": "other"}]
            stage = await stack.enter_async_context(Stage(scenario(intelligentreturns={"accounts": accounts, **terms})))
            return Platform(stage)

        yield open_


@pytest.fixture
async def platform(opened: Opened) -> Platform:
    return await opened()
