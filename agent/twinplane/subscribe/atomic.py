"""Containers whose leaves travel together (gNMI 2.1.1, 3.5.2.5), told apart from what travels leaf by leaf.

One message then holds all leaves of such a container that are subscribed, and stands for the whole: what it
leaves out is gone. The end of the container is an ordinary delete.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeVar

from twinplane.schema.compile import DEFAULT_ORIGIN, Schemas
from twinplane.state.change import Change, Part, compare
from twinplane.subscribe.match import Subscriptions, children
from twinplane.subscribe.parcel import Parcel, parcels
from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.query import get
from twinplane_wire.path import Elem, Path

T = TypeVar("T")
Found = tuple[tuple[Elem, ...], Container]

EXTENSION = "telemetry-atomic"  # ours and that of openconfig-extensions have the same name


class Marks:
    """Where in one schema atomic containers are, as a tree of names; a mark below a mark means nothing."""

    __slots__ = ("atomic", "below")

    def __init__(self, paths: Iterable[tuple[str, ...]] = ()) -> None:
        self.atomic = False
        self.below: dict[str, Marks] = {}
        for path in paths:
            mark = self
            for name in path:
                mark = mark.below.setdefault(name, Marks())
            mark.atomic = True

    def of(self, path: Path) -> Path | None:
        """The atomic container at or above a concrete path, None where there is none."""
        mark = self
        for position, elem in enumerate(path.elems):
            found = mark.below.get(elem.name)
            if found is None:
                return None
            if found.atomic:
                return Path(path.elems[: position + 1], path.origin)
            mark = found
        return None


class Divided(NamedTuple):
    """What one change means where there are atomic containers: changes that any stream takes as they come
    (those of whole containers say `atomic`), and by container deletes within it, which are for a stream that
    gets nothing else of it."""

    changes: tuple[Change, ...]
    within: tuple[tuple[Path, Change], ...] = ()


def marked(schemas: Schemas) -> dict[str, Marks]:
    """The marks of every origin that has some; the default origin is the empty one."""
    found: dict[str, Marks] = {}
    for origin, table in schemas.tables.items():
        paths = [node.path for node in table.nodes() if EXTENSION in node.extensions]
        if paths:
            found["" if origin == DEFAULT_ORIGIN else origin] = Marks(paths)
    return found


def apart(node: Container, marks: Marks) -> tuple[Container, Sequence[Found]]:
    """A tree without its atomic containers, and these by their place in it. Kept with the node."""
    memo = node.memo
    if memo is None:
        memo = node.memo = {}
    kept: tuple[Container, Sequence[Found]] | None = memo.get(marks)
    if kept is None:
        kept = memo[marks] = _apart(node, marks)
    return kept


def whole(path: Path, node: Container, time: int) -> Change:
    """An atomic container with all it has."""
    return Change(path, time, tuple(compare(path, None, node)[0]), atomic=True)


def divide(change: Change, marks: Marks, root: Container) -> Divided:
    """Take the atomic containers out of a change; `root` is the tree after it."""
    parts: list[Part] = []
    deletes: list[Path] = []
    touched: dict[Path, list[Path]] = {}
    for part in change.parts:
        unit = marks.of(part.container)
        if unit is None:
            parts.append(part)
        else:
            touched.setdefault(unit, [])
    for gone in change.deletes:
        unit = marks.of(gone)
        if unit is None or unit == gone:
            deletes.append(gone)
        else:
            touched.setdefault(unit, []).append(gone)
    if not touched:
        return Divided((change,))
    wholes: list[Change] = []
    within: list[tuple[Path, Change]] = []
    for unit, gone_within in touched.items():
        node = get(root, unit)
        now = whole(unit, node, change.time) if isinstance(node, Container) else None
        if now is None or not now.parts:
            deletes.append(unit)
            continue
        wholes.append(now)
        if gone_within:
            inner = Change(change.object, change.time, (), tuple(gone_within), change.before)
            within.append((unit, inner))
    if parts or deletes:
        rest = Change(change.object, change.time, tuple(parts), tuple(deletes), change.before)
        wholes.insert(0, rest)
    return Divided(tuple(wholes), tuple(within))


def shared(
    subscriptions: Subscriptions[T], changes: Iterable[Change], marks: Marks | None, root: Container
) -> Iterator[tuple[T, Parcel]]:
    """What each member gets of a pass, atomic containers as wholes; `root` is the tree after the pass."""
    if marks is None:
        yield from parcels(subscriptions, changes)
        return
    divided = [divide(change, marks, root) for change in changes]
    served: set[tuple[T, Path]] = set()
    for member, parcel in parcels(subscriptions, [each for one in divided for each in one.changes]):
        served.update((member, offer.change.object) for offer in parcel.offers if offer.change.atomic)
        yield member, parcel
    for unit, change in [each for one in divided for each in one.within]:
        for member, parcel in parcels(subscriptions, [change]):
            if (member, unit) not in served:
                yield member, parcel


def _apart(node: Container, marks: Marks) -> tuple[Container, Sequence[Found]]:
    kept = dict(node.children)
    found: list[Found] = []
    for name, mark in marks.below.items():
        child = node.children.get(name)
        if child is None:
            continue
        if mark.atomic:
            del kept[name]
        elif (rest := _rest(name, child, mark, found)) is not child:
            kept[name] = rest
        if mark.atomic and isinstance(child, Container):
            found.append(((Elem(name),), child))
    if not found and len(kept) == len(node.children):
        return node, ()
    return Container(kept), tuple(found)


def _rest(name: str, child: Node, mark: Marks, found: list[Found]) -> Node:
    """A child without what is atomic below it, which is added to `found`."""
    kept: dict[tuple[str, ...], Container] = {}
    for keys, entry in children(child):
        if isinstance(entry, Container):
            rest, below = apart(entry, mark)
            found += [((Elem(name, keys), *elems), node) for elems, node in below]
            if not isinstance(child, Entries):
                return rest
            kept[tuple(value for _, value in keys)] = rest
    return Entries(child.key_names, kept, child.ordered) if isinstance(child, Entries) else child
