"""docs/reference/bus.md: what may be asked for over RabbitMQ, read off the commands' own fields."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Final

from bridge.app.bus import ON_THE_BUS
from bridge.commands.models import Body
from tests.reference.markdown import code, table

_INTRODUCTION: Final = """\
# Commands over RabbitMQ

<!-- Written by `python -m tests.drift --write`; change bridge/app/bus.py instead. -->

The name is the routing key on `bridge.commands`; every body has `command_id` beside the command's own fields:
[how to give one](../consuming.md#commands-over-rabbitmq). A field means what it means in the request over HTTP, whose
body `GET /openapi.json` describes, and what one says of another stands on the page. Which may be given:
`BRIDGE_AMQP__COMMANDS`.

"""
_PAGES: Final = {
    "dispatch_order.create": "shipping.md#couriers",
    "label.fetch": "shipping.md#labels",
    "policy.evaluate": "policy.md",
    "return.cancel": "returns.md#calling-a-return-off",
    "return.code.activate": "returns.md#codes-made-in-advance",
    "return.create": "returns.md",
    "shipment.approve": "operating.md#approvals",
    "shipment.buy": "shipping.md#a-shipment-that-is-there",
    "shipment.cancel": "shipping.md#a-shipment-that-is-there",
    "shipment.create": "shipping.md#making-shipments",
    "shipment.hold": "operating.md#approvals",
    "shipment.select_offer": "shipping.md#a-shipment-that-is-there",
}
"""Where under docs/ each is described."""


def page() -> str:
    """Write the page."""
    rows = [_row(name, form) for name, body in sorted(ON_THE_BUS.items()) for form in _forms(body)]
    return _INTRODUCTION + table(("command", "needs", "takes as well", "does", "page"), rows)


def _forms(body: type[Body]) -> Sequence[type[Body]]:
    """Give the body, or the bodies that one without fields stands for."""
    return [body] if body.model_fields else body.__subclasses__()


def _row(name: str, form: type[Body]) -> tuple[str, str, str, str, str]:
    does = " ".join(inspect.cleandoc(form.__doc__ or "").partition("\n\n")[0].split())
    place = _PAGES[name]
    link = f"[{place.partition('.')[0]}](../{place})"
    return code(name), _fields(form, is_needed=True), _fields(form, is_needed=False), does, link


def _fields(form: type[Body], *, is_needed: bool) -> str:
    found = form.model_fields.items()
    return ", ".join(code(field.alias or name) for name, field in found if field.is_required() is is_needed)
