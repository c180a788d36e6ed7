"""What is no HTTP, or only half of it."""

from __future__ import annotations

from random import Random
from typing import Final

from tests.soak import bodies
from tests.soak.requests import head, webhook_path
from tests.soak.rules import Place
from tests.soak.sent import Sent, Targets

_PATIENCE_S: Final = 0.5
"""The bridge may wait for the rest of it for much longer."""
_GREETINGS: Final = (
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(64),  # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"AMQP\x00\x00\x09\x01",
    b"SSH-2.0-OpenSSH_9.6\r\n",
    b"EHLO soak\r\n",
    b"\r\n\r\n\r\n\r\n",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET  /  HTTP/1.1\r\n\r\n",
    b"\x00" * 100,
)


def half(random: Random, targets: Targets) -> Sent:
    """Send a part of a request, and leave."""
    body = bodies.body(random, targets.organization)
    whole = head("POST", webhook_path(targets), length=len(body) + 1) + body
    return Sent(Place.wire, (whole[: random.randrange(1, len(whole) + 1)],), answers=0)


def pipeline(random: Random, targets: Targets) -> Sent:
    """Send several requests without waiting for answers."""
    count = random.randrange(2, 8)
    requests = []
    for _ in range(count):
        body = bodies.body(random, targets.organization)
        requests.append(head("POST", webhook_path(targets), length=len(body)) + body)
    return Sent(Place.right_secret, (b"".join(requests),), answers=count)


def garbage(random: Random, _targets: Targets) -> Sent:
    """Send bytes that are no request."""
    noise = random.randbytes(random.choice((1, 10, 200, 40_000)))
    return Sent(Place.wire, (random.choice((*_GREETINGS, noise)) + b"\r\n\r\n",), patience_s=_PATIENCE_S)


def malformed(random: Random, targets: Targets) -> Sent:
    """Send a request with something wrong in its head or in its framing."""
    path = webhook_path(targets).encode()
    body = bodies.body(random, targets.organization)
    begin = b"POST " + path + b" HTTP/1.1\r\nhost: soak\r\n"
    sent = random.choice(
        (
            begin + b"content-length: -5\r\n\r\n" + body,
            begin + b"content-length: 1e3\r\n\r\n" + body,
            begin + b"content-length: 5\r\ncontent-length: 6\r\n\r\n" + body,
            begin + b"content-length: " + b"9" * 40 + b"\r\n\r\n" + body,
            begin + b"content-length: 5\r\ntransfer-encoding: chunked\r\n\r\n" + body,
            begin + b"transfer-encoding: chunked\r\n\r\nzz\r\n" + body,
            begin + b"transfer-encoding: chunked\r\n\r\n5;" + b"x" * 70_000 + b"\r\n" + body,
            begin + b"transfer-encoding: gzip, chunked\r\n\r\n" + body,
            begin + b"no colon here\r\n\r\n" + body,
            begin + b"bad\x00name: x\r\n\r\n" + body,
            begin + b": nameless\r\n\r\n" + body,
            begin + b"x: " + b"y" * 70_000 + b"\r\n\r\n" + body,
            begin + b"x: y\r\n" * 500 + b"\r\n" + body,
            begin + b" folded: x\r\n\r\n" + body,
            begin.replace(b"\r\n", b"\n") + b"content-length: 2\n\n{}",
            b"P\xc3\x96ST " + path + b" HTTP/1.1\r\n\r\n",
            b"POST " + path + b" HTTP/1.0\r\ncontent-length: 2\r\n\r\n{}",
            b"POST " + path + b"\r\n\r\n",
            b"GET * HTTP/1.1\r\nhost: soak\r\n\r\n",
            b"POST /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n",
            b"POST /\xff\xfe HTTP/1.1\r\nhost: soak\r\ncontent-length: 0\r\n\r\n",
        )
    )
    return Sent(Place.wire, (sent,), patience_s=_PATIENCE_S)
