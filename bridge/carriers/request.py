"""What goes over the wire, as a value. Its headers hold credentials and its body people, so neither shows itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One call to a carrier. `operation` is the name under which it is measured.

    `is_login` says whether a refusal would be about our credentials, which is usually a 401 or a 403; what is public is
    asked without any.
    """

    operation: str
    method: str
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    content: bytes | None = field(default=None, repr=False)
    is_login: bool = True
