"""Codes: active at once, or made in advance and activated, or disabled."""

from __future__ import annotations

from xml.etree.ElementTree import ParseError

import pytest
from defusedxml.ElementTree import fromstring

from bridge.simulator import load_scenario

from ..stage import Stage
from .conftest import Opened
from .hatch import ACCOUNT, ORDER, PREFIX, Hatch, read, sample, written


def tags(body: str) -> list[str]:
    return [one.tag for one in read(body).iter()]


async def test_an_active_code_has_its_validity_and_size(hatch: Hatch) -> None:
    document = await hatch.answered("revloggenerateactivecode", written(ORDER))
    row = {one.tag: one.text for one in document.find("return") or []}
    assert row.keys() == {"code", "active", "uuid", "labelAttached", "packType", "expirationDate"}
    assert (row["active"], row["packType"], row["expirationDate"]) == ("true", "B", "2026-04-10T11:00:00")


async def test_an_active_code_may_be_answered_short(opened: Opened) -> None:
    hatch = await opened(answer="short")
    answer = await hatch.call("revloggenerateactivecode", written(ORDER))
    assert tags(answer.text) == tags(sample("active"))


async def test_inactive_codes_stand_in_elements_that_are_no_xml(hatch: Hatch) -> None:
    answer = await hatch.call("revloggenerateinactivecodes", sample("request_generate_inactive"))
    assert "<0>" in answer.text
    with pytest.raises(ParseError):
        fromstring(answer.text.encode())
    assert tags(answer.text) == tags(sample("inactive"))


async def test_or_in_elements_that_are(opened: Opened) -> None:
    hatch = await opened(elements="item")
    answer = await hatch.call("revloggenerateinactivecodes", sample("request_generate_inactive"))
    assert [one.tag for one in fromstring(answer.text.encode()).iter()] == tags(sample("inactive_wellformed"))


async def test_an_inactive_code_is_activated_once_and_needs_no_rma(hatch: Hatch) -> None:
    [code] = await hatch.stocked()
    order = {name: text for name, text in ORDER.items() if name != "rma"}
    document = await hatch.answered("revlogactivatecode", written({"code": code, **order}))
    assert document.findtext("return/active") == "true"
    assert "aktywny" in await hatch.error("revlogactivatecode", written({"code": code, **order}))
    assert "aktywny" in await hatch.error("revloginvalidatecode", written({"code": code}))
    assert await hatch.deeds() == {"codes_stocked": 1, "code_activated": 1}


async def test_a_disabled_code_is_never_activated(hatch: Hatch) -> None:
    [code] = await hatch.stocked()
    answer = await hatch.call("revloginvalidatecode", written({"code": code}))
    assert tags(answer.text) == tags(sample("invalidated"))
    assert await hatch.error("revlogactivatecode", written({"code": code, **ORDER})) == "Kod został unieważniony"
    assert await hatch.error("revloginvalidatecode", written({"code": code})) == "Kod został unieważniony"


async def test_no_more_active_codes_are_made_than_the_account_has_left(opened: Opened) -> None:
    hatch = await opened(accounts=[{**ACCOUNT, "codes_left": 1}])
    await hatch.stocked(2)
    code = await hatch.generated()
    assert await hatch.error("revloggenerateactivecode", written({**ORDER, "rma": "RMA2"})) == "Wyczerpano limit kodów"
    assert await hatch.reported() == [code]


async def test_anothers_code_is_not_found(hatch: Hatch) -> None:
    [code] = await hatch.stocked()
    for name in (code, "0"):
        text = await hatch.error("revloginvalidatecode", written({"code": name}), email="b@example.com")
        assert text == "Nie znaleziono kodu"


@pytest.mark.parametrize(
    ("element", "text"),
    [
        ("rma", ""),
        ("packType", "D"),
        ("packType", ""),
        ("expirationDate", "2026-04-10"),
        ("expirationDate", "2026-02-30T11:00:00"),
        ("expirationDate", "2026-03-18T12:31:58"),
        ("senderPhone", "+48500600700"),
        ("senderEmail", "ewa"),
    ],
)
async def test_what_is_not_valid_is_refused_by_name(hatch: Hatch, element: str, text: str) -> None:
    refusal = await hatch.error("revloggenerateactivecode", written({**ORDER, element: text}))
    assert refusal.endswith(f": {element}")
    assert await hatch.deeds() == {}


async def test_a_date_may_have_an_offset_and_a_line_break(opened: Opened) -> None:
    order = written({**ORDER, "expirationDate": "2026-04-10T11:00:00+02:00\n"})
    assert await (await opened()).answered("revloggenerateactivecode", order)
    assert "expirationDate" in await (await opened(dates="strict")).error("revloggenerateactivecode", order)


async def test_an_address_needs_a_name(hatch: Hatch) -> None:
    for name, refused in (("Sklep", False), ("", True)):
        address = written({"companyName": "Sklep", "name": name}, "address")
        content = written(ORDER).replace("</paczkomaty>", f"{address}</paczkomaty>")
        assert bool(await hatch.error("revloggenerateactivecode", content)) == refused


async def test_an_rma_may_come_twice_unless_the_scenario_says_no(opened: Opened) -> None:
    hatch = await opened()
    assert await hatch.generated() != await hatch.generated()
    strict = await opened(same_rma="refuse")
    await strict.generated()
    assert "RMA" in await strict.error("revloggenerateactivecode", written(ORDER))


@pytest.mark.parametrize("number", ["0", "-1", "x", "1001", ""])
async def test_a_stock_has_a_size(hatch: Hatch, number: str) -> None:
    assert "numberOfCodes" in await hatch.error("revloggenerateinactivecodes", written({"numberOfCodes": number}))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "<paczkomaty>",
        "<other/>",
        "<paczkomaty>" + "<a>" * 9999 + "</a>" * 9999 + "</paczkomaty>",
        "<!DOCTYPE a [<!ENTITY b 'c'>]><paczkomaty/>",
    ],
    ids=["nothing", "open", "other", "deep", "entity"],
)
async def test_what_is_no_document_is_refused(hatch: Hatch, content: str) -> None:
    assert await hatch.error("revloggetreport", content) == "Nieprawidłowy dokument XML"


async def test_a_declaration_and_another_path_are_fine(hatch: Hatch) -> None:
    form = {"email": "zwroty@example.com", "password": "secret", "content": '<?xml version="1.0"?><paczkomaty/>'}
    answer = await hatch.stage.client.post(f"{PREFIX}?do=revloggetreport", data=form)
    assert tags(answer.text) == tags(sample("report_empty"))


@pytest.mark.parametrize(
    ("login", "text"),
    [
        ({"password": "wrong"}, "Nieprawidłowy login lub hasło"),
        ({"email": "nobody"}, "Nieprawidłowy login lub hasło"),
        ({"email": "off"}, "Usługa szybkich zwrotów nie jest włączona"),
    ],
)
async def test_others_are_refused(hatch: Hatch, login: dict[str, str], text: str) -> None:
    assert await hatch.error("revloggetreport", "<paczkomaty/>", **login) == text


async def test_an_unknown_function_is_refused(hatch: Hatch) -> None:
    assert await hatch.error("revlogcancel", "<paczkomaty/>") == "Nieznana funkcja"


async def test_a_refusal_may_have_a_key_and_a_status(opened: Opened) -> None:
    hatch = await opened(errors="key", error_status=400)
    answer = await hatch.call("revloggetreport", "")
    assert answer.status_code == 400
    assert '<error key="InvalidXml">' in answer.text


@pytest.mark.parametrize(("kind", "codes"), [("failed", 0), ("crashed", 1)])
async def test_faults_strike_by_function(hatch: Hatch, kind: str, codes: int) -> None:
    path = f"{PREFIX}/?do=revloggenerateactivecode"
    await hatch.stage.client.post("/_control/faults", json={"kind": kind, "path": path})
    assert await hatch.reported() == []
    answer = await hatch.call("revloggenerateactivecode", written(ORDER))
    assert (answer.status_code, read(answer.text).findtext("error")) == (500, "Błąd serwera")
    assert len(await hatch.reported()) == codes


async def test_the_packaged_scenario_has_an_account() -> None:
    async with Stage(load_scenario()) as stage:
        login = {"email": "zwroty@example.com", "password": "demo-returns-password"}
        assert await Hatch(stage).error("revloggetreport", "<paczkomaty/>", **login) == ""
