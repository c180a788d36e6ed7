"""The sorts of problems that a request may meet: each has one name, one status and one meaning, at every route.

A problem's `type` is `/problems/` and the name: an identifier, not an address.
"""

from __future__ import annotations

from dataclasses import dataclass
from http import HTTPStatus
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """A sort of problem, and in a sentence when it is answered."""

    name: str
    status: int
    meaning: str

    @property
    def type(self) -> str:
        """Give what a problem document says in `type`."""
        return f"/problems/{self.name}"

    @classmethod
    def of_status(cls, status: int) -> Kind:
        """Give the kind of what the router refuses."""
        known = {one.status: one for one in (NOT_FOUND, METHOD_NOT_ALLOWED)}
        phrase = HTTPStatus(status).phrase
        return known.get(status) or cls(phrase.lower().replace(" ", "-"), status, phrase)


BAD_REQUEST: Final = Kind("bad-request", 400, "A parameter or a header cannot be used: `errors` names it.")
NOT_JSON: Final = Kind("not-json", 400, "The body is not JSON.")
UNAUTHORIZED: Final = Kind("unauthorized", 401, "There is no bearer token, or it is not known.")
FORBIDDEN: Final = Kind("forbidden", 403, "The token lacks the scope, or is not for the organization that is named.")
NOT_FOUND: Final = Kind("not-found", 404, "There is no such thing, or none that the token may see.")
METHOD_NOT_ALLOWED: Final = Kind("method-not-allowed", 405, "The path has no such method: `Allow` names those it has.")
TOO_SLOW: Final = Kind("too-slow", 408, "The body did not come in time; nothing was done.")
KEY_USED: Final = Kind("key-used", 409, "The `Idempotency-Key` was used with another body.")
NOT_KEPT: Final = Kind(
    "not-kept", 409, "The policy goes by what is not kept of a shipment: ask with the shipment itself."
)
ALREADY_BOUGHT: Final = Kind("already-bought", 409, "The shipment is bought already.")
IN_OTHER_HANDS: Final = Kind("in-other-hands", 409, "Somebody else is at it: a purchase, another command, the carrier.")
NOT_IN_DOUBT: Final = Kind("not-in-doubt", 409, "What became of it is known: there is nothing to settle.")
NOT_CANCELLABLE: Final = Kind("not-cancellable", 409, "It cannot be cancelled as it stands; `detail` says what can.")
CANCEL_FAILED: Final = Kind("cancel-failed", 409, "It was to be cancelled, and is not; `detail` says why.")
NOT_FOR_SALE: Final = Kind("not-for-sale", 409, "Nothing can be chosen for the shipment any more.")
NOT_SUPPORTED: Final = Kind("not-supported", 409, "The provider does not do this; `detail` says why, or who does.")
ALREADY_THERE: Final = Kind("already-there", 409, "What was to be made, or a part of it, is there already.")
NOT_CHANGEABLE: Final = Kind("not-changeable", 409, "As it stands it cannot be changed or deleted any more.")
NOT_REPLAYABLE: Final = Kind("not-replayable", 409, "The delivery cannot take effect; `detail` says why.")
NOT_INACTIVE: Final = Kind("not-inactive", 409, "The code was used, may be, or is useless; `detail` says which.")
SEVERAL: Final = Kind("several", 409, "Several organizations have one of this number: say which by `organization_id`.")
WITHDRAWN: Final = Kind("withdrawn", 409, "The command was taken back before anybody began it; its key can be used.")
CALLED_OFF: Final = Kind("called-off", 409, "It was called off before anything was sent, and is not made any more.")
TOO_LARGE: Final = Kind("too-large", 413, "The body is too large.")
NOT_JSON_TYPE: Final = Kind("unsupported-media-type", 415, "`Content-Type` says that the body is something but JSON.")
UNPROCESSABLE: Final = Kind("unprocessable", 422, "Fields of the body cannot be used: `errors` names each.")
CARRIER_REFUSED: Final = Kind("carrier-refused", 422, "The carrier refused it; the same will be answered the same.")
NOT_SELECTED: Final = Kind("not-selected", 422, "The offer was not selected; it may be tried again.")
REJECTED: Final = Kind("rejected", 422, "Understood, and not to be done: the same will be rejected again.")
INTERNAL: Final = Kind("internal-error", 500, "A mistake of ours; the log says where.")
UNKNOWN_OUTCOME: Final = Kind("unknown-outcome", 502, "Nobody knows how far the command went.")
NOTHING_SENT: Final = Kind("nothing-sent", 503, "Nothing was sent or done: the same key may be used again.")
FAILED: Final = Kind("failed", 503, "The command was tried, and did not succeed; `detail` says how far it went.")
CARRIER_UNAVAILABLE: Final = Kind("carrier-unavailable", 503, "The carrier gives no usable answer just now.")
NO_POLICY: Final = Kind("no-policy", 503, "The policy's file cannot be read.")
LABEL_NOT_READY: Final = Kind("label-not-ready", 503, "The carrier has no label yet: ask again.")
TOO_MANY_STREAMS: Final = Kind("too-many-streams", 503, "So many streams are open that there is no room for one more.")
UNAVAILABLE: Final = Kind(
    "unavailable", 503, "The database cannot be reached: the same, under the same key, may be asked for again."
)

KINDS: Final = (
    BAD_REQUEST,
    NOT_JSON,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    METHOD_NOT_ALLOWED,
    TOO_SLOW,
    KEY_USED,
    NOT_KEPT,
    ALREADY_BOUGHT,
    IN_OTHER_HANDS,
    NOT_IN_DOUBT,
    NOT_CANCELLABLE,
    CANCEL_FAILED,
    NOT_FOR_SALE,
    NOT_SUPPORTED,
    ALREADY_THERE,
    NOT_CHANGEABLE,
    NOT_REPLAYABLE,
    NOT_INACTIVE,
    SEVERAL,
    WITHDRAWN,
    CALLED_OFF,
    TOO_LARGE,
    NOT_JSON_TYPE,
    UNPROCESSABLE,
    CARRIER_REFUSED,
    NOT_SELECTED,
    REJECTED,
    INTERNAL,
    UNKNOWN_OUTCOME,
    NOTHING_SENT,
    FAILED,
    CARRIER_UNAVAILABLE,
    NO_POLICY,
    LABEL_NOT_READY,
    TOO_MANY_STREAMS,
    UNAVAILABLE,
)
"""All of them, by status."""
_NAMED: Final = {kind.name: kind for kind in KINDS}


def named(name: str, otherwise: Kind) -> Kind:
    """Give the kind of a name that was kept; a newer version may have kept one that is not known here."""
    return _NAMED.get(name, otherwise)
