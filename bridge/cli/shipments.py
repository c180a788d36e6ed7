"""`bridge shipments`: what is asked of the carrier about them; each verb has a file of its own."""

from __future__ import annotations

from bridge.cli import labels, running

verbs = running.group("Shipments: their labels.")
verbs.command("label")(labels.label)
