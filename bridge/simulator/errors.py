"""How the carrier says no.

    SimulatorError
    ├── ScenarioError        a scenario file that cannot be played; names each key
    ├── TargetRefused        a webhook URL that the simulator will not call
    ├── Declined             an answer in the words of one of the returns providers
    └── Refusal              an answer in the carrier's error envelope
        ├── NullDetails      the same with null details instead of empty ones
        └── PublicRefusal    the same in the envelope of the public resources

The envelopes: https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/28639229
"""

from __future__ import annotations

from collections.abc import Mapping

from starlette.responses import Response


class SimulatorError(Exception):
    """Be the root of what the simulator raises."""


class ScenarioError(SimulatorError):
    """Name every key of a scenario that is unknown, missing or wrong."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = problems
        super().__init__("; ".join(f"{key}: {text}" for key, text in problems))


class TargetRefused(SimulatorError):
    """A webhook URL with a wrong form, or one that leaves this machine without permission."""


class Declined(SimulatorError):
    """A refusal by a provider of returns; each of them has an envelope of its own."""

    def answer(self) -> Response:
        """Write the whole answer."""
        raise NotImplementedError


class Refusal(SimulatorError):
    """An error answer; `message` is for people and may change, `error` is the key that programs read."""

    text_key = "message"

    def __init__(
        self, status: int, error: str, message: str | None = None, details: Mapping[str, object] | None = None
    ) -> None:
        self.status = status
        self.error = error
        self.message = message or f"keys.errors.messages.{error}"
        self.details = details
        super().__init__(error)

    @property
    def envelope(self) -> dict[str, object]:
        """Write the body of the answer."""
        details = self._details()
        return {"status": self.status, "error": self.error, self.text_key: self.message, "details": details}

    @property
    def headers(self) -> dict[str, str]:
        """Give the extra headers of the answer."""
        return {"WWW-Authenticate": 'Bearer error="invalid_token"'} if self.status == 401 else {}

    def _details(self) -> Mapping[str, object] | None:
        return self.details or {}


class NullDetails(Refusal):
    """An error of the normal envelope that is known to come with null details."""

    def _details(self) -> Mapping[str, object] | None:
        return None


class PublicRefusal(Refusal):
    """An error of the statuses and tracking resources: `description` instead of `message`, and null details."""

    text_key = "description"

    def _details(self) -> Mapping[str, object] | None:
        return self.details


def token_invalid() -> Refusal:
    """Refuse a missing or wrong token."""
    return Refusal(401, "token_invalid")


def forbidden() -> Refusal:
    """Refuse the token of another organization."""
    return Refusal(403, "forbidden")


def not_found() -> Refusal:
    """Say that the resource is missing, or that the caller may not know that it exists."""
    return Refusal(404, "resource_not_found")


def validation_failed(details: Mapping[str, object] | None = None) -> Refusal:
    """Refuse a request whose values are wrong; the keys of `details` say where."""
    return Refusal(400, "validation_failed", details=details)


def wrong_status(action: str, shipment_status: str) -> Refusal:
    """Refuse an action which the shipment's status does not allow."""
    details = {"action": action, "shipment_status": shipment_status}
    return Refusal(400, "invalid_action", "shipment_status_incorrect", details)
