"""How every rival is served, and what it says of itself: as much as the bridge does, and in the same way.

One uvicorn process with uvloop and httptools, without its access log; instead a line and two metrics for each webhook.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import structlog
import uvicorn
import uvloop

from bridge.observability import Metrics, configure_logging

log = structlog.get_logger()

_METRICS: Final = Metrics()
_SECONDS: Final = _METRICS.ack_seconds
_ACCEPTED: Final = _METRICS.deliveries


@contextmanager
def told(event: str) -> Iterator[None]:
    """Log and count a webhook once it is taken."""
    began = time.perf_counter()
    yield
    _SECONDS.observe(time.perf_counter() - began)
    _ACCEPTED.labels("shipx", event, "accepted").inc()
    log.info("webhook.received", outcome="accepted", kind=event)


def serve(app: Any, port: int) -> None:
    """Serve until killed."""
    configure_logging()
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())
