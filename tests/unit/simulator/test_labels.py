"""Labels: what each wish is answered with, and when there is none."""

from __future__ import annotations

import io
import zipfile

import httpx
import pytest

from .stage import POSTPAID, PREPAID, Json, Stage, as_object, error_of, scenario

LOCKER, COURIER, C2C = "inpost_locker_standard", "inpost_courier_standard", "inpost_courier_c2c"
ALLEGRO = {"email": "anna@allegromail.pl", "phone": "888000000"}
SERVICES = [{"id": one, "rate": "9.99"} for one in (LOCKER, "inpost_locker_allegro", COURIER, C2C)]
A4, A6 = b"/MediaBox [0 0 595 842]", b"/MediaBox [0 0 298 420]"


async def label(stage: Stage, shipment: Json, query: str = "") -> httpx.Response:
    return await stage.client.get(f"/v1/shipments/{shipment['id']}/label?{query}")


async def labels(stage: Stage, *shipments: Json, call: str = "labels", query: str = "") -> httpx.Response:
    ids = "&".join(f"shipment_ids[]={one['id']}" for one in shipments)
    return await stage.client.get(f"/v1/organizations/{PREPAID}/shipments/{call}?{ids}&{query}")


@pytest.mark.parametrize(
    ("service", "query", "name", "begins", "holds"),
    [
        (LOCKER, "", f"{LOCKER}.pdf", b"%PDF-1.4", A4),
        (LOCKER, "format=Pdf&type=normal", f"{LOCKER}.pdf", b"%PDF-1.4", A4),
        (LOCKER, "type=A6", f"{LOCKER}.pdf", b"%PDF-1.4", A6),
        (LOCKER, "format=zpl", f"{LOCKER}.zpl", b"^XA", b"^XZ"),  # spelled as in the page's own sample
        (LOCKER, "format=Zpl&type=dpi300", f"{LOCKER}.zpl", b"^XA", b"^A0N,48,48"),
        (LOCKER, "format=Epl", f"{LOCKER}.epl2", b"\nN\n", b"P1"),
        (COURIER, "", f"{COURIER}.pdf", b"%PDF-1.4", A6),  # a courier has no normal one
        (COURIER, "format=Epl", f"{COURIER}.epl", b"\nN\n", b"P1"),
        (C2C, "format=Zpl&type=dpi300", f"{C2C}.zpl", b"^XA", b"^A0N,48,48"),
    ],
)
async def test_one_label(service: str, query: str, name: str, begins: bytes, holds: bytes) -> None:
    async with Stage(scenario(organization={"services": SERVICES})) as stage:
        shipment = await stage.bought(service)
        answer = await label(stage, shipment, query)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-disposition"] == f'attachment; filename="{name}"'
        assert "content-length" not in answer.headers  # chunked, as observed
        assert (answer.content.startswith(begins), holds in answer.content) == (True, True)
        assert shipment["tracking_number"].encode() in answer.content
        assert (await stage.control("deeds"))["counts"]["label_made"] == 1


async def test_a_label_says_what_it_is(stage: Stage) -> None:
    assert (await label(stage, await stage.bought())).headers["content-type"] == "application/pdf"


@pytest.mark.parametrize(
    ("service", "query", "error", "details"),
    [
        (LOCKER, "format=Png", "validation_failed", {"format": ["invalid"]}),
        (LOCKER, "type=a6", "validation_failed", {"type": ["invalid"]}),  # another spelling is another type
        (LOCKER, "type=dpi300", "validation_failed", {"type": ["invalid"]}),  # ZPL only
        (COURIER, "format=Zpl&type=dpi300", "validation_failed", {"type": ["invalid"]}),
        (COURIER, "type=normal", "label_template_not_found", {}),
    ],
)
async def test_a_label_that_there_is_not(stage: Stage, service: str, query: str, error: str, details: Json) -> None:
    answer = await label(stage, await stage.bought(service), query)
    assert (error_of(answer), as_object(answer)["details"]) == ((400, error), details)


async def test_no_label_before_the_purchase_shows() -> None:
    hidden = {"hidden": {"share": 1, "of": ["purchase"], "seconds": [5, 5]}}
    async with Stage(scenario(faults=hidden)) as stage:
        shipment = await stage.prepared()
        for _ in range(2):
            answer = await label(stage, shipment)
            assert error_of(answer) == (400, "invalid_action")
            assert as_object(answer)["details"] == {"action": "get_label", "shipment_status": "offers_prepared"}
            await stage.buy(shipment)
            await stage.advance(1)  # bought, and hidden
        await stage.advance(5)
        assert (await label(stage, shipment)).status_code == 200


async def test_a_label_may_take_its_time_after_the_purchase() -> None:
    async with Stage(scenario(delays={"labels": 10})) as stage:
        shipment = await stage.bought()
        answer = await label(stage, shipment)
        assert (error_of(answer), as_object(answer)["details"]) == ((400, "label_generation_failed"), None)
        await stage.advance(10)
        assert (await label(stage, shipment)).status_code == 200


async def test_a_label_is_there_as_long_as_the_parcel_is_under_way(stage: Stage) -> None:
    shipment = await stage.bought()
    await stage.client.post(f"/_control/shipments/{shipment['id']}/statuses", json={"status": "delivered"})
    assert (await label(stage, shipment)).status_code == 200


async def test_several_parcels_come_in_one_file(stage: Stage) -> None:
    several = [{"template": "small", "id": number} for number in ("1", "2", "3")]
    answer = await label(stage, await stage.bought(parcels=several))
    assert answer.content.count(b"/Type /Page ") == 3


async def test_many_of_one_service_come_in_one_file(stage: Stage) -> None:
    answer = await labels(stage, *[await stage.bought() for _ in range(2)])
    assert (answer.headers["content-type"], answer.content.count(b"/Type /Page ")) == ("application/pdf", 2)


async def test_many_of_several_services_come_in_an_archive(stage: Stage) -> None:
    shipments = [await stage.bought(service) for service in (LOCKER, COURIER, LOCKER)]
    answer = await labels(stage, *shipments, query="format=Epl")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert sorted(archive.namelist()) == [f"{COURIER}.epl", f"{LOCKER}.epl2"]
        assert archive.read(f"{LOCKER}.epl2").count(b"P1") == 2


async def test_a_locker_and_a_parcel_point_are_one_service(stage: Stage) -> None:
    to_a_point = {"custom_attributes": {"target_point": "POP-WAW364"}}
    answer = await labels(stage, await stage.bought(LOCKER), await stage.bought(LOCKER, **to_a_point))
    assert answer.headers["content-type"] == "application/pdf"


async def test_one_that_is_not_bought_refuses_all(stage: Stage) -> None:
    answer = await labels(stage, await stage.bought(), await stage.prepared())
    assert error_of(answer) == (400, "invalid_action")


@pytest.mark.parametrize(
    ("query", "problem"),
    [
        ("", "required"),
        ("shipment_ids[]=abc", "invalid"),
        ("shipemnt_ids[]=1", "required"),  # the page misspells it once
        ("&".join(f"shipment_ids[]={number}" for number in range(1, 102)), "too_long"),
    ],
)
@pytest.mark.parametrize("call", ["labels", "return_labels"])
async def test_ids_are_checked(stage: Stage, call: str, query: str, problem: str) -> None:
    answer = await stage.client.get(f"/v1/organizations/{PREPAID}/shipments/{call}?{query}")
    assert (error_of(answer), as_object(answer)["details"]) == ((400, "validation_failed"), {"shipment_ids": [problem]})


async def test_only_the_sender_may_have_it(stage: Stage) -> None:
    shipment = await stage.bought()
    async with stage.client_of("postpaid") as other:
        for path in (
            f"/v1/shipments/{shipment['id']}/label",
            f"/v1/organizations/{POSTPAID}/shipments/labels?shipment_ids[]={shipment['id']}",
        ):
            assert error_of(await other.get(path)) == (404, "resource_not_found")
        foreign = f"/v1/organizations/{PREPAID}/shipments/labels?shipment_ids[]={shipment['id']}"
        assert error_of(await other.get(foreign)) == (403, "forbidden")


async def test_return_labels_are_for_couriers_alone() -> None:
    async with Stage(scenario(organization={"services": SERVICES})) as stage:
        answer = await labels(stage, await stage.bought(COURIER), call="return_labels")
        assert answer.headers["content-disposition"] == f'attachment; filename="{COURIER}_return.pdf"'
        assert b"RETURN" in answer.content
        answer = await labels(stage, await stage.bought(COURIER), await stage.bought(LOCKER), call="return_labels")
        assert error_of(answer) == (400, "label_template_not_found")
        answer = await labels(stage, await stage.prepared(), call="return_labels")
        assert error_of(answer) == (400, "invalid_action")


async def test_no_label_names_anybody(stage: Stage) -> None:
    shipment = await stage.bought()
    for format_ in ("Pdf", "Zpl", "Epl"):
        content = (await label(stage, shipment, f"format={format_}")).content
        assert [name for name in (b"Anna", b"Kowalska", b"888000000", b"Malborska") if name in content] == []
