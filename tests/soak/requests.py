"""Requests that are HTTP, but not what one would send."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Final
from urllib.parse import quote

from tests.soak import bodies
from tests.soak.bodies import MARK
from tests.soak.rules import Place
from tests.soak.sent import Sent, Targets

MOST_BYTES: Final = 262_144
"""Of a body that is read whole, as by default."""
_METHODS: Final = ("PUT", "PATCH", "DELETE", "OPTIONS", "PROPFIND", "GET", "HEAD", "TRACE")
_HEADERS: Final = (
    "content-encoding: gzip",
    "content-encoding: identity",
    "content-encoding: x-unheard-of, br",
    f"x-forwarded-for: 91.216.25.7, {MARK}",
    "x-forwarded-for: " + "1.2.3.4, " * 400,
    "x-forwarded-proto: https",
    "expect: 100-continue",
    "connection: close",
    "connection: keep-alive, upgrade",
    "upgrade: websocket",
    f"authorization: Bearer {MARK}",
    f"cookie: session={MARK}",
    "accept-encoding: gzip, deflate, br",
    "content-type: multipart/form-data; boundary=x",
    "content-type: application/json; charset=utf-16",
    "content-type: ",
    "range: bytes=0-0",
    "if-none-match: *",
    f"traceparent: 00-{'f' * 32}-{'f' * 16}-01",
    "host: other.example",
    "x-empty:",
)
_VALUES: Final = (
    "",
    "0",
    "-1",
    "1",
    "100",
    "1001",
    "9" * 30,
    "x",
    "é",
    "\x00",
    "%",
    "null",
    "1.5",
    " ",
    MARK,
    "x" * 3000,
)


def head(method: str, path: str, headers: Sequence[str] = (), length: int | None = None) -> bytes:
    """Write a request's head."""
    lines = [f"{method} {path} HTTP/1.1", "host: soak", *headers]
    if length is not None:
        lines.append(f"content-length: {length}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def webhook_path(targets: Targets) -> str:
    """Write the path with the right secret."""
    return f"/webhooks/shipx/{targets.secret}"


def post(random: Random, targets: Targets) -> Sent:
    """Send a bad body."""
    body = bodies.body(random, targets.organization)
    path = webhook_path(targets) + random.choice(("", "", "", "/", "?", f"?a={MARK}", "/?"))
    return Sent(Place.right_secret, (head("POST", path, ["content-type: application/json"], len(body)) + body,))


def odd_headers(random: Random, targets: Targets) -> Sent:
    """Send a body with headers that are no use."""
    body = bodies.body(random, targets.organization)
    headers = random.sample(_HEADERS, random.randrange(1, 8))
    headers += [f"x-{number}: {MARK}" for number in range(random.choice((0, 0, 20, 90)))]
    return Sent(Place.right_secret, (head("POST", webhook_path(targets), headers, len(body)) + body,))


def chunked(random: Random, targets: Targets) -> Sent:
    """Send a body in chunks, each with its size."""
    body = bodies.body(random, targets.organization)
    ends = sorted(random.randrange(len(body) + 1) for _ in range(random.randrange(5)))
    parts = [body[begin:end] for begin, end in zip([0, *ends], [*ends, len(body)], strict=True)]
    written = b"".join(b"%x\r\n%b\r\n" % (len(part), part) for part in parts if part) + b"0\r\n\r\n"
    return Sent(Place.right_secret, (head("POST", webhook_path(targets), ["transfer-encoding: chunked"]) + written,))


def odd_method(random: Random, targets: Targets) -> Sent:
    """Ask the webhook URL for something else than to take a webhook."""
    method = random.choice(_METHODS)
    body = bodies.body(random, targets.organization) if random.random() < 0.5 else b""
    sent = head(method, webhook_path(targets), length=len(body)) + body
    return Sent(Place.right_secret, (sent,), has_bodies=method != "HEAD")


def wrong_secret(random: Random, targets: Targets) -> Sent:
    """Guess a secret."""
    secret = random.choice(
        (
            targets.secret[:-1],
            targets.secret + "0",
            targets.secret.upper() + "A",
            f"{MARK}{random.randrange(10**6)}",
            quote(bodies.MARK + "é\x00%"),
            "x" * random.choice((1, 128, 4_000)),
        )
    )
    method = random.choice(("POST", "POST", "GET", "HEAD", "PUT"))
    body = bodies.body(random, targets.organization) if method in ("POST", "PUT") else b""
    sent = head(method, f"/webhooks/shipx/{secret}", length=len(body)) + body
    return Sent(Place.wrong_secret, (sent,), has_bodies=method != "HEAD")


def api(random: Random, targets: Targets) -> Sent:
    """Ask a documented route for what it does not have."""
    method, path = random.choice(targets.routes)
    while "{" in path:
        begin, _, rest = path.partition("{")
        path = begin + _quoted(random) + rest.partition("}")[2]
    names = ("after", "limit", "type", "subject", "state", "id", "x")
    query = "&".join(f"{random.choice(names)}={_quoted(random)}" for _ in range(random.randrange(4)))
    if random.random() < 0.1:
        method = random.choice(_METHODS)
    body = bodies.body(random, targets.organization) if method in ("POST", "PUT", "PATCH") else b""
    headers = [*_authorization(random, targets), f"last-event-id: {random.choice(('', 'x', MARK, '9' * 40))}"]
    sent = head(method, f"{path}?{query}" if query else path, headers, len(body)) + body
    return Sent(Place.api, (sent,), has_bodies=method != "HEAD")


def odd_path(random: Random, targets: Targets) -> Sent:
    """Ask for what is nowhere."""
    path = random.choice(
        (
            f"/{_quoted(random)}",
            f"/v1/{_quoted(random)}",
            f"/v1/events/{_quoted(random)}",
            "//v1//events",
            "/v1/../livez",
            "/webhooks",
            "/webhooks/",
            "/webhooks/shipx",
            "/webhooks/inpost/" + targets.secret,
            f"/webhooks/shipx/{targets.secret}/more",
            "/readyz/" + "a/" * 500,
            "http://elsewhere.example/readyz",
        )
    )
    method = random.choice(("GET", "POST", "DELETE", "HEAD"))
    sent = head(method, path, _authorization(random, targets), 0)
    return Sent(Place.api, (sent,), has_bodies=method != "HEAD")


def oversized(random: Random, targets: Targets) -> Sent:
    """Send more than is kept, in large pieces."""
    size = random.choice((MOST_BYTES, MOST_BYTES + 1, 2 * MOST_BYTES, 9 * MOST_BYTES))
    piece = random.randbytes(65_536)
    pieces = [piece[: size - begin] for begin in range(0, size, len(piece))]
    return Sent(Place.right_secret, (head("POST", webhook_path(targets), length=size), *pieces))


def slow(random: Random, targets: Targets) -> Sent:
    """Take time over a body, or over a head."""
    body = bodies.body(random, targets.organization)[:4_000]
    sent = head("POST", webhook_path(targets), length=len(body)) + body
    count = random.choice((2, 5, 20))
    size = max(len(sent) // count, 1)
    pieces = tuple(sent[begin : begin + size] for begin in range(0, len(sent), size))
    return Sent(Place.right_secret, pieces, pause_s=random.choice((0.05, 0.3, 1.5)))


def _authorization(random: Random, targets: Targets) -> list[str]:
    right = f"authorization: Bearer {targets.token}"
    wrong = (f"authorization: Bearer {MARK}", "authorization: Basic eDp5", "authorization:")
    return random.choice(([right], [right], [right], [], [random.choice(wrong)]))


def _quoted(random: Random) -> str:
    return quote(
        random.choice((*_VALUES, f"{random.getrandbits(168):042x}", f"shipment/{random.randrange(10**6)}")), safe=""
    )
