"""Order per subject, as a data structure: what may be sent now, what is held, and how much fits into memory."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from bridge.egress.lanes import Lane, Lanes
from bridge.model import Event, EventId, Subject
from bridge.store.outbox import Made, Pending

A, B, C = (Subject("/shipx/1", f"shipment/{number}") for number in (1, 2, 3))


def pending(position: int, subject: Subject) -> Pending:
    """Give an event at a place in the feed."""
    event = Event(
        position=position,
        id=EventId(str(position)),
        type="shipment.confirmed",
        subject=subject,
        sequence=position,
        routing_key="shipx.shipment.confirmed",
        organization="1",
        recorded_at=datetime(2026, 3, 2, tzinfo=UTC),
        body=b"{}",
    )
    return Pending(event, 0)


def lanes_with(*events: tuple[int, Subject], in_memory: int = 100) -> Lanes:
    """Make lanes that hold these events."""
    lanes = Lanes(in_memory)
    for position, subject in events:
        lanes.add(pending(position, subject))
    return lanes


def taken(lanes: Lanes) -> Lane:
    """Take the next lane, which must be there."""
    lane = lanes.take()
    assert lane is not None
    return lane


def drain(lanes: Lanes) -> list[int]:
    """Send whatever is ready, and give the positions in the order of sending."""
    sent = []
    while (lane := lanes.take()) is not None:
        while lane.waiting:
            sent.append(lane.first.event.position)
            lanes.confirmed(lane)
        lanes.put_back(lane)
    return sent


def test_what_nobody_has_read_is_taken_where_nothing_before_it_waits() -> None:
    lanes = Lanes(100)
    assert lanes.offer(Made(pending(1, A), is_next=True))
    assert lanes.offer(Made(pending(2, A), is_next=False))
    assert drain(lanes) == [1, 2]


def test_what_may_have_another_before_it_in_the_outbox_is_not_taken_unread() -> None:
    lanes = lanes_with((1, A))
    assert not lanes.offer(Made(pending(3, A), is_next=False))
    assert not lanes.offer(Made(pending(5, B), is_next=False))
    assert drain(lanes) == [1]


def test_a_held_subject_takes_nothing_unread() -> None:
    lanes = lanes_with((1, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=1.0)
    lanes.put_back(lane)
    assert not lanes.offer(Made(pending(2, A), is_next=False))


def test_a_freed_subject_takes_nothing_unread_before_the_rest_of_it_is_read() -> None:
    lanes = lanes_with((1, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=1.0)
    lanes.put_back(lane)
    lanes.retry(2.0)
    lane = taken(lanes)
    lanes.confirmed(lane)
    lanes.put_back(lane)
    assert not lanes.offer(Made(pending(3, A), is_next=True))
    assert lanes.let_in()
    assert lanes.offer(Made(pending(3, A), is_next=True))


def test_a_subject_that_is_being_sent_is_not_given_out_a_second_time() -> None:
    lanes = lanes_with((1, A), (2, A))
    taken(lanes)
    assert lanes.take() is None
    lanes.add(pending(3, A))
    assert lanes.take() is None


def test_subjects_are_given_out_side_by_side() -> None:
    lanes = lanes_with((1, A), (2, B))
    assert [taken(lanes).subject, taken(lanes).subject] == [A, B]


def test_a_subject_is_sent_in_the_order_of_the_feed() -> None:
    assert drain(lanes_with((1, A), (2, B), (3, A), (4, B), (5, A))) == [1, 3, 5, 2, 4]


def test_an_event_that_is_here_already_is_not_taken_twice() -> None:
    assert drain(lanes_with((1, A), (2, A), (1, A), (2, A))) == [1, 2]


def test_an_event_that_is_confirmed_and_not_marked_yet_is_not_taken_again() -> None:
    lanes = lanes_with((1, A))
    drain(lanes)
    lanes.add(pending(1, A))
    assert drain(lanes) == []


def test_an_event_may_come_again_once_it_was_marked() -> None:
    lanes = lanes_with((1, A))
    drain(lanes)
    lanes.marked([1])
    lanes.add(pending(1, A))
    assert drain(lanes) == [1]


def test_what_was_not_sent_before_a_lane_is_given_back_is_ready_again() -> None:
    lanes = lanes_with((1, A), (2, A))
    lane = taken(lanes)
    lanes.confirmed(lane)
    lanes.put_back(lane)
    assert drain(lanes) == [2]


def test_a_refusal_holds_its_own_subject_and_nobody_elses() -> None:
    lanes = lanes_with((1, A), (2, B), (3, A), (4, B))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=10)
    lanes.put_back(lane)
    assert drain(lanes) == [2, 4]
    assert (lanes.held, lanes.ready, lanes.next_retry) == (1, 0, 10)


def test_a_held_subject_is_tried_again_when_its_time_has_come_and_not_before() -> None:
    lanes = lanes_with((1, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=10)
    lanes.put_back(lane)
    lanes.retry(9.9)
    assert lanes.take() is None
    lanes.retry(10)
    assert taken(lanes) is lane
    assert lanes.next_retry is None


def test_refusals_are_counted_until_a_confirm() -> None:
    lanes = lanes_with((1, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=1)
    lanes.refused(lane, retry_at=2)
    assert lane.refusals == 2
    assert lanes.confirmed(lane)
    assert lane.refusals == 0


def test_behind_a_held_event_nothing_is_taken_in() -> None:
    lanes = lanes_with((1, A), (2, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=10)
    lanes.put_back(lane)
    lanes.add(pending(3, A))
    lanes.retry(10)
    assert drain(lanes) == [1]


def test_a_freed_subject_waits_until_it_is_read_from_the_start() -> None:
    """Its second event went back to the outbox; the fourth, read by a page under way, must not overtake it."""
    lanes = lanes_with((1, A), (2, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=10)
    assert lanes.confirmed(lane), "more of it waits in the outbox"
    lanes.put_back(lane)
    lanes.add(pending(4, A))
    assert (lanes.freed, lanes.held, drain(lanes)) == (1, 0, [])
    assert lanes.let_in()
    assert not lanes.let_in()
    for position in (2, 4):
        lanes.add(pending(position, A))
    assert drain(lanes) == [2, 4]


def test_a_confirm_of_a_subject_that_was_never_held_frees_nobody() -> None:
    lanes = lanes_with((1, A))
    assert not lanes.confirmed(taken(lanes))
    assert not lanes.let_in()


def test_after_forgetting_only_what_is_on_its_way_is_left() -> None:
    lanes = lanes_with((1, A), (2, A), (3, B))
    lane = taken(lanes)
    lanes.forget()
    assert lanes.take() is None
    for position, subject in ((1, A), (2, A), (3, B)):
        lanes.add(pending(position, subject))
    assert drain(lanes) == [3]
    lanes.confirmed(lane)
    lanes.put_back(lane)
    assert drain(lanes) == [2]


def test_forgetting_lets_held_subjects_go() -> None:
    """What refused them may be another broker by now; they are read again, from their first event on."""
    lanes = lanes_with((1, A), (2, A))
    lane = taken(lanes)
    lanes.refused(lane, retry_at=10)
    lanes.put_back(lane)
    lanes.forget()
    assert (lanes.held, lanes.next_retry) == (0, None)
    for position in (1, 2):
        lanes.add(pending(position, A))
    assert drain(lanes) == [1, 2]


def test_room_is_what_is_free_and_none_until_half_is() -> None:
    lanes = Lanes(10)
    rooms = []
    for position in range(1, 8):
        rooms.append(lanes.room)
        lanes.add(pending(position, A))
    assert rooms == [10, 9, 8, 7, 6, 5, 0]
    drain(lanes)
    assert lanes.room == 0, "confirmed events count until they are marked"
    lanes.marked([1])
    assert lanes.room == 0
    lanes.marked([2])
    assert lanes.room == 5


def test_held_subjects_do_not_use_up_the_room_of_others() -> None:
    lanes = lanes_with((1, A), (2, A), (3, A), (4, B), in_memory=10)
    lane = taken(lanes)
    lanes.refused(lane, retry_at=10)
    lanes.put_back(lane)
    assert lanes.room == 9


@dataclass
class Feed:
    """What the outbox holds: a feed of events by subject, and how far it was read."""

    subjects: list[Subject] = field(default_factory=list)
    marked: set[int] = field(default_factory=set)
    cursor: int = 0

    def page(self, limit: int) -> list[Pending]:
        open_positions = (n for n in range(self.cursor + 1, len(self.subjects) + 1) if n not in self.marked)
        return [pending(n, self.subjects[n - 1]) for n, _ in zip(open_positions, range(limit), strict=False)]


class LanesMachine(RuleBasedStateMachine):
    """Any interleaving of reading, sending, refusing, marking and starting over."""

    @initialize(in_memory=st.integers(2, 12))
    def begin(self, in_memory: int) -> None:
        self.lanes = Lanes(in_memory)
        self.feed = Feed()
        self.in_memory = in_memory
        self.now = 0.0
        self.page: list[Pending] | None = None
        self.on_way: list[Lane] = []
        self.published: list[int] = []
        self.confirmed: list[int] = []

    @rule(subjects=st.lists(st.sampled_from([A, A, B, C]), min_size=1, max_size=5))
    def events_are_recorded(self, subjects: list[Subject]) -> None:
        self.feed.subjects += subjects

    @precondition(lambda self: self.page is None)
    @rule()
    def a_page_is_asked_for(self) -> None:
        if self.lanes.let_in():
            self.feed.cursor = 0
        if self.lanes.room:
            self.page = self.feed.page(self.lanes.room)

    @precondition(lambda self: self.page is not None)
    @rule()
    def the_page_arrives(self) -> None:
        for one in self.page or ():
            self.lanes.add(one)
            self.feed.cursor = one.event.position
        self.page = None

    @rule()
    def a_lane_is_taken(self) -> None:
        self.lanes.retry(self.now)
        lane = self.lanes.take()
        if lane is not None:
            assert lane.subject not in [other.subject for other in self.on_way]
            assert lane.waiting
            self.on_way.append(lane)

    @precondition(lambda self: self.on_way)
    @rule(data=st.data())
    def an_event_is_confirmed(self, data: st.DataObject) -> None:
        lane = data.draw(st.sampled_from(self.on_way))
        self.published.append(lane.first.event.position)
        self.confirmed.append(lane.first.event.position)
        self.lanes.confirmed(lane)
        if not lane.waiting:
            self._give_back(lane)

    @precondition(lambda self: self.on_way)
    @rule(data=st.data(), wait=st.integers(0, 2))
    def an_event_is_refused(self, data: st.DataObject, wait: int) -> None:
        lane = data.draw(st.sampled_from(self.on_way))
        self.lanes.refused(lane, self.now + wait)
        self._give_back(lane)

    @precondition(lambda self: self.on_way)
    @rule(data=st.data(), arrived=st.booleans())
    def an_answer_is_lost(self, data: st.DataObject, arrived: bool) -> None:
        lane = data.draw(st.sampled_from(self.on_way))
        if arrived:
            self.published.append(lane.first.event.position)
        self._give_back(lane)

    @precondition(lambda self: self.confirmed)
    @rule()
    def what_is_confirmed_is_marked(self) -> None:
        self.feed.marked.update(self.confirmed)
        self.lanes.marked(self.confirmed)
        self.confirmed = []

    @precondition(lambda self: self.confirmed)
    @rule()
    def a_lost_lease_keeps_it_from_being_marked(self) -> None:
        self.lanes.marked(self.confirmed)
        self.confirmed = []
        self.feed.cursor, self.page = 0, None

    @rule()
    def everything_is_read_again(self) -> None:
        self.lanes.forget()
        self.feed.cursor, self.page = 0, None

    @rule(seconds=st.integers(1, 3))
    def time_passes(self, seconds: int) -> None:
        self.now += seconds

    def _give_back(self, lane: Lane) -> None:
        self.on_way.remove(lane)
        self.lanes.put_back(lane)

    @invariant()
    def first_occurrences_keep_the_order_of_their_subject_without_a_gap(self) -> None:
        by_subject: dict[Subject, list[int]] = {}
        for position in dict.fromkeys(self.published):
            by_subject.setdefault(self.feed.subjects[position - 1], []).append(position)
        for subject, positions in by_subject.items():
            everything = [n for n, one in enumerate(self.feed.subjects, 1) if one == subject]
            assert positions == everything[: len(positions)]

    @invariant()
    def memory_stays_within_its_bound(self) -> None:
        assert self.lanes.room in {0, *range(self.in_memory // 2, self.in_memory + 1)}

    def teardown(self) -> None:
        """In the end everything is published: nothing was forgotten on the way."""
        for lane in list(self.on_way):
            self._give_back(lane)
        for _ in range(2 * len(self.feed.subjects) + 4):
            self.page = None
            self.time_passes(10)
            self.lanes.retry(self.now)
            while self.lanes.ready:
                self.a_lane_is_taken()
                lane = self.on_way[-1]
                while lane in self.on_way:
                    self.published.append(lane.first.event.position)
                    self.confirmed.append(lane.first.event.position)
                    self.lanes.confirmed(lane)
                    if not lane.waiting:
                        self._give_back(lane)
            self.what_is_confirmed_is_marked()
            self.a_page_is_asked_for()
            self.the_page_arrives()
        assert self.feed.marked == set(range(1, len(self.feed.subjects) + 1))
        assert (self.lanes.room, self.lanes.held, self.lanes.freed) == (self.in_memory, 0, 0)
        self.first_occurrences_keep_the_order_of_their_subject_without_a_gap()


TestAnyInterleaving = LanesMachine.TestCase
TestAnyInterleaving.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
