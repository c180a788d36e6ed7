"""The state of Intelligentreturns: accounts, orders and returns, and refusals that were asked for."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from itertools import count

from bridge.simulator.courses import Courses
from bridge.simulator.deeds import Act
from bridge.simulator.intelligentreturns.catalogue import Service
from bridge.simulator.intelligentreturns.failures import Failed
from bridge.simulator.intelligentreturns.orders import Order
from bridge.simulator.intelligentreturns.returns import Return
from bridge.simulator.intelligentreturns.terms import AccountTerms
from bridge.simulator.world import World


@dataclass(frozen=True)
class Ordered:
    """A refusal that the next calls of a method meet; `done`: what was asked for happens all the same."""

    method: str
    code: str
    message: str | None
    done: bool
    times: int


class Desk:
    """What the methods share."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.terms = world.scenario.intelligentreturns
        self.returns: list[Return] = []
        self.services = {service.id: service for service in self.terms.services}
        self.refusals: list[Ordered] = []
        self.wrong_logins = 0
        self._accounts = {account.login: account for account in self.terms.accounts}
        self._orders: dict[str, dict[str, Order]] = {}
        self._order_ids = count(10_000)
        self._courses = Courses("intelligentreturns", self.terms.courses, world.chance, world.schedule)

    def caller(self, login: str, api_key: str) -> AccountTerms:
        """Tell whose login this is; too many wrong ones block everybody."""
        if self.wrong_logins >= self.terms.wrong_logins:
            raise Failed("ip_blocked")
        account = self._accounts.get(login)
        if account is None or not hmac.compare_digest(api_key.encode(), account.api_key.encode()):
            self.wrong_logins += 1
            raise Failed("access_denied")
        self.wrong_logins = 0
        return account

    def refusal_of(self, method: str) -> Ordered | None:
        """Use up a refusal that was asked for."""
        for place, one in enumerate(self.refusals):
            if one.method == method:
                left = [] if one.times == 1 else [Ordered(one.method, one.code, one.message, one.done, one.times - 1)]
                self.refusals[place : place + 1] = left
                return one
        return None

    def orders_of(self, account: AccountTerms) -> dict[str, Order]:
        """Give the account's orders by reference."""
        return self._orders.setdefault(account.login, {})

    def new_order(self, account: AccountTerms, reference: str) -> Order:
        order = Order(next(self._order_ids), reference, [])
        self.orders_of(account)[reference] = order
        return order

    def returns_of(self, account: AccountTerms) -> Iterator[Return]:
        """List the account's returns, the earliest first."""
        return (one for one in self.returns if one.account is account)

    def returns_of_order(self, account: AccountTerms, reference: str) -> Iterator[Return]:
        """List what came back of an order."""
        return (one for one in self.returns_of(account) if one.draft.order_reference == reference)

    def services_of(self, account: AccountTerms, country: str | None = None) -> list[Service]:
        """List what an account may use, in a country or anywhere."""
        return [
            service
            for service in self.terms.services
            if (account.services is None or service.id in account.services)
            and (country is None or country in service.countries)
        ]

    def start(self, record: Return) -> None:
        """Send a return that was booked on its way."""
        self._courses.start(record.id, partial(self.enter, record))

    def enter(self, record: Return, status: str) -> bool:
        """Let an event happen and become known, unless the return is being cancelled or has ended."""
        if record.seen & {"300", "310"}:
            return False
        now = self.world.now()
        record.scan(status, now - timedelta(seconds=self.terms.scan_lag), now)
        return True

    def did(self, act: Act, account: AccountTerms, subject: str, reference: str | None) -> None:
        """Write down what was done because a caller asked for it."""
        self.world.deeds.record(act, account.login, subject, reference, self.world.now())
