"""Drafts: batches of leaf changes that copy each map once and leave the tree before alone."""

import copy

from hypothesis import given

from twinplane.tree.draft import Draft, put, remove
from twinplane.tree.node import EMPTY_ROOT, Container
from twinplane.tree.query import get, leaves
from twinplane_wire.path import ROOT, parse
from unit.tree.test_edit import BOX, tree
from unit.tree.trees import roots


@given(roots, roots)
def test_leaf_by_leaf_rebuilds_a_tree(old: Container, new: Container) -> None:
    before = copy.deepcopy(old)
    draft = Draft(old)
    wanted = dict(leaves(new, ROOT))
    for path, _ in leaves(old, ROOT):
        if path not in wanted:
            draft.remove(path, drop_bare_entries=True)
    for path, value in wanted.items():
        draft.put(path, value)
    assert draft.freeze() == new
    assert old == before


def test_equal_values_copy_nothing() -> None:
    draft = Draft(BOX)
    draft.put(parse("/boxes/box[name=p]/config/size"), 1)
    draft.remove(parse("/boxes/box[name=zz]/config/size"))
    assert draft.freeze() is BOX


def test_a_map_is_copied_once_per_batch_and_anew_after_freezing() -> None:
    draft = Draft(BOX)
    draft.put(parse("/boxes/box[name=p]/config/size"), 5)
    once = draft.root.get("boxes")
    draft.put(parse("/boxes/box[name=q]/config/size"), 6)
    assert draft.root.get("boxes") is once
    frozen = draft.freeze()
    draft.put(parse("/boxes/box[name=q]/config/size"), 7)
    assert get(frozen, parse("/boxes/box[name=q]/config/size")) == 6
    assert get(draft.freeze(), parse("/boxes/box[name=q]/config/size")) == 7


def test_bare_entries_go_only_when_asked() -> None:
    small = tree({"rows": {"row": {("n",): {"state": {"x": 1}}}}})
    path = parse("/rows/row[name=n]/state/x")
    assert get(remove(small, path), parse("/rows/row[name=n]")) == tree({"name": "n"})
    draft = Draft(small)
    draft.remove(path, drop_bare_entries=True)
    assert draft.freeze() == EMPTY_ROOT


def test_put_makes_entries_with_their_keys() -> None:
    assert put(EMPTY_ROOT, parse("/rows/row[name=n][unit=1]/state/x"), 1) == tree(
        {"rows": {"row": {("n", "1"): {"state": {"x": 1}}}}}
    )


def test_the_root_itself_can_be_put_and_removed() -> None:
    draft = Draft(BOX)
    draft.remove(ROOT)
    assert draft.root == EMPTY_ROOT
    draft.put(ROOT, BOX)
    assert draft.freeze() == BOX
