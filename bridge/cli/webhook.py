"""`bridge webhook`: the URL to register with InPost, and the secret in it."""

from __future__ import annotations

import secrets as random_secrets
from typing import Annotated

import typer

from bridge.cli import running
from bridge.errors import SettingsError

verbs = running.group("The URL to register with InPost.")


@verbs.command("url")
def url(
    base: Annotated[
        str, typer.Option(help="How the internet reaches this bridge: https://, or http:// on this machine.")
    ] = "https://YOUR-HOST",
) -> None:
    """Print the URL to register with InPost, for every organization. It holds the secret: handle it like a password.

    Example: bridge webhook url --base https://hooks.example.com
    """
    from bridge.settings.values import base_url

    try:
        reached = base_url(base)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--base") from None
    organizations = [one for one in running.settings().shipx.organizations if one.webhook_secrets]
    if not organizations:
        raise SettingsError([("BRIDGE_SHIPX__WEBHOOK_SECRETS", "is not set: `bridge webhook secret` makes one")])
    for one in organizations:
        print(f"{one.id}\t{reached}/webhooks/shipx/{one.webhook_secrets[0].get_secret_value()}")


@verbs.command("secret")
def secret() -> None:
    """Make a new secret for BRIDGE_SHIPX__WEBHOOK_SECRETS: lower case, because InPost wants the path so.

    To rotate: add the new one in front of the old, register the new URL, then remove the old one.
    """
    print(random_secrets.token_hex(24))
