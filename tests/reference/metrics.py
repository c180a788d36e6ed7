"""docs/reference/metrics.md: every metric, read off the object that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Final

from prometheus_client.metrics import MetricWrapperBase

from bridge.observability import Metrics
from tests.reference.markdown import code, table

_INTRODUCTION = """\
# Metrics

<!-- Written by `python -m tests.drift --write`; change bridge/observability.py instead. -->

At `GET /metrics`, in Prometheus' text format. A histogram's name is followed by `_bucket`, `_sum` or `_count` there.
What waits, what is open, how connections and webhooks do: every replica reads it off the same rows, so take the `max`.
Counters are each process's own, so take the `sum`.

"""
PROCESS: Final = {
    "bridge_process_cpu_seconds_total": ("counter", "Seconds of processor time"),
    "bridge_process_max_fds": ("gauge", "How many files and connections may be open"),
    "bridge_process_open_fds": ("gauge", "How many are"),
    "bridge_process_resident_memory_bytes": ("gauge", "Memory in use"),
    "bridge_process_start_time_seconds": ("gauge", "When the process started, in seconds since 1970"),
    "bridge_process_virtual_memory_bytes": ("gauge", "Memory that is set aside"),
}
"""What the library tells of the process; on Linux only, and so written down here."""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, by the name that queries use."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


@cache
def every() -> tuple[Metric, ...]:
    """Give every metric, in the order of their names."""
    process = (Metric(name, kind, (), f"{text} (Linux only)") for name, (kind, text) in PROCESS.items())
    return tuple(sorted([*_found(), *process], key=lambda metric: metric.name))


def page() -> str:
    """Write the page."""
    rows = [(code(one.name), one.kind, ", ".join(map(code, one.labels)), one.meaning) for one in every()]
    return _INTRODUCTION + table(("metric", "type", "labels", "meaning"), rows)


def _found() -> Iterator[Metric]:
    for value in vars(Metrics()).values():
        if isinstance(value, MetricWrapperBase):
            family = next(iter(value.describe()))
            ending = "_total" if family.type == "counter" else ""
            # Until it is used, a metric tells its labels to nobody but itself.
            yield Metric(family.name + ending, family.type, tuple(value._labelnames), family.documentation)
