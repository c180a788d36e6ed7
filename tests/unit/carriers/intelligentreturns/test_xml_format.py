"""XML as this provider writes it: what is broken in the way of its samples is repaired, everything else refused."""

from __future__ import annotations

import pytest

from bridge.carriers.intelligentreturns.xml_format import XmlFormat
from bridge.errors import Unreadable

READ: dict[str, tuple[bytes, object]] = {
    "text is trimmed": (b"<success><date>\n  12\n</date></success>", {"date": "12"}),
    "nothing": (b"<success/>", ""),
    "one of a list is its only element": (b"<success><item>a</item></success>", {"item": "a"}),
    "a list is its element repeated": (b"<success><item>a</item><item/></success>", {"item": ["a", ""]}),
    "a bare and": (b"<success><a>black & white</a></success>", {"a": "black & white"}),
    "a bare less": (b"<success><a>L < 220cm &amp; more</a></success>", {"a": "L < 220cm & more"}),
    "an entity of HTML is its text": (b"<success><a>A&nbsp;B</a></success>", {"a": "A&nbsp;B"}),
    "CDATA": (b"<success><a><![CDATA[a & b < c]]></a></success>", {"a": "a & b < c"}),
}


@pytest.mark.parametrize(("body", "found"), READ.values(), ids=READ)
def test_it_is_read(body: bytes, found: object) -> None:
    assert XmlFormat().read(body) == ("success", found)


BOMB = b'<!DOCTYPE a [<!ENTITY b "bb">]><success><a>&b;</a></success>'
FILE = b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><success><a>&b;</a></success>'
REFUSED = {
    "a bomb": (BOMB, "document_type"),
    "a file": (FILE, "document_type"),
    "cut in the middle": (b"<success><a>1</a>", "not_xml"),
    "mismatched tags": (b"<success><cost_price>1</price></success>", "not_xml"),
    "nothing": (b"", "not_xml"),
    "too deep": (b"<a>" * 30 + b"</a>" * 30, "too_deep"),
    "not UTF-8": (b"<success>\xff</success>", "not_utf8"),
}


@pytest.mark.parametrize(("body", "reason"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable, match=reason):
        XmlFormat().read(body)


def test_a_page_of_a_thousand_returns_is_read() -> None:
    body = b"<success>" + b"<return><id>1</id>%s</return>" % (b"<item><a/><b/></item>" * 40) * 1000 + b"</success>"
    name, found = XmlFormat().read(body)
    assert isinstance(found, dict)
    assert (name, len(found["return"])) == ("success", 1000)


def test_what_cannot_stand_in_xml_is_never_written() -> None:
    with pytest.raises(ValueError, match="XML"):
        XmlFormat().write("order", {"val": "a\x00b"})


def test_a_list_is_written_as_its_element_repeated_and_text_is_escaped() -> None:
    written = XmlFormat().write("request", {"services": [1, 2], "address": {"city": "A & <B>"}})
    assert written == (
        "<request><services>1</services><services>2</services>"
        "<address><city>A &amp; &lt;B&gt;</city></address></request>"
    )
