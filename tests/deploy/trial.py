"""The trial: the demo overlay's pod from the image's root, a shipment made and bought in it, and its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import yaml

from bridge.nodes.guard import free_ports
from tests.deploy.dockerfile import environment
from tests.deploy.pods import told
from tests.deploy.rendering import ROOT, of_kind
from tests.deploy.root import USER, Root

_DEMO: Final = ROOT / "k8s" / "overlays" / "demo"
_TOKEN: Final = "a-token-of-this-trial"
_SECRET: Final = "5" * 40
_START_S: Final = 60.0
_BOUGHT_S: Final = 60.0
_END_S: Final = 40.0
_SHIPMENT: Final = {
    "receiver": {"phone": "500100200", "email": "jan@example.com"},
    "parcels": [{"template": "small"}],
    "custom_attributes": {"target_point": "KRA010"},
    "reference": "ORDER-17",
}


def try_demo(root: Root, folder: Path, health: Sequence[str]) -> Iterator[str]:
    """Run the pod and say what it does not do."""
    config, secrets = _given(folder)
    public, internal, carrier = free_ports(3)
    [pod] = of_kind([*yaml.safe_load_all((_DEMO / "bridge.yaml").read_text(encoding="utf-8"))], "Deployment")
    bridge, simulator = pod["spec"]["template"]["spec"]["containers"]
    ports = {
        "BRIDGE_HTTP__PORT": str(public),
        "BRIDGE_HTTP__INTERNAL_PORT": str(internal),
        "BRIDGE_SHIPX__BASE_URL": f"http://127.0.0.1:{carrier}",
    }
    path = {"PATH": "/opt/bridge/bin:/usr/local/bin:/usr/bin:/bin"}
    environ = {**path, **environment(), **told(bridge), **ports}
    line = simulator["args"][0].replace(":8080/", f":{public}/").replace("simulate", f"simulate --port {carrier}")
    with (folder / "carrier.log").open("wb") as log:
        beside = subprocess.Popen(root.command(config, secrets, path, ["sh", "-c", line]), stdout=log, stderr=log)
    with (folder / "bridge.log").open("wb") as log:
        command = root.command(config, secrets, environ, ["bridge", *bridge["args"]])
        serving = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        yield from _alive(root, f"http://127.0.0.1:{internal}", serving)
        checked = root.command(config, secrets, environ, health)
        if subprocess.run(checked, timeout=30, check=False).returncode != 0:
            yield "the health check fails although the process lives"
        written = root.command(config, secrets, path, ["sh", "-c", "! touch /etc/bridge/x /opt/x /tmp/x 2>/dev/null"])
        if subprocess.run(written, timeout=30, check=False).returncode != 0:
            yield "something outside of the volume can be written to"
        yield from _bought(f"http://127.0.0.1:{internal}")
        yield from _ended(serving)
        if subprocess.run(checked, timeout=30, stderr=subprocess.DEVNULL, check=False).returncode == 0:
            yield "the health check succeeds although nothing lives"
    finally:
        for process in (serving, beside):
            process.kill()
            process.wait()
    for name in ("bridge.log", "carrier.log"):
        print(f"{name}: {(folder / name).read_text(errors='replace').splitlines()[-1:]}")


def _given(folder: Path) -> tuple[Path, Path]:
    """Lay out what the pod mounts: its configuration, and /run with its secrets."""
    config, run = folder / "config", folder / "run"
    secrets = run / "secrets" / "bridge"
    secrets.mkdir(parents=True)
    config.mkdir()
    (config / "bridge.toml").write_bytes((_DEMO / "bridge.toml").read_bytes())
    (config / "policy.toml").write_bytes((ROOT / "k8s/base/config/policy.toml").read_bytes())
    given = {"api_token": _TOKEN, "shipx_token": "demo-token-prepaid", "webhook_secrets": _SECRET}
    for name, text in given.items():
        (secrets / name).write_text(f"{text}\n", encoding="utf-8")
    return config, run


def _alive(root: Root, url: str, serving: subprocess.Popen[bytes]) -> Iterator[str]:
    """Wait until it is ready; look at what the kernel says of the process."""
    if _until(lambda: _ask(f"{url}/readyz"), _START_S) is None:
        yield "is not ready within a minute; bridge.log says why"
        return
    status = _status(_inside(serving))
    wanted = {"Uid": str(USER), "Gid": str(USER), "NSpid": "1", "CapEff": "0" * 16, "NoNewPrivs": "1"}
    yield from (f"{key} is {status[key]}" for key, value in wanted.items() if status[key].split()[-1] != value)


def _bought(url: str) -> Iterator[str]:
    """Make a shipment and wait until webhooks have told that it is bought."""
    made = _ask(f"{url}/v1/shipments", _SHIPMENT)
    if made is None:
        yield "makes no shipment"
        return
    place = f"{url}/v1/shipments/{made['shipment_id']}"
    if _until(lambda: _is_bought(_ask(place)), _BOUGHT_S) is None:
        yield "buys nothing within a minute"


def _is_bought(shipment: Mapping[str, Any] | None) -> bool:
    return shipment is not None and (shipment["purchase"] or {}).get("state") == "succeeded"


def _ended(serving: subprocess.Popen[bytes]) -> Iterator[str]:
    """Ask process 1 to end, and wait for it."""
    os.kill(_inside(serving), signal.SIGTERM)
    try:
        code = serving.wait(_END_S)
    except subprocess.TimeoutExpired:
        yield f"does not end within {_END_S:g} s of SIGTERM"
    else:
        if code != 0:
            yield f"ends with {code}"


def _inside(process: subprocess.Popen[bytes]) -> int:
    """Give the number under which this machine knows the process that is number 1 inside."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text(encoding="ascii")
    return int(children.split()[0])


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _until(look: Callable[[], Any], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.2)
    return None


def _ask(url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any] | None:
    """Ask for JSON, or give some; None where the answer is no, or there is none."""
    headers = {"authorization": f"Bearer {_TOKEN}", "content-type": "application/json", "idempotency-key": "trial"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers)
    with suppress(urllib.error.URLError, OSError), urllib.request.urlopen(request, timeout=15) as answer:
        found: dict[str, Any] = json.load(answer)
        return found
    return None
