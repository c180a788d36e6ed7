from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from .stage import Stage


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    """The plain scenario: a prepaid account with 100.00, a postpaid one, and no journeys."""
    async with Stage() as stage:
        yield stage
