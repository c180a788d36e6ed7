"""How one value is read: lists, networks, addresses, durations, keys. No message here repeats its input,
because what was put into the wrong place may be a secret; networks are the exception, once they parse.
"""

from __future__ import annotations

import base64
import binascii
import re
from datetime import timedelta
from decimal import Decimal
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated, Literal, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, SecretStr

Environment = Literal["production", "sandbox", "demo"]
Role = Literal["receiver", "worker", "relay", "commands", "reconciler"]
Scope = Literal["read", "events", "shipments:write", "purchases:write", "returns:write", "personal:read", "admin"]
Command = Literal[
    "return.create",
    "return.cancel",
    "return.code.activate",
    "shipment.create",
    "shipment.select_offer",
    "shipment.buy",
    "shipment.approve",
    "shipment.hold",
    "shipment.cancel",
    "label.fetch",
    "dispatch_order.create",
    "policy.evaluate",
]
Network = IPv4Network | IPv6Network

ROLES: frozenset[Role] = frozenset(get_args(Role))
COMMANDS: tuple[Command, ...] = get_args(Command)

_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NOT_IN_URLS = re.compile(r"[\s\\\x00-\x1f\x7f]")
_ENCODED = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_WEBHOOK_SECRET = re.compile(r"[a-z0-9]{32,128}")
_REPLY_QUEUE = re.compile(r"[A-Za-z0-9_.:*?-]{1,255}")


def is_loopback(url: str) -> bool:
    """Say whether the URL's host is this machine: 127.0.0.0/8, ::1 or localhost, without asking a resolver."""
    if _NOT_IN_URLS.search(url):
        return False
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def split(value: object) -> object:
    """Split a comma list, or the lines of a file; leave alone what TOML already made a list."""
    if not isinstance(value, str):
        return value
    return [part for piece in re.split(r"[,\r\n]", value) if (part := piece.strip())]


def _roles(value: object) -> object:
    names = split(value)
    if not isinstance(names, list) or "all" not in names:
        return names
    return [*(name for name in names if name != "all"), *ROLES]


def _commands(value: object) -> object:
    names = split(value)
    if names == ["*"]:
        return "*"
    if not isinstance(names, list) or any(name not in COMMANDS for name in names):
        raise ValueError(f"must be * or a list of {', '.join(COMMANDS)}")
    return names


def _reply_queue(pattern: str) -> str:
    if not _REPLY_QUEUE.fullmatch(pattern):
        raise ValueError("must be a queue name, in which * and ? stand for any characters or one")
    if pattern.startswith("bridge."):
        raise ValueError("must not name the bridge's own queues (bridge.*)")
    return pattern


def _network(value: object) -> Network:
    if not isinstance(value, str):
        raise ValueError("must be text, such as 91.216.25.0/24")  # noqa: TRY004 - pydantic collects these
    try:
        network = ip_network(value, strict=False)
    except ValueError:
        raise ValueError("must be an address or a network such as 91.216.25.0/24") from None
    if "/" in value and ip_address(value.partition("/")[0]) != network.network_address:
        raise ValueError(f"has host bits set; the network would be {network}")
    return network


def _parts(url: str) -> SplitResult:
    """Split a URL and look at its port, without showing it in an error."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError("must be a URL") from None
    if _NOT_IN_URLS.search(url) or port == 0:
        raise ValueError("must be a URL")
    return parts


def base_url(url: str) -> str:
    """Take an address that may be called: https://, or http:// on this machine; without a slash at its end."""
    parts = _parts(url)
    if parts.scheme not in ("https", "http") or not parts.hostname:
        raise ValueError("must be a URL that begins with https://")
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not hold a user or password; credentials have settings of their own")
    if parts.query or parts.fragment or url.endswith(("?", "#")):
        raise ValueError("must be a URL without ? and #")
    if parts.scheme == "http" and not is_loopback(url):
        raise ValueError("must begin with https://; http:// is for loopback (127.0.0.0/8, ::1, localhost) only")
    return url.rstrip("/")


def _amqp_url(secret: SecretStr) -> SecretStr:
    parts = _parts(secret.get_secret_value())
    if parts.scheme not in ("amqp", "amqps") or not parts.hostname:
        raise ValueError("must be amqp://user:password@host:port/vhost or amqps://…")
    return secret


def _database_url(secret: SecretStr) -> SecretStr:
    url = secret.get_secret_value()
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        if not path or path.startswith(":memory:") or "?" in path or _CONTROL.search(path):
            raise ValueError("must name a file: sqlite:///relative/path.db or sqlite:////absolute/path.db")
        return secret
    # Several hosts may stand in it (host1:5432,host2:5432), so this is not taken apart as a URL.
    if not url.startswith("postgresql://") or _NOT_IN_URLS.search(url):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    authority, _, rest = url.removeprefix("postgresql://").partition("?")[0].partition("/")
    if authority.count("@") > 1 or "@" in rest or not _ENCODED.fullmatch(authority):
        raise ValueError("must have user and password percent-encoded: @ is %40, / is %2F, % is %25")
    return secret


def _duration(value: object) -> object:
    if isinstance(value, timedelta):
        return value
    match = re.fullmatch(r"(\d{1,6})([hd])", value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("must be a number of hours or days, such as 12h or 90d")
    duration = int(match[1]) * _UNITS[match[2]]
    if not timedelta(hours=1) <= duration <= timedelta(days=3650):
        raise ValueError("must be between 1h and 3650d")
    return duration


def _printable(secret: SecretStr) -> SecretStr:
    value = secret.get_secret_value()
    if not value.strip():
        raise ValueError("must not be blank")
    if _CONTROL.search(value):
        raise ValueError("must not hold line breaks or control characters")
    return secret


def _header_safe(secret: SecretStr) -> SecretStr:
    if not re.fullmatch(r"[!-~]+", secret.get_secret_value()):
        raise ValueError("must be visible ASCII characters without spaces")
    return secret


def _api_token(secret: SecretStr) -> SecretStr:
    if len(secret.get_secret_value()) < 16:
        raise ValueError("must have at least 16 characters")
    return secret


def _webhook_secret(secret: SecretStr) -> SecretStr:
    if not _WEBHOOK_SECRET.fullmatch(secret.get_secret_value()):
        raise ValueError("must match [a-z0-9]{32,128}; `bridge webhook secret` makes one")
    return secret


def decode_key(secret: SecretStr) -> bytes:
    """Turn a base64 key (standard or url-safe alphabet, padding optional) into its bytes."""
    text = secret.get_secret_value().rstrip("=").replace("-", "+").replace("_", "/")
    return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)


def _encryption_key(secret: SecretStr) -> SecretStr:
    try:
        size = len(decode_key(secret))
    except (binascii.Error, ValueError):
        size = 0
    if size != 32:
        raise ValueError("must be base64 of exactly 32 bytes, as `openssl rand -base64 32` prints")
    return secret


def _sha256(value: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", value):
        raise ValueError("must be the SHA-256 of the token in 64 hexadecimal digits")
    return value.lower()


def _one_line(value: str) -> str:
    if not value.strip() or _CONTROL.search(value):
        raise ValueError("must be one line of text")
    return value


def _host(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.:_%-]{1,253}", value):
        raise ValueError("must be an address or host name to listen on, without a port")
    return value


Port = Annotated[int, Field(ge=1, le=65535)]
Seconds = Annotated[float, Field(gt=0)]
"""Each field adds its own upper bound: one given here would silently win over the field's."""
Money = Annotated[Decimal, Field(gt=0, le=10_000_000, decimal_places=2)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Line = Annotated[str, Field(max_length=255), AfterValidator(_one_line)]
Host = Annotated[str, AfterValidator(_host)]
Name = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
CarrierId = Annotated[int, Field(ge=1, lt=10**18)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
AmqpUrl = Annotated[SecretStr, AfterValidator(_amqp_url)]
DatabaseUrl = Annotated[SecretStr, AfterValidator(_database_url)]
Password = Annotated[SecretStr, AfterValidator(_printable)]
Token = Annotated[SecretStr, AfterValidator(_header_safe)]
ApiToken = Annotated[SecretStr, AfterValidator(_header_safe), AfterValidator(_api_token)]
Sha256 = Annotated[str, AfterValidator(_sha256)]
Roles = Annotated[frozenset[Role], Field(min_length=1), BeforeValidator(_roles)]
Commands = Annotated[tuple[Command, ...] | Literal["*"], BeforeValidator(_commands)]
ReplyQueues = Annotated[tuple[Annotated[str, AfterValidator(_reply_queue)], ...], BeforeValidator(split)]
Networks = Annotated[tuple[Annotated[Network, PlainValidator(_network)], ...], BeforeValidator(split)]
WebhookSecrets = Annotated[tuple[Annotated[SecretStr, AfterValidator(_webhook_secret)], ...], BeforeValidator(split)]
EncryptionKeys = Annotated[tuple[Annotated[SecretStr, AfterValidator(_encryption_key)], ...], BeforeValidator(split)]
