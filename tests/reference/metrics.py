"""docs/reference/metrics.md: every metric, read off the object that holds them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from prometheus_client.metrics import MetricWrapperBase

from bridge.observability import Metrics
from tests.reference.markdown import code, table

_INTRODUCTION = """\
# Metrics

<!-- Written by `python -m tests.drift --write`; change bridge/observability.py instead. -->

At `GET /metrics`, in Prometheus' text format. A histogram's name is followed by `_bucket`, `_sum` or `_count` there.

"""


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric, by the name that queries use."""

    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def every() -> list[Metric]:
    """Give every metric, in the order of their names."""
    return sorted(_found(), key=lambda metric: metric.name)


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
