"""InPost Returns' words, in ours."""

from __future__ import annotations

import pytest

from bridge.carriers.inpost_returns.words import SOURCE, TicketStatus, meaning
from bridge.events import statuses
from bridge.events.statuses import ReturnStatus


@pytest.mark.parametrize(
    ("status", "returned"),
    [
        ("NEW", ReturnStatus.created),
        ("ACCEPTED", ReturnStatus.accepted),
        ("SCANNED", ReturnStatus.dropped_off),
        ("used", ReturnStatus.dropped_off),
        ("Delivered", ReturnStatus.delivered),
        ("CANCELED", ReturnStatus.cancelled),
        ("REJECTED", ReturnStatus.rejected),
        ("EXPIRED", ReturnStatus.expired),
    ],
)
def test_a_status_has_a_meaning_however_it_is_written(status: str, returned: ReturnStatus) -> None:
    assert meaning(status).returned == returned


def test_a_status_that_nobody_knows_keeps_the_one_before() -> None:
    assert (meaning("LOST").returned, meaning("LOST").keep_previous) == (None, True)


def test_every_word_is_in_the_table_and_the_other_way_round() -> None:
    assert set(TicketStatus) == set(statuses.words(SOURCE))
