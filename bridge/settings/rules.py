"""What no single value shows: combinations that must not start. Each rule yields (place, what to do)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, collapse_addresses

from bridge.settings import keys
from bridge.settings.model import Organization, Settings
from bridge.settings.values import Network

Findings = Iterator[tuple[keys.Path, str]]
ORGANIZATION: keys.Path = ("shipx", "organization_id")
SECRETS: keys.Path = ("shipx", "webhook_secrets")
FURTHER: keys.Path = ("shipx", "organizations")


@dataclass(frozen=True, slots=True)
class Rule:
    """A check, and the places it looks at: where one of them is refused already, the rule has nothing to say."""

    check: Callable[[Settings], Findings]
    reads: tuple[keys.Path, ...]


def broken(settings: Settings, refused: list[keys.Path]) -> Findings:
    """Yield what the rules find, but for values that were refused before."""
    for rule in RULES:
        if not any(_touches(place, path) for place in rule.reads for path in refused):
            yield from rule.check(settings)


def _touches(place: keys.Path, path: keys.Path) -> bool:
    shared = min(len(place), len(path))
    return place[:shared] == path[:shared]


def _ports(settings: Settings) -> Findings:
    if settings.http.internal_port == settings.http.port:
        yield ("http", "internal_port"), "must differ from BRIDGE_HTTP__PORT"


def _networks(settings: Settings) -> Findings:
    place = ("webhook", "networks")
    if settings.webhook.network_mode != "enforce":
        return
    if not settings.webhook.networks:
        yield place, "lets nobody in; name the carrier's networks, or set BRIDGE_WEBHOOK__NETWORK_MODE=off"
    elif _whole_internet(settings.webhook.networks):
        yield place, "lets everybody in; if you mean that, set BRIDGE_WEBHOOK__NETWORK_MODE=off"


def _proxies(settings: Settings) -> Findings:
    if _whole_internet(settings.webhook.trusted_proxies):
        yield ("webhook", "trusted_proxies"), "would believe anybody's X-Forwarded-For; name your proxies' networks"


def _whole_internet(networks: tuple[Network, ...]) -> bool:
    four = list(collapse_addresses(network for network in networks if isinstance(network, IPv4Network)))
    six = list(collapse_addresses(network for network in networks if isinstance(network, IPv6Network)))
    return any(network.prefixlen == 0 for network in four) or any(network.prefixlen == 0 for network in six)


def _first_organization(settings: Settings) -> Findings:
    shipx = settings.shipx
    if shipx.organization_id is None and (shipx.token or shipx.webhook_secrets):
        yield ORGANIZATION, "is missing; the token and the webhook secrets belong to an organization"


def _organizations(settings: Settings) -> Findings:
    seen: set[int] = set()
    for place, organization in _places(settings):
        if organization.token is None and not organization.webhook_secrets:
            yield place, "has neither a token nor webhook secrets; give it one of them, or take it out"
        if organization.id in seen:
            yield place, "repeats the id of another organization"
        seen.add(organization.id)


def _read_back(settings: Settings) -> Findings:
    if settings.shipx.read_back == "purchases":
        return
    for _, organization in _places(settings):
        if organization.token is None:
            problem = f"needs a token of organization {organization.id}: what waits for a read would wait for ever"
            yield ("shipx", "read_back"), problem


def _webhook_secrets(settings: Settings) -> Findings:
    seen: set[str] = set()
    for place, organization in _places(settings):
        values = [secret.get_secret_value() for secret in organization.webhook_secrets]
        if len(set(values)) < len(values) or seen & set(values):
            secrets = SECRETS if place == ORGANIZATION else (*place, "webhook_secrets")
            yield secrets, "holds a secret twice, or one that another organization has; each must be unique"
        seen.update(values)


def _receiver(settings: Settings) -> Findings:
    if "receiver" not in settings.roles or any(one.webhook_secrets for one in settings.shipx.organizations):
        return
    if not settings.shipx.organizations:
        yield ORGANIZATION, "is missing; the role receiver needs an organization (or leave it out of BRIDGE_ROLES)"
    yield SECRETS, "is missing; the role receiver needs one, and `bridge webhook secret` makes one"


def _credentials(settings: Settings) -> Findings:
    for provider, first, second in (
        ("inpost_returns", "client_id", "client_secret"),
        ("szybkie_zwroty", "email", "password"),
        ("intelligentreturns", "login", "api_key"),
    ):
        part = getattr(settings, provider)
        for missing, given in ((first, second), (second, first)):
            if getattr(part, missing) is None and getattr(part, given) is not None:
                yield (provider, missing), f"is missing; {keys.name((provider, given))} is of no use without it"


def _api_clients(settings: Settings) -> Findings:
    names: set[str] = set()
    hashes: set[str] = set()
    for index, client in enumerate(settings.api_tokens):
        if client.name in names:
            yield ("api_tokens", index, "name"), "is taken by another token"
        if client.sha256 in hashes:
            yield ("api_tokens", index, "sha256"), "belongs to another token already"
        names.add(client.name)
        hashes.add(client.sha256)


def _personal_data(settings: Settings) -> Findings:
    place = ("personal_data", "keys")
    if not settings.personal_data.keys and not settings.carriers_are_loopback:
        yield place, "is missing; a carrier that is not loopback sends personal data, which is kept encrypted"
    if len(set(settings.personal_data.key_bytes)) < len(settings.personal_data.keys):
        yield place, "holds a key twice"


def _settle(settings: Settings) -> Findings:
    if settings.purchasing.settle_s < 5 and not settings.carriers_are_loopback:
        yield ("purchasing", "settle_s"), "must be 5 or more: the carrier's reads lag behind a purchase"


def _labels(settings: Settings) -> Findings:
    """Look at what is fetched unasked: the first organization by the keys of all, the others by their own."""
    shipx = settings.shipx
    if not _fits(shipx.labels, shipx.label_type):
        yield ("shipx", "label_type"), _DPI300
    for index, one in enumerate(shipx.further):
        if not _fits(one.labels or shipx.labels, one.label_type):
            yield (*FURTHER, index, "label_type"), _DPI300


_DPI300 = "must not be dpi300 unless labels is zpl"


def _fits(labels: str, kind: str | None) -> bool:
    return kind != "dpi300" or labels in ("zpl", "off")


def _places(settings: Settings) -> Iterator[tuple[keys.Path, Organization]]:
    """Pair each organization with the place it was given at."""
    first = settings.shipx.organization_id is not None
    for index, organization in enumerate(settings.shipx.organizations):
        yield (ORGANIZATION if first and index == 0 else (*FURTHER, index - first)), organization


RULES = (
    Rule(_ports, (("http",),)),
    Rule(_networks, (("webhook", "networks"), ("webhook", "network_mode"))),
    Rule(_proxies, (("webhook", "trusted_proxies"),)),
    Rule(_first_organization, (ORGANIZATION,)),
    Rule(_organizations, (("shipx", "token"), SECRETS, FURTHER)),
    Rule(_read_back, (("shipx", "read_back"), ("shipx", "token"), FURTHER)),
    Rule(_webhook_secrets, (SECRETS, FURTHER)),
    Rule(_receiver, (("roles",), ORGANIZATION, SECRETS, FURTHER)),
    Rule(_credentials, (("inpost_returns",), ("szybkie_zwroty",), ("intelligentreturns",))),
    Rule(_api_clients, (("api_tokens",),)),
    Rule(_personal_data, (("personal_data",),)),
    Rule(_labels, (("shipx", "labels"), ("shipx", "label_type"), FURTHER)),
    Rule(_settle, (("purchasing", "settle_s"),)),
)
