"""Forests: the trees of all origins, and what differs between two of them."""

from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Container
from twinplane_wire.path import parse
from unit.tree.trees import roots

forests = st.dictionaries(st.sampled_from(["", "other"]), roots, max_size=2).map(Forest)


@settings(deadline=None)
@given(forests, forests)
def test_what_differs_leads_from_one_to_the_other_and_back(old: Forest, new: Forest) -> None:
    there, back = changes(old, new), changes(new, old)
    assert not changes(old.changed(there), new)
    assert not changes(new.changed(back), old)


def test_each_origin_is_told_apart() -> None:
    one = Container({"top": Container({"object": Container({"leaf": 1})})})
    both = Forest({"": one, "other": one})
    assert [str(change.path) for change in changes(NOTHING, both)] == ["/top/object", "other:/top/object"]
    assert [change.path for change in changes(both, Forest({"": one}))] == [parse("other:/top/object")]
    assert not changes(both, Forest(dict(both.trees)))


def test_an_origin_without_data_is_an_empty_tree() -> None:
    assert not NOTHING.tree("other").children


def test_loose_leaves_are_exchanged_as_one_object() -> None:
    old = Forest({"": Container({"top": Container({"a": 1, "b": 2, "object": Container({"leaf": 1})})})})
    new = Forest({"": Container({"top": Container({"b": 3, "object": Container({"leaf": 1})})})})
    (change,) = changes(old, new)
    assert str(change.path) == "/top"
    assert old.changed([change]).tree() == new.tree()
