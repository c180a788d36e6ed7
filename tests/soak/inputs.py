"""A bad input by its number: the same seed and number make the same bytes, so that it can be had again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Final

from tests.soak import requests, wire
from tests.soak.sent import Sent, Targets


@dataclass(frozen=True, slots=True)
class Input:
    """What is sent, and what kind it is of."""

    number: int
    kind: str
    sent: Sent


def make(seed: int, number: int, targets: Targets) -> Input:
    """Make the input of this number."""
    random = Random(f"{seed}/{number}")
    kind = random.choices(list(KINDS), _WEIGHTS)[0]
    return Input(number, kind, KINDS[kind](random, targets))


KINDS: Final[dict[str, Callable[[Random, Targets], Sent]]] = {
    "body": requests.post,
    "headers": requests.odd_headers,
    "chunked": requests.chunked,
    "method": requests.odd_method,
    "secret": requests.wrong_secret,
    "api": requests.api,
    "path": requests.odd_path,
    "oversized": requests.oversized,
    "slow": requests.slow,
    "half": wire.half,
    "pipeline": wire.pipeline,
    "garbage": wire.garbage,
    "malformed": wire.malformed,
}
_WEIGHTS: Final = (600, 60, 40, 30, 60, 110, 30, 2, 2, 20, 10, 16, 20)
