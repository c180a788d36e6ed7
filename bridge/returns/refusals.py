"""What some refusals mean, whichever return was refused: by their keys, as Intelligentreturns says them."""

from __future__ import annotations

from typing import Final

LOGIN_REFUSED: Final = frozenset({"access_denied", "api_key_empty", "ip_blocked", "login_empty"})
"""The login itself, with any HTTP status. More tries block our address."""
ACCOUNT_WIDE: Final = LOGIN_REFUSED | {"account_setup_required", "no_shipping_services_available"}
"""The whole account: it may not book at this address, or no services were set up for it. A person has to act."""
TEMPORARY: Final = frozenset({"cannot_create_order", "shipping_method_unavailable"})
"""A no to a write, with nothing done, that may be a yes later."""
UNSENDABLE: Final = "unsendable"
"""Our own word for what would surely be refused, so that nobody was even asked; its status is 0."""
