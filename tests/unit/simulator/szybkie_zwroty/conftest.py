"""A shop's login, and the same with other terms."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Any

import pytest

from ..stage import Stage, scenario
from .hatch import ACCOUNT, Hatch

Opened = Callable[..., Awaitable[Hatch]]


@pytest.fixture
async def opened() -> AsyncIterator[Opened]:
    """Open a hatch with other terms of the provider."""
    async with AsyncExitStack() as stack:

        async def open_(**terms: Any) -> Hatch:
            accounts = [ACCOUNT, {**ACCOUNT, "email": "b@example.com"}, {**ACCOUNT, "email": "off", "enabled": False}]
            stage = await stack.enter_async_context(Stage(scenario(szybkie_zwroty={"accounts": accounts, **terms})))
            return Hatch(stage)

        yield open_


@pytest.fixture
async def hatch(opened: Opened) -> Hatch:
    return await opened()
