"""What may be asked for: what makes sense is taken, in one form; what does not is refused with its field."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from bridge.commands.models import Body, RedriveDead, ReplayDeliveries, ReplayEvents
from bridge.errors import Unreadable
from bridge.store.feed import encode

GOOD: list[tuple[type[Body], dict[str, Any], str]] = [
    # what, how, remark
    (ReplayEvents, {"all": True}, "everything, said so"),
    (ReplayEvents, {"to_queue": "warehouse"}, "everything to one queue"),
    (ReplayEvents, {"subject": "shipment/1"}, "one subject"),
    (ReplayEvents, {"since": "2026-11-20T12:00:00Z", "until": "2026-11-21T12:00:00+01:00"}, "a time"),
    (ReplayEvents, {"after": encode(7)}, "after a cursor"),
    (ReplayEvents, {"organizations": [1]}, "one organization"),
    (ReplayDeliveries, {"deliveries": ["a", "b"]}, "some that are named"),
    (ReplayDeliveries, {"state": "parked", "reason": "outside_networks"}, "some that are alike"),
    (RedriveDead, {}, "all that is dead"),
    (RedriveDead, {"limit": 1}, "one of them"),
]


@pytest.mark.parametrize(("model", "asked", "remark"), GOOD, ids=[row[-1] for row in GOOD])
def test_what_makes_sense_is_read_back_as_it_was_asked(model: type[Body], asked: dict[str, Any], remark: str) -> None:
    body = model.model_validate(asked)
    assert model.read(body.canonical) == body, remark


BAD: list[tuple[type[Body], dict[str, Any], str, str]] = [
    # what, how, the field, remark
    (ReplayEvents, {}, "", "everything to everybody, by mistake"),
    (ReplayEvents, {"subjects": "shipment/1"}, "subjects", "an unknown key"),
    (ReplayEvents, {"since": "2026-11-20T12:00:00"}, "since", "a time without an offset"),
    (ReplayEvents, {"after": "nonsense"}, "after", "no cursor"),
    (ReplayEvents, {"subject": ""}, "subject", "an empty subject"),
    (ReplayEvents, {"to_queue": "bridge.commands"}, "to_queue", "a queue of ours"),
    (ReplayEvents, {"to_queue": "bridge.unrouted"}, "to_queue", "another one"),
    (ReplayEvents, {"to_queue": "amq.rabbitmq.reply-to"}, "to_queue", "a queue of the broker's"),
    (ReplayEvents, {"to_queue": "q" * 256}, "to_queue", "a name that is too long"),
    (ReplayEvents, {"organizations": [0]}, "organizations.0", "no organization"),
    (ReplayDeliveries, {}, "", "none at all"),
    (ReplayDeliveries, {"deliveries": ["a"], "state": "parked"}, "", "both ways"),
    (ReplayDeliveries, {"deliveries": ["a"], "reason": "x"}, "", "names, and then chosen from"),
    (ReplayDeliveries, {"deliveries": ["a"] * 1001}, "deliveries", "too many names"),
    (ReplayDeliveries, {"state": "pending"}, "state", "what is under way anyway"),
    (RedriveDead, {"limit": 0}, "limit", "nothing"),
]


@pytest.mark.parametrize(("model", "asked", "field", "remark"), BAD, ids=[row[-1] for row in BAD])
def test_what_makes_no_sense_is_refused_by_its_field(
    model: type[Body], asked: dict[str, Any], field: str, remark: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        model.model_validate(asked)
    (error,) = caught.value.errors()
    assert ".".join(map(str, error["loc"])) == field, remark
    with pytest.raises(Unreadable):
        model.read(json.dumps(asked).encode())


def test_the_same_request_has_one_form() -> None:
    one = ReplayEvents(since=datetime(2026, 11, 20, 12, tzinfo=UTC), type="a")
    same = ReplayEvents.model_validate_json(b'{"type": "a", "all": false, "since": "2026-11-20T13:00:00+01:00"}')
    assert one.canonical == same.canonical
    assert one.canonical != ReplayEvents(type="a").canonical


def test_a_refusal_does_not_repeat_what_was_asked() -> None:
    with pytest.raises(ValidationError) as caught:
        ReplayEvents(to_queue="bridge.hunter2")
    assert "hunter2" not in str(caught.value)
