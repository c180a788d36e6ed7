"""Creating tickets: what an account's settings give, and what is refused."""

from __future__ import annotations

import copy
from datetime import timedelta
from typing import Any

import pytest

from ..stage import Json, as_object
from .conftest import Opened
from .counter import LEAST, TICKETS, Counter, sample


async def test_what_was_left_out_is_answered(counter: Counter) -> None:
    ticket = await counter.made()
    assert ticket.keys() == {"id", "size", "trackingNumber", "expirationDate", "code"}
    assert (ticket["size"], ticket["expirationDate"]) == ("A", "2026-03-25T11:31:58.279Z")


async def test_what_was_asked_for_is_not(counter: Counter) -> None:
    until = (counter.stage.clock.now() + timedelta(days=30)).isoformat()
    ticket = await counter.made(**{**sample("request_create"), "expirationDate": until})
    assert ticket.keys() == {"id", "trackingNumber", "code"}


async def test_an_account_may_echo_as_the_sample_does(opened: Opened) -> None:
    counter = await opened({"labels": True}, echoes=True)
    until = (counter.stage.clock.now() + timedelta(days=30)).isoformat()
    ticket = await counter.made(**{**sample("request_create"), "expirationDate": until})
    assert ticket.keys() == sample("ticket").keys()


@pytest.mark.parametrize(
    ("account", "keys"),
    [
        ({"numbers": False}, {"code"}),
        ({"codes": False, "labels": True}, {"trackingNumber", "labelUrl"}),
        ({"codes": False, "numbers": False}, set()),
    ],
)
async def test_the_settings_of_the_account_decide(opened: Opened, account: Json, keys: set[str]) -> None:
    counter = await opened(account)
    assert (await counter.made()).keys() - {"id", "size", "expirationDate"} == keys


async def test_a_label_can_be_had_again_and_again(opened: Opened) -> None:
    counter = await opened({"labels": True})
    ticket = await counter.made()
    assert ticket["labelUrl"] == f"http://carrier{TICKETS}/{ticket['id']}/label"
    for _ in range(2):
        answer = await counter.label(ticket["id"])
        assert (answer.headers["content-type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert await counter.deeds() == {"ticket_created": 1, "ticket_label_made": 2}


async def test_a_label_url_may_point_elsewhere(opened: Opened) -> None:
    counter = await opened({"labels": True}, label_host="foreign")
    assert (await counter.made())["labelUrl"].startswith("https://labels.invalid/")


@pytest.mark.parametrize(("unlabelled", "status"), [("not_found", 404), ("forbidden", 403)])
async def test_there_is_no_label_without_the_option(opened: Opened, unlabelled: str, status: int) -> None:
    counter = await opened(unlabelled=unlabelled)
    assert (await counter.label((await counter.made())["id"])).status_code == status


async def test_there_is_no_label_of_anothers_ticket(opened: Opened) -> None:
    labelled = await opened({"labels": True})
    theirs = await labelled.made()
    await labelled.entered("other")
    assert (await labelled.label(theirs["id"])).status_code == 404


async def test_codes_run_out(opened: Opened) -> None:
    counter = await opened({"codes_left": 1})
    await counter.made()
    assert (await counter.create()).status_code == 404
    assert await counter.deeds() == {"ticket_created": 1}


async def test_a_reference_makes_no_ticket_unique(counter: Counter) -> None:
    assert (await counter.made())["id"] != (await counter.made())["id"]


def changed(path: str, value: object) -> Json:
    """Give the full sample with one value changed, or removed by None."""
    body = copy.deepcopy(sample("request_create"))
    body.pop("expirationDate")
    *parents, last = path.split("/")
    part: Any = body
    for parent in parents:
        part = part[parent]
    part[last] = value
    if value is None:
        del part[last]
    return body


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("shipment/size", "D"),
        ("shipment/sender", None),
        ("shipment/sender/firstName", None),
        ("shipment/sender/lastName", "x" * 126),
        ("shipment/sender/phone", "500600700"),
        ("shipment/sender/phone", "+4850060070012345"),
        ("shipment/sender/email", "x" * 255 + "@example.com"),
        ("shipment/receiver/firstName", "x" * 51),
        ("shipment/receiver/phone", None),
        ("shipment/receiver/address/buildingNumber", None),
        ("shipment/receiver/address/street", "x" * 51),
        ("shipment/receiver/address/postalCode", "30300"),
        ("shipment/receiver/address/countryCode", "POL"),
        ("description", "x" * 256),
        ("expirationDate", "2026-12-19"),
        ("expirationDate", "2026-12-19T12:14:32"),
        ("expirationDate", 1794700800),
        ("expirationDate", "1794700800"),
        ("expirationDate", "2026-03-25T11:31:58.278Z"),
        ("expirationDate", "2028-03-07T11:31:58.280Z"),
    ],
)
async def test_what_is_not_valid_is_refused_by_field(counter: Counter, path: str, value: object) -> None:
    answer = await counter.stage.client.post(TICKETS, json=changed(path, value), headers=counter.headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert [one["pointer"] for one in as_object(answer)["errors"]] == [f"#/{path}"]
    assert await counter.deeds() == {}


async def test_a_receiver_without_a_company_needs_both_names(counter: Counter) -> None:
    body = changed("shipment/receiver/companyName", None)
    assert (await counter.create(**body)).status_code == 200
    del body["shipment"]["receiver"]["lastName"]
    assert (await counter.create(**body)).status_code == 400


async def test_the_limits_of_the_expiry_are_within(counter: Counter) -> None:
    for moment in ("2026-03-25T11:31:58.279Z", "2028-03-07T12:31:58.279+01:00"):
        await counter.made(expirationDate=moment)


async def test_a_body_that_is_no_json_is_refused(counter: Counter) -> None:
    answer = await counter.stage.client.post(TICKETS, content=b"{", headers=counter.headers)
    assert answer.status_code == 400


@pytest.mark.parametrize(("kind", "status", "tickets"), [("failed", 500, 0), ("crashed", 500, 1), ("limited", 429, 0)])
async def test_faults_strike_by_path(counter: Counter, kind: str, status: int, tickets: int) -> None:
    await counter.stage.client.post("/_control/faults", json={"kind": kind, "method": "POST", "path": TICKETS})
    answer = await counter.create()
    assert answer.status_code == status
    assert (await counter.deeds()).get("ticket_created", 0) == tickets
    if status == 500:
        assert as_object(answer)["title"] == "Internal Server Error"


def test_the_least_body_is_the_samples() -> None:
    assert LEAST.keys() == {"shipment", "externalReference"}
