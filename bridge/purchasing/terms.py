"""The terms on which an organization's purchases are made: values, from settings, that a judgement is given."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bridge.purchasing.policy import Policy
from bridge.store.budget import Caps

Mode = Literal["auto", "approve", "dry_run"]


@dataclass(frozen=True, slots=True)
class Terms:
    """`mode` is what is really done, after the safeguards; with `only_created`, `auto` is for our own shipments alone.

    `call_within` is the longest that one call to the carrier can take; `settle` the longest that its effect is hidden;
    `regenerations` how often the offers of one shipment are made anew.
    """

    mode: Mode
    policy: Policy
    caps: Caps
    settle: timedelta
    call_within: timedelta
    regenerations: int
    only_created: bool = False
