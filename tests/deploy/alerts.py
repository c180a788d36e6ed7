"""The alert rules as the Prometheus operator takes them: config/alerts.yaml inside a PrometheusRule."""

from __future__ import annotations

from textwrap import indent
from typing import Final

from tests.deploy.rendering import ROOT

PAGE: Final = "k8s/overlays/production/alerts.yaml"
_HEAD: Final = """\
# Written by `python -m tests.drift --write`; change config/alerts.yaml instead.
apiVersion: monitoring.coreos.com/v1
kind: PrometheusRule
metadata:
  name: bridge
  namespace: shipx-bridge
  labels:
    app.kubernetes.io/name: shipx-bridge
spec:
"""


def page() -> str:
    """Write the object's file."""
    text = (ROOT / "config" / "alerts.yaml").read_text(encoding="utf-8")
    return _HEAD + indent(text[text.index("groups:") :], "  ")
