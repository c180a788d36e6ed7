"""What k8s/README.md has its readers do, done to a copy of the manifests."""

from __future__ import annotations

import re
import shlex
from pathlib import Path, PurePosixPath

import pytest
import yaml

from tests.deploy import configuration, schemas
from tests.deploy.__main__ import main
from tests.deploy.configuration import settings_of
from tests.deploy.pods import pods
from tests.deploy.rendering import EXAMPLE, MISSING, ROOT, Document, filled, find_renderer, of_kind, render
from tests.support.tools import go_without

README = (ROOT / "k8s" / "README.md").read_text(encoding="utf-8")
DEMO, PRODUCTION = README.split("\n## Production\n")


@pytest.fixture
def overlay(tmp_path: Path) -> Path:
    """The production overlay of a new installation."""
    if find_renderer() is None:
        go_without(MISSING)
    return filled(tmp_path, EXAMPLE.read_text(encoding="utf-8"))


def rendered(overlay: Path) -> list[Document]:
    renderer = find_renderer()
    assert renderer is not None
    return render(renderer, overlay)


def changed(file: Path, pattern: str, replacement: str) -> None:
    text, times = re.subn(pattern, replacement, file.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert times
    file.write_text(text, encoding="utf-8")


def made_keys(text: str, namespace: str, name: str) -> set[str]:
    """Give the keys of a Secret that the page's commands make."""
    commands = text.replace("\\\n", " ").splitlines()
    [command] = [one for one in commands if f"kubectl -n {namespace} create secret generic {name} " in one]
    options = [word.partition("=")[2] for word in shlex.split(command) if word.startswith("--from-")]
    return {PurePosixPath(option.partition("=")[0]).name for option in options}


def test_secrets_are_written_where_git_does_not_look() -> None:
    files = re.findall(r"--from-file=(\S+)", README)
    ignored = [line.strip("/") for line in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()]
    assert files
    assert {PurePosixPath(file).parts[0] for file in files} <= {*ignored}


def mounted_keys(documents: list[Document]) -> set[str]:
    volumes = [volume for pod in pods(documents) for volume in pod.spec["volumes"] if "secret" in volume]
    assert {volume["secret"]["secretName"] for volume in volumes} == {"bridge"}
    return {item["key"] for volume in volumes for item in volume["secret"]["items"]}


def test_the_secrets_that_are_made_are_those_that_are_mounted(overlays: dict[str, list[Document]]) -> None:
    assert made_keys(DEMO, "shipx-bridge-demo", "bridge") == mounted_keys(overlays["demo"])
    assert made_keys(PRODUCTION, "shipx-bridge", "bridge") == mounted_keys(overlays["production"])
    [user] = of_kind(overlays["production"], "User")
    secret = user["spec"]["importCredentialsSecret"]["name"]
    assert made_keys(PRODUCTION, user["metadata"]["namespace"], secret) == {"username", "password"}
    assert f"label secret {secret} rabbitmq.com/topology-operator=true" in PRODUCTION


def test_the_certificate_s_secret_is_made_where_the_ingress_looks_for_it(overlays: dict[str, list[Document]]) -> None:
    [ingress] = of_kind(overlays["production"], "Ingress")
    assert f"kubectl -n {ingress['metadata']['namespace']} create secret tls " in PRODUCTION


def test_nothing_is_applied_in_production_that_was_not_checked() -> None:
    overlay = "k8s/overlays/production"
    lines = [line.strip() for line in PRODUCTION.splitlines() if f"kubectl apply -k {overlay}" in line]
    assert lines == [f".venv/bin/python -m tests.deploy {overlay} && kubectl apply -k {overlay}"]


def test_a_consumer_s_user_is_one_that_the_operator_takes_and_may_what_the_install_page_says() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```", PRODUCTION, re.MULTILINE | re.DOTALL)
    user, permission = yaml.safe_load_all(next(block for block in blocks if "kind: User" in block))
    assert list(schemas.mistakes([user, permission])) == []
    assert permission["spec"]["userReference"]["name"] == user["metadata"]["name"]
    install = (ROOT / "docs" / "install.md").read_text(encoding="utf-8")
    said = re.search(r"`set_permissions -p bridge warehouse '(.+?)' '(.+?)' '(.+?)'`", install)
    assert said is not None
    assert tuple(permission["spec"]["permissions"][name] for name in ("configure", "write", "read")) == said.groups()


def test_changed_settings_restart_pods_and_leave_the_job_as_it_was(overlay: Path) -> None:
    before = rendered(overlay)
    changed(overlay / "worker.toml", r"^max_per_day = 1000", "max_per_day = 10")
    after = rendered(overlay)
    assert of_kind(before, "Deployment") != of_kind(after, "Deployment")
    assert of_kind(before, "Job") == of_kind(after, "Job")


def test_a_further_organization_has_its_webhook_secrets_at_receivers_and_its_token_at_workers(overlay: Path) -> None:
    for name in ("receiver", "worker"):
        changed(overlay / f"{name}.toml", r"^#(\[\[shipx|id|token|webhook)", r"\1")
    patches = next(block for block in re.findall(r"```yaml\n(.*?)```", PRODUCTION, re.S) if "shipx_token_2000" in block)
    kustomization = yaml.safe_load((overlay / "kustomization.yaml").read_text(encoding="utf-8"))
    kustomization["patches"] += yaml.safe_load(patches)
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump(kustomization), encoding="utf-8")

    documents = rendered(overlay)
    assert list(configuration.findings(documents)) == []
    receiver, worker = (
        settings_of(documents, pod, pod.spec["containers"][0]).shipx.organizations
        for pod in pods(documents)
        if pod.kind == "Deployment"
    )
    assert [(one.id, one.token is None, len(one.webhook_secrets)) for one in receiver] == [
        (1000, True, 1),
        (2000, True, 1),
    ]
    assert [(one.id, one.token is None, len(one.webhook_secrets)) for one in worker] == [
        (1000, False, 0),
        (2000, False, 0),
    ]


def test_the_ingress_is_told_what_the_tested_nginx_is_told(overlays: dict[str, list[Document]]) -> None:
    """Which tests/faults/test_rolling_update.py runs."""
    nginx = (ROOT / "config" / "nginx.example.conf").read_text(encoding="utf-8")
    [ingress] = of_kind(overlays["production"], "Ingress")
    annotations = {key.rpartition("/")[2]: value for key, value in ingress["metadata"]["annotations"].items()}
    assert (annotations.pop("enable-access-log"), annotations.pop("ssl-redirect")) == ("false", "true")
    names = {"proxy-body-size": "client_max_body_size"}
    for name, value in annotations.items():
        directive = names.get(name, name.replace("-", "_"))
        [said] = re.findall(rf"^ +{directive} (.+);$", nginx, re.MULTILINE)
        assert (directive, said.removesuffix("s")) == (directive, value)


def test_a_broker_of_one_s_own_is_fit_too(overlay: Path, capsys: pytest.CaptureFixture[str]) -> None:
    changed(overlay / "kustomization.yaml", r"^  - broker\n", "")
    changed(
        overlay / "network-policies.yaml", r"^ +podSelector:\n +matchLabels:\n +app.kubernetes.io/name: bridge\n", ""
    )
    changed(overlay / "network-policies.yaml", "shipx-bridge-broker", "rabbitmq")
    assert (main([str(overlay)]), capsys.readouterr().out) == (0, "")
