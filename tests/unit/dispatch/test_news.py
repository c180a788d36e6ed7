"""What a read of an order brings: facts for what is new, nothing for what is known."""

from __future__ import annotations

from bridge.dispatch import news
from bridge.dispatch.words import OrderState
from bridge.model import Fact
from bridge.store.dispatches import Kept
from tests.unit.dispatch.making import ORDER, OURS, SHIPMENTS, T0, after, found


def made() -> Kept:
    """Give an order that a command made."""
    return news.created(news.first(OURS, found("new"), T0, SHIPMENTS), found("new"), "the command", T0).kept


def told(facts: tuple[Fact, ...]) -> list[tuple[str, str]]:
    return [(one.type, one.key) for one in facts]


def test_the_first_status_is_part_of_being_created() -> None:
    first = news.created(news.first(OURS, found("new"), T0, SHIPMENTS), found("new"), "the command", T0)
    assert told(first.facts) == [("dispatch_order.created", "created")]
    assert first.facts[0].subject == ("/shipx/4821", f"dispatch_order/{ORDER}")
    assert first.facts[0].causation == "the command"
    assert (first.kept.state, first.kept.carrier_status, first.kept.command) == ("open", "new", "the command")


def test_the_same_status_again_is_no_news() -> None:
    again = news.read(made(), found("new"), after(15))
    assert (again.facts, again.kept.quiet, again.kept.read_at) == ((), 1, after(15))


def test_a_status_is_told_with_the_one_before_when_the_carrier_says_it_was() -> None:
    [fact] = news.read(made(), found("sent", after(3)), after(15)).facts
    assert (fact.type, fact.key, fact.occurred_at) == ("dispatch_order.status_changed", "sent#1", after(3))
    assert fact.data.model_dump(mode="json") == {
        "organization_id": 4821,
        "shipments": list(SHIPMENTS),
        "evidence": "carrier",
        "current": True,
        "dispatch_order_id": ORDER,
        "state": "open",
        "carrier_status": "sent",
        "previous_carrier_status": "new",
        "terminal": False,
    }


def test_a_status_that_comes_back_is_another_fact() -> None:
    sent = news.read(made(), found("sent"), after(15)).kept
    new = news.read(sent, found("new"), after(30))
    again = news.read(new.kept, found("sent"), after(45))
    assert [fact.key for fact in (*new.facts, *again.facts)] == ["new#2", "sent#2"]


def test_a_word_that_nobody_knows_is_told_and_ends_nothing() -> None:
    read = news.read(made(), found("beamed_up"), after(15))
    assert [fact.key for fact in read.facts] == ["beamed_up#1"]
    assert read.kept.state == OrderState.open


def test_a_status_that_is_in_no_safe_form_changes_nothing() -> None:
    read = news.read(made(), found(None), after(15))
    assert (read.facts, read.kept.carrier_status) == ((), "new")


def test_an_order_that_the_carrier_gives_up_has_failed_too() -> None:
    read = news.read(made(), found("rejected"), after(15))
    assert told(read.facts) == [
        ("dispatch_order.status_changed", "rejected#1"),
        ("dispatch_order.failed", "rejected#2"),
    ]
    assert read.kept.state == OrderState.rejected


def test_a_read_that_was_overtaken_brings_nothing() -> None:
    cancelled = news.read(made(), found("canceled", after(20)), after(21)).kept
    assert news.read(cancelled, found("sent", after(10)), after(22)).facts == ()


def test_an_order_that_was_not_made_here_is_told_from_its_first_status_on() -> None:
    read = news.read(news.first(OURS, found("sent"), T0), found("sent"), T0, "the cancel")
    assert told(read.facts) == [("dispatch_order.status_changed", "sent#1")]
    assert read.kept.shipments == SHIPMENTS


def test_an_order_that_changes_for_ever_is_not_followed_for_ever() -> None:
    kept = made()
    for number in range(2 * news.MOST_STATUSES):
        kept = news.read(kept, found("sent" if number % 2 else "new"), after(number)).kept
    assert len(kept.statuses) == news.MOST_STATUSES


def test_a_command_that_made_nothing_is_a_subject_of_its_own_and_always_the_same() -> None:
    one, again, other = (news.failed(OURS, SHIPMENTS, key, T0, reason="refused") for key in ("k-1", "k-1", "k-2"))
    assert one.subject == again.subject != other.subject
    assert (one.causation, one.data.model_dump()["dispatch_order_id"]) == ("k-1", None)


def test_what_the_carrier_does_not_know_is_gone_after_a_day_and_several_looks() -> None:
    once = news.missed(made(), after(60)).kept
    assert news.missed(once, after(2 * 86_400)).kept.state == OrderState.open
    twice = news.missed(once, after(120)).kept
    early, late = (news.missed(twice, after(60 + seconds)) for seconds in (86_399, 86_400))
    assert (early.kept.state, early.facts) == (OrderState.open, ())
    assert (late.kept.state, told(late.facts)) == (OrderState.gone, [("dispatch_order.failed", "gone#1")])


def test_one_that_is_known_again_was_not_gone() -> None:
    seen = news.read(news.missed(made(), after(60)).kept, found("new"), after(120)).kept
    assert (seen.misses, seen.missed_since) == (0, None)
