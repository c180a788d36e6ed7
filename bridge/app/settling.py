"""Settling: what becomes of returns that nobody knows of, by asking their providers or by a person's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bridge.app.returning import Returns
from bridge.app.shared import Shared
from bridge.reconciling.reconciler import Round
from bridge.shipping.returns.doubting.settling import Settling

_EVERY_S: Final = 15.0
"""How often it is seen whether one is to be looked for."""


def settling_rounds(shared: Shared, returns: Returns) -> Mapping[str, Sequence[Round]]:
    """Say what is done for every connection that makes returns."""
    makers = returns.desk.makers
    rounds = {name: Settling(name, maker, returns.doubts, shared.stop) for name, maker in makers.items()}
    return {name: (Round("doubtful_returns", _EVERY_S, one.look),) for name, one in rounds.items()}
