"""Edits: what gNMI says that delete, replace and update do, and that nothing else moves."""

import copy
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.tree.diff import diff
from twinplane.tree.edit import Edit, Operation, apply
from twinplane.tree.node import EMPTY_ROOT, Container, Entries, Node
from twinplane.tree.query import get, leaves, select
from twinplane_wire.path import ROOT, parse
from unit.tree.trees import POOL, roots, subtrees

DELETE, REPLACE, UPDATE = Operation.DELETE, Operation.REPLACE, Operation.UPDATE


def tree(value: Any) -> Any:
    """Nested dicts to nodes; a dict whose keys are tuples is a list keyed by `name`."""
    if not isinstance(value, dict):
        return value
    if value and all(isinstance(key, tuple) for key in value):
        names = ("name", "unit")[: len(next(iter(value)))]
        rows = {
            key: Container({**dict(zip(names, key, strict=True)), **tree(row).children})
            for key, row in value.items()
        }
        return Entries(names, rows)
    return Container({name: tree(child) for name, child in value.items()})


def edit(operation: Operation, path: str, value: Any = None) -> Edit:
    parsed = parse(path)
    entries = tuple(
        Container({**dict(elem.keys), "config": Container(dict(elem.keys))})
        for elem in parsed.elems
        if elem.keys
    )
    return Edit(operation, parsed, None if value is None else tree(value), entries)


BOX = tree(
    {
        "boxes": {
            "box": {
                ("p",): {"config": {"name": "p", "size": 1, "tags": (1, 2)}},
                ("q",): {"config": {"name": "q", "size": 2}},
            }
        },
        "pairs": {"pair": {("a", "0"): {"v": 1}, ("a", "1"): {"v": 2}, ("b", "0"): {"v": 3}}},
        "other": {"leaf": True},
    }
)


def test_update_merges_and_removes_nothing() -> None:
    after = apply(BOX, [edit(UPDATE, "/boxes/box[name=p]/config", {"size": 7})])
    assert get(after, parse("/boxes/box[name=p]/config")) == tree({"name": "p", "size": 7, "tags": (1, 2)})


def test_update_of_a_list_without_keys_merges_entries_and_adds_new_ones() -> None:
    after = apply(
        BOX, [edit(UPDATE, "/boxes/box", {("q",): {"config": {"size": 9}}, ("r",): {"config": {"size": 5}}})]
    )
    assert get(after, parse("/boxes/box[name=q]/config")) == tree({"name": "q", "size": 9})
    assert get(after, parse("/boxes/box[name=r]/config/size")) == 5
    assert get(after, parse("/boxes/box[name=p]")) is get(BOX, parse("/boxes/box[name=p]"))


def test_replace_drops_what_the_payload_does_not_name() -> None:
    after = apply(BOX, [edit(REPLACE, "/boxes/box[name=p]/config", {"name": "p", "size": 3})])
    assert get(after, parse("/boxes/box[name=p]/config")) == tree({"name": "p", "size": 3})


def test_replace_of_a_list_removes_entries_not_listed() -> None:
    after = apply(BOX, [edit(REPLACE, "/boxes/box", {("r",): {"config": {"size": 5}}})])
    assert [str(path) for path, _ in select(after, parse("/boxes/box"))] == ["/boxes/box[name=r]"]


def test_missing_entries_come_with_their_keys_and_mirrors() -> None:
    after = apply(EMPTY_ROOT, [edit(UPDATE, "/boxes/box[name=n]/config/size", 4)])
    assert get(after, parse("/boxes/box[name=n]")) == tree({"name": "n", "config": {"name": "n", "size": 4}})


def test_a_replaced_entry_has_its_keys_even_if_the_payload_leaves_them_out() -> None:
    after = apply(EMPTY_ROOT, [edit(REPLACE, "/boxes/box[name=n]", {"config": {"size": 4}})])
    assert get(after, parse("/boxes/box[name=n]")) == tree({"name": "n", "config": {"name": "n", "size": 4}})


def test_leaf_list_update_is_a_union_unless_asked_otherwise() -> None:
    change = [edit(UPDATE, "/boxes/box[name=p]/config/tags", (2, 3))]
    path = parse("/boxes/box[name=p]/config/tags")
    assert get(apply(BOX, change), path) == (1, 2, 3)
    assert get(apply(BOX, change, union_leaf_lists=False), path) == (2, 3)
    assert get(apply(BOX, [edit(REPLACE, str(path), (2,))]), path) == (2,)


def test_edits_apply_in_the_order_given() -> None:
    first = edit(REPLACE, "/other/leaf", 1)
    second = edit(REPLACE, "/", {"fresh": {"x": 1}})
    assert get(apply(BOX, [first, second]), parse("/other")) is None
    assert get(apply(BOX, [second, first]), parse("/other/leaf")) == 1


def test_delete_expands_wildcards_and_missing_keys() -> None:
    def left(path: str) -> list[tuple[str, ...]]:
        pairs = get(apply(BOX, [edit(DELETE, path)]), parse("/pairs/pair"))
        return list(pairs.entries) if isinstance(pairs, Entries) else []

    assert left("/pairs/pair[name=a]") == [("b", "0")]
    assert left("/pairs/pair[unit=0]") == [("a", "1")]
    assert left("/pairs/pair[name=*][unit=0]") == [("a", "1")]
    assert left("/pairs/pair") == []
    assert left("/*/pair[name=b]") == [("a", "0"), ("a", "1")]
    assert left("/.../pair[name=b]") == [("a", "0"), ("a", "1")]
    assert [
        str(p) for p, _ in leaves(apply(BOX, [edit(DELETE, "/.../size")]), ROOT) if p.elems[-1].name == "size"
    ] == []


def test_delete_prunes_what_it_empties_but_keeps_presence_containers() -> None:
    small = tree({"top": {"mid": {"leaf": 1}}})
    assert apply(small, [edit(DELETE, "/top/mid/leaf")]) == EMPTY_ROOT
    kept = apply(small, [edit(DELETE, "/top/mid/leaf")], presence=frozenset({("top", "mid")}))
    assert kept == tree({"top": {"mid": {}}})


def test_an_entry_stays_when_its_last_leaf_but_the_key_goes() -> None:
    after = apply(BOX, [edit(DELETE, "/boxes/box[name=q]/config")])
    assert get(after, parse("/boxes/box[name=q]")) == tree({"name": "q"})


def test_deleting_nothing_returns_the_very_root() -> None:
    assert apply(BOX, [edit(DELETE, "/boxes/box[name=zz]"), edit(DELETE, "/nope/*")]) is BOX


def test_empty_payloads_leave_no_empty_nodes() -> None:
    assert apply(BOX, [edit(REPLACE, "/other", {})]).get("other") is None
    assert apply(EMPTY_ROOT, [edit(UPDATE, "/x", {"y": {"z": {}}})]) == EMPTY_ROOT


def test_delete_then_recreate_is_no_difference() -> None:
    path = parse("/boxes/box[name=p]")
    again = [edit(DELETE, str(path)), Edit(UPDATE, path, get(BOX, path), (Container({"name": "p"}),))]
    assert not diff(BOX, apply(BOX, again))


def test_the_rest_is_shared() -> None:
    after = apply(BOX, [edit(UPDATE, "/boxes/box[name=p]/config/size", 9)])
    assert after.get("other") is BOX.get("other")
    assert after.get("pairs") is BOX.get("pairs")
    assert get(after, parse("/boxes/box[name=q]")) is get(BOX, parse("/boxes/box[name=q]"))


def test_many_edits_below_one_entry_do_not_change_an_earlier_result() -> None:
    first = apply(BOX, [edit(UPDATE, "/boxes/box[name=p]/config/size", 9)])
    apply(
        first,
        [edit(UPDATE, "/boxes/box[name=p]/config/size", 10), edit(UPDATE, "/boxes/box[name=p]/config/z", 1)],
    )
    assert get(first, parse("/boxes/box[name=p]/config")) == tree({"name": "p", "size": 9, "tags": (1, 2)})


@given(roots, roots)
def test_replacing_the_root_gives_the_payload_and_shares(old: Container, new: Container) -> None:
    after = apply(old, [Edit(REPLACE, ROOT, new)])
    assert after == new
    if old == new:
        assert after is old


@given(roots)
def test_replacing_a_tree_with_itself_is_no_change(root: Container) -> None:
    assert apply(root, [Edit(REPLACE, ROOT, copy.deepcopy(root))]) is root
    assert apply(root, [Edit(UPDATE, ROOT, root)]) is root


@st.composite
def edits(draw: st.DrawFn, root: Container) -> Edit:
    """An edit of a path that exists, or of one that might."""
    path = draw(st.sampled_from([*POOL, *(path for path, _ in leaves(root, ROOT))]))
    path = path._replace(elems=path.elems[: draw(st.integers(1, len(path.elems)))])
    operation = draw(st.sampled_from(Operation))
    if operation is DELETE:
        return Edit(operation, path)
    keys = path.elems[-1].keys
    value: Node = 1
    if keys or isinstance(get(root, path), Container) or path.elems[-1].name in ("one", "config", "inner"):
        value = Container({**draw(subtrees).children, **dict(keys)})
    rows = tuple(Container(dict(elem.keys)) for elem in path.elems if elem.keys)
    return Edit(operation, path, value, rows)


@given(st.data(), roots)
@settings(max_examples=150)
def test_edits_one_by_one_and_together_agree_and_never_mutate(data: st.DataObject, root: Container) -> None:
    before = copy.deepcopy(root)
    batch = []
    stepwise = root
    for _ in range(3):
        one = data.draw(edits(stepwise))
        batch.append(one)
        stepwise = apply(stepwise, [one])
    assert apply(root, batch) == stepwise
    assert root == before
    assert not _empties(stepwise)


def _empties(node: Node) -> bool:
    if isinstance(node, Container):
        return any(
            (isinstance(child, Container) and not child.children)
            or (isinstance(child, Entries) and not child.entries)
            or _empties(child)
            for child in node.children.values()
        )
    return isinstance(node, Entries) and any(_empties(entry) for entry in node.entries.values())


def test_in_a_list_of_the_user_a_new_order_is_a_change() -> None:
    ordered = frozenset({("top", "queue", "item")})
    rows = {(key,): Container({"name": key}) for key in "abc"}
    turned = {(key,): Container({"name": key}) for key in "cab"}
    queue = Container({"item": Entries(("name",), rows, True)})
    box = Container({"top": Container({"queue": queue})})
    again = Edit(REPLACE, parse("/top/queue"), Container({"item": Entries(("name",), dict(rows), True)}))
    assert apply(box, [again], ordered=ordered) is box
    other = Edit(REPLACE, parse("/top/queue"), Container({"item": Entries(("name",), turned, True)}))
    after = apply(box, [other], ordered=ordered)
    listed = get(after, parse("/top/queue/item"))
    assert isinstance(listed, Entries) and [key for (key,) in listed.entries] == ["c", "a", "b"]
    assert [str(change.path) for change in diff(box, after).objects] == ["/top/queue"]


def test_in_a_list_of_the_system_a_new_order_is_no_change() -> None:
    turned = Entries(("name",), dict(reversed(list(get(BOX, parse("/boxes/box")).entries.items()))))  # type: ignore[union-attr]
    assert not diff(BOX, apply(BOX, [Edit(REPLACE, parse("/boxes/box"), turned)]))


def test_a_list_of_the_user_is_one_from_its_first_entry() -> None:
    ordered = frozenset({("queue", "item")})
    after = apply(EMPTY_ROOT, [edit(UPDATE, "/queue/item[name=a]", {"v": 1})], ordered=ordered)
    listed = get(after, parse("/queue/item"))
    assert isinstance(listed, Entries) and listed.ordered


def test_update_overwrites_a_leaf_list_in_the_order_of_the_user() -> None:
    path = parse("/boxes/box[name=p]/config/tags")
    ordered = frozenset({("boxes", "box", "config", "tags")})
    change = [edit(UPDATE, str(path), (2, 3, 1))]
    assert get(apply(BOX, change, ordered=ordered), path) == (2, 3, 1)
    change = [edit(UPDATE, "/boxes/box[name=p]/config", {"tags": (2, 1)})]
    assert get(apply(BOX, change, ordered=ordered), path) == (2, 1)
