"""The bridge's own receiver over a store that does nothing: what an answer costs before anything is kept."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from ipaddress import ip_network

import uvloop

from bridge.carriers.shipx import webhook
from bridge.ingress.inbox import Inbox
from bridge.ingress.receiver import PREFIX, Limits, Receiver
from bridge.ingress.verification import Networks, Secrets
from bridge.lifecycle import Stop, utc_now
from bridge.model import OrganizationId, Receipt
from bridge.observability import Metrics, configure_logging
from bridge.store.inbox import Accepted, Entry
from bridge.web.application import Application
from bridge.web.server import Server, listen


class NoStore:
    """Accepts everything and keeps nothing."""

    async def accept(self, batch: Sequence[Entry]) -> Accepted:
        return Accepted((Receipt.accepted,) * len(batch), 0)


async def serve(port: int, secret: str) -> None:
    """Serve until killed."""
    stop, metrics = Stop(), Metrics()
    inbox = Inbox(NoStore(), max_pending=2000, commit_timeout_s=5, on_accepted=_nothing, on_dropped=_ignored)
    receiver = Receiver(
        secrets=Secrets({OrganizationId(4821): [secret]}),
        networks=Networks([ip_network("127.0.0.0/8")], []),
        limits=Limits(262_144, 10, "enforce"),
        inbox=inbox,
        read=webhook.read,
        known_events=webhook.KNOWN_EVENTS,
        metrics=metrics,
        clock=utc_now,
    )
    app = Application(direct=(PREFIX, receiver))
    committing = asyncio.create_task(inbox.commit(stop))
    await Server(app, listen("127.0.0.1", port, "port"), 1).run_until_told()
    committing.cancel()


def _nothing() -> None:
    """Wake nobody."""


def _ignored(_dropped: int) -> None:
    """Count nothing."""


if __name__ == "__main__":
    configure_logging()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(sys.argv[1]), sys.argv[2]))
