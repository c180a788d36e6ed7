"""What only looks like XML is read, and what is hostile is not."""

from __future__ import annotations

import pytest

from bridge.carriers.szybkie_zwroty import wire
from bridge.errors import Unreadable

from .stage import sample


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<return><0><code>1</code></0><12><code>2</code></12></return>", id="numbers for names"),
        pytest.param(b"<return><0 >\n<code>1</code></0 ><1 a='b'><code>2</code></1></return>", id="with spaces"),
        pytest.param(b"<return><0><code>1</code></0><1><code>2</code></1><2/></return>", id="an empty one"),
        pytest.param(b"<return><a><code>1</code></a><a><code>2</code></a></return>", id="names"),
        pytest.param(b"<return><code>1</code></return><!-- -->", id="one, in the section itself"),
    ],
)
def test_elements_are_read_whatever_they_are_called(body: bytes) -> None:
    root = wire.document(b"<paczkomaty>" + body + b"</paczkomaty>")
    found = [wire.code(one) for one in wire.coded(root)]
    assert found == (["1"] if b"2" not in body else ["1", "2"])


def test_what_looks_like_a_number_in_a_text_stays_what_it_is() -> None:
    root = wire.document(b"<a><code>1</code><b>&lt;0&gt; 5 &lt;6</b></a>")
    assert root.findtext("b") == "<0> 5 <6"


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<paczkomaty><0><code>1</code></1></paczkomaty>", id="another end than beginning"),
        pytest.param(b"<paczkomaty><0><code>1</code>", id="cut in the middle"),
        pytest.param(b"<paczkomaty><1234567890/></paczkomaty>", id="a number that counts nothing"),
        pytest.param(b"<paczkomaty><0a/></paczkomaty>", id="a name that only begins so"),
        pytest.param(b"<!DOCTYPE p [<!ENTITY e SYSTEM 'file:///etc/hostname'>]><p>&e;</p>", id="a file of ours"),
        pytest.param(sample("inactive").replace(b"UTF-8", b"UTF-16"), id="another encoding than it has"),
        pytest.param(sample("error").decode().encode("iso-8859-2"), id="another encoding than it says"),
    ],
)
def test_anything_else_is_not_read(body: bytes) -> None:
    with pytest.raises(Unreadable):
        wire.document(body)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"<code>2991</code><code>2992</code>", id="two that differ"),
        pytest.param(b"<code>29<b>1</b>91</code>", id="an element within"),
        pytest.param(b"<code>29\n91</code>", id="a line break within"),
        pytest.param(b"<code/>", id="nothing"),
    ],
)
def test_a_code_that_is_not_said_clearly_is_not_taken_for_half_of_it(body: bytes) -> None:
    assert wire.code(wire.document(b"<return>" + body + b"</return>")) is None


def test_what_is_said_twice_in_the_same_way_is_said() -> None:
    assert wire.code(wire.document(b"<return><code>2991</code><code> 2991 </code></return>")) == "2991"


@pytest.mark.parametrize(
    ("body", "is_one"),
    [
        (sample("error"), True),
        (sample("error_key"), True),
        (b"<paczkomaty><error key='x'/></paczkomaty>", True),
        (b"<paczkomaty><return><0><error>x</error></0></return></paczkomaty>", True),
        (b"<paczkomaty><return><code>1</code></return><error><text>x</text></error></paczkomaty>", True),
        (b"<paczkomaty><Error>x</Error></paczkomaty>", True),
        (b"<p xmlns='urn:x'><error>x</error></p>", True),
        (b"<error>x</error>", True),
        (b"<paczkomaty><error><b/>x</error></paczkomaty>", True),
        (b"<paczkomaty><error/>x</paczkomaty>", False),
        (b"<paczkomaty><error/></paczkomaty>", False),
        (b"<paczkomaty><error> \n </error></paczkomaty>", False),
        (b"<paczkomaty><errors>0</errors></paczkomaty>", False),
        (sample("active"), False),
    ],
)
def test_an_error_that_says_anything_is_a_refusal_wherever_it_stands(body: bytes, is_one: bool) -> None:
    assert wire.is_refusal(wire.document(body)) is is_one


@pytest.mark.parametrize("name", [b"return", b"error"])
def test_the_deepest_nesting_that_is_let_in_is_walked_once(name: bytes) -> None:
    """A walk from each of them would take minutes."""
    root = wire.document(b"<%s>" % name * 49_999 + b"</%s>" % name * 49_999)
    assert not wire.is_refusal(root)
    assert list(wire.coded(root)) == []
