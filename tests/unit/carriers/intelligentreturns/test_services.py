"""The table of services, and the words beside it, against what the page lists."""

from __future__ import annotations

from bridge.carriers.intelligentreturns import services, words
from bridge.carriers.intelligentreturns.services import KnownService
from bridge.events.statuses import tables


def test_the_table_has_every_service_of_the_page() -> None:
    assert len(services.table()) == 298
    assert services.table()[243] == KnownService(243, "Inpost Poland", "Inpost - Fast Return", is_tracked=True)


def test_every_service_with_a_rule_is_in_the_table() -> None:
    assert len(words.NEED_DROP_OFF_POINT) == 19
    assert services.table().keys() >= words.NEED_DROP_OFF_POINT | words.TAKE_INSTRUCTION


def test_every_carrier_with_label_formats_has_a_service() -> None:
    carriers = {one.carrier for one in services.table().values()}
    assert carriers >= words.LABEL_FORMATS.keys()
    assert services.table()[5].label_formats == ("pdf_6x4", "pdf_a4", "png")
    assert services.table()[243].label_formats == ()


def test_countries_are_as_many_as_the_page_names() -> None:
    assert (len(words.WITHOUT_STATE), len(words.WITHOUT_ZIP)) == (44, 4)


def test_every_error_that_is_about_a_field_is_one_of_a_method() -> None:
    assert words.FIELDS.keys() <= words.EVERY_ERROR
    assert len(words.ERRORS) == 18


def test_the_words_of_tracking_are_in_the_table_of_statuses() -> None:
    scans = {"10", "20", "30", "40", "43", "45", "90", "50", "60", "110", "310"}
    virtual = {"70", "100", "120", "200", "201", "202", "300", "320"}
    assert tables()["intelligentreturns"].keys() >= scans | virtual | {"V51", "V52", "V53"}
