"""Cutting a tree off below a number of levels."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.tree.node import Container, Entries
from twinplane.tree.prune import prune
from twinplane.tree.query import leaves
from twinplane_wire.path import ROOT
from unit.tree.trees import roots

BASKET = Container(
    {
        "contents": ("fruits", "vegetables"),
        "fruits": Entries(
            ("name",),
            {
                ("apple",): Container({"name": "apple", "origin": Container({"country": "NL"})}),
                ("pear",): Container({"name": "pear"}),
            },
            True,
        ),
        "description": Container({"fabric": "cotton"}),
    }
)


def test_one_level_has_leaves_and_leaf_lists() -> None:
    assert prune(BASKET, 1) == Container({"contents": ("fruits", "vegetables")})


def test_an_entry_is_one_level() -> None:
    rows = {("apple",): Container({"name": "apple"}), ("pear",): Container({"name": "pear"})}
    assert prune(BASKET, 2) == Container({**BASKET.children, "fruits": Entries(("name",), rows, True)})
    assert prune(BASKET.children["fruits"], 1) == Entries(("name",), rows, True)


def test_what_has_nothing_at_a_level_is_nothing_and_a_leaf_is_itself() -> None:
    assert prune(Container({"deep": Container({"leaf": 1})}), 1) is None
    assert prune("leaf", 1) == "leaf"


@given(roots, st.integers(1, 4))
def test_all_leaves_within_the_levels_and_no_others(root: Container, levels: int) -> None:
    kept = prune(root, levels)
    wanted = {path: leaf for path, leaf in leaves(root, ROOT) if len(path.elems) <= levels}
    assert dict(leaves(kept, ROOT) if kept is not None else ()) == wanted
