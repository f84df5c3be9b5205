"""Candidates: edited beside running, carried over to a newer one, in conflict where both sides differ."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinplane.errors import Fault, RequestError
from twinplane.session.candidate import Candidate, conflicting, merged
from twinplane.tree import edit
from twinplane.tree.edit import Edit, Operation, Presence
from twinplane.tree.forest import Forest, changes
from twinplane.tree.node import Container, Entries
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


@given(EDITS, EDITS, EDITS)
def test_a_merge_without_conflict_does_not_depend_on_the_side(
    before: list[Edit], left: list[Edit], right: list[Edit]
) -> None:
    base = tree(*before)
    theirs, ours = apply(base, left), apply(base, right)
    if not conflicting(base, theirs, ours) and not conflicting(base, ours, theirs):
        assert not changes(merged(base, theirs, ours), merged(base, ours, theirs))


@given(EDITS, EDITS)
def test_a_merge_with_nothing_is_the_other_side(before: list[Edit], after: list[Edit]) -> None:
    base = tree(*before)
    ours = apply(base, after)
    assert not changes(merged(base, base, ours), ours)
    assert not changes(merged(base, ours, base), ours)
