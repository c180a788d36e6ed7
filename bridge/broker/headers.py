"""The headers that the bridge writes on messages, besides `organization` and `environment`."""

from __future__ import annotations

from typing import Final

REPLAY: Final = "bridge-replay"
REASON: Final = "bridge-reason"
ORIGIN: Final = "bridge-origin"
REDRIVEN: Final = "bridge-redriven"
DEAD_SINCE: Final = "bridge-dead-since"

MEANINGS: Final = {
    REPLAY: "An event that is sent once more: the id of the replay it belongs to.",
    REASON: "A message that the bridge itself put into `bridge.dead`: why.",
    ORIGIN: "The same: the exchange it came by, under its own routing key.",
    REDRIVEN: "A message that `bridge dead redrive` sent back where it came from: how often.",
    DEAD_SINCE: "A message that the bridge itself put into `bridge.dead`, also anew after it was looked at several "
    "times: since when it is dead, in seconds since 1970.",
}
