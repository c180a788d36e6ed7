"""How every rival is served: one uvicorn process with uvloop and httptools, no access log."""

from __future__ import annotations

import asyncio
from typing import Any

import uvicorn
import uvloop


def serve(app: Any, port: int) -> None:
    """Serve until killed."""
    config = uvicorn.Config(app, port=port, log_level="warning", access_log=False)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(uvicorn.Server(config).serve())
