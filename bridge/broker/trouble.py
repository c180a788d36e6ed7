"""What keeps us from the broker, in words, and what to do about it; never the address, which may hold a password."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from aio_pika.exceptions import AuthenticationError, ChannelNotFoundEntity, ChannelPreconditionFailed
from aio_pika.exceptions import ProbableAuthenticationError as Unauthenticated
from aiormq.exceptions import ChannelAccessRefused, ConnectionNotAllowed, InvalidFrameError

_VHOST = "see that the one at the end of BRIDGE_AMQP_URL exists (%2F is `/`), and that the user may use it"
_ADDRESS = "see that host and port in BRIDGE_AMQP_URL are right, and amqps:// where the broker wants TLS"


@dataclass(frozen=True, slots=True)
class Trouble:
    """What the broker does, as words behind "the broker", and what to do about it."""

    told: str
    do: str

    def __str__(self) -> str:
        return f"the broker {self.told}: {self.do}"


def trouble(error: BaseException) -> Trouble:
    """Find the words for what a library raised.

    Only where something is missing or differs, the broker's own words are told: they name it, and nobody's login.
    """
    for cause in _causes(error):
        match cause:
            case Unauthenticated() | AuthenticationError():
                return Trouble("refuses the user or the password", "correct them in BRIDGE_AMQP_URL, percent-encoded")
            case InvalidFrameError() | ConnectionNotAllowed():
                return Trouble("does not open the virtual host", _VHOST)
            case ChannelAccessRefused():
                advice = "give the user of BRIDGE_AMQP_URL configure, write and read on ^bridge\\."
                return Trouble("does not let this user at the topology", advice)
            case ChannelPreconditionFailed():
                return Trouble(
                    f"has it with other properties ({cause})", "delete it there, then `bridge topology apply`"
                )
            case ChannelNotFoundEntity():
                return Trouble(f"lacks a part of the topology ({cause})", "run `bridge topology apply`")
            case ConnectionRefusedError():
                return Trouble("cannot be reached: nothing listens at its address", f"start it, or {_ADDRESS}")
            case socket.gaierror():
                return Trouble("cannot be reached: its host name is not known here", _ADDRESS)
            case ssl.SSLError():
                return Trouble("and we do not agree on TLS", "see its certificate, and amqp:// or amqps://")
    if isinstance(error, TimeoutError):
        return Trouble("does not answer", "see whether it is up, and whether a firewall lies between")
    return Trouble(f"cannot be reached ({type(error).__name__})", _ADDRESS)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Go from what was raised to what was behind it."""
    cause: BaseException | None = error
    while cause is not None:
        yield cause
        cause = cause.__cause__
