"""The walk over current values: everything a set of subscriptions selects, each leaf once, as bytes.

What is encoded stays with the (immutable) node it belongs to, so that all subscribers share it and unchanged
nodes cost a look-up. What the walk below one top-level container gave is kept with that container.
"""

from collections.abc import Hashable, Iterable, Iterator
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from twinplane.subscribe.encode import Encode, Encoding
from twinplane.subscribe.match import Keys, Points, Subscriptions, children, live, step
from twinplane.subscribe.parcel import MESSAGE_BYTES, portions
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane_wire.path import Elem, Path

T = TypeVar("T")

_ALL = "updates"  # memo: every leaf at or below the node
_ONE = "update"  # memo: one leaf of the node
_WALKED = "walked"  # memo of a top-level container: what walks gave, by encoding and paths

KEPT = 16
"""How many different walks over one container are remembered: any client can make up new ones."""


class Trail(NamedTuple):
    """A path on the way down, put together only when something has to be encoded."""

    above: "Trail | None"
    name: str
    keys: Keys

    def path(self, origin: str) -> Path:
        """The path."""
        elems: list[Elem] = []
        trail: Trail | None = self
        while trail is not None:
            elems.append(Elem(trail.name, trail.keys))
            trail = trail.above
        return Path(tuple(reversed(elems)), origin)


Found: TypeAlias = tuple[str, Keys, Node, Points[T]]
Way: TypeAlias = tuple[tuple[str, Points[T]], ...]


class Walk(Generic[T]):
    """One walk over the trees of one origin for one encoding.

    `paths` tells walks apart whose results are kept: equal for equal subscriptions.
    """

    def __init__(
        self, encode: Encode, encoding: Encoding, subscriptions: Subscriptions[T], paths: Hashable
    ) -> None:
        self._encode = encode
        self._encoding = encoding
        self._subscriptions = subscriptions
        self._kept = (encoding, paths)
        self._origin = ""
        self._steps: dict[tuple[int, str], tuple[Points[T], Points[T]]] = {}
        self._ways: dict[int, tuple[Points[T], Way[T]]] = {}

    def messages(self, root: Container, origin: str = "") -> Iterator[tuple[str, bytes]]:
        """Pairs of a top-level container's name and joined pieces of leaves in it, each of a good size for a
        message."""
        for name, node, points in self._tops(root, origin):
            memo = node.memo
            if memo is None:
                memo = node.memo = {}
            walked: dict[Hashable, tuple[bytes, ...]] = memo.setdefault(_WALKED, {})
            kept = walked.get(self._kept)
            if kept is None:
                kept = tuple(_sized(self._top(node, name, points)))
                while len(walked) >= KEPT:
                    del walked[next(iter(walked))]
                walked[self._kept] = kept
            for content in kept:
                yield name, content

    def pieces(self, root: Container, origin: str = "") -> Iterator[tuple[str, list[bytes]]]:
        """The same as lists of single leaves (nothing of it is kept)."""
        for name, node, points in self._tops(root, origin):
            top = Trail(None, name, ())
            if _any(points):
                yield name, self._single(node, top)
            else:
                for found in self._selected(node, live(points)):
                    found_pieces: list[bytes] = []
                    self._some(node, top, found, found_pieces, single=True)
                    if found_pieces:
                        yield name, found_pieces

    def _tops(self, root: Container, origin: str) -> Iterator[tuple[str, Container, Points[T]]]:
        self._origin = origin
        points = self._subscriptions.start()
        if _any(points):
            for name, node in root.children.items():
                if isinstance(node, Container):
                    yield name, node, points
            return
        for name, _, node, further in self._selected(root, live(points)):
            if isinstance(node, Container):
                yield name, node, further

    def _top(self, node: Container, name: str, points: Points[T]) -> Iterator[bytes]:
        top = Trail(None, name, ())
        pieces: list[bytes] = []
        if _any(points):
            for below, child in node.children.items():
                for keys, entry in children(child):
                    if isinstance(entry, Container):
                        yield from self._all(entry, Trail(top, below, keys))
                    elif not isinstance(entry, Entries):
                        yield self._leaf(node, top, below, entry)
            return
        for found in self._selected(node, live(points)):
            self._some(node, top, found, pieces)
            yield from pieces
            pieces.clear()

    def _some(
        self, holder: Container, above: Trail, found: Found[T], pieces: list[bytes], *, single: bool = False
    ) -> None:
        """The pieces of what is selected at or below one child of `holder`."""
        name, keys, child, points = found
        if isinstance(child, Container):
            trail = Trail(above, name, keys)
            for name, further_points in self._way(points):
                below = child.children.get(name)
                if not isinstance(below, Container):
                    break
                child, trail, points = below, Trail(trail, name, ()), further_points
            if not _any(points):
                for further in self._selected(child, live(points)):
                    self._some(child, trail, further, pieces, single=single)
            elif single:
                pieces.extend(self._single(child, trail))
            else:
                pieces.extend(self._all(child, trail))
        elif not isinstance(child, Entries) and _any(points):
            pieces.append(self._leaf(holder, above, name, child))

    def _all(self, node: Container, trail: Trail) -> tuple[bytes, ...]:
        """Every leaf at or below a node, joined to pieces of a good size for a message: mostly one."""
        memo = node.memo
        if memo is None:
            memo = node.memo = {}
        kept: tuple[bytes, ...] | None = memo.get((_ALL, self._encoding))
        if kept is None:
            pieces: list[bytes] = []
            self._collect(node, trail, pieces)
            whole = b"".join(pieces)
            kept = (whole,) if len(whole) < MESSAGE_BYTES else tuple(_sized(pieces))
            memo[_ALL, self._encoding] = kept
        return kept

    def _collect(self, node: Container, trail: Trail, pieces: list[bytes]) -> None:
        leaves = _leaves(node)
        if leaves:
            pieces.extend(self._encode(trail.path(self._origin), leaves, self._encoding))
        for name, keys, container in _containers(node) if len(leaves) < len(node.children) else ():
            there = Trail(trail, name, keys)
            if any(isinstance(child, Container | Entries) for child in container.children.values()):
                self._collect(container, there, pieces)
            else:  # counters and their like: kept apart from siblings that change at another pace
                pieces.extend(self._all(container, there))

    def _single(self, node: Container, trail: Trail) -> list[bytes]:
        """Every leaf at or below a node, one piece each."""
        leaves = _leaves(node)
        pieces = list(self._encode(trail.path(self._origin), leaves, self._encoding)) if leaves else []
        for name, keys, container in _containers(node):
            pieces.extend(self._single(container, Trail(trail, name, keys)))
        return pieces

    def _leaf(self, holder: Container, above: Trail, name: str, value: Leaf) -> bytes:
        """One leaf of a container."""
        memo = holder.memo
        if memo is None:
            memo = holder.memo = {}
        kept: bytes | None = memo.get((_ONE, self._encoding, name))
        if kept is None:
            (kept,) = self._encode(above.path(self._origin), ((name, value),), self._encoding)
            memo[_ONE, self._encoding, name] = kept
        return kept

    def _selected(self, node: Container, points: Points[T]) -> Iterator[Found[T]]:
        """The children (list entries each) towards which something is subscribed, with the points there."""
        for name, child in _candidates(node, points):
            if not isinstance(child, Entries):
                if further := self._step(points, name):
                    yield name, (), child, further
            elif _same_for_all(points, name):
                if child.entries and (further := self._step(points, name, _any_key(child))):
                    for keys, entry in _entries(child):
                        yield name, keys, entry, further
            else:
                for keys, entry in _candidate_entries(child, name, points):
                    if further := step(points, name, keys):
                        yield name, keys, entry, further

    def _way(self, points: Points[T]) -> Way[T]:
        """`_straight`, remembered for this walk: it is the same for all entries of a list."""
        kept = self._ways.get(id(points))
        if kept is None:
            kept = self._ways[id(points)] = (points, _straight(points))
        return kept[1]

    def _step(self, points: Points[T], name: str, keys: Keys = ()) -> Points[T]:
        """`step` for nodes whose keys make no difference, remembered for this walk."""
        kept = self._steps.get((id(points), name))
        if kept is None:  # the points are kept alive, or their id might come again
            kept = self._steps[id(points), name] = (points, step(points, name, keys))
        return kept[1]


def _straight(points: Points[T]) -> Way[T]:
    """The names that lead to the next members, each with the points there, as long as there is one way only
    and neither keys nor wildcards are on it."""
    way: list[tuple[str, Points[T]]] = []
    while len(points) == 1 and not points[0].members and not points[0].wild and len(points[0].exact) == 1:
        ((elem, below),) = points[0].exact.items()
        if elem.keys or below.wild:
            break
        points = (below,)
        way.append((elem.name, points))
    return tuple(way)


def _leaves(node: Container) -> list[tuple[str, Leaf]]:
    return [
        (name, child) for name, child in node.children.items() if not isinstance(child, Container | Entries)
    ]


def _containers(node: Container) -> Iterator[tuple[str, Keys, Container]]:
    for name, child in node.children.items():
        if isinstance(child, Container):
            yield name, (), child
        elif isinstance(child, Entries):
            for keys, entry in _entries(child):
                yield name, keys, entry


def _candidates(node: Container, points: Points[T]) -> Iterator[tuple[str, Node]]:
    """The children that can match: by name where no wildcard stands."""
    if any(point.wild for point in points):
        yield from node.children.items()
        return
    for name in dict.fromkeys(elem.name for point in points for elem in point.exact):
        child = node.children.get(name)
        if child is not None:
            yield name, child


def _same_for_all(points: Points[T], name: str) -> bool:
    """True when all entries of a list lead to the same points, whatever their keys."""
    return not any(elem.keys and elem.name == name for point in points for elem in point.exact) and not any(
        value != "*" for point in points for elem in point.wild for _, value in elem.keys
    )


def _candidate_entries(child: Entries, name: str, points: Points[T]) -> Iterator[tuple[Keys, Container]]:
    if any(point.wild or Elem(name) in point.exact for point in points):
        yield from _entries(child)
        return
    for elem in dict.fromkeys(elem for point in points for elem in point.exact if elem.name == name):
        entry = child.entries.get(tuple(value for _, value in elem.keys))
        if entry is not None:
            yield elem.keys, entry


def _any_key(child: Entries) -> Keys:
    return tuple((name, "") for name in child.key_names)


def _entries(child: Entries) -> Iterator[tuple[Keys, Container]]:
    names = child.key_names
    if len(names) == 1:
        name = names[0]
        for key, entry in child.entries.items():
            yield ((name, key[0]),), entry
        return
    for key, entry in child.entries.items() if names else ():  # without keys there are no paths
        yield tuple(zip(names, key, strict=True)), entry


def _sized(pieces: Iterable[bytes]) -> Iterator[bytes]:
    for portion in portions(pieces):
        content = b"".join(portion)
        if content:
            yield content


def _any(points: Points[T]) -> bool:
    return any(point.members for point in points)
