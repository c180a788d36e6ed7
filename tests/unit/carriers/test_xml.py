"""XML from strangers: what is read, what is refused and with which word, and what is written."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.carriers import xml
from bridge.errors import Unreadable

LAUGHS = (
    "<!DOCTYPE a [<!ENTITY a0 'ha'>"
    + "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 10))
    + "]><a>&a9;</a>"
)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<paczkomaty><code>1</code></paczkomaty>", id="bare"),
        pytest.param(b'<?xml version="1.0" encoding="UTF-8"?>\n<paczkomaty><code>1</code></paczkomaty>', id="declared"),
        pytest.param(b"\xef\xbb\xbf<paczkomaty><code>1</code></paczkomaty>", id="with a byte order mark"),
        pytest.param(b"<?xml version='1.0' encoding='us-ascii'?><paczkomaty><code>1</code></paczkomaty>", id="ASCII"),
        pytest.param(b"<paczkomaty><code><![CDATA[1]]></code></paczkomaty>", id="CDATA"),
        pytest.param(b"<paczkomaty><!-- <code>2</code> --><code>&#49;</code></paczkomaty>", id="a comment"),
    ],
)
def test_a_document_is_read(body: bytes) -> None:
    assert xml.read(body).findtext("code") == "1"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        pytest.param(LAUGHS.encode(), "document_type", id="a billion laughs"),
        pytest.param(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", "document_type", id="an entity of its own"),
        pytest.param(
            b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]><a>&b;</a>", "document_type", id="a file of ours"
        ),
        pytest.param(b"<!DOCTYPE a SYSTEM 'http://elsewhere.test/a.dtd'><a/>", "document_type", id="a host elsewhere"),
        pytest.param(b"<!DOCTYPE html><html></html>", "document_type", id="a page"),
        pytest.param(b"<a>&nbsp;</a>", "not_xml", id="an entity that nobody declared"),
        pytest.param(b"<a><b>", "not_xml", id="cut in the middle"),
        pytest.param(b"<a/><b/>", "not_xml", id="two documents"),
        pytest.param(b"<x:a/>", "not_xml", id="a prefix that nobody declared"),
        pytest.param(b"<a>\x00</a>", "not_xml", id="a NUL"),
        pytest.param(b"<a>\x1b</a>", "not_xml", id="a control character"),
        pytest.param(b"<a>&#xD800;</a>", "not_xml", id="half a character"),
        pytest.param(b"", "not_xml", id="nothing"),
        pytest.param(b'{"a": 1}', "not_xml", id="JSON"),
        pytest.param(b"<0><code>1</code></0>", "not_xml", id="a number for a name, not repaired"),
        pytest.param(b"<a>\xb1</a>", "not_utf8", id="Latin-2 that does not say so"),
        pytest.param(b'<?xml version="1.0" encoding="iso-8859-2"?><a/>', "another_encoding", id="Latin-2"),
        pytest.param(b'<?xml version="1.0" encoding="utf-7"?><a>+ADw-</a>', "another_encoding", id="UTF-7"),
        pytest.param(b'<?xml version="1.0" encoding="utf-16"?><a/>', "another_encoding", id="UTF-16 that is none"),
        pytest.param("<a/>".encode("utf-16"), "not_utf8", id="UTF-16"),
        pytest.param("<a/>".encode("utf-16-le"), "not_xml", id="UTF-16 without a mark"),
        pytest.param("<a/>".encode("utf-16-be"), "not_xml", id="UTF-16 without a mark, the other way round"),
        pytest.param(b"<a>" + b"<b/>" * 100_000 + b"</a>", "too_many_elements", id="too many"),
        pytest.param(
            b"<a %s/>" % b" ".join(b"a%d=''" % one for one in range(100_001)),
            "too_many_elements",
            id="too many attributes",
        ),
        pytest.param(b"<a>" + b"&lt;" * 100_001 + b"</a>", "too_many_elements", id="too many references"),
    ],
)
def test_anything_else_is_refused_with_a_word_of_ours(body: bytes, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        xml.read(body)
    assert str(caught.value) == reason
    assert caught.value.__cause__ is None


def test_the_deepest_that_is_let_in_is_read() -> None:
    assert xml.read(b"<a>" * 49_999 + b"</a>" * 49_999).tag == "a"


def test_what_only_looks_like_xml_is_repaired_as_text() -> None:
    assert xml.read(b"<0>1</0>", lambda text: text.replace("0>", "zero>")).tag == "zero"


@given(st.binary(max_size=200))
def test_no_bytes_make_it_fail_otherwise(body: bytes) -> None:
    with suppress(Unreadable):
        xml.read(b"<a>" + body + b"</a>")


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"], exclude_characters="\ufffe\uffff")))
def test_what_is_written_is_read_as_it_was(text: str) -> None:
    assert xml.read(xml.write(xml.branch("a", xml.leaf("b", text))).encode()).findtext("b") == text


def test_what_is_none_is_left_out() -> None:
    assert xml.write(xml.branch("a", xml.leaf("b", None), xml.leaf("c", "<d>&"))) == "<a><c>&lt;d&gt;&amp;</c></a>"


@pytest.mark.parametrize("text", ["\x00", "\x1b", "\ud800", "\uffff"])
def test_what_xml_cannot_hold_is_never_written(text: str) -> None:
    with pytest.raises(ValueError, match="not for XML"):
        xml.write(xml.branch("a", xml.leaf("b", f"x{text}")))
