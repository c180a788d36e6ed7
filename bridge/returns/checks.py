"""Checks of single fields, which providers' rules are made of. None repeats what stands in the field."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Final

from bridge.errors import FieldProblem
from bridge.returns.contact import is_email

_UNPRINTABLE: Final = re.compile("[\x00-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_POST_CODE: Final = re.compile(r"[0-9]{2}-[0-9]{3}", re.ASCII)


def text(field: str, value: str | None, most: int, *, is_needed: bool = False) -> Iterator[FieldProblem]:
    """Check a line of text: that it is there, fits, and can be printed."""
    if value is None or not value.strip():
        if is_needed or value is not None:
            yield FieldProblem(field, "missing")
    elif len(value) > most:
        yield FieldProblem(field, "too_long")
    elif _UNPRINTABLE.search(value):
        yield FieldProblem(field, "invalid_format")


def email(field: str, value: str | None, *, is_needed: bool = False) -> Iterator[FieldProblem]:
    """Check an e-mail address."""
    found = list(text(field, value, 255, is_needed=is_needed))
    yield from found
    if not found and value is not None and not is_email(value):
        yield FieldProblem(field, "invalid_format")


def phone(field: str, value: str | None, written: str | None, *, is_needed: bool = False) -> Iterator[FieldProblem]:
    """Check a phone, which the provider would get as `written`; None where it cannot be written so."""
    if value is None:
        if is_needed:
            yield FieldProblem(field, "missing")
    elif written is None:
        yield FieldProblem(field, "invalid_format")


def post_code(field: str, value: str | None) -> Iterator[FieldProblem]:
    """Check a Polish post code."""
    if value is None:
        yield FieldProblem(field, "missing")
    elif not _POST_CODE.fullmatch(value):
        yield FieldProblem(field, "invalid_format")


def one_of(field: str, value: str | None, words: Collection[str], *, is_needed: bool = False) -> Iterator[FieldProblem]:
    """Check a word."""
    if value is None:
        if is_needed:
            yield FieldProblem(field, "missing")
    elif value not in words:
        yield FieldProblem(field, "invalid")


def absent(fields: Mapping[str, object]) -> Iterator[FieldProblem]:
    """Check that nothing is asked for that the provider does not do: dropped in silence, it would be missed later."""
    yield from (FieldProblem(field, "unexpected") for field, value in fields.items() if value)
