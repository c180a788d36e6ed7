"""Our account at Intelligentreturns: returns on a platform that tells what is new of all of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bridge.app.providers.account import Look, Means, Watch
from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.platform import IntelligentPlatform
from bridge.reconciling.returns.pace import Pace
from bridge.reconciling.returns.parcels import Parcels
from bridge.settings import Settings
from bridge.shipping.returns.keeping import Keeping
from bridge.shipping.returns.makers import PlatformMaker

_ALONE: Final = Pace(timedelta(days=1), timedelta(days=4))
"""How often a parcel is asked about alone: what the platform learns of all of them is asked for in every round."""
_NOBODYS: Final = "doctor"
"""An id that no return has."""


@dataclass(frozen=True, slots=True)
class PlatformAccount:
    """An account with its client."""

    client: IntelligentPlatform

    def maker(self, _connection: str, _keeping: Keeping) -> PlatformMaker:
        return PlatformMaker(self.client)

    def looks(self, watch: Watch) -> Mapping[str, Look]:
        learning, agenda = watch.learning(self.client.meaning, _ALONE), watch.agenda(_ALONE, first=_ALONE.every)
        clock, stop = watch.shared.clock, watch.shared.stop
        return {"returns": Parcels(watch.connection, self.client, learning, agenda, clock=clock, stop=stop).look}

    async def ask(self, _now: datetime) -> None:
        await self.client.find(_NOBODYS)


def account(settings: Settings, means: Means) -> PlatformAccount:
    """Open the account, which has credentials."""
    told = settings.intelligentreturns
    assert told.login is not None
    assert told.api_key is not None
    client = IntelligentReturns(
        means.http,
        base_url=told.base_url,
        login=told.login,
        api_key=told.api_key,
        form=told.format,
        permits=means.permits,
        metrics=means.metrics,
        clock=means.clock,
    )
    return PlatformAccount(IntelligentPlatform(client))
