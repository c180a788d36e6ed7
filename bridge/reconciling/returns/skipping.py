"""A round that a provider does not let through ends, and harms nothing: what was due is due in the next one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from bridge.errors import CarrierRefused, CarrierUnavailable

log = structlog.get_logger()


@contextmanager
def skipping(connection: str, what: str) -> Iterator[None]:
    """End what is asked where there is no answer, or a no."""
    try:
        yield
    except CarrierUnavailable as error:
        log.info("returns.skipped", connection=connection, round=what, reason=str(error))
    except CarrierRefused as error:
        log.warning("returns.refused", connection=connection, round=what, key=error.key, status=error.status)
