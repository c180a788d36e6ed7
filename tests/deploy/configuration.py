"""Configuration: what each container is told loads as settings, and the pod around it is made for those settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
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
_WORKING: Final = "/var/lib/bridge"
_NOTICED_S: Final = 10.0
"""How long it may take until no proxy sends anything to a pod that ends."""
_STARTS_S: Final = 60.0
"""How long a start may wait for the database; only then does it listen."""
_PROBES: Final = {"startupProbe": "/livez", "livenessProbe": "/livez", "readinessProbe": "/readyz"}
_VERBS: Final = {"Deployment": ["serve"], "Job": ["migrate"]}
_GENERATED: Final = re.compile(r".+-[a-z0-9]{10}")

ReadText = Callable[[Path], str]


def findings(documents: Sequence[Document]) -> Iterator[str]:
    """Say what a container is told that it could not start with, or that does not fit its pod."""
    for pod in pods(documents):
        yield from (f"{pod.name}: {text}" for text in _mounting(pod))
        for container in pod.containers:
            if container["name"] == "bridge":
                yield from (f"{pod.name}: {text}" for text in _bridge(documents, pod, container))


def settings_of(documents: Sequence[Document], pod: Pod, container: Document) -> Settings:
    """Load what the container would load. Raises SettingsError."""
    return _loaded(container, reader(files(documents, pod, container), SECRETS))


def _loaded(container: Document, read: ReadText) -> Settings:
    return load({**dockerfile.environment(), **told(container)}, read)


def _bridge(documents: Sequence[Document], pod: Pod, container: Document) -> Iterator[str]:
    yield from exposed_secrets(told(container))
    if container.get("args") != _VERBS.get(pod.kind):
        yield f"is to do {container.get('args')}"
    if not _may_write(pod, container):
        yield f"may not write to {_WORKING}, where its database or its temporary files lie"
    lying = files(documents, pod, container)
    asked: set[PurePosixPath] = set()
    try:
        settings = _loaded(container, _noting(reader(lying, SECRETS), asked))
    except SettingsError as error:
        yield from (f"{key}: {text}" for key, text in error.problems)
        settings = None
    unread = {path for path, text in lying.items() if text is None} - asked
    yield from (f"no setting names the secret {path}" for path in sorted(unread))
    if settings is None:
        return
    if PurePosixPath(settings.policy) not in lying:
        yield f"there is no policy at {settings.policy}"
    if pod.kind == "Deployment":
        yield from _serving(pod, container, settings)


def _noting(read: ReadText, asked: set[PurePosixPath]) -> ReadText:
    """Note which files are read."""

    def read_and_note(path: Path) -> str:
        asked.add(PurePosixPath(path))
        return read(path)

    return read_and_note


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
    yield from _probing(container)
    waits = _waits(container)
    needed = waits + settings.http.drain_delay_s + settings.shutdown_s
    if pod.spec.get("terminationGracePeriodSeconds", 30) <= needed:
        yield f"is killed while it ends: preStop, drain and shutdown take {needed:g} s"
    if not pod.spec.get("topologySpreadConstraints"):
        return
    if waits + settings.http.drain_delay_s < _NOTICED_S:
        yield f"stops taking connections before everybody knows that it ends: within {_NOTICED_S:g} s"


def _may_write(pod: Pod, container: Document) -> bool:
    lasting = {volume["name"] for volume in pod.spec["volumes"] if {"emptyDir", "persistentVolumeClaim"} & {*volume}}
    context = pod.spec["securityContext"]
    return context.get("fsGroup") == context.get("runAsGroup") and any(
        mount["mountPath"] == _WORKING and mount["name"] in lasting and not mount.get("readOnly")
        for mount in container["volumeMounts"]
    )


def _mounting(pod: Pod) -> Iterator[str]:
    """Say where settings that are changed would restart nobody, or be refused."""
    for volume in pod.spec.get("volumes", ()):
        name = volume.get("configMap", {}).get("name")
        if name and pod.kind == "Job":
            yield f"mounts {name}: a Job cannot be changed, and would be refused with the next change of settings"
        elif name and not _GENERATED.fullmatch(name):
            yield f"is not restarted when {name} is changed"


def _probing(container: Document) -> Iterator[str]:
    for name, path in _PROBES.items():
        asked = container.get(name, {}).get("httpGet", {})
        if (asked.get("port"), asked.get("path")) != ("internal", path):
            yield f"its {name} does not ask {path} at the internal port"
    start = container.get("startupProbe", {})
    if start.get("periodSeconds", 10) * start.get("failureThreshold", 3) <= _STARTS_S:
        yield f"is killed while it waits for its database, up to {_STARTS_S:g} s"


def _waits(container: Document) -> float:
    command = container.get("lifecycle", {}).get("preStop", {}).get("exec", {}).get("command", ["sleep", "0"])
    return float(command[1])
