"""The two ways of a draft that compare nothing."""

from twinplane.tree.draft import Draft
from twinplane.tree.node import Container
from twinplane.tree.query import get
from twinplane_wire.path import parse

STATE = parse("/a/b[k=1]/state")


def test_fill_makes_ancestors_with_their_keys_and_leaves_the_old_tree_alone() -> None:
    empty = Container()
    draft = Draft(empty)
    draft.fill(STATE, {"x": 1, "y": "z"})
    first = draft.freeze()
    draft.fill(STATE, {"x": 2})
    second = draft.freeze()
    assert empty == Container()
    assert get(first, parse("/a/b[k=1]/k")) == "1"
    assert get(first, STATE) == Container({"x": 1, "y": "z"})
    assert get(second, STATE) == Container({"x": 2, "y": "z"})


def test_exchange_puts_the_very_container_and_keeps_its_siblings() -> None:
    draft = Draft(Container())
    draft.fill(STATE, {"x": 1})
    draft.fill(STATE.child("counters"), {"n": 1})
    first = draft.freeze()
    fresh = Container({"n": 2})
    draft.exchange(STATE.child("counters"), fresh)
    second = draft.freeze()
    assert get(second, STATE.child("counters")) is fresh
    assert get(second, STATE.child("x")) == 1
    assert get(first, STATE.child("counters")) == Container({"n": 1})
    draft.exchange(parse("/a/b[k=2]/state"), fresh)
    assert get(draft.freeze(), parse("/a/b[k=2]")) == Container({"k": "2", "state": fresh})
