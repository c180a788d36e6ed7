"""What the dashboard shows, row by row; `tests.reference.grafana` writes it as Grafana reads it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

_HERE: Final = 'namespace=~"$namespace"'


@dataclass(frozen=True, slots=True)
class Panel:
    """A graph: queries by their legends. In a query `HERE` stands for the namespaces that the reader chose."""

    title: str
    queries: Mapping[str, str]
    unit: str = "short"
    description: str = ""

    def expressions(self) -> dict[str, str]:
        """Give the queries as Grafana sends them, but for its own variables."""
        return {legend: query.replace("HERE", _HERE) for legend, query in self.queries.items()}


@dataclass(frozen=True, slots=True)
class Band:
    """A row of graphs under a title."""

    title: str
    panels: tuple[Panel, ...] = field(default=())


def _rate(metric: str, by: str, also: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{HERE{also}}}[$__rate_interval]))"


def _most(metric: str, by: str = "", also: str = "") -> str:
    """Ask for what every replica reads off the same rows."""
    grouped = f"max by ({by})" if by else "max"
    return f"{grouped} ({metric}{{HERE{also}}})"


def _quantile(part: float, metric: str, by: str = "le", also: str = "") -> str:
    return f"histogram_quantile({part}, {_rate(f'{metric}_bucket', by, also)})"


_RETURNS: Final = 'carrier=~"inpost_returns|szybkie_zwroty|intelligentreturns"'
BANDS: Final = (
    Band(
        "Money",
        (
            Panel(
                "Windows that will be missed, as things stand",
                {"windows": _most("bridge_windows_projected_missed")},
                description="Above 0: BridgeWindowsProjectedMissed.",
            ),
            Panel("Purchases under way", {"{{state}}": _most("bridge_purchases_open", "state")}),
            Panel(
                "Purchases that ended, a second",
                {"{{outcome}} {{reason}}": _rate("bridge_purchases_total", "outcome, reason")},
                "ops",
            ),
            Panel(
                "Seconds left when the buy was sent",
                {
                    "one in ten has less than": _quantile(0.1, "bridge_purchase_seconds_left"),
                    "half have less than": _quantile(0.5, "bridge_purchase_seconds_left"),
                },
                "s",
                "A window is about 300 s.",
            ),
            Panel(
                "Oldest purchase in doubt",
                {"age": _most("bridge_purchases_doubt_oldest_seconds")},
                "s",
                "Settled after half a minute while the carrier answers.",
            ),
        ),
    ),
    Band(
        "Webhooks, inbox and outbox",
        (
            Panel("Webhooks a second", {"{{outcome}}": _rate("bridge_deliveries_total", "outcome")}, "ops"),
            Panel(
                "Time to the answer",
                {"half": _quantile(0.5, "bridge_ack_seconds"), "99 of 100": _quantile(0.99, "bridge_ack_seconds")},
                "s",
            ),
            Panel(
                "Oldest that waits",
                {
                    "inbox": _most("bridge_inbox_oldest_seconds"),
                    "outbox": _most("bridge_outbox_oldest_seconds"),
                },
                "s",
            ),
            Panel(
                "What waits",
                {"inbox": _most("bridge_inbox_pending"), "outbox": _most("bridge_outbox_pending")},
                "short",
            ),
            Panel(
                "Found by asking, a second",
                {"{{fact}}": _rate("bridge_found_by_poll_total", "fact")},
                "ops",
                "What no webhook had told by then.",
            ),
            Panel(
                "Webhooks that do not come",
                {"{{connection}} {{state}}": _most("bridge_webhook_health", "connection, state", ', state!="healthy"')},
            ),
            Panel(
                "Parked, failed, unknown secret, a second",
                {
                    "parked: {{reason}}": _rate("bridge_parked_total", "reason"),
                    "failed: {{verdict}}": _rate("bridge_deliveries_failed_total", "verdict"),
                    "unknown secret": _rate("bridge_unknown_secret_total", ""),
                },
                "ops",
            ),
        ),
    ),
    Band(
        "Broker",
        (
            Panel("Events published, a second", {"{{type}}": _rate("bridge_events_published_total", "type")}, "ops"),
            Panel(
                "Unrouted, dead, held",
                {
                    "unrouted": _most("bridge_unrouted_messages"),
                    "dead": _most("bridge_dead_messages"),
                    "subjects held": "sum (bridge_relay_held_subjects{HERE})",
                },
            ),
            Panel("Refused by the broker, a second", {"{{type}}": _rate("bridge_events_refused_total", "type")}, "ops"),
        ),
    ),
    Band(
        "Carriers",
        (
            Panel(
                "Calls a second",
                {"{{carrier}} {{outcome}}": _rate("bridge_carrier_request_seconds_count", "carrier, outcome")},
                "ops",
            ),
            Panel(
                "95 of 100 calls take less than",
                {"{{carrier}}": _quantile(0.95, "bridge_carrier_request_seconds", "carrier, le")},
                "s",
            ),
            Panel(
                "Without a usable answer, a second, by operation",
                {
                    "{{carrier}} {{operation}}": _rate(
                        "bridge_carrier_request_seconds_count", "carrier, operation", ', outcome=~"5xx|lost"'
                    )
                },
                "ops",
            ),
            Panel(
                "Left alone, or paused",
                {
                    "left alone: {{connection}}": _most("bridge_connection_breaker_open", "connection"),
                    "paused: {{connection}}": _most("bridge_connection_paused", "connection"),
                },
            ),
            Panel(
                "Reads that were due and not made, a second",
                {"{{phase}}": _rate("bridge_sweep_reads_skipped_total", "phase")},
                "ops",
            ),
            Panel(
                "Status words that the table does not have",
                {
                    "listed": _most("bridge_status_words_unknown"),
                    "used, a second": _rate("bridge_unknown_statuses_total", ""),
                },
            ),
        ),
    ),
    Band(
        "Returns and labels",
        (
            Panel(
                "Events of returns, a second",
                {"{{type}}": _rate("bridge_events_published_total", "type", ', type=~"bridge.return.*"')},
                "ops",
                "Only with a broker: what is published is counted.",
            ),
            Panel(
                "Calls to providers, a second",
                {
                    "{{carrier}} {{operation}} {{outcome}}": _rate(
                        "bridge_carrier_request_seconds_count", "carrier, operation, outcome", f", {_RETURNS}"
                    )
                },
                "ops",
            ),
            Panel(
                "Labels, a second", {"{{format}} {{outcome}}": _rate("bridge_labels_total", "format, outcome")}, "ops"
            ),
        ),
    ),
    Band(
        "Processes",
        (
            Panel("Ready, by role", {"{{role}}": "sum by (role) (bridge_ready{HERE})"}),
            Panel("Database or broker away", {"{{part}} {{instance}}": _most("bridge_degraded", "part, instance")}),
            Panel(
                "Uptime",
                {"{{instance}}": "time() - max by (instance) (bridge_process_start_time_seconds{HERE})"},
                "s",
            ),
            Panel("Processor", {"{{instance}}": _rate("bridge_process_cpu_seconds_total", "instance")}, "percentunit"),
            Panel("Memory", {"{{instance}}": _most("bridge_process_resident_memory_bytes", "instance")}, "bytes"),
            Panel("Files and connections", {"{{instance}}": _most("bridge_process_open_fds", "instance")}),
        ),
    ),
)
