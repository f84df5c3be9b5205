"""Selecting by path: wildcards, keys left out, concrete results."""

from hypothesis import given

from twinplane.tree.node import Container
from twinplane.tree.query import get, leaves, select
from twinplane_wire.path import ROOT, Path, parse
from unit.tree.test_edit import BOX
from unit.tree.trees import roots


def selected(path: str) -> list[str]:
    return [str(found) for found, _ in select(BOX, parse(path))]


def test_the_root_selects_itself() -> None:
    assert selected("/") == ["/"]


def test_a_list_without_keys_gives_its_entries_with_keys() -> None:
    assert selected("/boxes/box") == ["/boxes/box[name=p]", "/boxes/box[name=q]"]
    assert selected("/boxes/box[name=*]") == selected("/boxes/box")


def test_some_keys_match_all_values_of_the_others_in_any_order() -> None:
    assert selected("/pairs/pair[unit=0]") == ["/pairs/pair[name=a][unit=0]", "/pairs/pair[name=b][unit=0]"]
    assert selected("/pairs/pair[unit=1][name=a]") == ["/pairs/pair[name=a][unit=1]"]
    assert selected("/pairs/pair[nokey=1]") == []


def test_star_is_one_level() -> None:
    assert selected("/*/leaf") == ["/other/leaf"]
    assert selected("/boxes/*/config/size") == [
        "/boxes/box[name=p]/config/size",
        "/boxes/box[name=q]/config/size",
    ]
    assert selected("/*/*/*/*") == [str(path) for path, _ in leaves(BOX, ROOT) if len(path.elems) == 4]


def test_dots_are_any_number_of_levels_and_each_node_comes_once() -> None:
    assert selected("/.../size") == ["/boxes/box[name=p]/config/size", "/boxes/box[name=q]/config/size"]
    assert selected("/other/.../leaf") == ["/other/leaf"]
    twice = selected("/.../.../v")
    assert len(twice) == len(set(twice)) == 3


def test_what_is_not_there_selects_nothing() -> None:
    assert selected("/boxes/box[name=zz]/config") == []
    assert selected("/other/leaf/below") == []
    assert selected("/other[name=x]") == []


def test_get_is_exact() -> None:
    assert get(BOX, parse("/pairs/pair[unit=1][name=a]/v")) == 2
    assert get(BOX, parse("/pairs/pair[name=a][unit=9]")) is None
    assert get(BOX, parse("/other/leaf/below")) is None
    assert get(BOX, parse("/other[name=x]")) is None


@given(roots)
def test_every_leaf_is_found_again_by_its_path_and_by_dots(root: Container) -> None:
    everything = dict(leaves(root, ROOT))
    for path, value in everything.items():
        assert get(root, path) is value
        assert list(select(root, path)) == [(path, value)]
    for path, _ in select(root, Path(parse("/...").elems)):
        assert path == ROOT or get(root, path) is not None
    assert {path for path, node in select(root, parse("/.../a")) if not isinstance(node, Container)} == {
        path for path in everything if path.elems[-1].name == "a"
    }
