"""Faults as data: what can happen to calls, effects and notifications, and how often.

What a carrier's edge does with calls was observed (HTML pages with 200, 429 or 5xx, 2026-10); that answers get lost,
that reads lag behind, and how notifications come (order, repeats, gaps) is documented nowhere, so anything goes.
"""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import Annotated, Final, Literal, Self

from pydantic import Field, model_validator

from bridge.simulator.parts import Part, Share, Span

CallKind = Literal[
    "slow", "late", "hidden", "limited", "unavailable", "failed", "dropped", "lost", "crashed", "hung_up", "cut", "page"
]
"""What can happen to a call.

    with the real answer       slow         the answer takes its time
                               late         the call itself takes it
                               hidden       reads go on showing the shipment as it was
    never reaching the carrier limited      429 with `Retry-After`, a page
                               unavailable  503, a page
                               failed       500, an error envelope
                               dropped      no answer: the connection is closed
    done, but not confirmed    lost         502, a page
                               crashed      500, an error envelope
                               hung_up      no answer: the connection is closed
                               cut          half of the body
                               page         200, a page
"""
FileKind = Literal["unready", "garbled"]
"""What can happen to a call for a file besides.

    never reaching the carrier unready      400, `label_generation_failed` without details
    done, but not confirmed    garbled      a body that does not begin as its kind does
"""
NoticeKind = Literal["missing", "delayed", "reordered", "repeated", "burst"]
ShipmentKind = Literal["spoiled", "overwritten"]
Kind = CallKind | FileKind | NoticeKind | ShipmentKind

NEVER_REACH: Final[frozenset[Kind]] = frozenset({"limited", "unavailable", "failed", "unready", "dropped", "missing"})
"""What keeps a call from the carrier, or a notification from its receiver."""
SPANS: Final[dict[Kind, tuple[float, float]]] = {
    "slow": (0.5, 2.0),
    "late": (0.5, 2.0),
    "hidden": (1.0, 3.0),
    "limited": (1.0, 1.0),
}
"""How long a fault of a kind lasts where nothing is said; the other kinds have no length."""

Pattern = Annotated[str, Field(max_length=200)]


class CallFault(Part):
    """One kind of fault for calls whose method and path match; `*` in the path stands for anything."""

    kind: CallKind | FileKind
    method: Literal["*", "GET", "POST", "PUT", "DELETE"] = "*"
    path: Pattern = "*"
    seconds: Span | None = None

    @model_validator(mode="after")
    def _has_a_length(self) -> Self:
        if self.seconds is not None and self.kind not in SPANS:
            raise ValueError(f"only {', '.join(SPANS)} take seconds")
        return self

    def matches(self, method: str, path: str) -> bool:
        """Compare with one call."""
        return self.method in ("*", method) and fnmatchcase(path, self.path)

    @property
    def span(self) -> tuple[float, float] | None:
        """How long it lasts: at least and at most."""
        return self.seconds or SPANS.get(self.kind)


class NextCalls(CallFault):
    """A fault for the next `times` matching calls."""

    times: Annotated[int, Field(ge=1, le=1_000_000)] = 1


class ShareOfCalls(CallFault):
    """A fault for a share of the matching calls."""

    share: Share


class Odds(Part):
    """A fault for a share of what one of the patterns in `of` names."""

    share: Share = 0.0
    of: tuple[Pattern, ...] = ("*",)

    def concern(self, name: str) -> bool:
        return any(fnmatchcase(name, pattern) for pattern in self.of)


class TimedOdds(Odds):
    """The same for a fault that lasts."""

    seconds: Span = (1.0, 3.0)


class Bursts(Part):
    """The share of statuses with which a burst begins, and how many statuses it has, at least and at most."""

    share: Share = 0.0
    statuses: tuple[Annotated[int, Field(ge=2, le=20)], Annotated[int, Field(ge=2, le=20)]] = (2, 4)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.statuses[0] > self.statuses[1]:
            raise ValueError("the shortest comes first, then the longest")
        return self


class NoticeFaults(Part):
    """What happens to notifications; `of` names events, or the status where it is a status that changed."""

    missing: Odds = Odds()
    """never sent"""
    delayed: TimedOdds = TimedOdds()
    """sent later"""
    reordered: TimedOdds = TimedOdds()
    """sent after the next one about the same shipment, or after that time if none comes"""
    repeated: TimedOdds = TimedOdds()
    """sent again, that time after the first"""
    bursts: Bursts = Bursts()
    """statuses entered in the same second, announced in another order"""


Effect = Literal["offers", "edit", "cancel", "select", "purchase", "status"]


class FaultTable(Part):
    """Everything that goes wrong by itself, with its odds. Empty: nothing does."""

    calls: tuple[ShareOfCalls, ...] = ()
    """looked through in order; a call meets the first that it draws"""
    hidden: TimedOdds = TimedOdds()
    """changes of a shipment that reads do not show for a while; `of` names effects"""
    offers_spoil: Odds = Odds()
    """available offers that are not any more when somebody selects or buys them; `of` names services"""
    cancels_overwritten: Odds = Odds()
    """cancels that the carrier's own purchase, which it goes on with, overwrites; `of` names services"""
    webhooks: NoticeFaults = NoticeFaults()
