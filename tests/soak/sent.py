"""What goes over a connection, and where it is aimed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.soak.rules import Place

PATIENCE_S: Final = 60.0
"""Longer than anything the bridge waits for: who is not answered by then is answered never."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What a stranger knows of a bridge: an organization's secret, an operator's token, and which routes there are."""

    secret: str
    organization: int
    token: str
    routes: Sequence[tuple[str, str]]
    """Method and path, with its parameters in braces."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Bytes in pieces, and how many answers are waited for, how long; with none, the stranger leaves."""

    place: Place
    pieces: tuple[bytes, ...]
    pause_s: float = 0.0
    answers: int = 1
    patience_s: float = PATIENCE_S
    has_bodies: bool = True
    """Whether answers are followed by their bodies: those to HEAD are not."""
