"""What the carrier may call, described. It is served past all routing, and with any method: `ingress.receiver`."""

from __future__ import annotations

from typing import Final, Literal

from typing_extensions import TypedDict

from bridge.ingress.receiver import PREFIX
from bridge.web.endpoint import Answer, Operation
from bridge.web.parameters import Parameter

_PATH: Final = f"{PREFIX}{{secret}}"
_SECRET: Final = Parameter(
    "secret", "One of the organization's webhook secrets.", {"type": "string", "pattern": "^[a-z0-9]{32,128}$"}
)
_WRONG: Final = Answer("The secret is wrong.")
_LATER: Final = Answer("It could not be stored in time.", headers={"Retry-After": "In so many seconds"})


class Receipt(TypedDict):
    """What became of a webhook; a parked one has no effect until an operator replays it."""

    outcome: Literal["accepted", "duplicate", "parked"]
    delivery_id: str


WEBHOOKS: Final = (
    Operation(
        "GET",
        _PATH,
        "check",
        "Answer the carrier's check of the address, from anywhere; with or without a slash at its end.",
        {200: Answer("The secret is right."), 404: _WRONG},
        takes=(_SECRET,),
    ),
    Operation(
        "POST",
        _PATH,
        "receive",
        "Take a webhook into the inbox; with or without a slash at the end of the address.\n\n"
        "Whatever is sent behind a right secret is kept: what cannot be read, or comes from elsewhere, is parked.",
        {200: Answer("It is on disk.", Receipt), 404: _WRONG, 503: _LATER},
        takes=(_SECRET,),
    ),
)
