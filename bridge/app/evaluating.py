"""Evaluating: what the policy would choose, whoever asks."""

from __future__ import annotations

from functools import partial

from bridge.app.policy import read_policy
from bridge.app.shared import Shared
from bridge.app.stores import Stores
from bridge.carriers.shipx import shipment as shipments
from bridge.purchasing.evaluation import Evaluator
from bridge.store.evaluable import SqlEvaluable


def make_evaluation(shared: Shared, stores: Stores) -> Evaluator:
    """Make it, over the policy's file as it is whenever somebody asks."""
    return Evaluator(
        SqlEvaluable(stores.database),
        policy=partial(read_policy, shared.settings),
        read=shipments.read,
        faults=shipments.faults,
        clock=shared.clock,
    )
