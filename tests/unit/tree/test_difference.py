"""Differences as edits: they lead where they should, and leave alone what they are not about."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.tree.diff import reordered
from twinplane.tree.difference import difference
from twinplane.tree.edit import Edit, Operation, apply
from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.query import get
from twinplane_wire.path import ROOT, parse
from unit.tree.trees import roots

PRESENCE = frozenset({("box", "wanted"), ("box", "row", "wanted")})
ORDERED = frozenset({("box", "row"), ("box", "many")})
VALUES = st.integers(0, 2)


def row(key: str, children: dict[str, Node]) -> tuple[tuple[str], Container]:
    return (key,), Container({"k": key, **children})


WANTED = st.dictionaries(st.just("leaf"), VALUES).map(Container)
ROW = st.fixed_dictionaries({}, optional={"a": VALUES, "wanted": WANTED})
ROWS = (
    st.permutations("123456")
    .flatmap(lambda keys: st.integers(1, 6).map(lambda count: keys[:count]))
    .flatmap(lambda keys: st.tuples(*(ROW.map(lambda children, key=key: row(key, children)) for key in keys)))
    .map(lambda made: Entries(("k",), dict(made), ordered=True))
)
MANY = st.permutations((1, 2, 3)).map(tuple)
BOX = st.fixed_dictionaries({}, optional={"a": VALUES, "wanted": WANTED, "row": ROWS, "many": MANY})
BOXES = BOX.map(lambda box: Container({"box": Container(box)} if box else {}))


def led(before: Container, edits: tuple[Edit, ...]) -> Container:
    return apply(before, edits, presence=PRESENCE, ordered=ORDERED)


@given(BOXES, BOXES)
def test_the_edits_lead_there_with_order_presence_and_bare_entries(old: Container, new: Container) -> None:
    assert led(old, difference(old, new, PRESENCE)) == new


@given(roots, roots)
def test_the_edits_lead_there_through_lists_in_lists(old: Container, new: Container) -> None:
    assert apply(old, difference(old, new, frozenset())) == new


@given(BOXES)
def test_there_is_none_where_nothing_differs(tree: Container) -> None:
    assert difference(tree, Container(dict(tree.children)), PRESENCE) == ()


@given(BOXES, BOXES)
def test_what_both_have_in_common_is_left_alone(old: Container, new: Container) -> None:
    """Another leaf beside is there before and after."""
    beside = Edit(Operation.REPLACE, parse("/box/beside"), 7)
    changed = led(led(old, (beside,)), difference(old, new, PRESENCE))
    assert changed == led(new, (beside,))


def order(tree: Container) -> list[str]:
    listed = get(tree, parse("/box/row"))
    return [key for (key,) in listed.entries] if isinstance(listed, Entries) else []


def test_an_order_is_carried_over_to_a_list_with_more_entries() -> None:
    before, after, other = (
        Container({"box": Container({"row": Entries(("k",), dict(row(key, {}) for key in keys), True)})})
        for keys in ("123", "31", "12934")
    )
    assert order(led(other, difference(before, after, PRESENCE))) == ["3", "1", "9", "4"]
    assert [str(path) for path in reordered(before, after, ROOT)] == ["/box/row"]
    assert not list(reordered(before, other, ROOT))
