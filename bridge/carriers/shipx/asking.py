"""Who asks ShipX for one organization: see `bridge.carriers.asking`."""

from __future__ import annotations

from typing import TypeAlias

from bridge.carriers import asking
from bridge.carriers.shipx.calls import Call

Asker: TypeAlias = asking.Asker[Call]
