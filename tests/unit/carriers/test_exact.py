"""JSON with exact numbers."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from bridge.carriers.exact import encode
from bridge.shipments.label import LabelKind


@pytest.mark.parametrize(
    ("value", "text"),
    [
        pytest.param(Decimal("12.50"), b"12.50", id="as it was written"),
        pytest.param(Decimal("0.1") + Decimal("0.2"), b"0.3", id="what a float could not say"),
        pytest.param(Decimal("1E+2"), b"100", id="without an exponent"),
        pytest.param(Decimal("1E-7"), b"0.0000001", id="nor a small one"),
        pytest.param(Decimal("9999999.99"), b"9999999.99", id="a large one"),
        pytest.param(3900000018, b"3900000018", id="an id"),
        pytest.param({"a": [True, False, None]}, b'{"a":[true,false,null]}', id="truth values and none"),
        pytest.param({}, b"{}", id="an empty object"),
        pytest.param((), b"[]", id="an empty list"),
        pytest.param('"\\\n', b'"\\"\\\\\\n"', id="what has to be escaped"),
        pytest.param(LabelKind.a6, b'"A6"', id="a word of ours"),
    ],
)
def test_a_value_is_written_as_it_is_meant(value: object, text: bytes) -> None:
    assert encode(value) == text


@pytest.mark.parametrize("text", ["Wiśniewska", "😀", "\ud800", "\x00", "</script>"])
def test_every_text_is_the_same_after_it_was_read(text: str) -> None:
    assert json.loads(encode({text: text})) == {text: text}


@pytest.mark.parametrize("value", [1.5, Decimal("NaN"), Decimal("Infinity"), b"bytes", {1: "x"}, object(), {1, 2}])
def test_what_has_no_exact_form_is_a_mistake(value: object) -> None:
    with pytest.raises(TypeError):
        encode([value])
