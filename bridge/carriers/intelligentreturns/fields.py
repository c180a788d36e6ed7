"""What a field may hold, field by field: lengths, forms and choices, as the provider's page has them.

Text is 255 characters at most where the page says nothing else; no field takes control characters.

https://returns.returnsplatform.com/api (text fields length, input data of each method; read 2026-10)
"""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Final, Literal

from pydantic import BeforeValidator, ConfigDict, Field


def _iso(value: object) -> object:
    """Take what the samples call the United Kingdom for what ISO 3166 does."""
    return "GB" if value == "UK" else value


_NO_CONTROLS: Final = r"^[^\x00-\x1f\x7f\uFFFE\uFFFF]*$"
Line = Annotated[str, Field(max_length=255, pattern=_NO_CONTROLS)]
Given = Annotated[
    str,
    Field(
        min_length=1,
        max_length=255,
        pattern=r"^[^\x00-\x1f\x7f\uFFFE\uFFFF]*[^\x00-\x20\x7f\uFFFE\uFFFF][^\x00-\x1f\x7f\uFFFE\uFFFF]*$",
    ),
]
"""A text that says something."""
Country = Annotated[str, BeforeValidator(_iso), Field(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
Email = Annotated[
    str, Field(max_length=255, pattern=r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f.]+$")
]
Alphanumeric = Annotated[str, Field(pattern=r"^[A-Za-z0-9]{1,255}$")]
Number = Annotated[int, Field(ge=1, le=2_147_483_647)]
Amount = Annotated[Decimal, Field(ge=0, max_digits=12, decimal_places=4)]
Latitude = Annotated[Decimal, Field(ge=-90, le=90)]
Longitude = Annotated[Decimal, Field(ge=-180, le=180)]
YesNo = Literal["Yes", "No"]
Disposition = Literal["return", "destroy"]

CONFIG: Final = ConfigDict(defer_build=True, extra="forbid", hide_input_in_errors=True, revalidate_instances="always")
