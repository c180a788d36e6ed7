"""`bridge webhook`: the URL to register with InPost, and the secret in it."""

from __future__ import annotations

import json
import secrets as random_secrets
from typing import Annotated

import typer

from bridge.cli import running
from bridge.cli.running import Json
from bridge.errors import SettingsError

verbs = running.group("The URL to register with InPost.")


@verbs.command("url")
def url(
    base: Annotated[
        str, typer.Option(help="How the internet reaches this bridge: https://, or http:// on this machine.")
    ] = "https://YOUR-HOST",
    as_json: Json = False,
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
    urls = {one.id: f"{reached}/webhooks/shipx/{one.webhook_secrets[0].get_secret_value()}" for one in organizations}
    if as_json:
        items = [{"organization_id": number, "url": found} for number, found in urls.items()]
        print(json.dumps({"items": items}, indent=2))
    else:
        print("\n".join(f"{number}\t{found}" for number, found in urls.items()))


@verbs.command("secret")
def secret(as_json: Json = False) -> None:
    """Make a new secret for BRIDGE_SHIPX__WEBHOOK_SECRETS: lower case, because InPost wants the path so.

    To rotate: add the new one in front of the old, register the new URL, then remove the old one.
    """
    made = random_secrets.token_hex(24)
    print(json.dumps({"secret": made}, indent=2) if as_json else made)
