"""Diff: the touched objects and no others, and leaf changes that lead from one tree to the other."""

from hypothesis import given

from twinplane.tree.diff import diff, leaf_changes, objects
from twinplane.tree.draft import Draft
from twinplane.tree.edit import apply
from twinplane.tree.node import EMPTY_ROOT, Container
from twinplane.tree.query import leaves
from twinplane_wire.path import ROOT, parse
from unit.tree.test_edit import BOX, UPDATE, edit, tree
from unit.tree.trees import roots


def test_only_touched_objects_show() -> None:
    after = apply(
        BOX,
        [
            edit(UPDATE, "/boxes/box[name=p]/config/size", 9),
            edit(UPDATE, "/boxes/box[name=r]/config/size", 1),
        ],
    )
    changed = {str(change.path): (change.before, change.after) for change in diff(BOX, after).objects}
    assert list(changed) == ["/boxes/box[name=p]", "/boxes/box[name=r]"]
    assert changed["/boxes/box[name=r]"][0] is None


def test_a_container_below_a_top_level_one_is_an_object_and_so_are_its_loose_leaves() -> None:
    old, new = tree({"top": {"part": {"x": 1}, "loose": 1}}), tree({"top": {"part": {"x": 2}, "loose": 2}})
    assert [str(change.path) for change in diff(old, new).objects] == ["/top", "/top/part"]


def test_equal_but_not_identical_is_no_change() -> None:
    assert not diff(tree({"t": {"p": {"x": 1}}}), tree({"t": {"p": {"x": 1}}}))


def test_true_is_not_one() -> None:
    assert diff(tree({"t": {"p": {"x": 1}}}), tree({"t": {"p": {"x": True}}}))


def test_objects_lists_all() -> None:
    assert len(list(objects(BOX))) == 2 + 3 + 1


@given(roots, roots)
def test_leaf_changes_lead_from_one_tree_to_the_other(old: Container, new: Container) -> None:
    updates, deletes = leaf_changes(old, new, ROOT)
    held = dict(leaves(old, ROOT))
    assert all(path in held for path in deletes)
    for path in deletes:
        del held[path]
    for path, value in updates:
        assert type(held.get(path)) is not type(value) or held.get(path) != value
    held.update(updates)
    want = dict(leaves(new, ROOT))
    assert {path: (type(value), value) for path, value in held.items()} == {
        path: (type(value), value) for path, value in want.items()
    }


@given(roots, roots)
def test_object_changes_lead_from_one_tree_to_the_other(old: Container, new: Container) -> None:
    changes = diff(old, new).objects
    assert bool(changes) == (old != new)
    draft = Draft(old)
    for change in changes:
        whole = dict.fromkeys((change.before or EMPTY_ROOT).children)
        loose = len(change.path.elems) == 1
        for name in whole if loose else ():
            draft.remove(change.path.child(name))
        if change.after is None:
            if not loose:
                draft.remove(change.path)
        elif loose:
            for name, value in change.after.children.items():
                draft.put(change.path.child(name), value)
        else:
            draft.put(change.path, change.after)
    assert draft.freeze() == new


@given(roots, roots)
def test_a_diff_backwards_is_the_diff_turned_round(old: Container, new: Container) -> None:
    there = [(change.path, change.before, change.after) for change in diff(old, new).objects]
    back = [(change.path, change.after, change.before) for change in diff(new, old).objects]
    assert there == back


def test_the_origin_is_kept() -> None:
    assert {change.path.origin for change in diff(EMPTY_ROOT, BOX, "other").objects} == {"other"}
    assert parse("/x").origin == ""
