"""The history of a parcel is the same whatever the order in which we learned it, and every stay is one fact."""

from __future__ import annotations

from itertools import groupby, pairwise, permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bridge.events.history import MOST_BETWEEN, MOST_SPANS, Span, is_full, report

Reports = tuple[tuple[str, int], ...]

deterministic = settings(derandomize=True, database=None, deadline=None, max_examples=150)


def rank(word: str) -> tuple[int, int]:
    """Order words by the alphabet: b is further along than a."""
    return 0, ord(word[0])


def learned(reports: Reports) -> tuple[tuple[Span, ...], list[str]]:
    """Take in reports one by one; give the history and the words of the facts that were new."""
    spans: tuple[Span, ...] = ()
    facts = []
    for word, at in reports:
        seen = report(spans, word, at, rank)
        facts += [seen.spans[place].word for place in seen.new]
        spans = seen.spans
    return spans, facts


def runs(reports: Reports) -> list[str]:
    """The truth, seen from the end: the reports in the order of the parcel's life, repeats taken together."""
    ordered = sorted(set(reports), key=lambda one: (one[1], rank(one[0])))
    return [word for word, _same in groupby(ordered, key=lambda one: one[0])]


TABLE: list[tuple[Reports, list[str], int, str]] = [
    # reports as they arrive, words in the order of life, number of facts, remark
    ((("a", 1),), ["a"], 1, "the first report"),
    ((("a", 1), ("a", 1)), ["a"], 1, "the same report again"),
    ((("a", 1), ("a", 5)), ["a"], 1, "a direct repeat extends the stay"),
    ((("a", 5), ("a", 1)), ["a"], 1, "a repeat from before extends it to the other side"),
    ((("a", 1), ("a", 5), ("a", 3)), ["a"], 1, "a repeat inside changes nothing"),
    ((("a", 1), ("b", 2)), ["a", "b"], 2, "in order"),
    ((("b", 2), ("a", 1)), ["a", "b"], 2, "out of order: the older one is a fact too"),
    ((("a", 1), ("b", 2), ("a", 3)), ["a", "b", "a"], 3, "the same word later in life is a new stay"),
    ((("a", 1), ("a", 3), ("b", 2)), ["a", "b", "a"], 3, "what looked like one stay was two"),
    ((("a", 1), ("a", 3), ("a", 5), ("b", 4), ("a", 3)), ["a", "b", "a"], 3, "a replay after the stay was parted"),
    ((("a", 1), ("a", 3), ("a", 5), ("b", 4), ("b", 2)), ["a", "b", "a", "b", "a"], 5, "parted twice, at its repeats"),
    ((("a", 1), ("b", 1)), ["a", "b"], 2, "one second: further along is later"),
    ((("b", 1), ("a", 1)), ["a", "b"], 2, "one second, the other way round"),
    ((("b", 1), ("b", 5), ("a", 5)), ["b", "a", "b"], 3, "one second, at the end of a stay that is further along"),
    ((("b", 1), ("a", 5), ("b", 5)), ["b", "a", "b"], 3, "the same, in the other order"),
]


@pytest.mark.parametrize(("reports", "life", "facts", "remark"), TABLE, ids=[row[3] for row in TABLE])
def test_reports_become_stays(reports: Reports, life: list[str], facts: int, remark: str) -> None:
    spans, told = learned(reports)
    assert [span.word for span in spans] == life, remark
    assert len(told) == facts, remark


def test_a_stay_knows_its_first_and_last_second_and_which_stay_it_is() -> None:
    spans, _facts = learned((("a", 1), ("a", 4), ("b", 5), ("a", 9)))
    assert spans == (Span("a", 1, 4, 1), Span("b", 5, 5, 1), Span("a", 9, 9, 2))


def test_a_parted_stay_keeps_its_number_on_the_earlier_side() -> None:
    """The fact of the first stay was published with number 1; only the later side is news."""
    spans, _facts = learned((("a", 1), ("a", 4), ("b", 3)))
    assert spans == (Span("a", 1, 1, 1), Span("b", 3, 3, 1), Span("a", 4, 4, 2))


def test_in_every_order_of_arrival_the_same_five_reports_give_the_same_life() -> None:
    reports = (("a", 1), ("c", 2), ("a", 3), ("b", 4), ("a", 5))
    for order in permutations(reports):
        spans, facts = learned(order)
        assert [span.word for span in spans] == ["a", "c", "a", "b", "a"]
        assert sorted(facts) == ["a", "a", "a", "b", "c"]


words = st.sampled_from("abcd")
distinct = st.dictionaries(st.integers(0, 30), words, min_size=1, max_size=12).map(
    lambda found: tuple((word, at) for at, word in found.items())
)
anything = st.lists(st.tuples(words, st.integers(0, 8)), min_size=1, max_size=14).map(tuple)


@deterministic
@given(distinct.flatmap(lambda reports: st.permutations(reports)).map(tuple))
def test_with_distinct_seconds_every_run_is_one_stay_and_one_fact(reports: Reports) -> None:
    spans, facts = learned(reports)
    assert [span.word for span in spans] == runs(reports)
    assert sorted(facts) == sorted(runs(reports))


@deterministic
@given(anything)
def test_with_equal_seconds_too_every_run_is_one_stay_and_one_fact(reports: Reports) -> None:
    spans, facts = learned(reports)
    assert [span.word for span in spans] == runs(reports)
    assert sorted(facts) == sorted(runs(reports))


@deterministic
@given(anything)
def test_stays_follow_each_other_and_no_two_have_one_name(reports: Reports) -> None:
    spans, _facts = learned(reports)
    assert all(span.first <= span.last for span in spans)
    assert all(before.last <= after.first for before, after in pairwise(spans))
    assert all(before.word != after.word for before, after in pairwise(spans))
    assert len({(span.word, span.occurrence) for span in spans}) == len(spans)


@deterministic
@given(anything)
def test_a_replay_of_everything_changes_nothing(reports: Reports) -> None:
    spans, facts = learned(reports)
    assert learned(reports + reports) == (spans, facts)


@deterministic
@given(anything, st.tuples(words, st.integers(0, 8)))
def test_a_report_adds_two_stays_at_most_and_names_the_new_ones(reports: Reports, last: tuple[str, int]) -> None:
    spans, _facts = learned(reports)
    seen = report(spans, *last, rank)
    assert len(seen.spans) - len(spans) == len(seen.new) <= 2
    known = {(span.word, span.occurrence) for span in spans}
    new = {(seen.spans[place].word, seen.spans[place].occurrence) for place in seen.new}
    assert {(span.word, span.occurrence) for span in seen.spans} - known == new


def test_a_stay_does_not_grow_without_end() -> None:
    spans, _facts = learned(tuple(("a", second) for second in range(1000)))
    assert [(span.word, span.first, span.last) for span in spans] == [("a", 0, 999)]
    assert len(spans[0].between) == MOST_BETWEEN


def test_a_history_is_full_before_it_grows_past_its_bound() -> None:
    spans = tuple(Span("ab"[number % 2], number, number, number // 2 + 1) for number in range(MOST_SPANS))
    assert not is_full(spans[:-2])
    assert is_full(spans[:-1])
