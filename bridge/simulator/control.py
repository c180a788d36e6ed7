"""The simulator's own API: look behind the carrier's back, and push things along. Not part of any carrier."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from decimal import Decimal
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.simulator.calls import Call
from bridge.simulator.deeds import Deed
from bridge.simulator.errors import Refusal, TargetRefused, not_found, validation_failed
from bridge.simulator.faults import FaultTable, NextCalls
from bridge.simulator.ledger import Charge
from bridge.simulator.organizations import Organization
from bridge.simulator.requests import id_in_path, json_object
from bridge.simulator.rules import checked
from bridge.simulator.scenario import StatusName
from bridge.simulator.shipments import Shipment
from bridge.simulator.simulator import Simulator
from bridge.simulator.trouble import Mishap
from bridge.simulator.webhooks import Attempt


class Command(BaseModel):
    """A body of the control API; unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Target(Command):
    url: str | None


class Move(Command):
    status: StatusName
    return_tracking_number: Annotated[str, Field(pattern=r"^[0-9]{24}$")] | None = None


class Funds(Command):
    amount: Annotated[Decimal, Field(ge=0, le=1_000_000_000, decimal_places=2)]


class Invoices(Command):
    unpaid: bool


class Resend(Command):
    id: int


class Control:
    """The handlers under `/_control/`."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._world = simulator.world

    def routes(self) -> list[Route]:
        return [
            Route("/_control/state", self.state),
            Route("/_control/idle", self.idle),
            Route("/_control/charges", self.charges),
            Route("/_control/webhooks", self.webhooks),
            Route("/_control/webhooks/resend", self.resend, methods=["POST"]),
            Route("/_control/calls", self.calls),
            Route("/_control/deeds", self.deeds),
            Route("/_control/faults", self.faults),
            Route("/_control/faults", self.fail, methods=["POST"]),
            Route("/_control/faults", self.set_faults, methods=["PUT"]),
            Route("/_control/faults", self.heal, methods=["DELETE"]),
            Route("/_control/faults/met", self.met),
            Route("/_control/organizations/{id}/webhook", self.register, methods=["PUT"]),
            Route("/_control/organizations/{id}/funds", self.fund, methods=["POST"]),
            Route("/_control/organizations/{id}/invoices", self.bill, methods=["PUT"]),
            Route("/_control/shipments/{id}/statuses", self.move, methods=["POST"]),
        ]

    async def state(self, request: Request) -> Response:
        """Show everything at a glance."""
        attempts = self._world.webhooks.attempts
        return JSONResponse(
            {
                "now": _moment(self._world.now()),
                "organizations": [_organization(one) for one in self._world.organizations],
                "shipments": [_shipment(one) for one in self._world.shipments],
                "charges": len(self._world.ledger.charges),
                "webhooks": {
                    "attempts": len(attempts),
                    "acknowledged": sum(one.acknowledged for one in attempts),
                    "repeats": sum(one.repeat for one in attempts),
                    "in_flight": self._world.webhooks.in_flight,
                },
            }
        )

    async def idle(self, request: Request) -> Response:
        """Say whether nothing is scheduled or in flight any more."""
        webhooks, schedule = self._world.webhooks, self._world.schedule
        return JSONResponse({"idle": self._simulator.idle, "scheduled": len(schedule), "in_flight": webhooks.in_flight})

    async def charges(self, request: Request) -> Response:
        """List every charge, oldest first."""
        return JSONResponse({"items": [_charge(charge) for charge in self._world.ledger.charges]})

    async def webhooks(self, request: Request) -> Response:
        """List the attempts after an id."""
        return JSONResponse({"items": [_attempt(one) for one in self._world.webhooks.after(_position(request))]})

    async def calls(self, request: Request) -> Response:
        """List the calls after an id."""
        return JSONResponse({"items": [_with_moment(one) for one in self._world.calls.after(_position(request))]})

    async def deeds(self, request: Request) -> Response:
        """List what was done because somebody asked, after an id; and count all of it."""
        deeds = self._world.deeds
        items = [_with_moment(one) for one in deeds.after(_position(request))]
        return JSONResponse({"items": items, "counts": deeds.counts()})

    async def faults(self, request: Request) -> Response:
        """List the faults that wait for their calls, and those that are left to chance."""
        trouble = self._world.trouble
        items = [fault.model_dump() for fault in trouble.next_calls]
        return JSONResponse({"items": items, "table": trouble.table.model_dump()})

    async def met(self, request: Request) -> Response:
        """List the faults that were met after an id."""
        return JSONResponse({"items": [_with_moment(one) for one in self._world.trouble.met(_position(request))]})

    async def fail(self, request: Request) -> Response:
        """Let the next matching calls meet a fault."""
        self._world.trouble.ask_for(checked(NextCalls, await json_object(request)))
        return await self.faults(request)

    async def set_faults(self, request: Request) -> Response:
        """Leave other faults to chance from now on."""
        self._world.trouble.table = checked(FaultTable, await json_object(request))
        return await self.faults(request)

    async def heal(self, request: Request) -> Response:
        """Let nothing go wrong any more."""
        self._world.trouble.heal()
        return await self.faults(request)

    async def resend(self, request: Request) -> Response:
        """Send a recorded notification again."""
        attempt = self._world.webhooks.get(checked(Resend, await json_object(request)).id)
        if attempt is None:
            raise not_found()
        self._world.webhooks.resend(attempt)
        return Response(status_code=202)

    async def register(self, request: Request) -> Response:
        """Set the notification URL of an organization; null takes it away."""
        organization = self._organization(request)
        try:
            self._simulator.register(organization, checked(Target, await json_object(request)).url)
        except TargetRefused as refusal:
            raise Refusal(400, "validation_failed", str(refusal), {"url": ["invalid"]}) from None
        return JSONResponse(_organization(organization))

    async def fund(self, request: Request) -> Response:
        """Add to the funds of a prepaid organization."""
        organization = self._organization(request)
        organization.funds += checked(Funds, await json_object(request)).amount
        return JSONResponse(_organization(organization))

    async def bill(self, request: Request) -> Response:
        """Say whether an organization has unpaid invoices."""
        organization = self._organization(request)
        organization.unpaid_invoices = checked(Invoices, await json_object(request)).unpaid
        return JSONResponse(_organization(organization))

    async def move(self, request: Request) -> Response:
        """Let a parcel enter a status now, known to the dictionary or not."""
        shipment = self._world.shipments.get(id_in_path(request))
        if shipment is None:
            raise not_found()
        move = checked(Move, await json_object(request))
        if move.return_tracking_number and move.status != "returned_to_sender":
            raise validation_failed({"return_tracking_number": ["invalid"]})
        self._simulator.journeys.move(shipment, move.status, move.return_tracking_number)
        return JSONResponse(_shipment(shipment))

    def _organization(self, request: Request) -> Organization:
        organization = self._world.organizations.get(id_in_path(request))
        if organization is None:
            raise not_found()
        return organization


Row = Mapping[str, object]


def _organization(organization: Organization) -> Row:
    return {
        "id": organization.id,
        "account": organization.terms.account,
        "funds": f"{organization.funds:.2f}" if organization.prepaid else None,
        "webhook_url": organization.webhook_url,
    }


def _shipment(shipment: Shipment) -> Row:
    return {
        "id": shipment.id,
        "organization_id": shipment.organization.id,
        "status": shipment.status,
        "tracking_number": shipment.tracking_number,
        "return_tracking_number": shipment.return_tracking_number,
        "statuses": [scan.status for scan in shipment.history],
    }


def _charge(charge: Charge) -> Row:
    amount = None if charge.amount is None else f"{charge.amount:.2f}"
    return {"shipment_id": charge.shipment_id, "offer_id": charge.offer_id, "amount": amount, "at": _moment(charge.at)}


def _attempt(attempt: Attempt) -> Row:
    return {**asdict(attempt), "sent_at": _moment(attempt.sent_at), "answered_at": _moment(attempt.answered_at)}


def _with_moment(one: Call | Deed | Mishap) -> Row:
    return {**asdict(one), "at": _moment(one.at)}


def _position(request: Request) -> int:
    text = request.query_params.get("after", "0")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise validation_failed({"after": ["not_an_integer"]})
    return int(text)


def _moment(moment: datetime | None) -> str | None:
    return moment.isoformat(timespec="microseconds") if moment else None
