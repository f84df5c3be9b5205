"""Strategies for trees: any subset of a pool of leaves with containers, a list of one key and one of two."""

from typing import Any

from hypothesis import strategies as st

from twinplane.tree.node import Container, Entries
from twinplane_wire.path import Path, parse

VALUES = st.one_of(st.integers(0, 2), st.booleans(), st.sampled_from(["", "x"]))
LEAF_LISTS = st.lists(st.integers(0, 4), min_size=1, max_size=3, unique=True).map(tuple)

POOL = tuple(
    parse(text)
    for top in ("/one", "/two")
    for text in (
        f"{top}/leaf",
        f"{top}/many",
        f"{top}/inner/a",
        f"{top}/inner/deep/b",
        *(f"{top}/row[k={key}]/{rest}" for key in "12" for rest in ("a", "config/a", "config/many")),
        *(f"{top}/pair[k={key}][l={other}]/config/b" for key in "12" for other in "12"),
        *(f"{top}/inner/row[k={key}]/row[k={other}]/a" for key in "12" for other in "12"),
    )
)


def build(leaves: dict[Path, Any]) -> Container:
    """The tree that holds exactly these leaves, made in the plainest way there is."""
    root = Container({})
    for path, value in leaves.items():
        node: Any = root
        for name, keys in path.elems[:-1]:
            if keys:
                listed = node.children.setdefault(name, Entries(tuple(key for key, _ in keys), {}))
                row = Container(dict(keys))
                node = listed.entries.setdefault(tuple(text for _, text in keys), row)
            else:
                node = node.children.setdefault(name, Container({}))
        node.children[path.elems[-1].name] = value
    return root


def _leaf(path: Path) -> st.SearchStrategy[tuple[Path, Any]]:
    return st.tuples(st.just(path), LEAF_LISTS if path.elems[-1].name == "many" else VALUES)


leaf = st.sampled_from(POOL).flatmap(_leaf)
roots = st.lists(leaf, max_size=6).map(dict).map(build)
INNER = st.sampled_from(["a", "b", "config"])
subtrees = st.dictionaries(INNER, VALUES, min_size=1, max_size=2).map(Container)
