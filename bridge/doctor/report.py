"""What the doctor found: checks with advice, for programs and for people."""

from __future__ import annotations

from collections import Counter
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, computed_field

State = Literal["ok", "warning", "failed", "skipped"]
SETTINGS: Final = "settings"
_ORDER: Final[tuple[State, ...]] = ("failed", "warning", "skipped", "ok")


class Check(BaseModel):
    """One thing that was looked at: what was found, and what to do where it is not well."""

    model_config = ConfigDict(frozen=True)

    name: str
    state: State
    told: str
    do: str | None = None


class Report(BaseModel):
    """Everything that was looked at."""

    model_config = ConfigDict(frozen=True)

    checks: tuple[Check, ...]

    @computed_field  # type: ignore[prop-decorator]
    @property
    def healthy(self) -> bool:
        """Whether nothing failed; a warning or a skipped check is no failure."""
        return all(check.state != "failed" for check in self.checks)

    @property
    def exit_code(self) -> int:
        """0 healthy, 1 something failed, 2 the settings themselves did."""
        if any(check.name == SETTINGS and check.state == "failed" for check in self.checks):
            return 2
        return 0 if self.healthy else 1


def render(report: Report) -> str:
    """Write the report for people: a line each, advice below it, and a summary."""
    width = max((len(check.name) for check in report.checks), default=0)
    lines = []
    for check in report.checks:
        lines.append(f"{check.state:<8} {check.name:<{width}}  {check.told}")
        if check.do is not None:
            lines.append(f"{'':<8} {'':<{width}}  → {check.do}")
    return "\n".join([*lines, "", _summary(report)])


def _summary(report: Report) -> str:
    found = Counter(check.state for check in report.checks)
    counts = ", ".join(f"{found[state]} {state}" for state in _ORDER if found[state])
    return f"{'Healthy' if report.healthy else 'Not healthy'}: {counts}."
