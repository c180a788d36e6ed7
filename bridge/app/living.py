"""The image's health check: `python3 -m bridge.app.living` ends with 0 where the bridge of these settings lives.

It asks where the settings say that it listens, whether that stands in the environment or in TOML.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from ipaddress import ip_address
from typing import Final

from bridge.errors import SettingsError
from bridge.settings import load

_WITHIN_S: Final = 4.0


def main(environ: Mapping[str, str]) -> int:
    """Ask `/livez`, and say what is wrong; gives the exit code."""
    try:
        http = load(environ).http
        status = _status(_reached(http.host), http.internal_port or http.port)
    except (SettingsError, HTTPException, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0 if status == 200 else 1


def _status(host: str, port: int) -> int:
    """Ask without a proxy, whatever the environment says of one."""
    connection = HTTPConnection(host, port, timeout=_WITHIN_S)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status
    finally:
        connection.close()


def _reached(host: str) -> str:
    """Name where one who listens at `host` is reached from the same machine: on loopback, if at every address."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    if not address.is_unspecified:
        return host
    return "127.0.0.1" if address.version == 4 else "::1"


if __name__ == "__main__":
    raise SystemExit(main(os.environ))
