"""Which service ids mean the same to a policy."""

from __future__ import annotations

from typing import Final

_SAME: Final = {
    # A parcel point (POP-WAW364) as the target turns the one into the other in the carrier's answer:
    # https://dokumentacja-inpost.atlassian.net/wiki/spaces/PL/pages/18153507
    "inpost_locker_customer_service_point": "inpost_locker_standard",
}


def known_as(service: str) -> str:
    """Give the id under which a policy knows a service."""
    return _SAME.get(service, service)
