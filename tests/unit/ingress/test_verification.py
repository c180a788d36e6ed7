"""Who may tell us something: secrets that rotate, and the sender as our own proxies saw it."""

from __future__ import annotations

import inspect
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import ip_network

import pytest

from bridge.ingress import verification
from bridge.ingress.verification import Mode, Networks, Origin, Refused, Secrets, Unverified, Verified, verify
from bridge.model import OrganizationId

OLD, NEW, OTHER = "a" * 40, "b" * 40, "c" * 40
FIRST, SECOND = OrganizationId(4821), OrganizationId(4822)
INSIDE, OUTSIDE, PROXY = "91.216.25.7", "8.8.4.4", "10.0.0.2"

# --- secrets ----------------------------------------------------------------------------------------------------------

CANDIDATES = [
    # what is in the path, whose it is, remark
    (NEW, FIRST, "the newest"),
    (OLD, FIRST, "the one before, while the URL is being changed"),
    (OTHER, SECOND, "another organization's"),
    (OLD[:-1], None, "all but the last letter"),
    (OLD + "a", None, "one letter more"),
    (OLD.upper(), None, "upper case"),
    ("", None, "nothing"),
    ("ż" * 40, None, "not ASCII"),
    ("\udcff", None, "not even text"),
    ("a\x00", None, "a zero"),
]


@pytest.mark.parametrize(("candidate", "organization", "remark"), CANDIDATES, ids=[row[-1] for row in CANDIDATES])
def test_a_secret_says_whose_webhook_it_is(candidate: str, organization: OrganizationId | None, remark: str) -> None:
    assert Secrets({FIRST: [NEW, OLD], SECOND: [OTHER]}).organization(candidate) == organization, remark


def test_without_secrets_nobody_gets_in() -> None:
    assert Secrets({}).organization("") is None
    assert Secrets({FIRST: []}).organization(OLD) is None


def test_secrets_are_compared_in_constant_time_and_all_of_them() -> None:
    source = inspect.getsource(verification.Secrets.organization)
    assert "hmac.compare_digest" in source
    assert "==" not in source
    assert "return" not in source.partition("for ")[2].rpartition("return")[0], "no early end tells which one it was"


# --- the sender -------------------------------------------------------------------------------------------------------

TRUSTED = ["10.0.0.0/8", "172.16.0.1/32", "fd00::/8"]
SENDERS = [
    # peer, X-Forwarded-For, address, inside, remark
    (INSIDE, "", INSIDE, True, "no proxy at all"),
    (OUTSIDE, "", OUTSIDE, False, "a stranger"),
    (PROXY, INSIDE, INSIDE, True, "one proxy"),
    (PROXY, OUTSIDE, OUTSIDE, False, "a stranger behind a proxy"),
    (PROXY, f"{INSIDE}, {OUTSIDE}", OUTSIDE, False, "a claim of the stranger's own, left of its address"),
    (PROXY, f"{OUTSIDE}, {INSIDE}", INSIDE, True, "whatever the carrier itself sent stays unread"),
    (PROXY, f"{INSIDE}, 10.1.1.1, 172.16.0.1", INSIDE, True, "a chain of our proxies"),
    (PROXY, f"{INSIDE}, 10.1.1.1, {OUTSIDE}, 172.16.0.1", OUTSIDE, False, "a stranger inside the chain ends it"),
    (PROXY, "10.1.1.1, 10.1.1.2", "10.1.1.1", False, "nothing but our own proxies"),
    (PROXY, "", PROXY, False, "a proxy that says nothing"),
    (OUTSIDE, INSIDE, OUTSIDE, False, "a stranger's header is not believed"),
    (INSIDE, OUTSIDE, INSIDE, True, "nor is the carrier's"),
    (PROXY, f"{INSIDE}:443", INSIDE, True, "with a port"),
    (PROXY, f'"{INSIDE}"', INSIDE, True, "in quotes"),
    (PROXY, f"  {INSIDE}\t", INSIDE, True, "with spaces"),
    (PROXY, f"[::ffff:{INSIDE}]:443", INSIDE, True, "IPv4 inside IPv6, in brackets, with a port"),
    (f"::ffff:{INSIDE}", "", INSIDE, True, "a dual-stack socket's peer"),
    (f"::ffff:{PROXY}", INSIDE, INSIDE, True, "a dual-stack socket's proxy"),
    ("fd00::1", INSIDE, INSIDE, True, "a proxy on IPv6"),
    (PROXY, "2001:4860::1", "2001:4860::1", False, "a stranger on IPv6"),
    (PROXY, "[2001:4860::1]:9", "2001:4860::1", False, "a stranger on IPv6 with a port"),
    (PROXY, "unknown", "unreadable", False, "a word"),
    (PROXY, "_hidden", "unreadable", False, "a hidden name"),
    (PROXY, f"{INSIDE}, ", "unreadable", False, "an empty end"),
    (PROXY, f"{INSIDE}, garbage, 10.1.1.1", "unreadable", False, "garbage inside the chain ends it"),
    (PROXY, "091.216.025.007", "unreadable", False, "padded numbers"),
    (PROXY, "1540885767", "unreadable", False, "an address as one number"),
    (PROXY, "9" * 100_000, "unreadable", False, "more than a header"),
    (PROXY, f"{OUTSIDE}, " * 10_000 + INSIDE, INSIDE, True, "a claim without end"),
    ("", INSIDE, "unreadable", False, "no peer"),
    ("testclient", INSIDE, "unreadable", False, "a peer that is no address"),
]


@pytest.mark.parametrize(
    ("peer", "forwarded", "address", "inside", "remark"), SENDERS, ids=[row[-1] for row in SENDERS]
)
def test_the_sender_is_read_from_the_right_past_our_own_proxies(
    peer: str, forwarded: str, address: str, inside: bool, remark: str
) -> None:
    networks = Networks([ip_network("91.216.25.0/24")], [ip_network(one) for one in TRUSTED])
    assert networks.origin(peer, forwarded) == Origin(address, inside, unproxied=False), remark


UNTRUSTED = [
    # peer, address, inside, unproxied, remark
    (INSIDE, INSIDE, True, False, "the carrier"),
    (OUTSIDE, OUTSIDE, False, False, "a stranger"),
    (PROXY, PROXY, False, True, "a private peer must be a proxy of ours"),
    ("127.0.0.1", "127.0.0.1", False, True, "so must loopback"),
    ("fd00::1", "fd00::1", False, True, "so must a private IPv6 address"),
    ("100.64.0.9", "100.64.0.9", False, True, "so must a carrier-grade one"),
]


@pytest.mark.parametrize(
    ("peer", "address", "inside", "unproxied", "remark"), UNTRUSTED, ids=[r[-1] for r in UNTRUSTED]
)
def test_without_trusted_proxies_no_header_is_read(
    peer: str, address: str, inside: bool, unproxied: bool, remark: str
) -> None:
    networks = Networks([ip_network("91.216.25.0/24")], [])
    assert networks.origin(peer, INSIDE) == Origin(address, inside, unproxied), remark


def test_networks_may_be_of_both_kinds() -> None:
    networks = Networks([ip_network("91.216.25.0/24"), ip_network("2001:db8::/32")], [])
    assert networks.origin("2001:db8::9", "").is_inside
    assert networks.origin(INSIDE, "").is_inside


# --- the verdict ------------------------------------------------------------------------------------------------------

GOOD = Unverified(
    FIRST, Origin(INSIDE, is_inside=True, unproxied=False), "", datetime(2026, 11, 20, tzinfo=UTC), 2, True, b"{}"
)
AWAY = replace(GOOD, origin=Origin(OUTSIDE, is_inside=False, unproxied=False))
VERDICTS: list[tuple[Unverified, Mode, str | None, str]] = [
    # request, mode, reason or None, remark
    (GOOD, "enforce", None, "as it should be"),
    (AWAY, "enforce", "outside_networks", "from elsewhere"),
    (AWAY, "observe", None, "from elsewhere, only observed"),
    (AWAY, "off", None, "from elsewhere, nobody looks"),
    (replace(GOOD, encoding="gzip"), "enforce", "encoded_body", "compressed"),
    (replace(GOOD, encoding="identity"), "enforce", None, "an encoding that is none"),
    (replace(GOOD, encoding="gzip, identity"), "enforce", "encoded_body", "several encodings"),
    (replace(GOOD, is_whole=False), "off", "too_large", "too large"),
    (replace(AWAY, encoding="gzip", is_whole=False), "enforce", "outside_networks", "the sender comes first"),
]


@pytest.mark.parametrize(("request_", "mode", "reason", "remark"), VERDICTS, ids=[row[-1] for row in VERDICTS])
def test_only_what_is_verified_may_be_parsed(request_: Unverified, mode: Mode, reason: str | None, remark: str) -> None:
    expected = Refused(reason) if reason else Verified(FIRST, GOOD.received_at, b"{}")
    assert verify(request_, mode) == expected, remark


def test_bodies_do_not_stand_in_what_is_printed() -> None:
    secret = replace(GOOD, body=b"Kowalska")
    assert "Kowalska" not in repr(secret) + repr(verify(secret, "off"))
