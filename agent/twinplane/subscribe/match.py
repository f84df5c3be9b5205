"""The tree of subscriptions: which subscribers a change concerns, and with which of its leaves.

One step down the tree per path element, whatever the number of subscribers: those who want the same path
stand in the same node. The same tree drives the walk over current values (`walk.py`).
"""

from collections.abc import Iterable, Iterator
from typing import Generic, TypeAlias, TypeVar

from twinplane.state.change import Change, Part
from twinplane.tree.node import Container, Entries, Node
from twinplane_wire.path import Elem, Path

T = TypeVar("T")
Keys: TypeAlias = tuple[tuple[str, str], ...]

ANY = "*"
DEEP = "..."


class Point(Generic[T]):
    """A node of the tree: the subscribers of exactly this pattern, and the longer patterns."""

    __slots__ = ("exact", "members", "wild")

    def __init__(self) -> None:
        self.members: dict[T, int] = {}  # how many subscriptions of each end here
        self.exact: dict[Elem, Point[T]] = {}  # a name with its keys; without keys all entries of a list
        self.wild: dict[Elem, Point[T]] = {}

    @property
    def bare(self) -> bool:
        """True when nothing is subscribed at this point or below it."""
        return not (self.members or self.exact or self.wild)

    def branch(self, elem: Elem) -> "dict[Elem, Point[T]]":
        """Where the point for a further pattern element belongs."""
        wild = elem.name in (ANY, DEEP) or any(value == ANY for _, value in elem.keys)
        return self.wild if wild else self.exact


Points: TypeAlias = tuple[Point[T], ...]


class Subscriptions(Generic[T]):
    """The subscriptions of one origin. Paths name either all keys of a list (``*`` for any) or none."""

    def __init__(self) -> None:
        self.top: Point[T] = Point()

    def add(self, path: Path, member: T) -> None:
        """`member` wants what `path` selects."""
        point = self.top
        for elem in path.elems:
            point = point.branch(elem).setdefault(elem, Point())
        point.members[member] = point.members.get(member, 0) + 1

    def discard(self, path: Path, member: T) -> None:
        """Undo one `add`."""
        trail = [self.top]
        for elem in path.elems:
            below = trail[-1].branch(elem).get(elem)
            if below is None:
                return
            trail.append(below)
        count = trail[-1].members.pop(member, 0)
        if count > 1:
            trail[-1].members[member] = count - 1
        for point, elem in zip(reversed(trail[:-1]), reversed(path.elems), strict=True):
            if not point.branch(elem)[elem].bare:
                return
            del point.branch(elem)[elem]

    def start(self) -> Points[T]:
        """The points at the root."""
        return _with_skipped([self.top])


def step(points: Points[T], name: str, keys: Keys = ()) -> Points[T]:
    """The points one data node further down; `keys` are those of a list entry, in schema order."""
    found: list[Point[T]] = []
    for point in points:
        if (below := point.exact.get(Elem(name, keys))) is not None:
            found.append(below)
        if keys and (below := point.exact.get(Elem(name))) is not None:
            found.append(below)
        for pattern, below in point.wild.items():
            if pattern.name == DEEP:
                stays: Point[T] = Point()  # any number of levels: the same pattern holds one further down
                stays.wild[pattern] = below
                found.append(stays)
            elif pattern.name in (name, ANY) and _fits(pattern.keys, keys):
                found.append(below)
    return _with_skipped(found) if found else ()


def _with_skipped(points: list[Point[T]]) -> Points[T]:
    """With each point also those behind a ``...`` that stands for no level."""
    for point in points:  # grows on the way
        points.extend(below for pattern, below in point.wild.items() if pattern.name == DEEP)
    return tuple(points)


def _fits(pattern: Keys, keys: Keys) -> bool:
    if not pattern:
        return True
    given = dict(keys)
    return bool(keys) and all(value in (ANY, given.get(name)) for name, value in pattern)


def live(points: Points[T]) -> Points[T]:
    """The points below which something is subscribed."""
    return tuple([point for point in points if point.exact or point.wild])


class Selection:
    """The part of a change that concerns one subscriber: whole parts, some leaves of a part (by position),
    and deletes no higher than what is subscribed."""

    __slots__ = ("deletes", "leaves", "parts")

    def __init__(self) -> None:
        self.parts: dict[int, None] = {}
        self.leaves: dict[int, dict[int, None]] = {}
        self.deletes: dict[Path, None] = {}


Match: TypeAlias = dict[Point[T], Selection | None]
"""By point with members; None stands for the whole change."""


def match(subscriptions: Subscriptions[T], change: Change) -> Match[T]:
    """What of a change is selected at each point that has members."""
    found: Match[T] = {}
    points = subscriptions.start()
    for elem in change.object.elems:
        _whole(points, found)
        points = step(live(points), elem.name, elem.keys)
        if not points:
            return found
    _whole(points, found)
    points = live(points)
    if points:
        depth = len(change.object.elems)
        for index, part in enumerate(change.parts):
            _match_part(points, part, index, depth, found)
        for gone in change.deletes:
            _match_delete(points, gone, depth, change, found)
    return found


def union(change: Change, selections: Iterable[Selection | None]) -> Selection | None:
    """What is selected by at least one of several selections of the same change."""
    joined = Selection()
    for selection in selections:
        if selection is None:
            return None
        joined.parts |= selection.parts
        for index, positions in selection.leaves.items():
            joined.leaves.setdefault(index, {}).update(positions)
        for path in selection.deletes:
            if not any(held.is_prefix_of(path) for held in joined.deletes):
                for below in [held for held in joined.deletes if path.is_prefix_of(held)]:
                    del joined.deletes[below]
                joined.deletes[path] = None
    for index in joined.parts:
        joined.leaves.pop(index, None)
    if len(joined.parts) == len(change.parts) and len(joined.deletes) == len(change.deletes):
        return None if all(path in joined.deletes for path in change.deletes) else joined
    return joined


def _whole(points: Points[T], found: Match[T]) -> None:
    for point in points:
        if point.members:
            found[point] = None


def _selections(points: Points[T], found: Match[T]) -> Iterator[Selection]:
    for point in points:
        if point.members:
            selection = found.setdefault(point, Selection())
            if selection is not None:
                yield selection


def _match_part(points: Points[T], part: Part, index: int, depth: int, found: Match[T]) -> None:
    for elem in part.container.elems[depth:]:
        points = step(points, elem.name, elem.keys)
        for selection in _selections(points, found):
            selection.parts[index] = None
        points = live(points)
        if not points:
            return
    for position, (name, _) in enumerate(part.leaves):
        for selection in _selections(step(points, name), found):
            if index not in selection.parts:
                selection.leaves.setdefault(index, {})[position] = None


def _match_delete(points: Points[T], gone: Path, depth: int, change: Change, found: Match[T]) -> None:
    for elem in gone.elems[depth:]:
        points = step(points, elem.name, elem.keys)
        for selection in _selections(points, found):
            selection.deletes[gone] = None
        points = live(points)
        if not points:
            return
    node = _node_at(change.before, gone.elems[depth:])
    if node is not None:
        for selection, path in _below(points, node, gone, found):
            if not any(held.is_prefix_of(path) for held in selection.deletes):
                selection.deletes[path] = None


def _below(points: Points[T], node: Node, path: Path, found: Match[T]) -> Iterator[tuple[Selection, Path]]:
    """The nodes strictly below `node` (at `path`) that are selected, upper ones first."""
    if not isinstance(node, Container):
        return
    for name, child in node.children.items():
        for keys, entry in children(child):
            further = step(points, name, keys)
            if further:
                there = path.child(name, *keys)
                for selection in _selections(further, found):
                    yield selection, there
                if deeper := live(further):
                    yield from _below(deeper, entry, there, found)


def children(child: Node) -> Iterator[tuple[Keys, Node]]:
    """A child as the data nodes it stands for: itself, or the entries of a list with their keys; those of a
    list without keys have no paths."""
    if isinstance(child, Entries):
        for key, entry in child.entries.items() if child.key_names else ():
            yield tuple(zip(child.key_names, key, strict=True)), entry
    else:
        yield (), child


def _node_at(node: Node | None, elems: tuple[Elem, ...]) -> Node | None:
    """The node at a relative path, or None."""
    for name, keys in elems:
        node = node.children.get(name) if isinstance(node, Container) else None
        if keys:
            node = node.entries.get(tuple(value for _, value in keys)) if isinstance(node, Entries) else None
    return node
