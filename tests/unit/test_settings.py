"""The process refuses to start unsafe, names every key that is wrong, and never shows a secret."""

from __future__ import annotations

import base64
import re
import tomllib
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from bridge.errors import SettingsError
from bridge.settings import COMMANDS, ROLES, Settings, is_loopback, keys, load
from bridge.settings.reference import render_example, render_settings_reference, shown

ROOT = Path(__file__).parents[2]
SECRET = "a1" * 16
OTHER = "b2" * 16
KEY = base64.b64encode(bytes(range(224, 256))).decode()
OLDER = base64.urlsafe_b64encode(bytes(range(192, 224))).decode()
CONFIG = {"BRIDGE_CONFIG": "bridge.toml"}
LOCAL = {
    "BRIDGE_SHIPX__BASE_URL": "http://127.0.0.1:9000",
    "BRIDGE_SHIPX__ORGANIZATION_ID": "1000",
    "BRIDGE_SHIPX__TOKEN": "carrier-token",
    "BRIDGE_SHIPX__WEBHOOK_SECRETS": SECRET,
}
REAL = {**LOCAL, "BRIDGE_SHIPX__BASE_URL": "", "BRIDGE_PERSONAL_DATA__KEYS": KEY}


def files(**contents: str) -> Callable[[Path], str]:
    """Be a file system: names with dots given with underscores doubled, anything else missing."""
    named = {name.replace("__", "."): text for name, text in contents.items()}

    def read(path: Path) -> str:
        if str(path) not in named:
            raise FileNotFoundError(2, "No such file or directory", str(path))
        return named[str(path)]

    return read


def problems(environ: dict[str, str], read: Callable[[Path], str] | None = None) -> dict[str, str]:
    with pytest.raises(SettingsError) as caught:
        load(environ, read or files())
    return dict(caught.value.problems)


# --- the contract's table ---------------------------------------------------------------------------------------

CONTRACT = {
    "BRIDGE_ENVIRONMENT": "production",
    "BRIDGE_DATABASE_URL": "sqlite:///var/bridge.db",
    "BRIDGE_MIGRATE": "on for SQLite",
    "BRIDGE_AMQP_URL": None,
    "BRIDGE_AMQP__START": "now",
    "BRIDGE_AMQP__DECLARE": "true",
    "BRIDGE_AMQP__COMMANDS": "*",
    "BRIDGE_AMQP__REPLY_QUEUES": "",
    "BRIDGE_ROLES": "all",
    "BRIDGE_HTTP__HOST": "127.0.0.1",
    "BRIDGE_HTTP__PORT": "8080",
    "BRIDGE_HTTP__INTERNAL_PORT": None,
    "BRIDGE_HTTP__DRAIN_DELAY_S": "0",
    "BRIDGE_SHUTDOWN_S": "20",
    "BRIDGE_API_TOKEN": None,
    "BRIDGE_WEBHOOK__NETWORKS": "91.216.25.0/24",
    "BRIDGE_WEBHOOK__NETWORK_MODE": "enforce",
    "BRIDGE_WEBHOOK__TRUSTED_PROXIES": "",
    "BRIDGE_WEBHOOK__MAX_BODY_BYTES": "262144",
    "BRIDGE_WEBHOOK__MAX_PENDING": "2000",
    "BRIDGE_WEBHOOK__BODY_TIMEOUT_S": "10",
    "BRIDGE_WEBHOOK__COMMIT_TIMEOUT_S": "5",
    "BRIDGE_SHIPX__BASE_URL": "https://api-shipx-pl.easypack24.net",
    "BRIDGE_SHIPX__TOKEN": None,
    "BRIDGE_SHIPX__ORGANIZATION_ID": None,
    "BRIDGE_SHIPX__WEBHOOK_SECRETS": "",
    "BRIDGE_SHIPX__READ_BACK": "purchases",
    "BRIDGE_SHIPX__REQUESTS_PER_MINUTE": "60",
    "BRIDGE_SHIPX__MAX_IN_FLIGHT": "2",
    "BRIDGE_SHIPX__TIMEOUT_S": "10",
    "BRIDGE_SHIPX__LABELS": "off",  # not on the page, as the next one and the last: added with the labels
    "BRIDGE_SHIPX__LABEL_TYPE": None,
    "BRIDGE_POLICY": "config/policy.toml",
    "BRIDGE_PURCHASING__MODE": "auto",
    "BRIDGE_PURCHASING__SCOPE": None,
    "BRIDGE_PURCHASING__MAX_PER_DAY": "1000",
    "BRIDGE_PURCHASING__MAX_SPEND_PER_DAY": None,
    "BRIDGE_PURCHASING__MAX_PER_MINUTE": None,  # not on the page: added with the caps
    "BRIDGE_PURCHASING__REGENERATIONS": "3",
    "BRIDGE_PURCHASING__SETTLE_S": "20",
    "BRIDGE_RECONCILE__OPEN_S": "15",
    "BRIDGE_RECONCILE__TRACKING_S": "1800",
    "BRIDGE_RETURNS__POLL_S": "300",
    "BRIDGE_INPOST_RETURNS__BASE_URL": "https://api.inpost.pl",
    "BRIDGE_INPOST_RETURNS__TOKEN_URL": "https://login.inpost.pl/auth/realms/external/protocol/openid-connect/token",
    "BRIDGE_INPOST_RETURNS__CLIENT_ID": None,
    "BRIDGE_INPOST_RETURNS__CLIENT_SECRET": None,
    "BRIDGE_INPOST_RETURNS__REQUESTS_PER_MINUTE": "60",  # not on the page, as those alike: for what is granted
    "BRIDGE_INPOST_RETURNS__MAX_IN_FLIGHT": "2",
    "BRIDGE_INPOST_RETURNS__TIMEOUT_S": "10",
    "BRIDGE_SZYBKIE_ZWROTY__BASE_URL": "https://api.paczkomaty.pl",
    "BRIDGE_SZYBKIE_ZWROTY__EMAIL": None,
    "BRIDGE_SZYBKIE_ZWROTY__PASSWORD": None,
    "BRIDGE_SZYBKIE_ZWROTY__REPORT_FORM": "siblings",
    "BRIDGE_SZYBKIE_ZWROTY__REQUESTS_PER_MINUTE": "60",
    "BRIDGE_SZYBKIE_ZWROTY__MAX_IN_FLIGHT": "2",
    "BRIDGE_SZYBKIE_ZWROTY__TIMEOUT_S": "10",
    "BRIDGE_INTELLIGENTRETURNS__BASE_URL": "https://returns.returnsplatform.com/api",
    "BRIDGE_INTELLIGENTRETURNS__LOGIN": None,
    "BRIDGE_INTELLIGENTRETURNS__API_KEY": None,
    "BRIDGE_INTELLIGENTRETURNS__FORMAT": "json",
    "BRIDGE_INTELLIGENTRETURNS__REQUESTS_PER_MINUTE": "60",
    "BRIDGE_INTELLIGENTRETURNS__MAX_IN_FLIGHT": "2",
    "BRIDGE_INTELLIGENTRETURNS__TIMEOUT_S": "10",
    "BRIDGE_PERSONAL_DATA__KEYS": "",
    "BRIDGE_RETENTION__DELIVERIES": "90d",
    "BRIDGE_RETENTION__EVENTS": "90d",
    "BRIDGE_RETENTION__PARKED": "14d",
    "BRIDGE_RETENTION__LABELS": "45d",
    "BRIDGE_LABELS__FOLDER": None,
}


def test_the_settings_are_those_of_the_contract() -> None:
    assert {name: shown(key) for name, key in keys.by_env().items()} == CONTRACT


@pytest.mark.parametrize("name", [name for name, default in CONTRACT.items() if default and " " not in default])
def test_every_default_can_be_given_as_it_is_shown(name: str) -> None:
    given = {**REAL, name: CONTRACT[name] or ""}
    assert load(given, files()) == load(REAL, files())


def test_the_defaults() -> None:
    settings = load(REAL, files())
    assert settings.environment == "production"
    assert (settings.database.kind, settings.database.path) == ("sqlite", Path("var/bridge.db"))
    assert settings.migrate is True
    assert settings.amqp_url is None
    assert settings.roles == ROLES
    assert settings.amqp.commands == "*"
    assert settings.http.internal_port is None
    assert settings.webhook.networks == (ip_network("91.216.25.0/24"),)
    assert settings.policy == Path("config/policy.toml")
    assert settings.purchasing.scope is None
    assert settings.purchasing.max_spend_per_day is None
    assert settings.retention.parked == timedelta(days=14)


# --- reading --------------------------------------------------------------------------------------------------------

READS = [
    # remark, variable, value, where it ends up, what it is there
    ("a word", "ENVIRONMENT", "demo", "environment", "demo"),
    ("a number", "HTTP__PORT", "9999", "http.port", 9999),
    ("a fraction of a second", "SHUTDOWN_S", "0.5", "shutdown_s", 0.5),
    ("a switch", "AMQP__DECLARE", "false", "amqp.declare", False),
    ("migrate off on SQLite", "MIGRATE", "false", "migrate", False),
    ("roles", "ROLES", "relay, worker", "roles", frozenset({"relay", "worker"})),
    ("all beside a role is all", "ROLES", "all,worker", "roles", ROLES),
    ("commands", "AMQP__COMMANDS", "return.create,label.fetch", "amqp.commands", ("return.create", "label.fetch")),
    ("no commands at all", "AMQP__COMMANDS", "", "amqp.commands", ()),
    ("patterns", "AMQP__REPLY_QUEUES", "erp.*,shop.replies", "amqp.reply_queues", ("erp.*", "shop.replies")),
    (
        "networks of both families",
        "WEBHOOK__NETWORKS",
        "10.0.0.0/8, 2001:db8::/32",
        "webhook.networks",
        (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32")),
    ),
    ("a bare address", "WEBHOOK__TRUSTED_PROXIES", "10.1.2.3", "webhook.trusted_proxies", (ip_network("10.1.2.3"),)),
    ("an address without its slash", "INPOST_RETURNS__BASE_URL", "https://a.example/", "inpost_returns.base_url", None),
    ("hours", "RETENTION__LABELS", "12h", "retention.labels", timedelta(hours=12)),
    ("money", "PURCHASING__MAX_SPEND_PER_DAY", "99.50", "purchasing.max_spend_per_day", Decimal("99.50")),
    ("no regenerations", "PURCHASING__REGENERATIONS", "0", "purchasing.regenerations", 0),
    ("an empty word is unset", "ENVIRONMENT", "", "environment", "production"),
    ("an empty secret is unset", "API_TOKEN", "", "api_token", None),
    ("an empty option is unset", "PURCHASING__SCOPE", "", "purchasing.scope", None),
    ("every scope", "PURCHASING__SCOPE", "all", "purchasing.scope", "all"),
]


@pytest.mark.parametrize(("remark", "name", "value", "place", "expected"), READS, ids=[row[0] for row in READS])
def test_a_variable_is_read(remark: str, name: str, value: str, place: str, expected: object) -> None:
    found: object = load({**LOCAL, f"BRIDGE_{name}": value}, files())
    for step in place.split("."):
        found = getattr(found, step)
    assert found == ("https://a.example" if expected is None and value.startswith("https") else expected)


DATABASES = [
    ("sqlite:///var/x.db", "sqlite", Path("var/x.db"), True),
    ("sqlite:////data/x.db", "sqlite", Path("/data/x.db"), True),
    ("postgresql://bridge:pw@db/bridge", "postgres", None, False),
    ("postgresql://bridge:pw@one:5432,two:5432/bridge", "postgres", None, False),
]


@pytest.mark.parametrize(("url", "kind", "path", "migrate"), DATABASES)
def test_the_database_is_told_by_its_url(url: str, kind: str, path: Path | None, migrate: bool) -> None:
    settings = load({**LOCAL, "BRIDGE_DATABASE_URL": url}, files())
    assert (settings.database.kind, settings.database.path, settings.migrate) == (kind, path, migrate)
    assert settings.database.url == SecretStr(url)


def test_migrations_can_be_switched_on_for_postgres() -> None:
    given = {**LOCAL, "BRIDGE_DATABASE_URL": "postgresql://db/bridge", "BRIDGE_MIGRATE": "true"}
    assert load(given, files()).migrate


def test_variables_of_others_are_left_alone() -> None:
    assert load({**LOCAL, "PATH": "/bin", "BRIDGED": "x"}, files()) == load(LOCAL, files())


def test_settings_are_frozen() -> None:
    settings = load(LOCAL, files())
    with pytest.raises(ValidationError):
        settings.http.port = 1  # type: ignore[misc]


def test_encryption_keys_are_decoded_newest_first() -> None:
    settings = load({**LOCAL, "BRIDGE_PERSONAL_DATA__KEYS": f"{KEY},{OLDER.rstrip('=')}"}, files())
    assert settings.personal_data.key_bytes == (bytes(range(224, 256)), bytes(range(192, 224)))


def test_the_bus_may_give_the_commands_that_are_listed() -> None:
    assert all(load(LOCAL, files()).amqp.allows(command) for command in COMMANDS)
    some = load({**LOCAL, "BRIDGE_AMQP__COMMANDS": "label.fetch"}, files()).amqp
    assert (some.allows("label.fetch"), some.allows("shipment.buy")) == (True, False)


# --- files and TOML -------------------------------------------------------------------------------------------------

ORGANIZATIONS = f"""
[shipx]
token = "ignored-token"
[[shipx.organizations]]
id = 2000
token_file = "second"
webhook_secrets = ["{OTHER}"]
[[shipx.organizations]]
id = 3000
webhook_secrets_file = "third"
"""


def test_the_organization_of_the_environment_comes_first() -> None:
    settings = load({**LOCAL, **CONFIG}, files(bridge__toml=ORGANIZATIONS, second="token-2\n", third="c3" * 16))
    one, two, three = settings.shipx.organizations
    assert (one.id, one.token, one.webhook_secrets) == (1000, SecretStr("carrier-token"), (SecretStr(SECRET),))
    assert (two.id, two.token, two.webhook_secrets) == (2000, SecretStr("token-2"), (SecretStr(OTHER),))
    assert (three.id, three.token, three.webhook_secrets) == (3000, None, (SecretStr("c3" * 16),))


def test_organizations_may_stand_in_toml_alone() -> None:
    config = f'[shipx]\nbase_url = "http://[::1]:1"\n[[shipx.organizations]]\nid = 7\nwebhook_secrets = "{SECRET}"'
    assert [one.id for one in load(CONFIG, files(bridge__toml=config)).shipx.organizations] == [7]


def test_a_bridge_without_receiver_needs_no_organization() -> None:
    settings = load({"BRIDGE_ROLES": "worker,relay"}, files())
    assert settings.shipx.organizations == ()


def test_the_environment_wins_over_toml_key_by_key() -> None:
    config = '[http]\nport = 1\nhost = "0.0.0.0"\n'
    settings = load({**LOCAL, **CONFIG, "BRIDGE_HTTP__PORT": "2"}, files(bridge__toml=config))
    assert (settings.http.port, settings.http.host) == (2, "0.0.0.0")


def test_a_secret_of_the_environment_wins_over_a_file_of_toml_which_is_not_even_read() -> None:
    settings = load({**LOCAL, **CONFIG}, files(bridge__toml='[shipx]\ntoken_file = "nowhere"\n'))
    assert settings.shipx.token == SecretStr("carrier-token")


def test_a_file_of_the_environment_wins_over_a_secret_of_toml() -> None:
    given = {**CONFIG, **LOCAL, "BRIDGE_SHIPX__TOKEN": "", "BRIDGE_SHIPX__TOKEN_FILE": "t"}
    assert load(given, files(bridge__toml='[shipx]\ntoken = "x"\n', t="from-file")).shipx.token == SecretStr(
        "from-file"
    )


SECRETS = [name for name, key in keys.by_env().items() if key.secret]
EXAMPLES = {
    "BRIDGE_DATABASE_URL": "postgresql://bridge:hidden-password@db/bridge",
    "BRIDGE_AMQP_URL": "amqps://bridge:hidden-password@mq:5671/",
    "BRIDGE_API_TOKEN": "hidden-operator-token",
    "BRIDGE_SHIPX__TOKEN": "hidden-carrier-token",
    "BRIDGE_SHIPX__WEBHOOK_SECRETS": OTHER,
    "BRIDGE_INPOST_RETURNS__CLIENT_SECRET": "hidden-client-secret",
    "BRIDGE_SZYBKIE_ZWROTY__PASSWORD": "hidden password",
    "BRIDGE_INTELLIGENTRETURNS__API_KEY": "hidden-api-key",
    "BRIDGE_PERSONAL_DATA__KEYS": KEY,
}
LOGINS = {
    "BRIDGE_INPOST_RETURNS__CLIENT_ID": "client",
    "BRIDGE_SZYBKIE_ZWROTY__EMAIL": "someone@example.com",
    "BRIDGE_INTELLIGENTRETURNS__LOGIN": "someone",
}


def test_every_secret_is_tried_below() -> None:
    assert set(SECRETS) == set(EXAMPLES)


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_come_from_a_file(name: str) -> None:
    plain = {**REAL, **EXAMPLES, **LOGINS}
    in_file = {**plain, f"{name}_FILE": "/run/secrets/it"}
    del in_file[name]
    read = files(**{"/run/secrets/it": EXAMPLES[name] + "\n"})
    assert load(in_file, read) == load(plain, files())


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_may_not_come_twice(name: str) -> None:
    found = problems({**REAL, **EXAMPLES, **LOGINS, f"{name}_FILE": "it"}, files(it=EXAMPLES[name]))
    assert found == {f"{name}_FILE": f"is given beside {name}; keep one of them"}


@pytest.mark.parametrize("name", SECRETS)
def test_a_missing_file_is_refused_by_name_without_its_path(name: str) -> None:
    given = {**REAL, **EXAMPLES, **LOGINS, f"{name}_FILE": "pasted-secret"}
    del given[name]
    text = problems(given)[f"{name}_FILE"]
    assert text == "names a file that cannot be read (No such file or directory)"


def test_an_empty_file_is_refused() -> None:
    found = problems({**LOCAL, "BRIDGE_API_TOKEN_FILE": "empty"}, files(empty="\n"))
    assert found == {"BRIDGE_API_TOKEN_FILE": "names an empty file"}


def test_secrets_in_a_file_may_stand_on_lines_of_their_own() -> None:
    given = {**LOCAL, "BRIDGE_SHIPX__WEBHOOK_SECRETS": "", "BRIDGE_SHIPX__WEBHOOK_SECRETS_FILE": "s"}
    settings = load(given, files(s=f"{SECRET}\n{OTHER}\n"))
    assert settings.shipx.webhook_secrets == (SecretStr(SECRET), SecretStr(OTHER))


# --- secrets stay secret ------------------------------------------------------------------------------------------


def test_no_secret_shows_in_repr() -> None:
    settings = load({**REAL, **EXAMPLES, **LOGINS}, files())
    text = f"{settings!r} {settings} {settings.database!r} {settings.shipx.organizations!r}"
    hidden = [*EXAMPLES.values(), "hidden", "someone"]
    assert [value for value in hidden if value in text] == []


@pytest.mark.parametrize("name", [*SECRETS, "BRIDGE_SHIPX__BASE_URL", "BRIDGE_HTTP__PORT", "BRIDGE_ROLES"])
def test_no_value_shows_in_a_refusal(name: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load({**REAL, name: "S3CR\tET"}, files())
    assert name in str(caught.value)
    assert "S3CR" not in f"{caught.value} {caught.value!r} {caught.value.problems}"
    assert caught.value.__context__ is None


def test_broken_toml_is_not_quoted() -> None:
    found = problems({**LOCAL, **CONFIG}, files(bridge__toml='api_token = "S3CRET\n'))
    assert list(found) == ["BRIDGE_CONFIG"]
    assert re.fullmatch(r"is not valid TOML \(line 1, column \d+\)", found["BRIDGE_CONFIG"])


# --- what is refused ------------------------------------------------------------------------------------------------

REFUSED = [
    # remark, variable, value, what the refusal says
    ("a word that is none", "ENVIRONMENT", "prod", "must be 'production', 'sandbox' or 'demo'"),
    ("an unknown role", "ROLES", "worker,sender", "item 2 must be"),
    ("no role", "ROLES", "", "must not be empty"),
    ("a port of zero", "HTTP__PORT", "0", "greater than or equal to 1"),
    ("a port beyond the range", "HTTP__PORT", "65536", "less than or equal to 65535"),
    ("a port that is a word", "HTTP__PORT", "http", "must be a whole number"),
    ("one port for both", "HTTP__INTERNAL_PORT", "8080", "must differ from BRIDGE_HTTP__PORT"),
    ("a host with a port", "HTTP__HOST", "http://x", "without a port"),
    ("a negative delay", "HTTP__DRAIN_DELAY_S", "-1", "greater than or equal to 0"),
    ("no time to stop", "SHUTDOWN_S", "0", "greater than 0"),
    ("time that never ends", "SHUTDOWN_S", "inf", "finite"),
    ("a switch that is neither", "MIGRATE", "perhaps", "must be true or false"),
    ("another database", "DATABASE_URL", "mysql://u:p@h/d", "sqlite:/// or postgresql://"),
    ("a driver in the scheme", "DATABASE_URL", "postgresql+asyncpg://h/d", "sqlite:/// or postgresql://"),
    ("a database in memory", "DATABASE_URL", "sqlite:///:memory:", "must name a file"),
    ("a database without a file", "DATABASE_URL", "sqlite:///", "must name a file"),
    ("a bare percent", "DATABASE_URL", "postgresql://u:hidden%zz@h/d", "percent-encoded"),
    ("a bare slash in a password", "DATABASE_URL", "postgresql://u:hid/den@h/d", "percent-encoded"),
    ("a bare at in a password", "DATABASE_URL", "postgresql://u:hid@den@h/d", "percent-encoded"),
    ("two slashes", "DATABASE_URL", "sqlite://var/x.db", "sqlite:/// or postgresql://"),
    ("another broker", "AMQP_URL", "kafka://h", "amqp://user:password@host:port/vhost"),
    ("a broker without a host", "AMQP_URL", "amqp:///x", "amqp://user:password@host:port/vhost"),
    ("an unknown start", "AMQP__START", "latest", "must be 'now' or 'earliest'"),
    ("an unknown command", "AMQP__COMMANDS", "shipment.destroy", "must be * or a list of return.create"),
    ("a star beside others", "AMQP__COMMANDS", "*,label.fetch", "must be * or a list of"),
    ("our own queues", "AMQP__REPLY_QUEUES", "bridge.*", "must not name the bridge's own queues"),
    ("no queue name", "AMQP__REPLY_QUEUES", "a b", "must be a queue name"),
    ("a short token", "API_TOKEN", "fifteen-letters", "at least 16 characters"),
    ("a token no header can carry", "API_TOKEN", "sixteen letters or more", "visible ASCII"),
    ("host bits", "WEBHOOK__NETWORKS", "91.216.25.7/24", "has host bits set; the network would be 91.216.25.0/24"),
    ("host bits, IPv6", "WEBHOOK__NETWORKS", "2001:db8::1/32", "the network would be 2001:db8::/32"),
    ("no network", "WEBHOOK__NETWORKS", "10.0.0.0/8,inpost.pl", "item 2 must be an address or a network"),
    ("everybody", "WEBHOOK__NETWORKS", "0.0.0.0/0", "BRIDGE_WEBHOOK__NETWORK_MODE=off"),
    ("everybody in two halves", "WEBHOOK__NETWORKS", "0.0.0.0/1,128.0.0.0/1", "BRIDGE_WEBHOOK__NETWORK_MODE=off"),
    ("everybody, IPv6", "WEBHOOK__NETWORKS", "::/0", "BRIDGE_WEBHOOK__NETWORK_MODE=off"),
    ("nobody", "WEBHOOK__NETWORKS", "", "lets nobody in"),
    ("proxies that are everybody", "WEBHOOK__TRUSTED_PROXIES", "0.0.0.0/0", "anybody's X-Forwarded-For"),
    ("bodies that are too small", "WEBHOOK__MAX_BODY_BYTES", "65535", "greater than or equal to 65536"),
    ("none may wait", "WEBHOOK__MAX_PENDING", "0", "greater than or equal to 1"),
    ("no time for a body", "WEBHOOK__BODY_TIMEOUT_S", "0", "greater than 0"),
    ("an hour for a commit", "WEBHOOK__COMMIT_TIMEOUT_S", "3600", "less than or equal to 60"),
    ("plain http", "SHIPX__BASE_URL", "http://api.example.com", "must begin with https://"),
    ("plain http to a token", "INPOST_RETURNS__TOKEN_URL", "http://login.example.com", "must begin with https://"),
    ("a loopback in the user's place", "SHIPX__BASE_URL", "http://127.0.0.1@a.example", "must not hold a user"),
    ("a backslash", "SHIPX__BASE_URL", "http://a.example\\@127.0.0.1", "must be a URL"),
    ("another scheme", "SHIPX__BASE_URL", "ftp://127.0.0.1", "begins with https://"),
    ("no scheme", "SHIPX__BASE_URL", "127.0.0.1:80", "begins with https://"),
    ("a query", "SZYBKIE_ZWROTY__BASE_URL", "https://a.example/?do=", "without ? and #"),
    ("a port that is none", "SHIPX__BASE_URL", "https://a.example:99999", "must be a URL"),
    ("an organization of zero", "SHIPX__ORGANIZATION_ID", "0", "greater than or equal to 1"),
    ("a token with a line break", "SHIPX__TOKEN", "a\nb", "visible ASCII"),
    ("a short webhook secret", "SHIPX__WEBHOOK_SECRETS", "a" * 31, "must match [a-z0-9]{32,128}"),
    ("a long webhook secret", "SHIPX__WEBHOOK_SECRETS", "a" * 129, "must match [a-z0-9]{32,128}"),
    ("capitals in it", "SHIPX__WEBHOOK_SECRETS", "A" * 32, "must match [a-z0-9]{32,128}"),
    ("the second one", "SHIPX__WEBHOOK_SECRETS", f"{SECRET},x", "item 2 must match"),
    ("one twice", "SHIPX__WEBHOOK_SECRETS", f"{SECRET},{SECRET}", "holds a secret twice"),
    ("none", "SHIPX__WEBHOOK_SECRETS", "", "is missing; the role receiver needs one"),
    ("no organization for them", "SHIPX__ORGANIZATION_ID", "", "is missing"),
    ("an unknown read-back", "SHIPX__READ_BACK", "never", "must be 'purchases', 'terminal' or 'always'"),
    ("no requests", "SHIPX__REQUESTS_PER_MINUTE", "0", "greater than or equal to 1"),
    ("half a request", "SHIPX__MAX_IN_FLIGHT", "0.5", "must be a whole number"),
    ("an unknown mode", "PURCHASING__MODE", "yolo", "must be 'auto', 'approve' or 'dry_run'"),
    ("an unknown scope", "PURCHASING__SCOPE", "mine", "must be 'created_by_bridge' or 'all'"),
    ("no purchases", "PURCHASING__MAX_PER_DAY", "0", "greater than or equal to 1"),
    ("no money", "PURCHASING__MAX_SPEND_PER_DAY", "0", "greater than 0"),
    ("parts of a grosz", "PURCHASING__MAX_SPEND_PER_DAY", "1.001", "no more than 2 decimal places"),
    ("money that is a word", "PURCHASING__MAX_SPEND_PER_DAY", "1 zł", "must be an amount"),
    ("endless regenerations", "PURCHASING__REGENERATIONS", "21", "less than or equal to 20"),
    ("no time to settle", "PURCHASING__SETTLE_S", "0", "greater than 0"),
    ("sweeping without a pause", "RECONCILE__OPEN_S", "0", "greater than 0"),
    ("polling without a pause", "RETURNS__POLL_S", "-5", "greater than 0"),
    ("a call that outlasts the look for what it did", "SZYBKIE_ZWROTY__TIMEOUT_S", "31", "less than or equal to 30"),
    ("an unknown format", "INTELLIGENTRETURNS__FORMAT", "yaml", "must be 'json' or 'xml'"),
    ("an unknown form", "SZYBKIE_ZWROTY__REPORT_FORM", "flat", "must be 'siblings' or 'nested'"),
    ("a key that is too short", "PERSONAL_DATA__KEYS", "YWJj", "base64 of exactly 32 bytes"),
    ("a key that is no base64", "PERSONAL_DATA__KEYS", "!" * 44, "base64 of exactly 32 bytes"),
    ("a key twice, in either alphabet", "PERSONAL_DATA__KEYS", f"{OLDER},{OLDER.rstrip('=')}", "holds a key twice"),
    ("days without a unit", "RETENTION__EVENTS", "90", "such as 12h or 90d"),
    ("no days", "RETENTION__EVENTS", "0d", "between 1h and 3650d"),
    ("more days than ten years have", "RETENTION__EVENTS", "3651d", "between 1h and 3650d"),
]


@pytest.mark.parametrize(("remark", "name", "value", "says"), REFUSED, ids=[row[0] for row in REFUSED])
def test_an_unsafe_value_is_refused_by_name(remark: str, name: str, value: str, says: str) -> None:
    given = {**LOCAL, "BRIDGE_PERSONAL_DATA__KEYS": KEY, f"BRIDGE_{name}": value}
    found = problems(given)
    assert says in found.pop(f"BRIDGE_{name}")
    assert found == {} or (name, set(found)) == ("SHIPX__ORGANIZATION_ID", {"BRIDGE_SHIPX__WEBHOOK_SECRETS"})


NUMBERS = [name for name, default in CONTRACT.items() if default and default.isdecimal()]


@pytest.mark.parametrize("value", ["-1", "nan", "1000000000000", ""])
@pytest.mark.parametrize("name", [*NUMBERS, "BRIDGE_PURCHASING__MAX_SPEND_PER_DAY"])
def test_every_number_has_bounds(name: str, value: str) -> None:
    if value:
        assert list(problems({**LOCAL, name: value})) == [name]
    else:
        assert load({**LOCAL, name: value}, files()) == load(LOCAL, files())


@pytest.mark.parametrize("read_back", ["terminal", "always"])
def test_facts_may_not_wait_for_reads_that_nobody_can_make(read_back: str) -> None:
    given = {**LOCAL, "BRIDGE_SHIPX__READ_BACK": read_back}
    assert load(given, files()).shipx.read_back == read_back
    problem = "needs a token of organization 1000: what waits for a read would wait for ever"
    assert problems({**given, "BRIDGE_SHIPX__TOKEN": ""}) == {"BRIDGE_SHIPX__READ_BACK": problem}


def test_a_receiver_without_an_organization_is_refused() -> None:
    assert set(problems({})) == {"BRIDGE_SHIPX__ORGANIZATION_ID", "BRIDGE_SHIPX__WEBHOOK_SECRETS"}


@pytest.mark.parametrize("mode", ["observe", "off"])
def test_everybody_may_send_where_networks_are_not_enforced(mode: str) -> None:
    given = {**LOCAL, "BRIDGE_WEBHOOK__NETWORK_MODE": mode, "BRIDGE_WEBHOOK__NETWORKS": "0.0.0.0/0"}
    assert load(given, files()).webhook.network_mode == mode


CREDENTIALS = [
    ("INPOST_RETURNS", "CLIENT_ID", "CLIENT_SECRET"),
    ("SZYBKIE_ZWROTY", "EMAIL", "PASSWORD"),
    ("INTELLIGENTRETURNS", "LOGIN", "API_KEY"),
]


@pytest.mark.parametrize(("provider", "first", "second"), CREDENTIALS)
def test_half_a_credential_is_refused(provider: str, first: str, second: str) -> None:
    keyed = {**LOCAL, "BRIDGE_PERSONAL_DATA__KEYS": KEY}
    assert set(problems({**keyed, f"BRIDGE_{provider}__{first}": "x"})) == {f"BRIDGE_{provider}__{second}"}
    assert set(problems({**keyed, f"BRIDGE_{provider}__{second}": "x"})) == {f"BRIDGE_{provider}__{first}"}


@pytest.mark.parametrize(("provider", "first", "second"), CREDENTIALS)
def test_a_real_provider_needs_encryption_keys(provider: str, first: str, second: str) -> None:
    given = {**LOCAL, f"BRIDGE_{provider}__{first}": "x", f"BRIDGE_{provider}__{second}": "y"}
    assert set(problems(given)) == {"BRIDGE_PERSONAL_DATA__KEYS"}
    assert not load({**given, "BRIDGE_PERSONAL_DATA__KEYS": KEY}, files()).carriers_are_loopback


def test_a_real_shipx_needs_encryption_keys_and_time_to_settle() -> None:
    given = {**REAL, "BRIDGE_PERSONAL_DATA__KEYS": "", "BRIDGE_PURCHASING__SETTLE_S": "4.9"}
    assert set(problems(given)) == {"BRIDGE_PERSONAL_DATA__KEYS", "BRIDGE_PURCHASING__SETTLE_S"}
    assert load({**LOCAL, "BRIDGE_PURCHASING__SETTLE_S": "0.2"}, files()).carriers_are_loopback


def test_a_token_url_elsewhere_makes_a_provider_real() -> None:
    provider = {
        "BRIDGE_INPOST_RETURNS__BASE_URL": "http://localhost:1",
        "BRIDGE_INPOST_RETURNS__CLIENT_ID": "x",
        "BRIDGE_INPOST_RETURNS__CLIENT_SECRET": "y",
    }
    assert set(problems({**LOCAL, **provider})) == {"BRIDGE_PERSONAL_DATA__KEYS"}
    provider["BRIDGE_INPOST_RETURNS__TOKEN_URL"] = "http://localhost:1/token"
    assert load({**LOCAL, **provider}, files()).carriers_are_loopback


def test_all_problems_are_told_at_once() -> None:
    given = {
        "BRIDGE_CONFIG": "bridge.toml",
        "BRIDGE_HTTP__PORT": "0",
        "BRIDGE_NONSENSE": "1",
        "BRIDGE_API_TOKEN_FILE": "missing",
        "BRIDGE_INPOST_RETURNS__CLIENT_ID": "x",
    }
    found = problems(given, files(bridge__toml='shutdown_s = 0\n[amqp]\nstrat = "now"\n'))
    assert set(found) == {
        "[amqp] strat",
        "BRIDGE_API_TOKEN_FILE",
        "BRIDGE_HTTP__PORT",
        "BRIDGE_INPOST_RETURNS__CLIENT_SECRET",
        "BRIDGE_NONSENSE",
        "BRIDGE_PERSONAL_DATA__KEYS",
        "BRIDGE_SHIPX__ORGANIZATION_ID",
        "BRIDGE_SHIPX__WEBHOOK_SECRETS",
        "BRIDGE_SHUTDOWN_S",
    }
    assert found["BRIDGE_SHUTDOWN_S"].endswith("(set in the file that BRIDGE_CONFIG names)")


# --- names nobody knows -------------------------------------------------------------------------------------------

LINKS = "comes from a Kubernetes Service"
UNKNOWN = [
    ("one underscore", "BRIDGE_SHIPX_TOKEN", "x", "did you mean BRIDGE_SHIPX__TOKEN?"),
    ("a slip", "BRIDGE_WEBHOOK__NETWORK", "x", "did you mean BRIDGE_WEBHOOK__NETWORKS?"),
    ("the config's name", "BRIDGE_CONFIGS", "x", "did you mean BRIDGE_CONFIG?"),
    ("a file for what is no secret", "BRIDGE_POLICY_FILE", "x", "is no setting"),
    ("nothing like it", "BRIDGE_ZZZ", "", "see docs/reference/settings.md"),
    ("TOML only", "BRIDGE_API_TOKENS", "[]", "goes into the TOML file, under [[api_tokens]]"),
    ("TOML only, deeper", "BRIDGE_SHIPX__ORGANIZATIONS__0__ID", "1", "under [[shipx.organizations]]"),
    ("service host", "BRIDGE_SERVICE_HOST", "10.0.0.1", LINKS),
    ("service port", "BRIDGE_SERVICE_PORT", "80", LINKS),
    ("named service port", "BRIDGE_SERVICE_PORT_HTTP", "80", LINKS),
    ("link", "BRIDGE_PORT", "tcp://10.0.0.1:80", LINKS),
    ("link by port", "BRIDGE_PORT_8080_TCP", "tcp://10.0.0.1:8080", LINKS),
    ("its address", "BRIDGE_PORT_8080_TCP_ADDR", "10.0.0.1", LINKS),
    ("another service", "BRIDGE_INTERNAL_SERVICE_HOST", "10.0.0.1", LINKS),
    ("its link", "BRIDGE_INTERNAL_PORT", "tcp://10.0.0.1:80", LINKS),
]


@pytest.mark.parametrize(("remark", "name", "value", "says"), UNKNOWN, ids=[row[0] for row in UNKNOWN])
def test_an_unknown_variable_is_refused_with_a_hint(remark: str, name: str, value: str, says: str) -> None:
    found = problems({**LOCAL, name: value})
    assert list(found) == [name]
    assert says in found[name]
    assert ("enableServiceLinks: false" in found[name]) is (says == LINKS)


TOML = [
    ("unknown at the top", "shutdown = 1", "shutdown", "did you mean shutdown_s?"),
    ("unknown in a table", "[http]\nprot = 1", "[http] prot", "did you mean port?"),
    ("an unknown table", "[htp]\nport = 1", "htp", "did you mean http?"),
    ("no table", "http = 1", "http", "must be a table, [http]"),
    ("no array of tables", "[shipx]\norganizations = 1", "[shipx] organizations", "under [[shipx.organizations]]"),
    ("both forms", '[shipx]\ntoken = "a"\ntoken_file = "b"', "[shipx] token_file", "is given beside token"),
    ("no path", "api_token_file = 1", "api_token_file", "must be the path of a file"),
    ("no such file", 'api_token_file = "b"', "api_token_file", "cannot be read"),
    ("a file for no secret", 'policy_file = "b"', "policy_file", "is no setting"),
    ("a wrong type", "roles = 1", "BRIDGE_ROLES", "(set in the file that BRIDGE_CONFIG names)"),
    ("a number for a secret", "api_token = 1", "BRIDGE_API_TOKEN", "must be text"),
    ("a number for a path", "policy = 1", "BRIDGE_POLICY", "must be a path"),
    ("an unknown column", "[[shipx.organizations]]\nidd = 1", "[[shipx.organizations]] #1 idd", "did you mean id?"),
    ("no id", f'[[shipx.organizations]]\ntoken = "{OTHER}"', "[[shipx.organizations]] #1 id", "is missing"),
    ("neither of both", "[[shipx.organizations]]\nid = 1", "[[shipx.organizations]] #1", "neither a token nor"),
    (
        "an id twice",
        '[[shipx.organizations]]\nid = 1000\ntoken = "t"',
        "[[shipx.organizations]] #1",
        "repeats the id",
    ),
    (
        "a bad token in the second",
        '[[shipx.organizations]]\nid = 1\ntoken = "t"\n[[shipx.organizations]]\nid = 2\ntoken = "a b"',
        "[[shipx.organizations]] #2 token",
        "visible ASCII",
    ),
    (
        "a missing file of the second",
        '[[shipx.organizations]]\nid = 1\ntoken = "t"\n[[shipx.organizations]]\nid = 2\ntoken_file = "x"',
        "[[shipx.organizations]] #2 token_file",
        "cannot be read",
    ),
    (
        "another organization's secret",
        f'[[shipx.organizations]]\nid = 1\nwebhook_secrets = ["{SECRET}"]',
        "[[shipx.organizations]] #1 webhook_secrets",
        "each must be unique",
    ),
    (
        "an unknown scope",
        f'[[api_tokens]]\nname = "a"\nsha256 = "{"a" * 64}"\nscopes = ["write"]',
        "[[api_tokens]] #1 scopes",
        "must be 'read'",
    ),
    (
        "no scope",
        f'[[api_tokens]]\nname = "a"\nsha256 = "{"a" * 64}"\nscopes = []',
        "[[api_tokens]] #1 scopes",
        "must not be empty",
    ),
    (
        "the token in its hash's place",
        '[[api_tokens]]\nname = "a"\nsha256 = "the token itself"\nscopes = ["read"]',
        "[[api_tokens]] #1 sha256",
        "64 hexadecimal digits",
    ),
    (
        "a name twice",
        "".join(f'[[api_tokens]]\nname = "a"\nsha256 = "{n * 64}"\nscopes = ["read"]\n' for n in "12"),
        "[[api_tokens]] #2 name",
        "taken by another token",
    ),
    (
        "a token twice",
        "".join(f'[[api_tokens]]\nname = "{n}"\nsha256 = "{"a" * 64}"\nscopes = ["read"]\n' for n in "xy"),
        "[[api_tokens]] #2 sha256",
        "belongs to another token",
    ),
]


@pytest.mark.parametrize(("remark", "config", "key", "says"), TOML, ids=[row[0] for row in TOML])
def test_a_mistake_in_toml_is_refused_by_its_place(remark: str, config: str, key: str, says: str) -> None:
    found = problems({**LOCAL, **CONFIG}, files(bridge__toml=config))
    assert says in found[key]
    assert set(found) <= {key, "[[shipx.organizations]] #1 id", "[[shipx.organizations]] #2"}


def test_an_unreadable_configuration_is_the_only_problem_told_about_what_it_may_hold() -> None:
    assert list(problems(CONFIG)) == ["BRIDGE_CONFIG"]


def test_an_api_client_of_toml() -> None:
    digest = "AB" * 32
    config = f'[[api_tokens]]\nname = "shop"\nsha256 = "{digest}"\nscopes = ["read", "events"]\norganizations = [1000]'
    (client,) = load({**LOCAL, **CONFIG}, files(bridge__toml=config)).api_tokens
    assert (client.name, client.sha256, client.scopes, client.organizations) == (
        "shop",
        digest.lower(),
        frozenset({"read", "events"}),
        (1000,),
    )


# --- loopback -------------------------------------------------------------------------------------------------------

LOOPBACK = [
    ("http://127.0.0.1:8080/x", True, "the usual one"),
    ("http://127.9.9.9", True, "the whole of 127.0.0.0/8"),
    ("https://[::1]:1", True, "IPv6"),
    ("http://LOCALHOST", True, "names know no case"),
    ("http://localhost.example.com", False, "a name that only begins like it"),
    ("http://127.0.0.1.example.com", False, "a name that looks like an address"),
    ("http://127.0.0.1@example.com", False, "an address in the user's place"),
    ("http://example.com\\@127.0.0.1", False, "what parsers disagree about"),
    ("http://127.1", False, "a short form, which only some understand"),
    ("http://2130706433", False, "an address as one number"),
    ("http://0.0.0.0", False, "any address is not this one"),
    ("http://[::1", False, "not a URL"),
    ("", False, "nothing"),
]


@pytest.mark.parametrize(("url", "expected", "remark"), LOOPBACK)
def test_loopback_is_told_from_the_rest(url: str, expected: bool, remark: str) -> None:
    assert is_loopback(url) is expected, remark


# --- what is written about them -----------------------------------------------------------------------------------


def test_the_reference_is_what_the_tree_says() -> None:
    assert (ROOT / "docs/reference/settings.md").read_text() == render_settings_reference()


def test_the_reference_names_every_setting() -> None:
    rows = re.findall(r"^\| `(BRIDGE_\w+)` \|", render_settings_reference(), re.MULTILINE)
    assert rows == ["BRIDGE_CONFIG", *keys.by_env()]


def test_the_example_is_what_the_tree_says() -> None:
    assert (ROOT / "config/bridge.example.toml").read_text() == render_example()


def test_the_example_changes_nothing_as_it_is() -> None:
    assert load({**LOCAL, **CONFIG}, files(bridge__toml=render_example())) == load(LOCAL, files())


SECRET_FILES = {
    "/run/secrets/amqp_url": EXAMPLES["BRIDGE_AMQP_URL"],
    "/run/secrets/api_token": EXAMPLES["BRIDGE_API_TOKEN"],
    "/run/secrets/shipx_token": "token",
    "/run/secrets/shipx_webhook_secrets": SECRET,
    "/run/secrets/shipx_organizations_token": "token",
    "/run/secrets/shipx_organizations_webhook_secrets": OTHER,
    "/run/secrets/inpost_returns_client_secret": "x",
    "/run/secrets/szybkie_zwroty_password": "x",
    "/run/secrets/intelligentreturns_api_key": "x",
    "/run/secrets/personal_data_keys": f"{KEY}\n{OLDER}",
}


def test_the_example_loads_with_everything_uncommented() -> None:
    config = re.sub(r"^#(?=[a-z\[])", "", render_example(), flags=re.MULTILINE)
    settings = load(CONFIG, files(bridge__toml=config, **SECRET_FILES))
    assert [one.id for one in settings.shipx.organizations] == [1000, 1001]
    assert isinstance(settings, Settings)
    written = tomllib.loads(config)
    for key in keys.every():
        table = written
        for step in key.path[:-1]:
            table = table[step]
        assert {key.path[-1], f"{key.path[-1]}_file"} & set(table), key.env


def test_returns_are_routed_by_rules_in_their_order() -> None:
    config = """
    [[returns.routes]]
    providers = ["inpost_returns", "szybkie_zwroty"]
    countries = ["PL"]
    parcel_sizes = ["A"]
    organizations = [1000]
    [[returns.routes]]
    providers = ["intelligentreturns"]
    """
    first, second = load({**LOCAL, **CONFIG}, files(bridge__toml=config)).returns.routes
    assert (first.providers, first.countries) == (("inpost_returns", "szybkie_zwroty"), ("PL",))
    assert (first.parcel_sizes, first.organizations, second.countries) == (("A",), (1000,), ())


@pytest.mark.parametrize("row", ["providers = []", 'providers = ["dhl"]', "", 'providers = ["inpost_returns"]\nto = 1'])
def test_a_rule_for_returns_that_leads_nowhere_is_refused(row: str) -> None:
    with pytest.raises(SettingsError, match=r"\[\[returns\.routes\]\] #1"):
        load({**LOCAL, **CONFIG}, files(bridge__toml=f"[[returns.routes]]\n{row}"))


def test_the_providers_of_returns_are_those_with_credentials() -> None:
    assert load(LOCAL, files()).return_providers == ()
    login = {"BRIDGE_INTELLIGENTRETURNS__LOGIN": "login", "BRIDGE_INTELLIGENTRETURNS__API_KEY": "key"}
    local = {"BRIDGE_INTELLIGENTRETURNS__BASE_URL": "http://127.0.0.1:1"}
    assert load({**LOCAL, **login, **local}, files()).return_providers == ("intelligentreturns",)
