"""A root file system: made from the Dockerfile by buildah, entered as a container would, without an engine."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

USER: Final = 10001
_IMAGE: Final = "localhost/shipx-bridge:trial"
_OF_THE_MACHINE: Final = ("/etc/pip.conf", "/etc/ssl/certs")
"""Where pip finds packages on this machine, and whom it trusts."""
_BUILDERS: Final = ("pip", "pip3", "gcc", "cc", "g++", "make", "git", "curl", "hatchling", "uv")
_ENTER: Final = """
set -eu
root=$1 config=$2 secrets=$3
shift 3
mount --bind "$root" "$root"
mount -o remount,ro,bind "$root"
mount --bind -o ro "$config" "$root/etc/bridge"
mount --bind -o ro "$secrets" "$root/run"
mount -t tmpfs -o uid=10001,gid=10001,mode=0750 tmpfs "$root/var/lib/bridge"
mount -t proc proc "$root/proc"
exec setpriv --no-new-privs chroot --userspec=10001:10001 --groups= "$root" /usr/bin/env -i -C /var/lib/bridge "$@"
"""


class Image:
    """The image, in a store of its own that goes with the stack."""

    def __init__(self, store: Path, stack: ExitStack) -> None:
        self._buildah = ["buildah", "--root", str(store), "--runroot", f"{store}-run"]
        stack.callback(self._run, "rm", "--all")

    def take(self, root: Path, name: str) -> None:
        """Make a folder an image."""
        container = self._run("from", "scratch")
        self._run("add", "--quiet", container, str(root), "/")
        self._run("commit", "--quiet", "--rm", container, name)

    def build(self, context: Path, base: str, arguments: Mapping[str, str]) -> None:
        """Carry out the Dockerfile of a folder; what it says goes to the terminal."""
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        options += [f"--volume={path}:{path}:ro" for path in _OF_THE_MACHINE if Path(path).exists()]
        pull = "--pull-never" if base.startswith("localhost/") else "--pull"
        command = [*self._buildah, "bud", "--isolation=chroot", "--format=docker", pull, "--tag", _IMAGE, *options]
        subprocess.run([*command, str(context)], check=True)

    @cached_property
    def folder(self) -> Path:
        """The folder that the image's files lie in."""
        return Path(self._run("mount", self._run("from", "--pull-never", _IMAGE)))

    def claims(self, revision: str) -> Iterator[str]:
        """Say what the image's own description lacks."""
        found: dict[str, Any] = json.loads(self._run("inspect", "--type=image", _IMAGE))["Docker"]["config"]
        wanted = {
            "User": f"{USER}:{USER}",
            "Entrypoint": ["bridge"],
            "Cmd": ["serve"],
            "StopSignal": "SIGTERM",
            "WorkingDir": "/var/lib/bridge",
            "Volumes": {"/var/lib/bridge": {}},
        }
        yield from (f"{key} is {found.get(key)}" for key, value in wanted.items() if found.get(key) != value)
        if "Healthcheck" not in found:
            yield "there is no health check"
        if found["Labels"].get("org.opencontainers.image.revision") != revision:
            yield "the labels do not name the revision"

    def tools(self) -> Iterator[str]:
        """Say what it holds that only builds."""
        root = self.folder
        places = [place for pattern in ("opt/*/bin", "usr/bin", "usr/local/bin") for place in root.glob(pattern)]
        yield from (f"{tool} is in the image" for tool in _BUILDERS if any((it / tool).exists() for it in places))
        for package in ("pip", "setuptools", "hatchling"):
            yield from (f"{found.relative_to(root)} is in the image" for found in root.glob(f"opt/**/{package}"))

    def _run(self, *arguments: str) -> str:
        done = subprocess.run([*self._buildah, *arguments], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"buildah {arguments[0]}: {done.stderr.strip()}")
        return done.stdout.strip()


@dataclass(frozen=True, slots=True)
class Root:
    """A root to run things in: read-only, as a user of its own, as process 1, on this machine's network."""

    folder: Path

    def command(self, config: Path, secrets: Path, environ: Mapping[str, str], command: Sequence[str]) -> list[str]:
        """Give the command line that runs a command inside; `config` is /etc/bridge, `secrets` is /run."""
        unshare = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c", _ENTER, "sh"]
        told = [f"{name}={value}" for name, value in environ.items()]
        return [*unshare, str(self.folder), str(config), str(secrets), *told, *command]
