"""A no with its kind and its fields, as a command keeps it: whoever asks again gets the same one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, cast

from typing_extensions import TypedDict

from bridge.model import CommandState, Outcome, Standing
from bridge.web.bodies import told
from bridge.web.kinds import NOTHING_SENT, UNPROCESSABLE
from bridge.web.problems import FieldError

_KIND: Final = "problem"


@dataclass(frozen=True, slots=True)
class KeptRefusal:
    """A no as it was kept: which kind it is, and what is wrong with single fields."""

    kind: str
    errors: Sequence[FieldError] = ()


def refused(kind: str, why: str, errors: Sequence[FieldError] = ()) -> Outcome:
    """Say that it was asked for and is a definite no: the same command will be answered the same."""
    return Outcome(CommandState.rejected, _result(kind, errors), why)


def unprocessable(errors: Sequence[FieldError], why: str | None = None) -> Outcome:
    """Say that we do not take it as it is, so nobody was asked: it may be given in other words under its key."""
    return Outcome(CommandState.withdrawn, _result(UNPROCESSABLE.name, errors), why or told(errors))


def nothing_sent(why: str) -> Outcome:
    """Say that nobody was asked, so nothing was done: the same command may be given again under its key."""
    return Outcome(CommandState.withdrawn, _result(NOTHING_SENT.name, ()), why)


def refusal_of(standing: Standing) -> KeptRefusal | None:
    """Read it from a command that ended; None where nothing was kept but words."""
    result: Mapping[str, Any] = standing.result or {}
    kind = result.get(_KIND)
    return None if kind is None else KeptRefusal(kind, [FieldError(**one) for one in result.get("errors", ())])


class CameOf(TypedDict, total=False):
    """What came of a command: its result, or what kind of problem it met, with its fields, and why."""

    result: Mapping[str, object]
    problem: str
    errors: Sequence[FieldError]
    error: str


def came_of(standing: Standing) -> CameOf:
    """Write what came of a command as programs read it."""
    written = CameOf()
    if standing.result is not None:
        written = cast(CameOf, dict(standing.result)) if _KIND in standing.result else {"result": standing.result}
    if standing.error is not None:
        written["error"] = standing.error
    return written


def _result(kind: str, errors: Sequence[FieldError]) -> dict[str, object]:
    written = [asdict(one) for one in errors]
    return {_KIND: kind} | ({"errors": written} if written else {})
