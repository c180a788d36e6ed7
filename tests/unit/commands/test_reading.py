"""What a message on the bus asks for, why others are not understood, and who is answered what: tables of cases."""

from __future__ import annotations

import json

import pytest

from bridge.app.bus import ON_THE_BUS
from bridge.commands.models import ApprovePurchase
from bridge.commands.reading import Asked, NotUnderstood, read
from bridge.commands.replying import may_reply, outcome, refusal
from bridge.model import CommandMessage, CommandState, Progress, Standing
from bridge.settings import COMMANDS


def asked(body: bytes, name: str = "shipment.approve") -> Asked | NotUnderstood:
    return read(name, body, ON_THE_BUS, lambda one: one != "shipment.hold")


def test_what_the_bus_may_ask_for_is_in_the_contract() -> None:
    assert set(ON_THE_BUS) <= set(COMMANDS)


def test_a_command_is_its_operations_document_with_its_id_beside() -> None:
    body = b'{"command_id": "c-1", "shipment_id": 17, "organization_id": 4821}'
    assert asked(body) == Asked("c-1", ApprovePurchase(shipment_id=17, organization_id=4821))


NOT_UNDERSTOOD: list[tuple[bytes, str, str, str | None]] = [
    # body, name, reason, id
    (b"", "shipment.approve", "not_json", None),
    (b"{", "shipment.approve", "not_json", None),
    (b"\xff", "shipment.approve", "not_json", None),
    (b"[]", "shipment.approve", "not_json", None),
    (b'"text"', "shipment.approve", "not_json", None),
    (b'{"command_id": "c-1", "shipment_id": NaN}', "shipment.approve", "not_json", None),
    (b"[" * 10_000, "shipment.approve", "not_json", None),
    (b'{"command_id": "' + b"x" * 300_000 + b'"}', "shipment.approve", "too_large", None),
    (b"{}", "shipment.approve", "no_command_id", None),
    (b'{"shipment_id": 17}', "shipment.approve", "no_command_id", None),
    (b'{"command_id": 1, "shipment_id": 17}', "shipment.approve", "no_command_id", None),
    (b'{"command_id": "", "shipment_id": 17}', "shipment.approve", "no_command_id", None),
    (b'{"command_id": "a b", "shipment_id": 17}', "shipment.approve", "no_command_id", None),
    (b'{"command_id": "a\\u0000", "shipment_id": 17}', "shipment.approve", "no_command_id", None),
    (b'{"command_id": "' + b"x" * 256 + b'"}', "shipment.approve", "no_command_id", None),
    (b'{"command_id": "c-1", "shipment_id": 17}', "shipment.burn", "unknown_command", "c-1"),
    (b'{"command_id": "c-1", "shipment_id": 17}', "", "unknown_command", "c-1"),
    (b'{"command_id": "c-1", "shipment_id": 17}', "events.replay", "unknown_command", "c-1"),
    (b'{"command_id": "c-1", "shipment_id": 17}', "shipment.hold", "not_allowed", "c-1"),
]


@pytest.mark.parametrize(("body", "name", "reason", "key"), NOT_UNDERSTOOD)
def test_what_is_no_command_says_why_in_a_word(body: bytes, name: str, reason: str, key: str | None) -> None:
    found = asked(body, name)
    assert isinstance(found, NotUnderstood)
    assert (found.reason, found.id, found.errors) == (reason, key, ())


FIELDS = [
    ('{"command_id": "c-1"}', "shipment_id"),
    ('{"command_id": "c-1", "shipment_id": true}', "shipment_id"),
    ('{"command_id": "c-1", "shipment_id": "17"}', "shipment_id"),
    ('{"command_id": "c-1", "shipment_id": 0}', "shipment_id"),
    ('{"command_id": "c-1", "shipment_id": 1000000000000000000}', "shipment_id"),
    ('{"command_id": "c-1", "shipment_id": 17, "organization_id": 0}', "organization_id"),
    ('{"command_id": "c-1", "shipment_id": 17, "offer": 1}', "offer"),
]


@pytest.mark.parametrize(("body", "field"), FIELDS)
def test_what_is_wrong_with_a_field_is_told_by_its_name(body: str, field: str) -> None:
    found = asked(body.encode())
    assert isinstance(found, NotUnderstood)
    assert (found.reason, found.id, [one.field for one in found.errors]) == ("bad_fields", "c-1", [field])
    told = json.loads(refusal(found))
    assert (told["command_id"], told["outcome"], told["errors"][0]["field"]) == ("c-1", "rejected", field)


# -- answering ---------------------------------------------------------------------------------------------------------

QUEUES = [
    # reply_to, may be answered, remark
    (None, False, "nobody waits"),
    ("", False, "no name"),
    ("amq.rabbitmq.reply-to.g1h2", True, "the sender's own connection"),
    ("amq.rabbitmq.reply-to", False, "a name that no message has when it comes"),
    ("erp.replies.7", True, "a queue of the settings"),
    ("erp.replies", False, "another queue"),
    ("bridge.commands", False, "a queue of ours, whatever the settings say"),
    ("bridge.x", False, "a queue of ours, whatever the settings say"),
]


@pytest.mark.parametrize(("queue", "may", "remark"), QUEUES, ids=[str(row[0]) for row in QUEUES])
def test_answers_go_to_the_sender_and_to_queues_of_the_settings(queue: str | None, may: bool, remark: str) -> None:
    message = CommandMessage("shipment.approve", b"", queue, None, None, None)
    assert may_reply(message, ("erp.replies.*", "bridge*")) is may, remark


UNFIT = {"problem": "unprocessable", "errors": [{"field": "a", "code": "c", "message": "b"}]}
OFF = {"problem": "called-off"}
STANDINGS = [
    # state, result, error, what a first one is told
    (CommandState.waiting, None, None, {"outcome": "accepted"}),
    (CommandState.running, None, None, {"outcome": "accepted"}),
    (CommandState.done, {"n": 1}, None, {"outcome": "done", "result": {"n": 1}}),
    (CommandState.rejected, None, "no", {"outcome": "rejected", "error": "no"}),
    (CommandState.rejected, OFF, "no more", {"outcome": "rejected", "error": "no more", **OFF}),
    (CommandState.failed, {"n": 1}, "away", {"outcome": "rejected", "result": {"n": 1}, "error": "away"}),
    (CommandState.unknown, None, "a bug", {"outcome": "unknown", "error": "a bug"}),
    (CommandState.withdrawn, None, None, {"outcome": "rejected", "error": "it was withdrawn"}),
    (CommandState.withdrawn, UNFIT, "a: b", {"outcome": "rejected", "error": "a: b", **UNFIT}),
]


@pytest.mark.parametrize(("state", "result", "error", "told"), STANDINGS, ids=[row[0].value for row in STANDINGS])
def test_an_answer_says_what_came_of_it_and_whether_it_was_given_before(
    state: CommandState, result: dict[str, object] | None, error: str | None, told: dict[str, object]
) -> None:
    standing = Standing("shipment.approve", "c-1", state, Progress(), result, error, 0.0)
    assert json.loads(outcome(standing, is_new=True)) == {"command_id": "c-1", **told}
    assert json.loads(outcome(standing, is_new=False)) == {"command_id": "c-1", **told, "outcome": "duplicate"}
