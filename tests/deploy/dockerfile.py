"""The Dockerfile: its instructions, what they must say, and what the builder is sent."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from tests.deploy.rendering import ROOT

_TOOLS: Final = re.compile(r"\b(pip3?|uv|gcc|make|apt-get|apk|curl|wget|git)\b(?!\*)")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction, its line breaks undone. `stage` counts from 0; -1 is what stands before the first one."""

    stage: int
    name: str
    value: str


def instructions(text: str) -> list[Instruction]:
    """Take a Dockerfile apart."""
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    found: list[Instruction] = []
    stage = -1
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        name, _, value = line.partition(" ")
        stage += name == "FROM"
        found.append(Instruction(stage, name, value.strip()))
    return found


def committed() -> list[Instruction]:
    """Give the instructions of the repository's own Dockerfile."""
    return instructions((ROOT / "Dockerfile").read_text(encoding="utf-8"))


def environment() -> dict[str, str]:
    """Give the variables that the image begins with, the bridge's own alone."""
    words = [word for one in _last(committed()) if one.name == "ENV" for word in shlex.split(one.value)]
    return dict(word.split("=", 1) for word in words if word.startswith("BRIDGE_"))


def findings(found: Sequence[Instruction]) -> Iterator[str]:
    """Say what the image would be that it must not be."""
    final = _last(found)
    if found[-1].stage != 1:
        yield "has not two stages"
    wanted = (
        ("USER", re.compile(r"[1-9]\d*:[1-9]\d*"), "runs as root, or as a user by name"),
        ("ENTRYPOINT", re.compile(r'\["bridge"\]'), "its entry point is not the command, in exec form"),
        ("CMD", re.compile(r'\["serve"\]'), "does not serve by default"),
        (
            "HEALTHCHECK",
            re.compile(r'.*CMD \[.+"bridge\.app\.living"\]'),
            "does not say whether it is healthy, in exec form",
        ),
        ("STOPSIGNAL", re.compile("SIGTERM"), "is not stopped by SIGTERM"),
        ("VOLUME", re.compile("/var/lib/bridge"), "has no volume for its data"),
        ("LABEL", re.compile(r".*image\.version=.*image\.revision=.*"), "has no label with version and revision"),
    )
    for name, pattern, text in wanted:
        if not any(one.name == name and pattern.fullmatch(one.value) for one in final):
            yield text
    if final[-1].name != "CMD" or any(one.name == "ADD" for one in found):
        yield "adds something by ADD, or after CMD"
    for one in final:
        if one.name == "RUN" and _TOOLS.search(one.value):
            yield f"its final stage uses a build tool: {one.value}"
    yield from _unlocked(found)


def sources(found: Sequence[Instruction]) -> list[str]:
    """Give the paths in the repository that are copied into the image."""
    copies = [shlex.split(one.value) for one in found if one.name == "COPY" and "--from=" not in one.value]
    return [source for words in copies for source in words[:-1]]


def sent(ignore: str) -> set[str]:
    """Give the paths that a .dockerignore lets through which begins by refusing everything."""
    rules = [line for line in ignore.splitlines() if line and not line.startswith("#")]
    if rules[:1] != ["*"]:
        raise ValueError(".dockerignore must begin with *")
    return {rule[1:] for rule in rules if rule.startswith("!")}


def carried() -> dict[PurePosixPath, str]:
    """Give the files of settings that the image carries, by path."""
    copies = [shlex.split(one.value) for one in _last(committed()) if one.name == "COPY"]
    return {
        PurePosixPath(words[1]): (ROOT / words[0]).read_text(encoding="utf-8")
        for words in copies
        if words[-1].startswith("/etc/bridge/")
    }


def health_command(found: Sequence[Instruction]) -> list[str]:
    """Give the command of the HEALTHCHECK."""
    [value] = [one.value for one in _last(found) if one.name == "HEALTHCHECK"]
    command: list[str] = json.loads(value[value.index("[") :])
    return command


def _unlocked(found: Sequence[Instruction]) -> Iterator[str]:
    """Say which installation would take what no lock names."""
    for one in found:
        for command in one.value.split("&&") if one.name == "RUN" else ():
            if (
                "pip" in command
                and " install " in command
                and not {"--require-hashes", "--no-index"} & {*command.split()}
            ):
                yield f"installs without hashes: {command.strip()}"


def _last(found: Sequence[Instruction]) -> list[Instruction]:
    return [one for one in found if one.stage == found[-1].stage]
