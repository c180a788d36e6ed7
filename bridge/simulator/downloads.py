"""Answers that are files."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

from bridge.simulator.errors import not_found, validation_failed
from bridge.simulator.organizations import Organization
from bridge.simulator.printing import File
from bridge.simulator.requests import ID
from bridge.simulator.shipments import Shipment
from bridge.simulator.world import World

MOST = 100
CHUNK = 4096


def download(file: File) -> StreamingResponse:
    """Send a file in chunks without its length, named after its service, as observed on 2026-10-11."""
    headers = {"Content-Disposition": f'attachment; filename="{file.name}"'}
    return StreamingResponse(_chunks(file.content), media_type=file.media_type, headers=headers)


def shipments_in(request: Request, organization: Organization, world: World) -> list[Shipment]:
    """Read `shipment_ids[]`, which one page misspells once, and find at most a hundred of the organization's own."""
    texts = list(dict.fromkeys(request.query_params.getlist("shipment_ids[]")))
    if problem := _problem(texts):
        raise validation_failed({"shipment_ids": [problem]})
    return list(_own(map(int, texts), organization, world))


def _problem(texts: list[str]) -> str | None:
    if not texts:
        return "required"
    if len(texts) > MOST:
        return "too_long"
    return None if all(ID.fullmatch(text) for text in texts) else "invalid"


def _own(ids: Iterator[int], organization: Organization, world: World) -> Iterator[Shipment]:
    for shipment_id in ids:
        shipment = world.shipments.get(shipment_id)
        if shipment is None or shipment.organization is not organization:
            raise not_found()
        yield shipment


async def _chunks(content: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(content), CHUNK):
        yield content[start : start + CHUNK]
