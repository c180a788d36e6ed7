"""Labels over HTTP: who may see them, as which file, what there is no such label of, and what the carrier is asked."""

from __future__ import annotations

import io
import zipfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from hashlib import sha256
from typing import Any

import httpx
import pytest

from bridge.app.serving import application
from bridge.commands.giving import Giving
from bridge.model import CommandState, ShipmentId
from bridge.shipping.labels.api import LabelsApi
from bridge.store.commands import SqlCommands
from bridge.web.access import EVERY_SCOPE, Access
from tests.unit.ingress.stage import client_of
from tests.unit.purchasing.stage import ORGANIZATION
from tests.unit.purchasing.virtual_time import in_virtual_time
from tests.unit.shipping.labelling import COURIER, LOCKER, FullShelf, bought, calls, desk, fetching
from tests.unit.shipping.stage import VAULT, Stage, Worker

CLIENTS = [
    client_of("printer", ["personal:read"]),
    client_of("reader", ["read"]),
    client_of("writer", ["shipments:write"]),
    client_of("of-others", EVERY_SCOPE, [4822]),
    client_of("everything", EVERY_SCOPE),
]
INSURED = {"insurance": {"amount": "1", "currency": "PLN"}}


class Shop:
    """One process that answers, beside a carrier."""

    def __init__(self, stage: Stage, worker: Worker, *, is_full: bool = False) -> None:
        self.stage = stage
        self.worker = worker
        parts = worker.parts
        commands = SqlCommands(parts.database, VAULT, "http")
        giving = Giving(commands, worker.executor.bell.ring)
        shelf = FullShelf(parts.database, VAULT) if is_full else None
        api = LabelsApi(desk(parts, shelf=shelf), giving, Access(CLIENTS))
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(application(api.routes())), base_url="http://bridge"
        )

    async def get(self, path: str, token: str = "printer", **headers: str) -> httpx.Response:
        return await self._http.get(path, headers={"authorization": f"Bearer {token}", **headers})

    async def post(
        self, path: str, body: dict[str, Any], token: str = "writer", key: str | None = "one"
    ) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} | ({} if key is None else {"idempotency-key": key})
        return await self._http.post(path, json=body, headers=headers)

    async def close(self) -> None:
        await self._http.aclose()


@asynccontextmanager
async def shop(*, is_full: bool = False) -> AsyncIterator[Shop]:
    async with Stage(fetching()).open() as stage:
        found = Shop(stage, stage.start(), is_full=is_full)
        try:
            yield found
        finally:
            await found.close()


def one(shipment: ShipmentId, query: str = "") -> str:
    return f"/v1/shipments/{shipment}/label{query}"


def many(shipments: Sequence[ShipmentId], query: str = "", path: str = "/v1/labels") -> str:
    return f"{path}?{'&'.join(f'shipment_id={number}' for number in shipments)}{query}"


def fields(answer: httpx.Response) -> list[str]:
    return [error["field"] for error in answer.json()["errors"]]


def test_a_label_is_a_file_that_is_asked_of_the_carrier_once() -> None:
    async def story() -> None:
        async with shop() as opened:
            shipment = await bought(opened.stage)
            answer = await opened.get(one(shipment))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
            assert answer.headers["content-disposition"] == f'attachment; filename="label-{shipment}.pdf"'
            assert answer.headers["etag"] == f'"{sha256(answer.content).hexdigest()}"'
            assert answer.headers["cache-control"] == "private, no-cache"
            assert answer.content.startswith(b"%PDF-")
            again = await opened.get(one(shipment, "?format=pdf&type=normal"))
            assert (again.content, again.headers["etag"]) == (answer.content, answer.headers["etag"])
            same = await opened.get(one(shipment), **{"if-none-match": answer.headers["etag"]})
            assert (same.status_code, same.content) == (304, b"")
            assert calls(opened.stage) == 1
            [told] = [kind for kind, _ in opened.stage.told(f"shipment/{shipment}")]
            assert told == "shipment.label_ready"

    in_virtual_time(story())


@pytest.mark.parametrize(
    ("query", "kind", "begins"),
    [
        ("?format=zpl", "application/x-zpl", b"^XA"),
        ("?format=zpl&type=dpi300", "application/x-zpl", b"^XA"),
        ("?format=epl", "application/x-epl", b"\nN"),
        ("?type=A6", "application/pdf", b"%PDF"),
    ],
)
def test_a_label_comes_for_every_printer(query: str, kind: str, begins: bytes) -> None:
    async def story() -> None:
        async with shop() as opened:
            answer = await opened.get(one(await bought(opened.stage), query))
            assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
            assert answer.content.startswith(begins)

    in_virtual_time(story())


def test_whoever_may_not_see_people_sees_no_label() -> None:
    async def story() -> None:
        async with shop() as opened:
            shipment = await bought(opened.stage)
            for path in (one(shipment), many([shipment]), many([shipment], path="/v1/return-labels")):
                assert (await opened.get(path, "reader")).status_code == 403
                assert (await opened.get(path, "nobody")).status_code == 401
                assert (await opened.get(path, "of-others")).status_code in (400, 403)
                joint = "&" if "?" in path else "?"
                theirs = await opened.get(f"{path}{joint}organization_id={ORGANIZATION}", "of-others")
                assert theirs.status_code == 403
            assert calls(opened.stage) == 0

    in_virtual_time(story())


WRONG = [
    ("?format=doc", "format"),
    ("?format=PDF", "format"),
    ("?type=a6", "type"),
    ("?type=dpi300", "type"),
    ("?format=epl&type=dpi300", "type"),
    ("?organization_id=x", "organization_id"),
    ("?organization_id=4999", "organization_id"),
]


@pytest.mark.parametrize(("query", "field"), WRONG)
def test_what_there_is_no_such_label_of_is_told_by_field_and_not_asked_for(query: str, field: str) -> None:
    async def story() -> None:
        async with shop() as opened:
            shipment = await bought(opened.stage)
            answer = await opened.get(one(shipment, query))
            assert (answer.status_code, fields(answer)) == (400, [field])
            answer = await opened.get(many([shipment], f"&{query[1:]}"))
            assert (answer.status_code, fields(answer)) == (400, [field])
            assert calls(opened.stage) == 0

    in_virtual_time(story())


def know(opened: Shop, shipment: ShipmentId, service: str) -> None:
    """Have it bought by the bridge, as far as that knows."""
    opened.stage.disk.rows(
        "INSERT INTO purchases (organization, shipment, state, deadline, due_at, updated_at, service_id)"
        f" VALUES ({ORGANIZATION}, {shipment}, 'succeeded', 1, 1, 1, '{service}')"
    )


def test_a_courier_has_no_label_in_a4_and_a_locker_none_for_the_way_back() -> None:
    async def story() -> None:
        async with shop() as opened:
            courier, locker = await bought(opened.stage, COURIER, **INSURED), await bought(opened.stage)
            know(opened, courier, COURIER)
            know(opened, locker, LOCKER)
            refused = [
                (one(courier, "?type=normal"), "type"),
                (one(courier, "?format=zpl&type=dpi300"), "type"),
                (many([locker, courier], "&type=normal"), "type"),
                (many([courier, locker], path="/v1/return-labels"), "shipment_id"),
            ]
            for path, field in refused:
                answer = await opened.get(path)
                assert (answer.status_code, fields(answer)) == (400, [field]), path
            assert calls(opened.stage) == 0
            answer = await opened.get(many([courier], path="/v1/return-labels"))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
            assert answer.headers["content-disposition"] == 'attachment; filename="return-labels.pdf"'

    in_virtual_time(story())


def test_labels_of_many_are_one_file_or_an_archive() -> None:
    async def story() -> None:
        async with shop() as opened:
            lockers = [await bought(opened.stage), await bought(opened.stage)]
            answer = await opened.get(many(lockers))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/pdf")
            assert answer.headers["content-disposition"] == 'attachment; filename="labels.pdf"'
            answer = await opened.get(many([*lockers, await bought(opened.stage, COURIER, **INSURED)]))
            assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
            assert len(zipfile.ZipFile(io.BytesIO(answer.content)).namelist()) == 2
            assert calls(opened.stage) == 2
            single = await opened.get(many(lockers[:1] * 2))
            assert single.headers["content-disposition"] == f'attachment; filename="label-{lockers[0]}.pdf"'

    in_virtual_time(story())


def test_labels_that_are_kept_are_put_together_without_the_carrier() -> None:
    async def story() -> None:
        async with shop() as opened:
            lockers = [await bought(opened.stage), await bought(opened.stage)]
            kept = [(await opened.get(one(shipment, "?format=zpl"))).content for shipment in lockers]
            pages = [(await opened.get(one(shipment))).content for shipment in lockers]
            before = calls(opened.stage)
            answer = await opened.get(many(lockers, "&format=zpl"))
            assert answer.content == b"".join(kept)
            assert calls(opened.stage) == before
            await opened.stage.fault("unavailable", method="GET", path="*labels*", times=9)
            answer = await opened.get(many(lockers))
            files = zipfile.ZipFile(io.BytesIO(answer.content))
            assert [files.read(name) for name in files.namelist()] == pages
            assert files.namelist() == [f"label-{shipment}.pdf" for shipment in lockers]

    in_virtual_time(story())


@pytest.mark.parametrize(
    "query", ["", "?shipment_id=x", "?shipment_id=0", "?" + "&".join(f"shipment_id={i}" for i in range(1, 102))]
)
def test_shipments_are_named_one_to_a_hundred_times(query: str) -> None:
    async def story() -> None:
        async with shop() as opened:
            answer = await opened.get(f"/v1/labels{query}")
            assert (answer.status_code, fields(answer)) == (400, ["shipment_id"])

    in_virtual_time(story())


SILENT = [("unready", "label-not-ready"), ("page", "label-not-ready"), ("unavailable", "carrier-unavailable")]


@pytest.mark.parametrize(("kind", "problem"), SILENT)
def test_a_carrier_that_has_no_label_yet_may_be_asked_again_in_a_moment(kind: str, problem: str) -> None:
    async def story() -> None:
        async with shop() as opened:
            shipment = await bought(opened.stage)
            await opened.stage.fault(kind, method="GET", path="*label")
            answer = await opened.get(one(shipment))
            assert (answer.status_code, answer.json()["type"]) == (503, f"/problems/{problem}")
            assert int(answer.headers["retry-after"]) > 0
            assert (await opened.get(one(shipment))).status_code == 200

    in_virtual_time(story())


def test_what_the_carrier_refuses_is_refused() -> None:
    async def story() -> None:
        async with shop() as opened:
            unbought = await bought(opened.stage, only_choice_of_offer=True)
            answer = await opened.get(one(unbought))
            assert (answer.status_code, answer.json()["type"]) == (422, "/problems/carrier-refused")
            assert (await opened.get(one(ShipmentId(7)))).status_code == 404
            assert (await opened.get("/v1/shipments/0/label")).status_code == 404
            assert (await opened.get("/v1/shipments/x/label")).status_code == 404

    in_virtual_time(story())


def test_a_label_that_cannot_be_kept_is_answered_all_the_same() -> None:
    async def story() -> None:
        async with shop(is_full=True) as opened:
            shipment = await bought(opened.stage)
            answers = [await opened.get(one(shipment)) for _ in range(2)]
            assert [(one.status_code, one.content[:5]) for one in answers] == [(200, b"%PDF-")] * 2
            assert calls(opened.stage) == 2
            assert opened.stage.told(f"shipment/{shipment}") == []

    in_virtual_time(story())


def test_right_after_a_purchase_a_refusal_for_the_status_means_not_yet() -> None:
    async def story() -> None:
        async with shop() as opened:
            lagging = await bought(opened.stage, only_choice_of_offer=True)
            know(opened, lagging, LOCKER)
            answer = await opened.get(one(lagging))
            assert (answer.status_code, answer.json()["type"]) == (503, "/problems/label-not-ready")

    in_virtual_time(story())


def test_a_label_may_be_had_fetched_as_a_command() -> None:
    async def story() -> None:
        async with shop() as opened:
            shipment = await bought(opened.stage)
            answer = await opened.post(one(shipment), {"format": "zpl"})
            assert (answer.status_code, answer.json()["outcome"]) == (200, "done")
            result = answer.json()["result"]
            assert (result["format"], result["organization_id"]) == ("zpl", ORGANIZATION)
            label = await opened.get(result["url"])
            assert sha256(label.content).hexdigest() == result["sha256"]
            again = await opened.post(one(shipment), {"format": "zpl"}, key=None)
            assert (again.status_code, again.json()["result"]) == (200, result)
            assert calls(opened.stage) == 1
            assert (await opened.stage.standing("label.fetch")).state is CommandState.done
            assert (await opened.post(one(shipment), {"format": "zpl"}, "printer")).status_code == 403
            assert (await opened.post(one(shipment), {"format": "zpl"}, "of-others", "two")).status_code == 400
            wrong = await opened.post(one(shipment), {"format": "pdf", "type": "dpi300"}, key="three")
            assert (wrong.status_code, fields(wrong)) == (422, ["type"])
            unknown = await opened.post(one(shipment), {"formats": "pdf"}, key="four")
            assert (unknown.status_code, fields(unknown)) == (422, ["formats"])

    in_virtual_time(story())
