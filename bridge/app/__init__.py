"""The composition root: the only place that knows which database, broker and carrier the parts are given.

`process` opens the others, each of which makes one part from what all of them share (`shared`) and from what the
database holds (`stores`): receiving, working, buying, publishing, retaining, commanding, watching, answering, serving.
"""

from __future__ import annotations

from importlib.metadata import version
from typing import Final

VERSION: Final = version("shipx-bridge")
"""What every program of this package says it is."""
