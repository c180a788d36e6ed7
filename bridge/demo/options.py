"""What the demo can be asked for, and what went wrong when it could not do it."""

from __future__ import annotations

from dataclasses import dataclass

from bridge.errors import BridgeError


@dataclass(frozen=True, slots=True)
class Options:
    """`once` ends after the scenario; `broker` shows a real RabbitMQ consumer; `as_json` writes one object a line.

    `faults` lets things go wrong at the carrier; what does, and what becomes of the parcels, follows from `seed`.
    """

    once: bool = False
    shipments: int = 12
    broker: bool = False
    as_json: bool = False
    faults: bool = False
    seed: int = 0


class DemoFailed(BridgeError):
    """The demo could not go on; says why, with the end of the log of whoever it was."""
