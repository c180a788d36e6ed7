"""What every test may use."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile(
    "bridge", deadline=None
)  # how long an example takes says more of the machine than of the code
settings.load_profile("bridge")

pytest_plugins = ["tests.collecting", "tests.nodes"]
