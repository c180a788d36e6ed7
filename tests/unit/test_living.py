"""The image's health check asks where the settings say that the bridge listens."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bridge.app.living import main
from bridge.nodes.guard import free_ports
from tests.deploy.dockerfile import committed, health_command


class Livez(BaseHTTPRequestHandler):
    """Lives, and answers nothing else."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 404)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def lives() -> Iterator[int]:
    """The port that a bridge lives on."""
    with HTTPServer(("127.0.0.1", 0), Livez) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server.server_port
        server.shutdown()
        serving.join()


def environ(folder: Path, http: str) -> dict[str, str]:
    """Settings with this in their TOML, and the host that the image sets."""
    config = folder / "bridge.toml"
    config.write_text(f'environment = "demo"\nroles = "worker"\n[http]\n{http}\n', encoding="utf-8")
    return {"BRIDGE_CONFIG": str(config), "BRIDGE_HTTP__HOST": "0.0.0.0"}


def test_the_internal_port_of_the_toml_file_is_asked_before_the_other(lives: int, tmp_path: Path) -> None:
    [nobody] = free_ports(1)
    assert main(environ(tmp_path, f"port = {nobody}\ninternal_port = {lives}")) == 0
    assert main(environ(tmp_path, f"port = {lives}\ninternal_port = {nobody}")) == 1
    assert main(environ(tmp_path, f"port = {lives}")) == 0


def test_the_host_of_the_settings_is_asked(lives: int, tmp_path: Path) -> None:
    told = environ(tmp_path, f"port = {lives}")
    assert main({**told, "BRIDGE_HTTP__HOST": "127.0.0.1"}) == 0
    assert main({**told, "BRIDGE_HTTP__HOST": "localhost"}) == 0
    assert main({**told, "BRIDGE_HTTP__HOST": "::"}) == 1


def test_settings_that_do_not_load_are_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(environ(tmp_path, "prt = 1")) == 1
    assert "[http] prt" in capsys.readouterr().err


def test_the_image_does_so(lives: int, tmp_path: Path) -> None:
    _, *arguments = health_command(committed())
    told = {**os.environ, **environ(tmp_path, f"internal_port = {lives}"), "http_proxy": "http://127.0.0.1:9"}
    done = subprocess.run([sys.executable, *arguments], env=told, capture_output=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, b"")
