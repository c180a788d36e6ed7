"""What an answer is made of in either format: loose types read as what they are.

Numbers come as text and as numbers, an empty element stands for nothing, for `false` and for an empty list, and in XML
a list of one is its only element. So a model names its types, and the same model reads both formats.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict

_WORD = re.compile(r"[A-Za-z0-9_.:-]{1,64}", re.ASCII)
_EMPTY = ("", None, False)
_LATEST = 4_102_444_800
"""2100: whatever is later was no number of seconds."""
T = TypeVar("T")


class Part(BaseModel):
    """An object of an answer: what it has besides is ignored. It is about people, so it shows nothing of itself."""

    model_config = ConfigDict(defer_build=True, frozen=True, extra="ignore", hide_input_in_errors=True)

    def __repr_args__(self) -> Sequence[tuple[str | None, Any]]:
        """Show nothing."""
        return ()


def _text(value: Any) -> Any:
    """Give a text, trimmed; nothing for an empty one, or for what is none."""
    if value is None or isinstance(value, bool | Mapping | list):
        return None
    return str(value).strip() or None


def _word(value: Any) -> Any:
    """Give a word in the form that may be published; nothing for any other."""
    text = _text(value)
    return text if text is not None and _WORD.fullmatch(text) else None


def _whole(value: Any) -> Any:
    text = _text(value)
    return int(text) if text is not None and text.isascii() and text.isdecimal() and len(text) < 19 else None


def _decimal(value: Any) -> Any:
    text = _text(value)
    try:
        found = Decimal(text) if text is not None and len(text) <= 32 else None
    except InvalidOperation:
        return None
    return found if found is not None and found.is_finite() else None


def _moment(value: Any) -> Any:
    seconds = _whole(value)
    return datetime.fromtimestamp(seconds, UTC) if seconds and seconds < _LATEST else None


def _day(value: Any) -> Any:
    try:
        return datetime.strptime(_text(value) or "", "%Y/%m/%d").date()  # noqa: DTZ007 - a day, wherever it is
    except ValueError:
        return None


def _hour(value: Any) -> Any:
    try:
        return time.fromisoformat(_text(value) or "") if len(_text(value) or "") == 5 else None
    except ValueError:
        return None


def _flag(value: Any) -> Any:
    return {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}.get(
        str(value).strip().lower()
    )


def _list(value: Any) -> Any:
    """Give a list: of one where it is alone, of none where it is empty, and of all where they are numbered."""
    if isinstance(value, list):
        return value
    if isinstance(value, Mapping) and value and all(str(name).isdecimal() for name in value):
        return list(value.values())  # how PHP, which the vendor's samples are in, writes a list with a gap
    return [] if value in _EMPTY or value == {} else [value]


def _object(value: Any) -> Any:
    """Give an object; nothing where there is an empty element, an empty list or `false`."""
    return value if isinstance(value, Mapping) else None


def _by_name(value: Any) -> Any:
    return {name: _decimal(one) for name, one in value.items()} if isinstance(value, Mapping) else {}


def _texts(value: Any) -> Any:
    return {name: _text(one) or "" for name, one in value.items()} if isinstance(value, Mapping) else {}


Text = Annotated[str | None, BeforeValidator(_text)]
Sure = Annotated[str, BeforeValidator(_text)]
"""A text without which an object says nothing."""
Word = Annotated[str | None, BeforeValidator(_word)]
SureWord = Annotated[str, BeforeValidator(_word)]
"""A status, without which a scan says nothing."""
Whole = Annotated[int | None, BeforeValidator(_whole)]
SureWhole = Annotated[int, BeforeValidator(_whole)]
Exact = Annotated[Decimal | None, BeforeValidator(_decimal)]
SureExact = Annotated[Decimal, BeforeValidator(_decimal)]
Moment = Annotated[datetime | None, BeforeValidator(_moment)]
SureMoment = Annotated[datetime, BeforeValidator(_moment)]
Day = Annotated[date, BeforeValidator(_day)]
Hour = Annotated[time | None, BeforeValidator(_hour)]
Flag = Annotated[bool | None, BeforeValidator(_flag)]
Texts = Annotated[dict[str, str], BeforeValidator(_texts)]
ByCurrency = Annotated[dict[str, Decimal | None], BeforeValidator(_by_name)]
Many = Annotated[tuple[T, ...], BeforeValidator(_list)]
Maybe = Annotated[T | None, BeforeValidator(_object)]
