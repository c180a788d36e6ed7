"""The providers of returns that must behave alike. One more is one more line here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from tests.contract.returns.inpost_returns import InPostReturnsStage
from tests.contract.returns.intelligentreturns import IntelligentReturnsStage, IntelligentReturnsXmlStage
from tests.contract.returns.stage import ProviderStage
from tests.contract.returns.szybkie_zwroty import SzybkieZwrotyStage

PROVIDERS: dict[str, type[ProviderStage]] = {
    "inpost_returns": InPostReturnsStage,
    "szybkie_zwroty": SzybkieZwrotyStage,
    "intelligentreturns": IntelligentReturnsStage,
    "intelligentreturns in XML": IntelligentReturnsXmlStage,
}

Opened = Callable[..., Awaitable[ProviderStage]]
