"""The simulator on a real port, in real time, with delays of zero."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import httpx
import pytest

from bridge.simulator import Scenario, TargetRefused, VirtualClock, serve
from bridge.simulator.schedule import Schedule
from tests.support.bridge import until

from .stage import DRAFT, POSTPAID, SCENARIO, scenario


def quick() -> Scenario:
    """Give the plain scenario without waiting and without URLs of its own."""
    organizations = [{**one, "webhook_url": None} for one in SCENARIO["organizations"]]
    return scenario(delays={"offers": 0, "purchase": 0}, organizations=organizations)


async def test_it_serves_until_stopped_and_notifies_the_given_url() -> None:
    received: asyncio.Queue[dict[str, object]] = asyncio.Queue()
    receiver = await asyncio.start_server(lambda r, w: _receive(r, w, received), "127.0.0.1", 0)
    hook = f"http://127.0.0.1:{receiver.sockets[0].getsockname()[1]}/hook"
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(quick(), port=0, webhook_url=hook, stop=stop, on_ready=ready.set_result))
    headers = {"Authorization": "Bearer postpaid"}
    async with httpx.AsyncClient(base_url=await ready, headers=headers, trust_env=False) as client:
        answer = await client.post(f"/v1/organizations/{POSTPAID}/shipments", json=DRAFT)
        assert len(answer.headers.get_list("date")) == 1
        assert (await received.get())["event"] == "offers_prepared"
    stop.set()
    await serving
    receiver.close()
    await receiver.wait_closed()


@pytest.fixture
async def carrier() -> AsyncIterator[httpx.AsyncClient]:
    """Give a client of a simulator on a real port, with the token of the postpaid organization."""
    ready: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    stop = asyncio.Event()
    serving = asyncio.create_task(serve(quick(), port=0, stop=stop, on_ready=ready.set_result))
    headers = {"Authorization": "Bearer postpaid"}
    async with httpx.AsyncClient(base_url=await ready, headers=headers, trust_env=False) as client:
        yield client
    stop.set()
    await serving


@pytest.mark.parametrize(("kind", "shipments"), [("dropped", 0), ("hung_up", 1)])
async def test_a_connection_is_closed_without_an_answer(carrier: httpx.AsyncClient, kind: str, shipments: int) -> None:
    path = f"/v1/organizations/{POSTPAID}/shipments"
    await carrier.post("/_control/faults", json={"kind": kind, "method": "POST", "path": path})
    with pytest.raises(httpx.RemoteProtocolError, match="disconnected without sending a response"):
        await carrier.post(path, json=DRAFT)
    found = await carrier.get(path)
    assert (found.status_code, found.json()["count"]) == (200, shipments)


async def test_a_late_call_is_done_though_its_sender_has_hung_up(carrier: httpx.AsyncClient) -> None:
    path = f"/v1/organizations/{POSTPAID}/shipments"
    fault = {"kind": "late", "method": "POST", "path": path, "seconds": [2, 2]}
    await carrier.post("/_control/faults", json=fault)
    with pytest.raises(httpx.ReadTimeout):
        await carrier.post(path, json=DRAFT, timeout=0.1)

    async def arrived() -> bool:
        return bool((await carrier.get(path)).json()["count"])

    assert await until(arrived)


async def test_a_url_of_another_machine_is_refused_before_anything_runs() -> None:
    with pytest.raises(TargetRefused):
        await serve(quick(), port=0, webhook_url="http://example.com/hook")


async def test_due_things_of_one_moment_keep_their_order() -> None:
    clock = VirtualClock()
    schedule = Schedule(clock)
    done: list[str] = []
    for name in ("first", "second"):
        schedule.after(0, lambda name=name: done.append(name))  # type: ignore[misc]
    schedule.after(1, lambda: done.append("later"))
    schedule.run_due()
    assert (done, len(schedule)) == (["first", "second"], 1)


async def _receive(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, received: asyncio.Queue[dict[str, object]]
) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    length = int(head.split("content-length: ")[1].split("\r\n")[0])
    received.put_nowait(json.loads(await reader.readexactly(length)))
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
    await writer.drain()
    writer.close()
    await writer.wait_closed()
