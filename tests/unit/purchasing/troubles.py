"""What can happen to a call on its way to the carrier and back."""

from __future__ import annotations

import asyncio

import httpx

from tests.unit.purchasing.stage import Inner, Trouble
from tests.unit.purchasing.virtual_time import pass_time

PAGE = "<html><head><title>Attention Required!</title></head><body>Please wait</body></html>"


def answered(status: int, *, effect: bool = False, **headers: str) -> Trouble:
    """Answer with an HTML page, with or without the call having had its effect."""

    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        if effect:
            await inner(request)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.Response(status, html=PAGE, headers=named)

    return trouble


def lost(error: type[httpx.TransportError], *, effect: bool = False, after: float = 0) -> Trouble:
    """Lose the call (or its answer, after its effect) on the network."""

    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        if effect:
            await inner(request)
        await pass_time(after)
        raise error("lost")

    return trouble


def delayed(*, before: float = 0, after: float = 0) -> Trouble:
    """Be slow on the way there, or on the way back."""

    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        await pass_time(before)
        answer = await inner(request)
        await pass_time(after)
        return answer

    return trouble


def connected(*, after: float) -> Trouble:
    """Be slow to connect, for as long as the caller lets it; then the call is as any other."""

    async def trouble(request: httpx.Request, inner: Inner) -> httpx.Response:
        try:
            async with asyncio.timeout(request.extensions["timeout"]["connect"]):
                await pass_time(after)
        except TimeoutError:
            raise httpx.ConnectTimeout("slow", request=request) from None
        await request.extensions["trace"]("http11.send_request_headers.started", {})
        return await inner(request)

    return trouble


def refused(key: str, status: int = 400) -> Trouble:
    """Refuse in the carrier's own words."""

    async def trouble(_: httpx.Request, __: Inner) -> httpx.Response:
        return httpx.Response(status, json={"status": status, "error": key, "message": "", "details": {}})

    return trouble
