"""The queue alone: what is merged, what is counted, what shares a notice."""

from twinplane.model.port import interface_path
from twinplane.state.change import Change, Part
from twinplane.subscribe.encode import Committed
from twinplane.subscribe.match import Selection
from twinplane.subscribe.parcel import MESSAGE_BYTES, Offer, Parcel
from twinplane.subscribe.queue import Queue
from twinplane.tree.node import Leaf
from unit.subscribe.client import Encoder, deletes, updates

WOKEN: list[int] = []


def queue(limit: int = 100) -> Queue:
    return Queue(Encoder(), "x", lambda: WOKEN.append(1), limit)


def change(name: str, time: int, *gone: str, **leaves: Leaf) -> Change:
    row = interface_path(name)
    parts = (Part(row, tuple(leaves.items())),) if leaves else ()
    return Change(row, time, parts, tuple(row.child(each) for each in gone))


def parcel(*changes: Change) -> Parcel:
    return Parcel([Offer(each, None) for each in changes])


def test_changes_of_one_time_share_a_notice_and_others_do_not() -> None:
    waiting = queue()
    waiting.offer(parcel(change("a", 5, x=1), change("b", 5, x=2), change("c", 6, x=3)))
    first, second = waiting.take()
    assert (first.time, [value for _, value in updates(first)]) == (5, [1, 2])
    assert (second.time, [value for _, value in updates(second)]) == (6, [3])
    assert not waiting
    assert len(waiting) == 0


def test_latest_value_wins_and_the_dropped_are_counted() -> None:
    waiting = queue()
    for time in range(1, 5):
        waiting.offer(parcel(change("a", time, x=time)))
    waiting.offer(parcel(change("a", 9, y=1)))
    assert len(waiting) == 2
    first, second = waiting.take()
    assert (first.time, updates(first)[0][1], first.duplicates) == (4, 4, ((0, 3),))
    assert (second.time, second.duplicates) == (9, ())


def test_delete_takes_older_updates_below_along_and_stays_before_newer_ones() -> None:
    waiting = queue()
    waiting.offer(parcel(change("a", 1, x=1, y=1)))
    waiting.offer(parcel(change("a", 2, "x", y=2)))
    waiting.offer(parcel(change("a", 3, x=3)))
    assert [(notice.time, len(deletes(notice)), len(updates(notice))) for notice in waiting.take()] == [
        (2, 0, 1),
        (3, 0, 1),
    ]
    row = interface_path("a")
    waiting.offer(parcel(Change(row, 4, (), (row,))))
    waiting.offer(parcel(change("a", 5, x=5)))
    assert [(notice.time, len(deletes(notice)), len(updates(notice))) for notice in waiting.take()] == [
        (4, 1, 0),
        (5, 0, 1),
    ]


def test_selection_sends_only_what_is_selected() -> None:
    waiting = queue()
    some = Selection()
    some.leaves[0] = {1: None}
    waiting.offer(Parcel((Offer(change("a", 1, "gone", x=1, y=2), some),)))
    (notice,) = waiting.take()
    assert [value for _, value in updates(notice)] == [2]
    assert notice.deletes == ()


def test_what_is_too_long_for_one_message_is_divided() -> None:
    waiting, big = queue(), "x" * MESSAGE_BYTES
    waiting.offer(parcel(change("a", 5, "gone", x=big, y=big, z=1)))
    sent = list(waiting.take())
    assert [(len(updates(notice)), len(deletes(notice))) for notice in sent] == [(1, 1), (1, 0), (1, 0)]
    assert {notice.time for notice in sent} == {5}
    for time in (6, 7):  # merged
        waiting.offer(parcel(change("a", time, x=big, y=big, z=1)))
    sent = list(waiting.take())
    assert [(len(updates(notice)), notice.duplicates) for notice in sent] == [(1, ((0, 1),))] * 3
    assert {notice.time for notice in sent} == {7}


def test_overflow_drops_everything_and_takes_nothing_more() -> None:
    waiting = queue(limit=3)
    for number in range(5):
        waiting.offer(parcel(change(f"a{number}", number, x=1)))
    assert waiting.overflowed
    assert len(waiting) == 0
    assert list(waiting.take()) == []


def test_nothing_is_merged_over_the_end_of_a_commit() -> None:
    waiting = queue()
    for number in (1, 2):
        waiting.offer(parcel(change("a", number, x=number)))
        waiting.end(Committed(number, ""))
    waiting.offer(parcel(change("a", 3, x=3)))
    waiting.offer(parcel(change("a", 4, x=4)))
    assert len(waiting) == 5
    told = [
        item if isinstance(item, Committed) else [value for _, value in updates(item)]
        for item in waiting.take()
    ]
    assert told == [[1], Committed(1, ""), [2], Committed(2, ""), [4]]
    assert not waiting and len(waiting) == 0


def test_a_commit_without_changes_wakes_and_is_told() -> None:
    waiting = queue()
    before = len(WOKEN)
    waiting.end(Committed(1, "c"))
    assert len(WOKEN) == before + 1 and bool(waiting)
    assert list(waiting.take()) == [Committed(1, "c")]


def test_commits_count_for_the_limit() -> None:
    waiting = queue(limit=3)
    for number in range(5):
        waiting.end(Committed(number, ""))
    assert waiting.overflowed and not waiting
