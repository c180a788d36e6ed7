"""The tree of settings: names, defaults and meanings. Keys, reference and example file are made from it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from ipaddress import IPv4Network
from pathlib import Path
from typing import Annotated, Any, Final, Literal, assert_never

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from bridge.settings.values import (
    ROLES,
    AmqpUrl,
    ApiToken,
    BaseUrl,
    CarrierId,
    Commands,
    DatabaseUrl,
    Duration,
    EncryptionKeys,
    Environment,
    Host,
    Line,
    Money,
    Name,
    Networks,
    Password,
    Port,
    ReplyQueues,
    Roles,
    Scope,
    Seconds,
    Sha256,
    Token,
    WebhookSecrets,
    decode_key,
    is_loopback,
)


class Part(BaseModel):
    """A branch of the tree: frozen, without keys that nobody knows."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True, allow_inf_nan=False)


@dataclass(frozen=True, slots=True)
class Database:
    """Where the rows live. `path` is set for SQLite; `url` (with its password) is for PostgreSQL's driver."""

    kind: Literal["sqlite", "postgres"]
    url: SecretStr
    path: Path | None


class Amqp(Part):
    start: Literal["now", "earliest"] = Field(
        "now", description="Where publishing begins when a broker is first configured: `now` or `earliest`."
    )
    declare: bool = Field(True, description="Declare the topology at start; false where the bridge has no such right.")
    commands: Commands = Field(
        "*", description="Commands the bus may give: `*` or a list of names, which are in docs/reference/bus.md."
    )
    reply_queues: ReplyQueues = Field(
        (),
        description="Queues that replies may go to, besides `amq.rabbitmq.reply-to`; `*` and `?` are wildcards. "
        "Never `bridge.*`.",
        examples=[["erp.replies.*"]],
    )

    def allows(self, command: str) -> bool:
        """Say whether the bus may give this command."""
        return self.commands == "*" or command in self.commands


class Http(Part):
    host: Host = Field("127.0.0.1", description="Address to listen on.")
    port: Port = Field(8080, description="Port to listen on.")
    internal_port: Port | None = Field(
        None,
        description="With an internal port, everything but `/webhooks/` is served there alone.",
        examples=[8081],
    )
    drain_delay_s: float = Field(
        0, ge=0, le=600, description="On SIGTERM: how long to keep accepting after `/readyz` said no."
    )


class ApiClient(Part):
    name: Name = Field(description="Who this is; stands in logs.", examples=["warehouse"])
    sha256: Sha256 = Field(
        repr=False,
        description="SHA-256 of the token, in hexadecimal: `printf %s TOKEN | sha256sum`.",
        examples=["0123456789abcdef" * 4],
    )
    scopes: frozenset[Scope] = Field(
        min_length=1,
        description="What it may do: `read`, `events`, `shipments:write`, `purchases:write`, `returns:write`, "
        "`personal:read`, `admin`.",
        examples=[["read", "events"]],
    )
    organizations: tuple[CarrierId, ...] = Field((), description="Whose data it sees; empty: everybody's.")


class Webhook(Part):
    networks: Networks = Field((IPv4Network("91.216.25.0/24"),), description="Networks the carrier sends from.")
    network_mode: Literal["enforce", "observe", "off"] = Field(
        "enforce",
        description="A webhook from elsewhere is parked (`enforce`), counted and let in (`observe`), let in (`off`).",
    )
    trusted_proxies: Networks = Field(
        (),
        description="Only these peers' `X-Forwarded-For` is believed, read from the right.",
        examples=[["10.0.0.0/8"]],
    )
    max_body_bytes: int = Field(262_144, ge=65_536, le=16_777_216, description="Larger bodies are parked.")
    max_pending: int = Field(2000, ge=1, le=100_000, description="Webhooks waiting for a commit; beyond: 503.")
    body_timeout_s: Seconds = Field(10, le=300, description="How long a body may take to arrive.")
    commit_timeout_s: Seconds = Field(5, le=60, description="How long a commit may take; beyond: 503.")


Unasked = Literal["off", "pdf", "zpl", "epl"]
LabelType = Literal["normal", "A6", "dpi300"]


PerMinute = Annotated[int, Field(ge=1, le=6000)]
AtOnce = Annotated[int, Field(ge=1, le=100)]


class Organization(Part):
    """A ShipX organization. Without a token its webhooks are received and published, and nothing is bought."""

    id: CarrierId = Field(description="The organization's number.", examples=[1001])
    token: Token | None = Field(
        None, description="API token; without one the bridge receives and publishes, and buys nothing."
    )
    webhook_secrets: WebhookSecrets = Field(
        (), description="Secrets in the webhook URL, `[a-z0-9]{32,128}`, several valid at once for rotation."
    )
    labels: Unasked | None = Field(
        None, description="As `labels` of the first organization; unset: as there, with its type.", examples=["zpl"]
    )
    label_type: LabelType | None = Field(
        None, description="The type of labels that are fetched unasked.", examples=["dpi300"]
    )
    policy: Path | None = Field(
        None, description="Its own offer policy; unset: `BRIDGE_POLICY`.", examples=["config/policy-1001.toml"]
    )
    requests_per_minute: PerMinute | None = Field(
        None, description="Calls in any minute; unset: as of the first organization.", examples=[120]
    )
    max_in_flight: AtOnce | None = Field(
        None, description="Calls at once; unset: as of the first organization.", examples=[4]
    )


class ShipX(Part):
    """The carrier. Read `organizations`; the three keys of the first one are only how it is given."""

    base_url: BaseUrl = Field(
        "https://api-shipx-pl.easypack24.net", description="Address of the API; `http://` only to loopback."
    )
    organization_id: CarrierId | None = Field(
        None, description="The organization's number; further ones in TOML.", examples=[1000]
    )
    token: Token | None = Field(
        None, description="API token; without one the bridge receives and publishes, and buys nothing."
    )
    webhook_secrets: WebhookSecrets = Field(
        (),
        description="Secrets in the webhook URL, `[a-z0-9]{32,128}`, several valid at once for rotation, "
        "unique across organizations.",
    )
    further: tuple[Organization, ...] = Field((), alias="organizations", description="Further organizations.")
    read_back: Literal["purchases", "terminal", "always"] = Field(
        "purchases",
        description="Which facts wait for a read from the carrier: `purchases` (money only), `terminal` (and first "
        "sight, confirmation, terminal statuses), `always`. All but the first need a token of every organization.",
    )
    requests_per_minute: PerMinute = Field(
        60, description="Calls in any minute per organization, of all replicas together."
    )
    max_in_flight: AtOnce = Field(2, description="Calls at once per organization, of all replicas together.")
    timeout_s: Seconds = Field(10, le=120, description="How long one call may take.")
    labels: Unasked = Field(
        "off",
        description="Which label is fetched and kept as soon as a shipment is confirmed: `off`, `pdf`, `zpl`, `epl`; "
        "for all organizations that do not say otherwise.",
    )
    label_type: LabelType | None = Field(
        None,
        description="Its type: `normal`, `A6`, or `dpi300` for `zpl`; unset: the carrier's own, A4 for lockers and A6 "
        "for couriers.",
        examples=["A6"],
    )

    @property
    def organizations(self) -> tuple[Organization, ...]:
        """The organization of the environment first, then those under `[[shipx.organizations]]`."""
        further = tuple(one if one.labels is not None else self._as_others(one) for one in self.further)
        if self.organization_id is None:
            return further
        first = Organization(id=self.organization_id, token=self.token, webhook_secrets=self.webhook_secrets)
        return (self._as_others(first), *further)

    def limits_of(self, one: Organization) -> tuple[int, int]:
        """Say how often in a minute, and how many times at once, an organization's carrier may be asked."""
        return one.requests_per_minute or self.requests_per_minute, one.max_in_flight or self.max_in_flight

    def _as_others(self, one: Organization) -> Organization:
        kind = self.label_type if one.label_type is None else one.label_type
        return one.model_copy(update={"labels": self.labels, "label_type": kind})


class Purchasing(Part):
    mode: Literal["auto", "approve", "dry_run"] = Field(
        "auto",
        description="`auto` buys; `approve` decides and waits for a person; `dry_run` decides and never spends.",
    )
    scope: Literal["created_by_bridge", "all"] | None = Field(
        None,
        description="Whose shipments are bought unasked: those made here (`created_by_bridge`; others wait as in mode"
        " `approve`) or `all`; "
        "unset with a carrier that is not loopback: `auto` works as `approve`.",
        examples=["created_by_bridge"],
    )
    max_per_day: int = Field(1000, ge=1, le=1_000_000, description="Purchases per day of Poland, per organization.")
    max_spend_per_day: Money | None = Field(
        None, description="PLN per day of Poland, per organization; unset: no cap.", examples=["2500.00"]
    )
    max_per_minute: int | None = Field(
        None, ge=1, le=100_000, description="Purchases per minute; what is more waits for the next.", examples=[60]
    )
    regenerations: int = Field(3, ge=0, le=20, description="How often expired offers of a shipment are made anew.")
    settle_s: Seconds = Field(
        20,
        le=600,
        description="Over how long a purchase in doubt is read before it counts as not made; "
        "under 5 only where the carrier is loopback.",
    )


class Reconcile(Part):
    open_s: Seconds = Field(
        15, le=3600, description="How often to ask while a window or an outcome is open, and for new shipments."
    )
    tracking_s: Seconds = Field(
        1800, le=86_400, description="How often to ask about shipments under way; up to four times as often after news."
    )


Country = Annotated[str, Field(pattern=r"^[A-Z]{2}$")]
ReturnProvider = Literal["inpost_returns", "szybkie_zwroty", "intelligentreturns"]


class ReturnRoute(Part):
    """A rule that says who makes a return for which no provider is named."""

    providers: tuple[ReturnProvider, ...] = Field(
        min_length=1,
        description="Who makes it, the preferred one first; the next one where nothing could be sent to the one before,"
        " never where an outcome is unknown. Each makes it without what only another one of them has a field for"
        " (`service_id`, `provider_options`, `expires_at`, `description`), and without a `parcel_size` that it has none"
        " for.",
        examples=[["inpost_returns", "szybkie_zwroty"]],
    )
    countries: tuple[Country, ...] = Field(
        (), description="Only for senders in these countries (ISO codes); empty: any.", examples=[["PL"]]
    )
    parcel_sizes: tuple[str, ...] = Field((), description="Only for these sizes; empty: any.", examples=[["A", "B"]])
    organizations: tuple[CarrierId, ...] = Field((), description="Only for these organizations; empty: any.")


class Returns(Part):
    routes: tuple[ReturnRoute, ...] = Field(
        (),
        description="Who makes returns for which no provider is named: the first rule that fits. Without one: the only"
        " provider that is set up.",
    )
    poll_s: Seconds = Field(
        300,
        le=86_400,
        description="How often to ask what became of returns that are young or move; the longer nothing happens to one,"
        " the more seldom, down to every six hours.",
    )


_PER_MINUTE: Final = Field(60, description="Calls in any minute, of all replicas together.")
_AT_ONCE: Final = Field(2, description="Calls at once, of all replicas together.")
_TIMEOUT_S: Final = Field(10, le=30, description="How long one call may take.")
"""No longer: where a return may have been made, it is looked for from 30 s after the last try on."""


class InPostReturns(Part):
    base_url: BaseUrl = Field("https://api.inpost.pl", description="Address of the API; `http://` only to loopback.")
    token_url: BaseUrl = Field(
        "https://login.inpost.pl/auth/realms/external/protocol/openid-connect/token",
        description="Where access tokens come from; `http://` only to loopback.",
    )
    client_id: Line | None = Field(None, description="OAuth client; unset: not used.", examples=["my-client"])
    client_secret: Password | None = Field(None, description="The client's secret.")
    requests_per_minute: PerMinute = _PER_MINUTE
    max_in_flight: AtOnce = _AT_ONCE
    timeout_s: Seconds = _TIMEOUT_S


class SzybkieZwroty(Part):
    base_url: BaseUrl = Field(
        "https://api.paczkomaty.pl", description="Address of the API; `http://` only to loopback."
    )
    email: Line | None = Field(
        None, repr=False, description="Panel login; unset: not used.", examples=["returns@example.com"]
    )
    password: Password | None = Field(None, description="Panel password.")
    report_form: Literal["siblings", "nested"] = Field(
        "siblings",
        description="How a report is asked for: its sections beside each other, or `nested`, one in another.",
    )
    requests_per_minute: PerMinute = _PER_MINUTE
    max_in_flight: AtOnce = _AT_ONCE
    timeout_s: Seconds = _TIMEOUT_S


class IntelligentReturns(Part):
    base_url: BaseUrl = Field(
        "https://returns.returnsplatform.com/api", description="Address of the API; `http://` only to loopback."
    )
    login: Line | None = Field(None, repr=False, description="Account login; unset: not used.", examples=["my-account"])
    api_key: Password | None = Field(None, description="API key from the profile page.")
    format: Literal["json", "xml"] = Field("json", description="What to speak: `json` or `xml`.")
    requests_per_minute: PerMinute = _PER_MINUTE
    max_in_flight: AtOnce = _AT_ONCE
    timeout_s: Seconds = _TIMEOUT_S


class Labels(Part):
    folder: Path | None = Field(
        None,
        description="Where the content of labels is kept, encrypted; every replica must see it. Unset: the database.",
        examples=["/var/lib/bridge/labels"],
    )


class PersonalData(Part):
    keys: EncryptionKeys = Field(
        (),
        description="Encryption keys, newest first, base64 of 32 bytes each; required when a carrier is not loopback.",
    )

    @property
    def key_bytes(self) -> tuple[bytes, ...]:
        """The keys as a cipher takes them, newest first."""
        return tuple(decode_key(key) for key in self.keys)


class Retention(Part):
    deliveries: Duration = Field(
        timedelta(days=90),
        description="How long webhooks are kept (`12h`, `90d`), with their bodies. Those without a verdict stay.",
    )
    events: Duration = Field(
        timedelta(days=90),
        description="How long events are kept, the steps of purchases with what was decided, and returns that ended. "
        "With a broker, only events that it has confirmed go; facts stay for good, so that nothing is told twice. "
        "Commands that ended, and with them their keys, stay for this or for `deliveries`, whichever is longer, and as "
        "long as the return that they made.",
    )
    parked: Duration = Field(timedelta(days=14), description="How long parked webhooks are kept.")
    labels: Duration = Field(
        timedelta(days=45),
        description="How long labels are kept, those of returns until these have ended; one that is asked for later is "
        "fetched again.",
    )


def _migrates(earlier: dict[str, Any]) -> bool:
    return _is_sqlite(earlier["database_url"])


def _is_sqlite(url: SecretStr) -> bool:
    return url.get_secret_value().startswith("sqlite:")


class Settings(Part):
    """Everything the process is told, checked. Made by `bridge.settings.load`."""

    environment: Environment = Field(
        "production", description="`production`, `sandbox` or `demo`; part of every event."
    )
    database_url: DatabaseUrl = Field(
        SecretStr("sqlite:///var/bridge.db"),
        description="`sqlite:///path`, used by one process, or `postgresql://…` for several replicas.",
    )
    migrate: bool = Field(
        default_factory=_migrates,
        description="Migrate at start. Where false, `serve` refuses an old schema and names `bridge migrate`.",
        examples=[True],
        json_schema_extra={"shown": "on for SQLite"},
    )
    amqp_url: AmqpUrl | None = Field(
        None, description="Unset: events stay in the embedded feed; set: RabbitMQ as well."
    )
    amqp: Amqp = Amqp()
    roles: Roles = Field(
        ROLES,
        description="What this process does: `all` or a list: `receiver`, `worker`, `relay`, `commands`, `reconciler` "
        "(asks for what no webhook told, and deletes what `BRIDGE_RETENTION__*` lets go).",
        json_schema_extra={"shown": "all"},
    )
    http: Http = Http()
    shutdown_s: Seconds = Field(20, le=600, description="How long the work in hand may take to end on SIGTERM.")
    api_token: ApiToken | None = Field(
        None,
        description="Operator token with every scope, 16 characters or more; without any token `/v1` answers 401.",
    )
    api_tokens: tuple[ApiClient, ...] = Field((), description="Further tokens.")
    webhook: Webhook = Webhook()
    shipx: ShipX = ShipX()
    policy: Path = Field(Path("config/policy.toml"), description="The offer policy: see docs/policy.md.")
    purchasing: Purchasing = Purchasing()
    reconcile: Reconcile = Reconcile()
    returns: Returns = Returns()
    inpost_returns: InPostReturns = InPostReturns()
    szybkie_zwroty: SzybkieZwroty = SzybkieZwroty()
    intelligentreturns: IntelligentReturns = IntelligentReturns()
    personal_data: PersonalData = PersonalData()
    retention: Retention = Retention()
    labels: Labels = Labels()

    @property
    def database(self) -> Database:
        """The database URL, taken apart."""
        if not _is_sqlite(self.database_url):
            return Database("postgres", self.database_url, None)
        path = Path(self.database_url.get_secret_value().removeprefix("sqlite:///"))
        return Database("sqlite", self.database_url, path)

    @property
    def carrier_urls(self) -> tuple[str, ...]:
        """Every address a configured carrier is called at: ShipX with an organization, others with a login."""
        returns, codes, platform = self.inpost_returns, self.szybkie_zwroty, self.intelligentreturns
        used: tuple[tuple[object, tuple[str, ...]], ...] = (
            (self.shipx.organizations, (self.shipx.base_url,)),
            (returns.client_id or returns.client_secret, (returns.base_url, returns.token_url)),
            (codes.email or codes.password, (codes.base_url,)),
            (platform.login or platform.api_key, (platform.base_url,)),
        )
        return tuple(url for configured, urls in used if configured for url in urls)

    @property
    def return_providers(self) -> tuple[ReturnProvider, ...]:
        """The providers of returns that have credentials."""
        used: tuple[tuple[ReturnProvider, object], ...] = (
            ("inpost_returns", self.inpost_returns.client_id),
            ("szybkie_zwroty", self.szybkie_zwroty.email),
            ("intelligentreturns", self.intelligentreturns.login),
        )
        return tuple(provider for provider, login in used if login is not None)

    def return_provider(self, provider: ReturnProvider) -> InPostReturns | SzybkieZwroty | IntelligentReturns:
        """Give what is told of one provider of returns."""
        match provider:
            case "inpost_returns":
                return self.inpost_returns
            case "szybkie_zwroty":
                return self.szybkie_zwroty
            case "intelligentreturns":
                return self.intelligentreturns
            case _:
                assert_never(provider)

    @property
    def carriers_are_loopback(self) -> bool:
        """Whether nothing real can be reached: every configured carrier is on this machine (or there is none)."""
        return all(is_loopback(url) for url in self.carrier_urls)
