"""What an answer says: yes, a definite no, nothing there, or nothing that anybody knows. The body decides that.

Business errors come with any status (not said on the page; its samples look at the body alone), so a no inside 200 is a
no. What nobody can read, a yes with a bad status, and a word that no page knows with a server's own trouble, are no
answer: after a write that is an unknown outcome.

https://returns.returnsplatform.com/api (general error codes, output data of each method; read 2026-10)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from http import HTTPStatus
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from bridge.carriers.answer import Answer, is_yes
from bridge.carriers.intelligentreturns import answers, words
from bridge.carriers.intelligentreturns.calls import Call
from bridge.carriers.intelligentreturns.formats import Format
from bridge.carriers.intelligentreturns.wire import Booking, Order, OrderItem, ReturnItem
from bridge.errors import CarrierRefused, CarrierUnavailable, FieldProblem, Unreadable

T = TypeVar("T")
Model = TypeVar("Model", bound=BaseModel)

OTHER: Final = "other"
_FIELDS_TOLD: Final = re.compile(r"\bfields?\b:?\s+'?([a-z0-9_]+(?:\s*,\s*[a-z0-9_]+)*)", re.IGNORECASE)
_FIELD_NAMES: Final = frozenset(one.name for kind in (Booking, ReturnItem, Order, OrderItem) for one in fields(kind))
_TELLS_FIELDS: Final = frozenset(
    {"item_can_not_be_returned", "item_invalid", "order_incorrect", "request_wrong", "return_invalid"}
)
"""What has the names of fields in its message (`Check fields: quantity,price`)."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """An answer, but no usable one, and no fault of the provider's as a whole: its carrier's, or of one method."""

    reason: str
    status: int


def read(form: Format, call: Call, read_as: Callable[[object], T], answer: Answer) -> T | Trouble | None:
    """Give what was answered; None where there is nothing of what was asked for.

    Raises CarrierRefused for a definite no, CarrierUnavailable where nobody knows.
    """
    name, body = _envelope(form, answer)
    if name == "error":
        return _failed(call, body, answer)
    if name != "success" or not is_yes(answer):
        raise CarrierUnavailable("contradiction", status=answer.status)
    try:
        return read_as(body)
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=answer.status) from None


def of(model: type[Model], found: Callable[[Model], T]) -> Callable[[object], T]:
    """Read by a model, and say it in our words."""
    return lambda body: found(model.model_validate({} if body in ("", None) else body))


def clock(body: object) -> datetime:
    """Read the provider's clock."""
    return answers.Clock.model_validate(body).date


def made(read_as: Callable[[answers.ReturnMade], T], found: answers.ReturnMade) -> T:
    """Believe that a return was made where something of it came."""
    if found.tracking is None and found.label is None:
        raise CarrierUnavailable("unreadable_answer")
    return read_as(found)


def _envelope(form: Format, answer: Answer) -> tuple[str, object]:
    """Read the whole. What asks to slow down, and a page of the edge in front of the provider, is no answer."""
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        is_yes(answer)
    try:
        return form.read(answer.body)
    except Unreadable as error:
        if answer.status >= 300:
            is_yes(answer)
        raise CarrierUnavailable(error.reason, status=answer.status) from None


def _failed(call: Call, body: object, answer: Answer) -> Trouble | None:
    try:
        failure = answers.Failure.model_validate(body)
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=answer.status) from None
    code = failure.code if failure.code in words.EVERY_ERROR else OTHER
    if code in call.nothing:
        return None
    if code in words.OUTSIDE or (code == OTHER and answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR):
        return Trouble(code, answer.status)
    if code == "internal":
        raise CarrierUnavailable(code, status=answer.status)
    raise CarrierRefused(code, status=answer.status, fields=_fields(code, failure, call.ours))


def _fields(code: str, failure: answers.Failure, ours: Callable[[str], str]) -> Sequence[FieldProblem]:
    """Say which fields it is about: by its code, or by those of its message that are names from our tables."""
    names = [words.FIELDS[code]] if code in words.FIELDS else []
    if code in _TELLS_FIELDS:
        told = ",".join(match for text in failure.message for match in _FIELDS_TOLD.findall(text or ""))
        names += [name for part in told.split(",") if (name := part.strip().lower()) in _FIELD_NAMES]
    return tuple(FieldProblem(ours(name), "invalid") for name in dict.fromkeys(names))


def same(wanted: Mapping[str, str | None], found: Mapping[str, str | None]) -> None:
    """Take what was asked for, and nothing that was answered instead. Raises CarrierUnavailable."""
    for name, value in wanted.items():
        if value is not None and found.get(name) not in (None, value):
            raise CarrierUnavailable("another_return")
