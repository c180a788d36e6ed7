"""Every provider of returns in turn, on its stage."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest

from tests.contract.returns.providers import PROVIDERS, Opened
from tests.contract.returns.stage import ProviderStage


@pytest.fixture(params=PROVIDERS.values(), ids=list(PROVIDERS))
def provider(request: pytest.FixtureRequest) -> type[ProviderStage]:
    """Each provider in turn."""
    found: type[ProviderStage] = request.param
    return found


@pytest.fixture
async def opened(provider: type[ProviderStage]) -> AsyncIterator[Opened]:
    """Open its stage with another account, secret or patience than the plain one."""
    async with AsyncExitStack() as stack:

        async def open_(*settings: Any, **more: Any) -> ProviderStage:
            return await stack.enter_async_context(provider(*settings, **more))

        yield open_


@pytest.fixture
async def stage(opened: Opened) -> ProviderStage:
    """The plain account."""
    return await opened()
