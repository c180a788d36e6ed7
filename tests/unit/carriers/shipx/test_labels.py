"""Labels: which are asked for, and what is one."""

from __future__ import annotations

import hashlib

import pytest
from pytest_httpx import HTTPXMock

from bridge.shipments.label import Label, LabelFormat, LabelKind, LabelWish
from tests.unit.carriers.shipx.families import ShipxShipping

from .stage import OTHER, PAGE, SHIPMENT, refused, sample, unavailable

PDF = b"%PDF-1.4\n1 0 obj\n%%EOF\n"
ZPL = b"CT~~CD,~CC^~CT~\n^XA\n^FO50,50^FDAnna^FS\n^XZ\n"
EPL = b'\r\nN\r\nq812\r\nQ1200,24\r\nA50,50,0,4,1,1,N,"Anna"\r\nP1\r\n'
ZIP = b"PK\x03\x04\x14\x00\x00\x00"


def typed(kind: str | None) -> dict[str, str]:
    return {} if kind is None else {"content-type": kind}


@pytest.mark.parametrize(
    ("wish", "query"),
    [
        (LabelWish(), "format=Pdf"),
        (LabelWish(LabelFormat.pdf, LabelKind.normal), "format=Pdf&type=normal"),
        (LabelWish(LabelFormat.pdf, LabelKind.a6), "format=Pdf&type=A6"),
        (LabelWish(LabelFormat.zpl, LabelKind.dpi300), "format=Zpl&type=dpi300"),
        (LabelWish(LabelFormat.epl), "format=Epl"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_wish_is_spelled_as_the_page_has_it(
    wish: LabelWish, query: str, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=404, json=sample("error_resource_not_found"))
    await refused(shipping.labels.fetch(SHIPMENT, wish))
    assert [one.url.query.decode() for one in httpx_mock.get_requests()] == [query]


@pytest.mark.parametrize(
    ("form", "kind", "content"),
    [
        pytest.param(LabelFormat.pdf, "application/pdf", PDF, id="as observed"),
        pytest.param(LabelFormat.pdf, "application/pdf; charset=utf-8", PDF, id="with a parameter"),
        pytest.param(LabelFormat.pdf, "application/octet-stream", PDF, id="bytes of whatever kind"),
        pytest.param(LabelFormat.pdf, None, PDF, id="without a type"),
        pytest.param(LabelFormat.zpl, "text/plain", ZPL, id="ZPL behind what a driver wrote"),
        pytest.param(LabelFormat.zpl, "application/zpl", b"^XA^XZ", id="ZPL alone"),
        pytest.param(LabelFormat.zpl, None, b"\xef\xbb\xbf^XA^XZ", id="ZPL behind a mark"),
        pytest.param(LabelFormat.epl, "text/plain", EPL, id="EPL"),
        pytest.param(
            LabelFormat.epl, "application/octet-stream", b"I8,A,001\nQ1218,024\nN\nP1\n", id="EPL with a code page"
        ),
    ],
)
async def test_a_label_is_what_was_asked_for(
    form: LabelFormat, kind: str | None, content: bytes, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=content, headers=typed(kind))
    label = await shipping.labels.fetch(SHIPMENT, LabelWish(form))
    assert label == Label(content, form, None)
    assert label.sha256 == hashlib.sha256(content).hexdigest()
    assert "Anna" not in repr(label)


@pytest.mark.parametrize(
    ("form", "kind", "content"),
    [
        pytest.param(LabelFormat.pdf, "text/html", PAGE.encode(), id="a page"),
        pytest.param(LabelFormat.pdf, "application/pdf", PAGE.encode(), id="a page that calls itself a label"),
        pytest.param(LabelFormat.pdf, "text/html", PDF, id="a label that calls itself a page"),
        pytest.param(LabelFormat.pdf, "application/json", b"{}", id="JSON"),
        pytest.param(LabelFormat.pdf, "application/pdf", b"", id="nothing"),
        pytest.param(LabelFormat.pdf, "application/pdf", ZPL, id="another format"),
        pytest.param(LabelFormat.pdf, "application/zip", ZIP, id="an archive of one"),
        pytest.param(LabelFormat.zpl, "text/plain", PDF, id="PDF for ZPL"),
        pytest.param(LabelFormat.zpl, "text/plain", b"<html>^XA</html>", id="a page that quotes ZPL"),
        pytest.param(LabelFormat.zpl, "text/html", ZPL, id="ZPL that calls itself a page"),
        pytest.param(LabelFormat.epl, "text/plain", PAGE.encode(), id="a page for EPL"),
        pytest.param(LabelFormat.epl, "text/plain", b"<html>\nN\n</html>", id="a page that quotes EPL"),
        pytest.param(LabelFormat.epl, "text/plain", b'{"error":\nN\n}', id="JSON that quotes EPL"),
        pytest.param(LabelFormat.epl, "text/plain", PDF, id="PDF for EPL"),
        pytest.param(LabelFormat.epl, "text/plain", b"", id="nothing for EPL"),
    ],
)
async def test_anything_else_is_no_label_and_may_be_one_later(
    form: LabelFormat, kind: str | None, content: bytes, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=content, headers=typed(kind))
    error = await unavailable(shipping.labels.fetch(SHIPMENT, LabelWish(form)))
    assert (error.reason, error.status, error.retryable) == ("not_a_label", 200, True)


@pytest.mark.parametrize(("content", "is_archive"), [(PDF, False), (ZIP, True)])
async def test_many_labels_are_one_file_or_an_archive(
    content: bytes, is_archive: bool, shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(content=content, is_reusable=True)
    wish = LabelWish(LabelFormat.pdf, LabelKind.a6)
    many = await shipping.labels.fetch_many([SHIPMENT, OTHER], wish)
    returns = await shipping.labels.fetch_returns([SHIPMENT, OTHER], LabelFormat.pdf)
    assert many == Label(content, LabelFormat.pdf, LabelKind.a6, is_archive)
    assert returns == Label(content, LabelFormat.pdf, None, is_archive)


async def test_a_huge_file_is_not_read_to_its_end(shipping: ShipxShipping, httpx_mock: HTTPXMock) -> None:
    httpx_mock.add_response(content=PDF + b" " * 6 * 1024 * 1024, headers=typed("application/pdf"))
    assert (await unavailable(shipping.labels.fetch(SHIPMENT, LabelWish()))).reason == "too_long"


@pytest.mark.parametrize(
    ("name", "key", "fields"),
    [
        ("error_label_action", "invalid_action", []),
        ("error_label_generation", "label_generation_failed", [("label_available_from", "other")]),
        (
            "error_label_unpaid",
            "validation_failed",
            [("tracking_number", "you_can_not_generate_labels_for_unpaid_shipments")],
        ),
    ],
)
async def test_why_there_is_no_label_is_said(
    name: str, key: str, fields: list[tuple[str, str]], shipping: ShipxShipping, httpx_mock: HTTPXMock
) -> None:
    httpx_mock.add_response(status_code=400, json=sample(name))
    error = await refused(shipping.labels.fetch(SHIPMENT, LabelWish()))
    assert (error.key, [(one.field, one.code) for one in error.fields]) == (key, fields)


@pytest.mark.parametrize("number", [0, 101])
async def test_it_is_one_to_a_hundred_at_once(number: int, shipping: ShipxShipping) -> None:
    with pytest.raises(AssertionError, match="one to a hundred"):
        await shipping.labels.fetch_many([SHIPMENT] * number, LabelWish())
    with pytest.raises(AssertionError, match="one to a hundred"):
        await shipping.labels.fetch_returns([SHIPMENT] * number, LabelFormat.pdf)
    with pytest.raises(AssertionError, match="one to a hundred"):
        await shipping.dispatcher.printouts([SHIPMENT] * number)
