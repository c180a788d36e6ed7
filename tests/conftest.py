"""What every test may use."""

from __future__ import annotations

import logging

import structlog
from hypothesis import settings

settings.register_profile(
    "bridge", deadline=None
)  # how long an example takes says more of the machine than of the code
settings.load_profile("bridge")

structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
)  # as it comes, an exception is told with every local of every frame, and takes longer than most tests

pytest_plugins = ["tests.collecting", "tests.nodes"]
