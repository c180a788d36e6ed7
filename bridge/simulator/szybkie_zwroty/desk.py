"""What Szybkie Zwroty does: it makes codes, and takes the parcels that are sent with them."""

from __future__ import annotations

import hmac
import uuid
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial

from bridge.simulator.courses import Courses
from bridge.simulator.deeds import Act
from bridge.simulator.szybkie_zwroty.codes import Code, Codes
from bridge.simulator.szybkie_zwroty.orders import Order
from bridge.simulator.szybkie_zwroty.refusals import Refused
from bridge.simulator.szybkie_zwroty.terms import AccountTerms
from bridge.simulator.world import World


class Desk:
    """The provider's state, and what changes it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.terms = world.scenario.szybkie_zwroty
        self.codes = Codes()
        self._accounts = {account.email: account for account in self.terms.accounts}
        self._courses = Courses("szybkie-zwroty", self.terms.courses, world.chance, world.schedule)

    def caller(self, form: Mapping[str, str]) -> AccountTerms:
        """Tell whose login this is, or refuse it."""
        account = self._accounts.get(form.get("email", ""))
        given = form.get("password", "").encode()
        if account is None or not hmac.compare_digest(given, account.password.encode()):
            raise Refused("AccessDenied")
        if not account.enabled:
            raise Refused("ServiceDisabled")
        return account

    def generate(self, account: AccountTerms, order: Order) -> Code:
        """Make an active code."""
        self._check_rma(account, order)
        ordered = sum(one.account is account and one.order is not None for one in self.codes)
        if account.codes_left is not None and ordered >= account.codes_left:
            raise Refused("NoCodesLeft")
        code = self._made(account)
        self._activated(code, order, "code_generated")
        return code

    def stock(self, account: AccountTerms, number: int) -> list[Code]:
        """Make inactive codes."""
        made = [self._made(account) for _ in range(number)]
        self._did("codes_stocked", account, str(number), None)
        return made

    def activate(self, account: AccountTerms, code_text: str, order: Order) -> Code:
        """Make an inactive code active."""
        code = self._inactive(account, code_text)
        self._check_rma(account, order)
        self._activated(code, order, "code_activated")
        return code

    def invalidate(self, account: AccountTerms, code_text: str) -> Code:
        """Let an inactive code never become active."""
        code = self._inactive(account, code_text)
        code.valid = False
        self._did("code_invalidated", account, code.code, None)
        return code

    def visible(self, account: AccountTerms) -> Iterator[Code]:
        """List the account's codes that have come to be known to the report."""
        known = self.world.now() - timedelta(seconds=self.terms.report_lag)
        return (one for one in self.codes if one.account is account and one.created_at <= known)

    def _made(self, account: AccountTerms) -> Code:
        number = len(self.codes) + 1
        name = uuid.uuid5(uuid.NAMESPACE_URL, f"{account.email}/{number}")
        code = Code(number, f"{1 + number % 9}{number:09d}", str(name), account, self.world.now())
        self.codes.add(code)
        return code

    def _inactive(self, account: AccountTerms, text: str) -> Code:
        code = self.codes.get(text)
        if code is None or code.account is not account:
            raise Refused("CodeNotFound")
        if not code.valid:
            raise Refused("CodeInvalid")
        if code.order is not None:
            raise Refused("CodeUsed" if code.used else "CodeActive")
        return code

    def _check_rma(self, account: AccountTerms, order: Order) -> None:
        """Refuse an `rma` that another code has, where the scenario wants that: no page says so."""
        if self.terms.same_rma == "refuse" and order.rma:
            taken = (one.order.rma for one in self.codes if one.account is account and one.order)
            if order.rma in taken:
                raise Refused("RmaExists", "rma")

    def _activated(self, code: Code, order: Order, act: Act) -> None:
        code.order = order
        self._did(act, code.account, code.code, order.rma or None)
        self._courses.start(code.number, partial(self._enter, code))

    def _enter(self, code: Code, status: str) -> bool:
        """Take a step of its course, unless the code was not used in time."""
        now = self.world.now()
        if not code.used and not code.active(now):
            return False
        code.move(status, now)
        return True

    def _did(self, act: Act, account: AccountTerms, subject: str, reference: str | None) -> None:
        self.world.deeds.record(act, account.email, subject, reference, self.world.now())
