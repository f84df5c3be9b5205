"""Configuration exchanged in the operational tree: state stays, and what was configured goes whole."""

from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.state.configured import exchanged, without
from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.query import leaves
from twinplane_wire.path import ROOT
from unit.tree.trees import roots


def rows(*names: str, ordered: bool = False, **more: Node) -> Entries:
    entries = {(name,): Container({"name": name, **more}) for name in names}
    return Entries(("name",), entries, ordered)


def box(config: Node | None, state: Node | None = None) -> Container:
    parts = {"config": config, "state": state}
    return Container({name: part for name, part in parts.items() if part is not None})


def keys(node: Node | None) -> list[str]:
    assert isinstance(node, Container)
    listed = node.children["config"]
    assert isinstance(listed, Entries)
    return [name for (name,) in listed.entries]


def test_state_stays_beside_what_changes() -> None:
    state = Container({"up": True})
    there = box(Container({"mtu": 1, "name": "x"}), state)
    after = exchanged(there, box(Container({"mtu": 1, "name": "x"})), box(Container({"mtu": 2})))
    assert after == box(Container({"mtu": 2}), state)
    assert exchanged(after, box(Container({"mtu": 2})), None) == box(None, state)


def test_an_entry_with_nothing_but_its_key_comes_and_goes() -> None:
    none, one = box(rows()), box(rows("a"))
    there = exchanged(None, None, one)
    assert keys(there) == ["a"]
    more = box(rows("a", value=1))
    assert exchanged(exchanged(there, one, more), more, one) == one
    assert exchanged(there, one, none) == none


def test_the_order_of_the_user_is_kept() -> None:
    old, new = box(rows("a", "b", "c", ordered=True)), box(rows("c", "a", "b", ordered=True))
    there = exchanged(None, None, old)
    assert keys(exchanged(there, old, new)) == ["c", "a", "b"]


def test_a_container_with_presence_needs_no_leaf() -> None:
    empty = box(Container())
    assert exchanged(None, None, empty) == empty
    assert exchanged(empty, empty, None) is None


def test_an_entry_that_only_state_holds_keeps_its_keys() -> None:
    entry = Container({"name": "a", "config": Container({"mtu": 1}), "state": Container({"up": True})})
    config = Container({"name": "a", "config": Container({"mtu": 1})})
    left = without(entry, config, ("name",))
    assert left == Container({"name": "a", "state": Container({"up": True})})
    assert without(config, config, ("name",)) is None


@settings(deadline=None)
@given(roots, roots, st.booleans())
def test_without_state_the_tree_is_the_configuration(old: Container, new: Container, again: bool) -> None:
    there = exchanged(exchanged(None, None, old), old, new)
    assert isinstance(there, Container)
    assert dict(leaves(there, ROOT)) == dict(leaves(new, ROOT))
    if again:
        assert exchanged(there, new, new) is there
