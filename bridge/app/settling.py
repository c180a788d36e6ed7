"""Settling: what becomes of returns that nobody knows of, by asking their providers or by a person's word."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.reconciling.reconciler import Round
from bridge.shipping.returns.desk import Desk
from bridge.shipping.returns.doubts import Doubts
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.settling import Settling

_EVERY_S: Final = 15.0
"""How often it is seen whether one is to be looked for."""


def make_doubts(shared: Shared, stores: Stores, keeping: Keeping) -> Doubts:
    """Make what keeps doubts about returns, and ends them."""
    return Doubts(stores.database, stores.vault, keeping, shared.clock)


def settling_rounds(shared: Shared, stores: Stores, returns: tuple[Desk, Keeping]) -> Mapping[str, Sequence[Round]]:
    """Say what is done for every connection that makes returns."""
    desk, keeping = returns
    doubts = make_doubts(shared, stores, keeping)
    rounds = {name: Settling(name, maker, doubts, shared.stop) for name, maker in desk.makers.items()}
    return {name: (Round("doubtful_returns", _EVERY_S, one.look),) for name, one in rounds.items()}
