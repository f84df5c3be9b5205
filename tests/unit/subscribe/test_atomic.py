"""Trees and changes with atomic containers taken out of them."""

from twinplane.state.change import Change, compare
from twinplane.subscribe.atomic import Marks, apart, divide, shared
from twinplane.subscribe.match import Subscriptions
from twinplane.tree.node import Container, Entries
from twinplane_wire.path import Path, parse

MARKS = Marks([("a", "l", "box"), ("a", "l", "box", "inner")])


def entry(name: str, **box: int | Container) -> Container:
    return Container({"k": name, "plain": 1, **({"box": Container(box)} if box else {})})


def tree(*entries: Container) -> Container:
    return Container({"a": Container({"l": Entries(("k",), {(str(one.get("k")),): one for one in entries})})})


def test_a_tree_and_what_is_atomic_in_it() -> None:
    root = tree(entry("x", left=1, inner=Container({"deep": 2})), entry("y"))
    rest, found = apart(root, MARKS)
    assert rest == tree(entry("x"), entry("y"))
    ((elems, node),) = found
    assert str(Path(elems)) == "/a/l[k=x]/box"
    assert node == Container({"left": 1, "inner": Container({"deep": 2})})
    assert apart(root, MARKS)[0] is rest  # kept
    plain = tree(entry("y"))
    assert apart(plain, MARKS) == (plain, ())


def change(before: Container, after: Container) -> Change:
    path = parse("/a/l[k=x]")
    old, new = (root.children["a"].children["l"].entries.get(("x",)) for root in (before, after))  # type: ignore[union-attr]
    parts, deletes = compare(path, old, new)
    return Change(path, 7, tuple(parts), tuple(deletes), old if deletes else None)


def test_a_change_within_means_the_whole() -> None:
    before, after = tree(entry("x", left=1, right=2)), tree(entry("x", left=3, right=2))
    (whole,), within = divide(change(before, after), MARKS, after)
    assert (str(whole.object), whole.atomic, whole.time) == ("/a/l[k=x]/box", True, 7)
    assert dict(whole.updates) == {
        parse("/a/l[k=x]/box/left"): 3,
        parse("/a/l[k=x]/box/right"): 2,
    }
    assert not within


def test_what_is_outside_stays_as_it_is() -> None:
    before, after = tree(entry("x")), tree(Container({"k": "x", "plain": 2}))
    same = change(before, after)
    assert divide(same, MARKS, after) == ((same,), ())


def members(before: Container, after: Container, *paths: str) -> dict[str, tuple[list[str], list[str]]]:
    """By subscriber (its path): leaves and deletes it gets."""
    subscriptions: Subscriptions[str] = Subscriptions()
    for path in paths:
        subscriptions.add(parse(path), path)
    got: dict[str, tuple[list[str], list[str]]] = {}
    for member, parcel in shared(subscriptions, [change(before, after)], MARKS, after):
        leaves, deletes = got.setdefault(member, ([], []))
        for offer in parcel.offers:
            leaves += [f"{part.container.child(part.leaves[at][0])}" for part, at in offer.leaves()]
            deletes += [str(path) for path in offer.deletes]
    return got


BOX = "/a/l[k=x]/box"


def test_who_has_nothing_left_gets_the_delete_and_others_the_rest() -> None:
    before, after = tree(entry("x", left=1, right=2)), tree(entry("x", right=2))
    got = members(before, after, "/a", BOX, f"{BOX}/left", f"{BOX}/right")
    assert got == {
        "/a": ([f"{BOX}/right"], []),
        BOX: ([f"{BOX}/right"], []),
        f"{BOX}/right": ([f"{BOX}/right"], []),
        f"{BOX}/left": ([], [f"{BOX}/left"]),
    }


def test_the_end_of_all_its_leaves_is_its_own() -> None:
    before = tree(entry("x", left=1))
    after = tree(Container({"k": "x", "plain": 1, "box": Container()}))
    got = members(before, after, "/a", f"{BOX}/left")
    assert got == {"/a": ([], [BOX]), f"{BOX}/left": ([], [f"{BOX}/left"])}
