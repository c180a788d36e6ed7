"""What the tests of this client stand on: an account, its samples, and what was sent over the wire."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

import httpx
from pydantic import SecretStr

from bridge.carriers.intelligentreturns.client import IntelligentReturns
from bridge.carriers.intelligentreturns.formats import Name
from bridge.observability import Metrics
from tests.support.metrics import METRICS
from tests.support.permits import FreePermits

SAMPLES = Path(__file__).parents[3] / "samples" / "intelligentreturns"
PROVIDER = "https://returns.example.com/api"
LOGIN, KEY = "our-account", "s3cret key&more"
NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)


def client_on(
    http: httpx.AsyncClient, form: Name = "json", permits: FreePermits | None = None, metrics: Metrics | None = None
) -> IntelligentReturns:
    """Make a client that may ask whenever it wants."""
    return IntelligentReturns(
        http,
        base_url=f"{PROVIDER}/",
        login=LOGIN,
        api_key=SecretStr(KEY),
        form=form,
        permits=permits or FreePermits(),
        metrics=metrics or METRICS,
        clock=lambda: NOW,
    )


def at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def sample(name: str, form: Name) -> bytes:
    return (SAMPLES / f"{name}.{form}").read_bytes()


def refusal(code: str, message: str = "text", form: Name = "json") -> bytes:
    """Write an error as the page has it: an array of texts in JSON, one text in XML."""
    if form == "xml":
        return f"<error><code>{code}</code><message>{message}</message></error>".encode()
    return json.dumps({"error": {"code": code, "message": [message]}}).encode()


def sent(request: httpx.Request) -> dict[str, str]:
    """Read the form that was posted."""
    fields = parse_qs(request.content.decode("ascii"), keep_blank_values=True, strict_parsing=bool(request.content))
    assert all(len(values) == 1 for values in fields.values())
    return {name: values[0] for name, values in fields.items()}


def parsed(text: str | bytes, form: Name) -> Any:
    """Read a document for comparing: in JSON as it is, in XML without the spaces between elements, in any order."""
    return json.loads(text) if form == "json" else _tree(ElementTree.fromstring(text))


def _tree(element: ElementTree.Element) -> Any:
    children = [_tree(child) for child in element]
    return element.tag, (element.text or "") if not children else "", sorted(children, key=repr)
