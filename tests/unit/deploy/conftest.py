from __future__ import annotations

import pytest

from tests.deploy.rendering import EXAMPLE, MISSING, Document, filled, find_renderer, render
from tests.support.tools import go_without


@pytest.fixture(scope="session")
def overlays(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Document]]:
    """Both overlays as they are rendered, production with the example's values. Not to be changed: copy them."""
    renderer = find_renderer()
    if renderer is None:
        go_without(MISSING)
    overlay = filled(tmp_path_factory.mktemp("k8s"), EXAMPLE.read_text(encoding="utf-8"))
    return {name: render(renderer, overlay.with_name(name)) for name in ("demo", "production")}
