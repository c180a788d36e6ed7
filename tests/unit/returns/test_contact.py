"""Phones as people write them, in the two forms that providers take."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.returns.contact import e164, is_email, nine_digits


@pytest.mark.parametrize(
    ("text", "whole", "nine"),
    [
        pytest.param("+48500600700", "+48500600700", "500600700", id="as one provider wants it"),
        pytest.param("500600700", "+48500600700", "500600700", id="as the other wants it"),
        pytest.param("500 600 700", "+48500600700", "500600700", id="in groups"),
        pytest.param("500-600-700", "+48500600700", "500600700", id="with dashes"),
        pytest.param("500\u2011600\u00a0700", "+48500600700", "500600700", id="with those of word processors"),
        pytest.param("(+48) 500.600.700", "+48500600700", "500600700", id="with everything"),
        pytest.param("0048500600700", "+48500600700", "500600700", id="as it is dialled"),
        pytest.param("+49 30 901820", "+4930901820", None, id="from elsewhere"),
        pytest.param("+12125550100", "+12125550100", None, id="from farther away"),
        pytest.param("48500600700", None, None, id="a country without its sign: it might be anything"),
        pytest.param("+4850060070", None, None, id="too short for Poland"),
        pytest.param("+485006007000", None, None, id="too long for Poland"),
        pytest.param("+48012345678", None, None, id="no Polish number begins so"),
        pytest.param("012345678", None, None, id="nor so"),
        pytest.param("50060070", None, None, id="eight digits"),
        pytest.param("5006007000", None, None, id="ten digits"),
        pytest.param("500600700\n", "+48500600700", "500600700", id="with the end of its line"),
        pytest.param("٥٠٠٦٠٠٧٠٠", None, None, id="digits of another script"),
        pytest.param("500600700<", None, None, id="and something else"),
        pytest.param("+1" + "0" * 15, None, None, id="sixteen digits"),
        pytest.param("5" + " " * 50 + "00600700", None, None, id="endless gaps"),
        pytest.param("", None, None, id="nothing"),
        pytest.param("+", None, None, id="nearly nothing"),
    ],
)
def test_a_phone_is_written_as_a_provider_takes_it(text: str, whole: str | None, nine: str | None) -> None:
    assert (e164(text), nine_digits(text)) == (whole, nine)


@given(st.text(max_size=60))
def test_what_is_no_phone_is_none_and_no_error(text: str) -> None:
    found = e164(text)
    assert found is None or e164(found) == found


@pytest.mark.parametrize("text", ["ewa@example.com", "a+b@c.d.example", "zażółć@example.com"])
def test_this_looks_like_an_email(text: str) -> None:
    assert is_email(text)


@pytest.mark.parametrize(
    "text", ["", "ewa", "ewa@", "@example.com", "ewa@example", "e wa@example.com", "a@b@c.d", "a@b.c\n"]
)
def test_this_does_not(text: str) -> None:
    assert not is_email(text)
