"""What is measured, one file each: a function of the stage that gives rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from tests.bench.measures import accepts, buying, crowd, history, messages, outage, purchases, replicas, start, steady
from tests.bench.row import Row
from tests.bench.stage import Stage

Measure = Callable[[Stage], list[Row]]
MEASURES: Final[Mapping[str, Measure]] = {
    "accepts": accepts.measure,
    "messages": messages.measure,
    "steady": steady.measure,
    "replicas": replicas.measure,
    "start": start.measure,
    "purchases": purchases.measure,
    "buying": buying.measure,
    "crowd": crowd.measure,
    "history": history.measure,
    "outage": outage.measure,
}
"""In the order in which they are taken: what takes longest comes last."""
