"""The merchant: creates shipments at the carrier at a steady pace, and now and then very many at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from random import Random
from typing import Any, Final

import httpx

from tests.soak.bodies import MARK
from tests.soak.carrier import MERCHANT, MERCHANT_TOKEN
from tests.soak.pace import Pace

BURST: Final = 100
_FIRST_BURST_S: Final = (3.0, 8.0)
_BURSTS_S: Final = (20.0, 40.0)
_AT_ONCE: Final = 8
_PERSON: Final = {"first_name": MARK, "last_name": MARK, "email": f"{MARK}@example.com", "phone": "500100300"}
_ADDRESS: Final = {"street": "Malborska", "building_number": "130", "city": "Kraków", "post_code": "30-624"}
_TO_LOCKER: Final = {"target_point": "KRA010", "sending_method": "dispatch_order"}
_TO_ADDRESS: Final = {"sending_method": "dispatch_order"}


class Merchant:
    """Creates until told to stop. What was created counts at the carrier: an answer may be lost on its way."""

    def __init__(self, carrier_url: str, random: Random, per_second: float) -> None:
        self._url = f"{carrier_url}/v1/organizations/{MERCHANT}/shipments"
        self._random = random
        self._per_second = per_second
        self._stopped = asyncio.Event()
        self.answers: Counter[str] = Counter()
        """Statuses, or what happened instead of an answer."""

    def stop(self) -> None:
        """Create no more."""
        self._stopped.set()

    async def create(self) -> None:
        """Create, steadily and in bursts, until `stop`."""
        headers = {"authorization": f"Bearer {MERCHANT_TOKEN}"}
        limits = httpx.Limits(max_connections=_AT_ONCE)
        async with httpx.AsyncClient(headers=headers, limits=limits, timeout=30, trust_env=False) as http:
            await asyncio.gather(self._steadily(http), self._in_bursts(http))

    async def _steadily(self, http: httpx.AsyncClient) -> None:
        pace = Pace(self._per_second)
        while not self._stopped.is_set():
            await pace.wait()
            await self._create(http)

    async def _in_bursts(self, http: httpx.AsyncClient) -> None:
        pause = self._random.uniform(*_FIRST_BURST_S)
        while not await self._stops_within(pause):
            await asyncio.gather(*(self._create(http) for _ in range(BURST)))
            pause = self._random.uniform(*_BURSTS_S)

    async def _stops_within(self, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                return await self._stopped.wait()
        except TimeoutError:
            return False

    async def _create(self, http: httpx.AsyncClient) -> None:
        try:
            answer = await http.post(self._url, json=shipment(self._random))
        except httpx.TransportError as error:
            self.answers[type(error).__name__] += 1
        else:
            self.answers[str(answer.status_code)] += 1


def shipment(random: Random) -> dict[str, Any]:
    """Make up a shipment, to a locker or to an address, for somebody who must not be named anywhere."""
    return {
        "sender": {"company_name": "Sklep", **_PERSON, "address": _ADDRESS},
        "receiver": {**_PERSON, "address": _ADDRESS},
        "parcels": [{"template": "small"}],
        "custom_attributes": random.choice((_TO_LOCKER, _TO_ADDRESS)),
    }
