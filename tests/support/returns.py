"""What a bridge is told of the three stand-in providers of returns."""

from __future__ import annotations


def credentials(url: str) -> dict[str, str]:
    """Give the settings of the three, which all answer at one address."""
    return {
        "BRIDGE_SHIPX__BASE_URL": url,
        "BRIDGE_INPOST_RETURNS__BASE_URL": f"{url}/inpost-returns",
        "BRIDGE_INPOST_RETURNS__TOKEN_URL": f"{url}/inpost-returns/auth/realms/external/protocol/openid-connect/token",
        "BRIDGE_INPOST_RETURNS__CLIENT_ID": "shop",
        "BRIDGE_INPOST_RETURNS__CLIENT_SECRET": "secret",
        "BRIDGE_SZYBKIE_ZWROTY__BASE_URL": f"{url}/szybkie-zwroty",
        "BRIDGE_SZYBKIE_ZWROTY__EMAIL": "shop@example.com",
        "BRIDGE_SZYBKIE_ZWROTY__PASSWORD": "secret",
        "BRIDGE_INTELLIGENTRETURNS__BASE_URL": f"{url}/intelligentreturns",
        "BRIDGE_INTELLIGENTRETURNS__LOGIN": "shop",
        "BRIDGE_INTELLIGENTRETURNS__API_KEY": "secret",
    }
