"""The reference pages say what the code does, and the names that the contract fixes are there."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from bridge.app.answering import described
from bridge.app.bus import ON_THE_BUS
from bridge.events.catalogue import CATALOGUE
from bridge.observability import Metrics
from bridge.settings import COMMANDS
from tests import drift
from tests.reference import commands, metrics, routes

VERBS = [
    # contract, section 1: what exists so far
    "serve",
    "migrate",
    "doctor",
    "simulate",
    "demo",
    "audit",
    "why",
    "backfill",
    "topology apply",
    "topology show",
    "schema export",
    "webhook url",
    "webhook secret",
    "events tail",
    "events replay",
    "deliveries list",
    "deliveries show",
    "deliveries replay",
    "dead list",
    "dead redrive",
    "connections list",
    "connections pause",
    "connections resume",
    "policy check",
    "policy explain",
    "purchases list",
    "purchases show",
    "purchases approve",
    "purchases hold",
    "purchases retry",
    "shipments create",
    "shipments show",
    "shipments select",
    "shipments buy",
    "shipments refresh",
    "shipments cancel",
    "dispatch create",
    "dispatch show",
    "dispatch printout",
    "dispatch cancel",
    "shipments label",
    "returns create",
    "returns settle",
    "returns show",
    "returns list",
    "returns label",
    "returns cancel",
    "returns codes create",
    "returns codes list",
    "returns codes activate",
    "returns codes invalidate",
]

ROUTES = [
    # contract, section 3: what exists so far
    "GET /webhooks/shipx/{secret}",
    "POST /webhooks/shipx/{secret}",
    "GET /livez",
    "GET /readyz",
    "GET /metrics",
    "GET /v1/events",
    "GET /v1/events/stream",
    "POST /v1/events/replay",
    "GET /v1/commands/{operation}/{id:path}",
    "GET /v1/deliveries",
    "GET /v1/deliveries/{id}",
    "POST /v1/deliveries/{id}/replay",
    "GET /v1/connections",
    "POST /v1/connections/{name:path}/pause",
    "POST /v1/connections/{name:path}/resume",
    "GET /v1/purchases",
    "GET /v1/purchases/{shipment_id}",
    "POST /v1/purchases/{shipment_id}/approve",
    "POST /v1/purchases/{shipment_id}/hold",
    "POST /v1/purchases/{shipment_id}/retry",
    "POST /v1/offers/evaluate",
    "POST /v1/shipments",
    "GET /v1/dispatch-orders",
    "POST /v1/dispatch-orders",
    "POST /v1/dispatch-orders/calculate",
    "GET /v1/dispatch-orders/{dispatch_order_id}",
    "DELETE /v1/dispatch-orders/{dispatch_order_id}",
    "GET /v1/dispatch-orders/{dispatch_order_id}/printout",
    "POST /v1/dispatch-orders/{dispatch_order_id}/comments",
    "PUT /v1/dispatch-orders/{dispatch_order_id}/comments",
    "GET /v1/dispatch-printouts",
    "GET /v1/shipments/{shipment_id}/label",
    "POST /v1/shipments/{shipment_id}/label",
    "GET /v1/labels",
    "GET /v1/return-labels",
    "POST /v1/shipments/{shipment_id}/select",
    "POST /v1/shipments/{shipment_id}/buy",
    "POST /v1/shipments/{shipment_id}/refresh-offers",
    "POST /v1/shipments/{shipment_id}/cancel",
    "GET /v1/tracking/{number}",
    "GET /v1/returns/services",
    "GET /v1/returns/drop-off-points",
    "GET /v1/returns/drop-off-points/{id:path}",
    "POST /v1/returns/quotes",
    "GET /v1/returns/{return_id}/billing",
    "POST /v1/returns/{return_id}/refunded",
    "POST /v1/return-orders",
    "POST /v1/return-orders/{reference:path}/items",
    "GET /v1/return-orders/{reference:path}",
    "DELETE /v1/return-orders/{reference:path}",
    "POST /v1/returns/codes",
    "GET /v1/returns/codes",
    "POST /v1/returns/codes/{code}/activate",
    "POST /v1/returns/codes/{code}/invalidate",
    "POST /v1/returns/{return_id}/cancel",
    "POST /v1/returns",
    "GET /v1/returns",
    "GET /v1/returns/{return_id}",
    "POST /v1/returns/{return_id}/settle",
    "GET /v1/returns/{return_id}/label",
    "GET /v1/returns/{return_id}/qr",
    "GET /v1/returns/{return_id}/why",
    "GET /v1/shipments/{shipment_id}",
    "GET /openapi.json",
    "GET /asyncapi.json",
    "GET /schemas/{type}.json",
]

METRICS = {
    # contract, section 6: what exists so far, with its labels
    "bridge_deliveries_total": ("source", "event", "outcome"),
    "bridge_ack_seconds": (),
    "bridge_inbox_pending": (),
    "bridge_inbox_oldest_seconds": (),
    "bridge_outbox_pending": (),
    "bridge_outbox_oldest_seconds": (),
    "bridge_events_published_total": ("type",),
    "bridge_unrouted_messages": (),
    "bridge_dead_messages": (),
    "bridge_purchases_total": ("outcome", "reason"),
    "bridge_status_words_unknown": (),
    "bridge_purchase_seconds_left": (),
    "bridge_found_by_poll_total": ("fact",),
    "bridge_carrier_request_seconds": ("carrier", "operation", "outcome"),
    "bridge_connection_paused": ("connection",),
    "bridge_parked_total": ("reason",),
}

EVENTS = [
    # contract, section 5: what exists so far
    "shipment.offers_prepared",
    "shipment.offer_selected",
    "shipment.offer_selection_failed",
    "shipment.purchase_held",
    "shipment.purchase_requested",
    "shipment.purchase_unknown",
    "shipment.purchase_succeeded",
    "shipment.purchase_failed",
    "shipment.offers_expired",
    "shipment.confirmed",
    "shipment.tracking_number_assigned",
    "shipment.status_changed",
    "shipment.return_leg_started",
    "shipment.cancelled",
    "shipment.cancel_failed",
    "dispatch_order.created",
    "dispatch_order.failed",
    "dispatch_order.status_changed",
    "shipment.label_ready",
    "return.created",
    "return.creation_failed",
    "return.creation_unknown",
    "return.label_ready",
    "return.status_changed",
    "return.expiry_approaching",
    "connection.paused",
    "connection.resumed",
    "webhook.health_changed",
]

WANTED = drift.generated()


@pytest.mark.parametrize("path", sorted(WANTED))
def test_a_committed_page_is_the_one_that_the_code_makes(path: str) -> None:
    """Meant? `python -m tests.drift --write`."""
    assert drift.committed(drift.ROOT, WANTED).get(path) == WANTED[path]


def test_the_verbs_are_those_of_the_contract() -> None:
    assert sorted(VERBS) == sorted(commands.verbs())


def test_the_routes_are_those_of_the_contract() -> None:
    assert routes.names(described()) == ROUTES


def test_the_commands_over_rabbitmq_are_those_that_may_be_allowed() -> None:
    assert sorted(ON_THE_BUS) == sorted(COMMANDS)


def test_the_metrics_that_alerts_rely_on_are_there_with_their_labels() -> None:
    labels = {metric.name: metric.labels for metric in metrics.every()}
    assert {name: labels.get(name) for name in METRICS} == METRICS


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the library tells nothing of the process")
def test_what_is_written_down_of_the_process_is_what_the_library_tells() -> None:
    collected = {
        family.name + ("_total" if family.type == "counter" else ""): family.type
        for family in Metrics().process.collect()
    }
    assert collected == {name: kind for name, (kind, _) in metrics.PROCESS.items()}


def test_the_events_are_those_of_the_contract() -> None:
    assert [model.type for model in CATALOGUE] == EVENTS


# -- the check itself --------------------------------------------------------------------------------------------------


def test_what_was_written_differs_from_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift.main(["--write"], tmp_path) == 0
    assert "docs/reference/commands.md" in capsys.readouterr().out
    assert drift.main([], tmp_path) == 0
    assert capsys.readouterr().out == ""


def test_a_change_is_shown_with_the_command_that_accepts_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    drift.write(tmp_path, WANTED)
    page = tmp_path / "docs/reference/routes.md"
    page.write_text(page.read_text().replace("/livez", "/alive"))
    assert drift.main([], tmp_path) == 1
    told = capsys.readouterr().out
    assert "docs/reference/routes.md" in told
    assert "/alive" in told
    assert "/livez" in told
    assert drift.UPDATE in told


def test_a_missing_page_and_a_document_that_nothing_makes_any_more_are_differences(tmp_path: Path) -> None:
    drift.write(tmp_path, WANTED)
    (tmp_path / "docs/reference/topology.md").unlink()
    (tmp_path / drift.GOLDEN / "bridge.shipment.lost.v1.json").touch()
    assert list(drift.differences(WANTED, drift.committed(tmp_path, WANTED))) == [
        "docs/reference/topology.md: is missing\n",
        f"{drift.GOLDEN}/bridge.shipment.lost.v1.json: nothing makes this file any more\n",
    ]
    drift.write(tmp_path, WANTED)
    assert list(drift.differences(WANTED, drift.committed(tmp_path, WANTED))) == []


def test_an_unknown_argument_is_wrong_usage(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert drift.main(["--wirte"], tmp_path) == 2
    assert "usage" in capsys.readouterr().err
