"""Candidates: edited beside running, carried over to a newer one, in conflict where both sides differ."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.session.candidate import Candidate, conflicting, merged
from twinplane.tree.edit import Edit, Operation, apply
from twinplane.tree.node import Container, Entries
from twinplane_wire.path import ROOT, Path


def entry(name: str) -> Path:
    return ROOT.child("things").child("thing", ("name", name))


def put(name: str, leaf: str, value: int) -> Edit:
    return Edit(Operation.UPDATE, entry(name).child(leaf), value, (Container({"name": name}),))


def tree(*edits: Edit) -> Container:
    return apply(Container(), edits)


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
    assert candidate.edited([put("a", "x", 2)]).is_changed
    assert not candidate.edited([put("a", "x", 1)]).is_changed


def test_rebase_carries_edits_over() -> None:
    base = tree(put("a", "x", 1))
    mine = Candidate.of(1, base).edited([put("b", "x", 2)])
    newer = apply(base, [put("c", "x", 3)])
    rebased, conflicts = mine.rebased(2, newer)
    assert conflicts == ()
    assert rebased.base == 2
    things = rebased.root.get("things")
    assert isinstance(things, Container)
    listed = things.get("thing")
    assert isinstance(listed, Entries)
    assert set(listed.entries) == {("a",), ("b",), ("c",)}


def test_a_conflict_is_reported_by_path_and_changes_nothing() -> None:
    base = tree(put("a", "x", 1))
    mine = Candidate.of(1, base).edited([put("a", "x", 2)])
    same, conflicts = mine.rebased(2, apply(base, [put("a", "x", 3)]))
    assert conflicts == (entry("a").child("x"),)
    assert same is mine


def test_the_same_change_on_both_sides_is_no_conflict() -> None:
    base = tree(put("a", "x", 1))
    newer = apply(base, [put("a", "x", 2)])
    _, conflicts = Candidate.of(1, base).edited([put("a", "x", 2)]).rebased(2, newer)
    assert conflicts == ()


@given(EDITS, EDITS, EDITS)
def test_a_merge_without_conflict_does_not_depend_on_the_side(
    before: list[Edit], left: list[Edit], right: list[Edit]
) -> None:
    base = tree(*before)
    theirs, ours = apply(base, left), apply(base, right)
    if not conflicting(base, theirs, ours) and not conflicting(base, ours, theirs):
        assert merged(base, theirs, ours) == merged(base, ours, theirs)


@given(EDITS, EDITS)
def test_a_merge_with_nothing_is_the_other_side(before: list[Edit], after: list[Edit]) -> None:
    base = tree(*before)
    ours = apply(base, after)
    assert merged(base, base, ours) == ours
    assert merged(base, ours, base) == ours
