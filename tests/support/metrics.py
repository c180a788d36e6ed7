"""Metrics for whoever reads none: to make them takes as long as many a test."""

from __future__ import annotations

from typing import Final

from bridge.observability import Metrics

METRICS: Final = Metrics()
