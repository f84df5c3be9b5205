"""Candidates: edited beside running, carried over to a newer one, in conflict where both sides differ."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane.errors import Fault, RequestError
from twinplane.session.candidate import Candidate, conflicting
from twinplane.tree import edit
from twinplane.tree.difference import difference
from twinplane.tree.edit import Edit, Operation, Place, Presence, Where
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Container, Entries
from twinplane.tree.query import get
from twinplane_wire.path import ROOT, Path


def entry(name: str) -> Path:
    return ROOT.child("things").child("thing", ("name", name))


def put(name: str, leaf: str, value: int) -> Edit:
    return Edit(Operation.UPDATE, entry(name).child(leaf), value, (Container({"name": name}),))


def apply(forest: Forest, edits: Sequence[Edit]) -> Forest:
    return Forest({"": edit.apply(forest.tree(), edits)})


def tree(*edits: Edit) -> Forest:
    return apply(Forest(), edits)


NAMES = st.sampled_from("abc")
EDITS = st.lists(
    st.one_of(
        st.builds(put, NAMES, st.sampled_from(("x", "y")), st.integers(0, 2)),
        st.builds(lambda name: Edit(Operation.DELETE, entry(name)), NAMES),
    ),
    max_size=4,
)


def test_a_new_candidate_is_unchanged() -> None:
    candidate = Candidate.of(4, tree(put("a", "x", 1)))
    assert not candidate.is_changed
    assert candidate.edited([put("a", "x", 2)], apply).is_changed
    assert not candidate.edited([put("a", "x", 1)], apply).is_changed


def test_rebase_carries_edits_over() -> None:
    base = tree(put("a", "x", 1))
    mine = Candidate.of(1, base).edited([put("b", "x", 2)], apply)
    newer = apply(base, [put("c", "x", 3)])
    rebased, conflicts = mine.rebased(2, newer, apply)
    assert conflicts == ()
    assert rebased.base == 2
    things = rebased.forest.tree().get("things")
    assert isinstance(things, Container)
    listed = things.get("thing")
    assert isinstance(listed, Entries)
    assert set(listed.entries) == {("a",), ("b",), ("c",)}


def test_a_conflict_is_reported_by_path_and_changes_nothing() -> None:
    base = tree(put("a", "x", 1))
    mine = Candidate.of(1, base).edited([put("a", "x", 2)], apply)
    same, conflicts = mine.rebased(2, apply(base, [put("a", "x", 3)]), apply)
    assert conflicts == (entry("a").child("x"),)
    assert same is mine


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    base = tree(put("a", "x", 1))
    newer = apply(base, [put("a", "x", 2)])
    _, conflicts = Candidate.of(1, base).edited([put("a", "x", 2)], apply).rebased(2, newer, apply)
    assert conflicts == ()


def test_an_edit_that_does_not_apply_any_more_is_a_conflict() -> None:
    base = tree(put("a", "x", 1))
    gone = Edit(Operation.DELETE, entry("a"), needs=Presence.PRESENT)
    mine = Candidate.of(1, base).edited([gone], apply)
    with pytest.raises(RequestError) as refusal:
        mine.rebased(2, tree(put("b", "x", 1)), apply)
    assert [one.fault for one in refusal.value.violations] == [Fault.CONFLICT]


def copied(base: Forest, forest: Forest) -> Candidate:
    """A candidate that was copied from elsewhere as a whole."""
    return Candidate.of(1, base).replaced(forest, difference(base.tree(), forest.tree(), frozenset()))


def carried(base: Forest, theirs: Forest, ours: Forest) -> Forest | None:
    """A copied candidate rebased; None where it conflicts."""
    candidate, conflicts = copied(base, ours).rebased(2, theirs, apply)
    return None if conflicts else candidate.forest


@given(EDITS, EDITS, EDITS)
def test_a_merge_without_conflict_does_not_depend_on_the_side(
    before: list[Edit], left: list[Edit], right: list[Edit]
) -> None:
    base = tree(*before)
    theirs, ours = apply(base, left), apply(base, right)
    one, other = carried(base, theirs, ours), carried(base, ours, theirs)
    assert (one is None) == (other is None) == bool(conflicting(base, theirs, ours))
    if one is not None and other is not None:
        assert not changes(one, other)


@given(EDITS, EDITS)
def test_a_merge_with_nothing_is_the_other_side(before: list[Edit], after: list[Edit]) -> None:
    base = tree(*before)
    ours = apply(base, after)
    for theirs, mine in ((base, ours), (ours, base)):
        merged = carried(base, theirs, mine)
        assert merged is not None
        assert not changes(merged, ours)


def rows(*keys: str, **leaves: int) -> Forest:
    """A list whose order is the user's, with bare entries but for those that have a leaf x."""
    made = {(key,): Container({"name": key, **({"x": leaves[key]} if key in leaves else {})}) for key in keys}
    return Forest({"": Container({"things": Container({"thing": Entries(("name",), made, ordered=True)})})})


def order(forest: Forest) -> list[str]:
    listed = get(forest.tree(), ROOT.child("things").child("thing"))
    return [key for (key,) in listed.entries] if isinstance(listed, Entries) else []


def test_a_copied_candidate_keeps_its_order_and_bare_entries() -> None:
    base, theirs = rows("a", "b", "c", b=1), rows("a", "b", "c", "d", b=2, d=1)
    merged = carried(base, theirs, rows("c", "a", "b", "e", b=1))
    assert merged is not None
    assert order(merged) == ["c", "a", "b", "d", "e"]
    assert get(merged.tree(), entry("b").child("x")) == 2
    gone = carried(base, theirs, rows("b", b=1))
    assert gone is not None
    assert order(gone) == ["b", "d"]
    emptied = carried(base, rows("a", "b", "c", "d", b=1), rows("a", "b", "c"))
    assert emptied is not None
    assert order(emptied) == ["a", "b", "c", "d"]


def test_two_orders_are_a_conflict() -> None:
    base, theirs, ours = rows("a", "b", "c"), rows("b", "a", "c"), rows("c", "a", "b")
    _, conflicts = copied(base, ours).rebased(2, theirs, apply)
    assert [str(path) for path in conflicts] == ["/things/thing"]
    assert order(carried(base, theirs, theirs) or NOTHING) == ["b", "a", "c"]
    moved = Edit(Operation.UPDATE, entry("c"), Container({"name": "c"}), place=Place(Where.FIRST))
    _, conflicts = Candidate.of(1, base).edited([moved], apply).rebased(2, theirs, apply)
    assert [str(path) for path in conflicts] == ["/things/thing"]


def test_a_replacement_does_not_undo_what_others_changed_meanwhile() -> None:
    base = tree(put("a", "x", 1), put("a", "y", 1))
    whole = Edit(Operation.REPLACE, entry("a"), Container({"name": "a", "x": 2, "y": 1}))
    mine = Candidate.of(1, base).edited([whole], apply)
    same, conflicts = mine.rebased(2, apply(base, [put("a", "y", 3)]), apply)
    assert conflicts == (entry("a").child("y"),)
    assert same is mine
    everything = Candidate.of(1, base).edited([Edit(Operation.DELETE, ROOT.child("things"))], apply)
    _, conflicts = everything.rebased(2, apply(base, [put("b", "x", 3)]), apply)
    assert set(conflicts) == {entry("b").child("name"), entry("b").child("x")}
