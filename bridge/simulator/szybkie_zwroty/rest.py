"""The five functions of Szybkie Zwroty, which `?do=` names. Refusals come with 200."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final
from zoneinfo import ZoneInfo

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bridge.simulator.forms import form_of
from bridge.simulator.szybkie_zwroty.answers import Element, answer, refusal, rows, truth
from bridge.simulator.szybkie_zwroty.codes import Code
from bridge.simulator.szybkie_zwroty.content import ROOT, Sections, sections_in
from bridge.simulator.szybkie_zwroty.desk import Desk
from bridge.simulator.szybkie_zwroty.orders import Order, needed, order_in
from bridge.simulator.szybkie_zwroty.refusals import Refused
from bridge.simulator.szybkie_zwroty.report import question_in, rows_of
from bridge.simulator.szybkie_zwroty.terms import AccountTerms

PREFIX: Final = "/szybkie-zwroty"
Function = Callable[[AccountTerms, Sections], Response]


class Rest:
    """The handler, which lets the function happen that is asked for."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._terms = desk.terms
        self._functions: Mapping[str, Function] = {
            "revloggenerateactivecode": self.generate,
            "revloggenerateinactivecodes": self.stock,
            "revlogactivatecode": self.activate,
            "revloginvalidatecode": self.invalidate,
            "revloggetreport": self.report,
        }

    def routes(self) -> list[Route]:
        return [Route(path, self.call, methods=["POST"]) for path in (PREFIX, f"{PREFIX}/")]

    async def call(self, request: Request) -> Response:
        form = await form_of(request)
        try:
            account = self._desk.caller(form)
            function = self._functions.get(request.query_params.get("do", ""))
            if function is None:
                raise Refused("UnknownFunction")
            return function(account, sections_in(form.get("content", ""), self._terms))
        except Refused as refused:
            return refusal(refused, self._terms)

    def generate(self, account: AccountTerms, sections: Sections) -> Response:
        code = self._desk.generate(account, self._order(sections, rma_needed=True))
        return answer([("return", self._active(code))])

    def stock(self, account: AccountTerms, sections: Sections) -> Response:
        text = needed(sections[ROOT], "numberOfCodes")
        if not (text.isascii() and text.isdecimal() and len(text) < 7 and 0 < int(text) <= self._terms.most_codes):
            raise Refused("Invalid", "numberOfCodes")
        made = self._desk.stock(account, int(text))
        return answer([rows(map(self._short, made), self._terms)])

    def activate(self, account: AccountTerms, sections: Sections) -> Response:
        text = needed(sections[ROOT], "code")
        code = self._desk.activate(account, text, self._order(sections, rma_needed=False))
        return answer([("return", self._active(code))])

    def invalidate(self, account: AccountTerms, sections: Sections) -> Response:
        code = self._desk.invalidate(account, needed(sections[ROOT], "code"))
        return answer([("valid", truth(code.valid))])

    def report(self, account: AccountTerms, sections: Sections) -> Response:
        question = question_in(sections, self._terms)
        found = rows_of(self._desk.visible(account), question, self._desk.world.now(), self._terms)
        return answer([rows(found, self._terms)])

    def _order(self, sections: Sections, *, rma_needed: bool) -> Order:
        return order_in(sections, self._desk.world.now(), self._terms, rma_needed=rma_needed)

    def _active(self, code: Code) -> list[Element]:
        """Write an active code, with what was ordered if the scenario is one that says it."""
        order = code.order
        if order is None or self._terms.answer == "short":
            return self._short(code)
        until = f"{order.until.astimezone(ZoneInfo(self._terms.zone)):%Y-%m-%dT%H:%M:%S}"
        return [*self._short(code), ("packType", order.pack_type), ("expirationDate", until)]

    def _short(self, code: Code) -> list[Element]:
        active = truth(code.active(self._desk.world.now()))
        return [("code", code.code), ("active", active), ("uuid", code.uuid), ("labelAttached", "false")]
