"""HTTP on this machine, where nobody speaks TLS."""

from __future__ import annotations

import ssl
from typing import Final

NO_TLS: Final = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""What a client is given to trust nobody: to load the authorities of the world takes each new client 30 ms."""
