"""What kind of answer ShipX gave: by status first, error key second, never by text.

https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639229 (errors)
The edge in front of it answers HTML at times, so only a readable body counts as an answer.
"""

from __future__ import annotations

from pydantic import ValidationError

from bridge.carriers.answer import Answer, is_yes
from bridge.carriers.shipx import bulk, problems, wire
from bridge.carriers.shipx.calls import Call
from bridge.errors import CarrierRefused, CarrierUnavailable


def judged(answer: Answer, call: Call) -> Answer:
    """Pass a success on; decide about everything else by status first, error key second, never by text.

    Where the call was about many, a refusal says which of them are its reason, and of which field in each.
    """
    if is_yes(answer):
        return answer
    status = answer.status
    try:
        key = wire.Refusal.model_validate_json(answer.body).error
    except ValidationError:
        raise CarrierUnavailable("unreadable_answer", status=status) from None
    items = bulk.named(answer.body, call.about) if call.about else ()
    fields = problems.read(answer.body, call.names)
    raise CarrierRefused(key if key in wire.ERROR_KEYS else "other", status=status, items=items, fields=fields)
