"""`./dev image`: the Dockerfile carried out in a clean root without a container engine, and the image run as it is
deployed: the demo overlay's pod, from a root that cannot be written to.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tests.deploy.dockerfile import committed, health_command
from tests.deploy.rendering import ROOT
from tests.deploy.root import Image, Root
from tests.deploy.trial import try_demo

_TOOLS: Final = {
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "setpriv": "util-linux",
    "chroot": "coreutils",
}
"""What is needed, and the Debian package it comes in."""
_SUITE: Final = "bookworm"
_BASE: Final = "localhost/clean-root:latest"
_REVISION: Final = "0123456789abcdef"


def main(arguments: list[str]) -> int:
    """Build, look and try; gives the exit code."""
    parser = argparse.ArgumentParser(prog="./dev image", description=__doc__)
    parser.add_argument("--base", metavar="IMAGE", help="a base that can be pulled; default: a clean Debian root")
    parser.add_argument("--mirror", metavar="URL", help="where the clean root's packages come from")
    options = parser.parse_args(arguments)
    if lacking := _lacking(options.base is None):
        print(f"The image cannot be built here: {lacking}", file=sys.stderr)
        return 2
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bridge-image-")))
        image = Image(folder / "store", stack)
        base = options.base or _clean_root(image, folder, options.mirror)
        print("--- the Dockerfile, instruction by instruction", flush=True)
        image.build(ROOT, base, {"PYTHON_IMAGE": base, "VERSION": "0.0.0", "REVISION": _REVISION})
        print("--- what the image says of itself, and holds", flush=True)
        told = [*image.claims(_REVISION), *image.tools()]
        print("--- the demo overlay's pod, from a root that is read-only", flush=True)
        told += try_demo(Root(image.folder), folder, health_command(committed()))
    print("\n".join(told) if told else "The image was built and does what it should")
    return 1 if told else 0


def _lacking(with_root: bool) -> str | None:
    """Say what keeps this machine from it."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "it takes root on Linux"
    wanted = {tool: package for tool, package in _TOOLS.items() if with_root or tool != "debootstrap"}
    packages = sorted({package for tool, package in wanted.items() if shutil.which(tool) is None})
    return f"not installed: {' '.join(packages)} (apt-get install --no-install-recommends …)" if packages else None


def _clean_root(image: Image, folder: Path, mirror: str | None) -> str:
    """Make a Debian with Python and nothing else, as an image."""
    print(f"--- a clean root: Debian {_SUITE} with python3", flush=True)
    root = folder / "root"
    packages = "--include=python3,python3-venv,ca-certificates"
    with (folder / "debootstrap.log").open("wb") as log:
        command = ["debootstrap", "--variant=minbase", packages, _SUITE, str(root), *([mirror] if mirror else [])]
        subprocess.run(command, check=True, stdout=log, stderr=subprocess.STDOUT)
    image.take(root, _BASE)
    shutil.rmtree(root)
    return _BASE


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
