"""compose.yaml: what must be so of it beyond its schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any, Final

import yaml

from bridge.errors import SettingsError
from bridge.settings import Settings, load
from tests.deploy import dockerfile
from tests.deploy.configuration import exposed_secrets
from tests.deploy.rendering import ROOT

Service = dict[str, Any]
_PINNED: Final = re.compile(r".+:(?!latest$)[\w.-]+")
_OURS: Final = ("migrate", "bridge")


def committed() -> dict[str, Any]:
    """Read the repository's own."""
    found: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return found


def findings(found: Mapping[str, Any], secrets: Mapping[str, str]) -> Iterator[str]:
    """Say what does not fit. `secrets` are those that compose/make-secrets made, by file name."""
    services: dict[str, Service] = found["services"]
    for name, service in services.items():
        yield from (f"{name}: {text}" for text in _service(service, services))
        yield from (f"{name}: there is no secret {one}" for one in _secrets(service) if one not in found["secrets"])
    for name in _OURS:
        try:
            settings_of(services[name], secrets)
        except SettingsError as error:
            yield from (f"{name}: {key}: {text}" for key, text in error.problems)
    for name, secret in found["secrets"].items():
        if secret["file"] != f"./secrets/compose/{name}" or name not in secrets:
            yield f"nothing makes the secret {name}"


def settings_of(service: Service, secrets: Mapping[str, str]) -> Settings:
    """Load what the bridge of a service would load. Raises SettingsError."""
    given = _secrets(service)
    lying = dockerfile.carried() | {
        PurePosixPath("/run/secrets") / name: secrets[name] for name in given if name in secrets
    }

    def read(path: Path) -> str:
        if PurePosixPath(path) not in lying:
            raise FileNotFoundError(2, "No such file or directory")
        return lying[PurePosixPath(path)]

    return load({**dockerfile.environment(), **service["environment"]}, read)


def _service(service: Service, services: Mapping[str, Service]) -> Iterator[str]:
    if not _PINNED.fullmatch(service["image"]):
        yield "its image is not pinned"
    yield from (f"waits for {one}, which is not there" for one in service.get("depends_on", ()) if one not in services)
    yield from (
        f"waits until {one} is healthy, which never says so"
        for one, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy" and "healthcheck" not in services[one]
    )
    yield from (f"publishes {port} beyond this machine" for port in service.get("ports", ()) if not _is_local(port))
    yield from exposed_secrets(service.get("environment", {}))
    if "build" in service and not (service.get("read_only") and service.get("cap_drop") == ["ALL"]):
        yield "may write to its root, or keeps capabilities"


def _is_local(port: str) -> bool:
    return port.startswith("127.0.0.1:")


def _secrets(service: Service) -> list[str]:
    return [one if isinstance(one, str) else one["source"] for one in service.get("secrets", ())]
