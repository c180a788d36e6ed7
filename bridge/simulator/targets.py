"""Which webhook URLs may be called."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from bridge.simulator.errors import TargetRefused


def checked_target(url: str, *, allow_remote: bool) -> str:
    """Give the URL back if the carrier would take it and it stays on this machine (unless told otherwise).

    The carrier expects the path in lower case, so a secret in it cannot be base64.
    https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153494/Webhooks
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise TargetRefused("not a URL") from None
    if parts.scheme not in ("http", "https") or not host:
        raise TargetRefused("needs http:// or https:// and a host")
    if parts.path != parts.path.lower():
        raise TargetRefused("needs a path in lower case")
    if not allow_remote and not is_loopback(host):
        raise TargetRefused("leaves this machine, which is refused unless remote targets are allowed")
    return url


def is_loopback(host: str) -> bool:
    """Say whether the host is this machine, without asking a name server."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
