"""Configuration: what each container is told loads as settings, and the pod around it is made for those settings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Final

from bridge.errors import SettingsError
from bridge.settings import Settings, keys, load
from tests.deploy import dockerfile
from tests.deploy.pods import Pod, files, pods, reader, told
from tests.deploy.rendering import Document

SECRETS: Final = {
    "amqp_url": "amqp://bridge:example@bridge.shipx-bridge-broker.svc:5672/bridge\n",
    "api_token": "an-example-token-of-no-use\n",
    "database_url": "postgresql://bridge:example@db.example.com:5432/bridge\n",
    "personal_data_keys": "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=\n",
    "shipx_token": "an-example-token\n",
    "webhook_secrets": f"{'5' * 40}\n",
}
"""What stands for the secrets that nobody committed, by the name of their file."""
_NOTICED_S: Final = 10.0
"""How long it may take until no proxy sends anything to a pod that ends."""


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what a container is told that it could not start with, or that does not fit its pod."""
    for pod in pods(documents):
        for container in pod.containers:
            if container["name"] == "bridge":
                yield from (f"{pod.name}: {text}" for text in _bridge(documents, pod, container))


def settings_of(documents: Sequence[Document], pod: Pod, container: Document) -> Settings:
    """Load what the container would load. Raises SettingsError."""
    environ = {**dockerfile.environment(), **told(container)}
    return load(environ, reader(files(documents, pod, container), SECRETS))


def _bridge(documents: Sequence[Document], pod: Pod, container: Document) -> Iterator[str]:
    yield from exposed_secrets(told(container))
    lying = files(documents, pod, container)
    named = {PurePosixPath(value) for name, value in told(container).items() if name.endswith("_FILE")}
    yield from (
        f"no setting names the secret {path}" for path, text in lying.items() if text is None and path not in named
    )
    try:
        settings = settings_of(documents, pod, container)
    except SettingsError as error:
        yield from (f"{key}: {text}" for key, text in error.problems)
        return
    if PurePosixPath(settings.policy) not in lying:
        yield f"there is no policy at {settings.policy}"
    if pod.kind == "Deployment":
        yield from _serving(pod, container, settings)


def exposed_secrets(environ: Mapping[str, str]) -> Iterator[str]:
    """Say which secrets stand in the environment itself."""
    yield from (
        f"{name} is a secret, and no file" for name, key in keys.by_env().items() if key.secret and environ.get(name)
    )


def _serving(pod: Pod, container: Document, settings: Settings) -> Iterator[str]:
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    wanted = {"internal": settings.http.internal_port}
    if "receiver" in settings.roles:
        wanted["webhooks"] = settings.http.port
    if ports != wanted:
        yield f"its ports are {ports}, its settings say {wanted}"
    if settings.http.host not in ("0.0.0.0", "::"):
        yield "listens on loopback alone"
    waits = _waits(container)
    needed = waits + settings.http.drain_delay_s + settings.shutdown_s
    if pod.spec.get("terminationGracePeriodSeconds", 30) <= needed:
        yield f"is killed while it ends: preStop, drain and shutdown take {needed:g} s"
    if not pod.spec.get("topologySpreadConstraints"):
        return
    if waits + settings.http.drain_delay_s < _NOTICED_S:
        yield f"stops taking connections before everybody knows that it ends: within {_NOTICED_S:g} s"


def _waits(container: Document) -> float:
    command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    return float(command[1])
