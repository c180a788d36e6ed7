"""How Intelligentreturns says no: a code and messages in the body, whatever the HTTP status."""

from __future__ import annotations

from typing import Final

from bridge.simulator.errors import SimulatorError

MESSAGES: Final = {
    "internal": "Internal server error.",
    "request_wrong": "Requested data structure is incorrect",
    "login_empty": "'login' POST field is empty",
    "api_key_empty": "'api_key' POST field is empty",
    "request_empty": "'request' POST field is empty",
    "ip_blocked": "Your IP was blocked due to many incorrect log in attempts",
    "access_denied": "Access denied",
    "json_invalid": "JSON is not valid",
    "xml_invalid": "XML is not valid",
    "unknown_call": "API method does not exist",
    "order_exists": "Order reference is already exists",
    "order_nx": "Order not found",
    "return_nx": "Return not found",
    "empty": "No tracking events was found",
}
"""Texts of the page; a code without one is its own text."""


class Failed(SimulatorError):
    """An error of the API."""

    def __init__(self, code: str, message: str | None = None) -> None:
        self.code = code
        self.message = message or MESSAGES.get(code, code.replace("_", " ").capitalize())
        super().__init__(code)
