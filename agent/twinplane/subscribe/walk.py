"""The walk over current values: everything a set of subscriptions selects, each leaf once, as bytes.

What is encoded stays with the (immutable) node it belongs to, so that all subscribers share it and unchanged
nodes cost a look-up.
"""

from collections.abc import Iterator
from typing import TypeVar

from twinplane.subscribe.encode import Encode, Encoding
from twinplane.subscribe.match import Keys, Points, children, live, step
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane_wire.path import Elem, Path

T = TypeVar("T")

_ALL = "updates"  # memo: every leaf at or below the node
_ONE = "update"  # memo: one leaf of the node


class Walk:
    """Reads trees for one encoding. With `split` every piece holds exactly one leaf (and none is kept)."""

    def __init__(self, encode: Encode, encoding: Encoding, *, split: bool = False) -> None:
        self._encode = encode
        self._encoding = encoding
        self._split = split

    def objects(
        self, root: Container, points: Points[T], origin: str = ""
    ) -> Iterator[tuple[Path, list[bytes]]]:
        """The pieces of each object in which something is selected; at most once per object."""
        top = Path((), origin)
        if _any(points):
            yield from self._everything(root, top)
            return
        for name, _, node, further in _selected(root, live(points)):
            path = top.child(name)
            if isinstance(node, Container):
                if _any(further):
                    yield from self._children(node, path)
                else:
                    yield from self._selected_children(node, path, live(further))

    def _everything(self, root: Container, top: Path) -> Iterator[tuple[Path, list[bytes]]]:
        for name, node in root.children.items():
            if isinstance(node, Container):
                yield from self._children(node, top.child(name))

    def _children(self, node: Container, path: Path) -> Iterator[tuple[Path, list[bytes]]]:
        for name, child in node.children.items():
            for keys, entry in children(child):
                there = path.child(name, *keys)
                if isinstance(entry, Container):
                    yield there, self._all(entry, there)
                elif not isinstance(entry, Entries):
                    yield there, self._leaves(node, path, [(name, entry)])

    def _selected_children(
        self, node: Container, path: Path, points: Points[T]
    ) -> Iterator[tuple[Path, list[bytes]]]:
        for name, keys, child, further in _selected(node, points):
            there = path.child(name, *keys)
            pieces: list[bytes] = []
            self._some(node, path, (name, keys, child, further), pieces)
            if pieces:
                yield there, pieces

    def _some(
        self,
        holder: Container,
        path: Path,
        found: tuple[str, Keys, Node, Points[T]],
        pieces: list[bytes],
    ) -> None:
        """The pieces of what is selected at or below one child of `holder`."""
        name, keys, child, points = found
        covered = _any(points)
        if isinstance(child, Container):
            there = path.child(name, *keys)
            if covered:
                pieces.extend(self._all(child, there))
                return
            for further in _selected(child, live(points)):
                self._some(child, there, further, pieces)
        elif covered and not isinstance(child, Entries):
            pieces.extend(self._leaves(holder, path, [(name, child)]))

    def _all(self, node: Container, path: Path) -> list[bytes]:
        if self._split:
            pieces: list[bytes] = []
            self._collect(node, path, pieces)
            return pieces
        memo = node.memo
        if memo is None:
            memo = node.memo = {}
        kept: bytes | None = memo.get((_ALL, self._encoding))
        if kept is None:
            pieces = []
            self._collect(node, path, pieces)
            kept = memo[_ALL, self._encoding] = b"".join(pieces)
        return [kept] if kept else []

    def _collect(self, node: Container, path: Path, pieces: list[bytes]) -> None:
        leaves: list[tuple[str, Leaf]] = []
        below: list[tuple[Path, Container]] = []
        for name, child in node.children.items():
            if isinstance(child, Container):
                below.append((path.child(name), child))
            elif isinstance(child, Entries):
                below.extend((path.child(name, *keys), entry) for keys, entry in _entries(child))
            else:
                leaves.append((name, child))
        if leaves:
            pieces.extend(self._encode(path, leaves, self._encoding))
        for there, container in below:
            if self._split or any(
                isinstance(child, Container | Entries) for child in container.children.values()
            ):
                self._collect(container, there, pieces)
            else:
                pieces.extend(self._all(container, there))

    def _leaves(self, holder: Container, path: Path, leaves: list[tuple[str, Leaf]]) -> list[bytes]:
        """Single leaves of a container."""
        memo = holder.memo
        if memo is None:
            memo = holder.memo = {}
        pieces: list[bytes] = []
        for name, value in leaves:
            kept: bytes | None = memo.get((_ONE, self._encoding, name))
            if kept is None:
                (kept,) = self._encode(path, ((name, value),), self._encoding)
                memo[_ONE, self._encoding, name] = kept
            pieces.append(kept)
        return pieces


def _selected(node: Container, points: Points[T]) -> Iterator[tuple[str, Keys, Node, Points[T]]]:
    """The children (list entries each) towards which something is subscribed, with the points there."""
    for name, child in _candidates(node, points):
        if isinstance(child, Entries):
            for keys, entry in _candidate_entries(child, name, points):
                if further := step(points, name, keys):
                    yield name, keys, entry, further
        elif further := step(points, name):
            yield name, (), child, further


def _candidates(node: Container, points: Points[T]) -> Iterator[tuple[str, Node]]:
    """The children that can match: by name where no wildcard stands."""
    if any(point.wild for point in points):
        yield from node.children.items()
        return
    for name in dict.fromkeys(elem.name for point in points for elem in point.exact):
        child = node.children.get(name)
        if child is not None:
            yield name, child


def _candidate_entries(child: Entries, name: str, points: Points[T]) -> Iterator[tuple[Keys, Container]]:
    if any(point.wild or Elem(name) in point.exact for point in points):
        yield from _entries(child)
        return
    for elem in dict.fromkeys(elem for point in points for elem in point.exact if elem.name == name):
        entry = child.entries.get(tuple(value for _, value in elem.keys))
        if entry is not None:
            yield elem.keys, entry


def _entries(child: Entries) -> Iterator[tuple[Keys, Container]]:
    for key, entry in child.entries.items():
        yield tuple(zip(child.key_names, key, strict=True)), entry


def _any(points: Points[T]) -> bool:
    return any(point.members for point in points)
