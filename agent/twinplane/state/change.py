"""What one pass changed in one object: the unit in which telemetry travels."""

from collections.abc import Iterator
from typing import Any

from twinplane.tree.node import Container, Entries, Key, Leaf, Node, same_node
from twinplane_wire.path import Elem, Path


class Part:
    """Leaves of one container (or list entry) that are new or have another value."""

    __slots__ = ("container", "leaves", "memo")

    def __init__(self, container: Path, leaves: tuple[tuple[str, Leaf], ...]) -> None:
        self.container = container
        self.leaves = leaves
        self.memo: dict[Any, Any] | None = None  # encoded forms, kept by subscribers


class Change:
    """The leaves of one object that changed together, all at `time` (ns since the epoch).

    `parts` and `deletes` do not overlap; a delete names the topmost node that is gone, at the object or below
    it. `before` is the object's node as it was, for whoever has to know what a delete covers; None where
    nothing is deleted. With `atomic` the parts are all that there is at or below `object`, and what is not
    among them is not there.
    """

    __slots__ = ("atomic", "before", "deletes", "object", "parts", "time")

    def __init__(
        self,
        path: Path,
        time: int,
        parts: tuple[Part, ...],
        deletes: tuple[Path, ...] = (),
        before: Node | None = None,
        *,
        atomic: bool = False,
    ) -> None:
        self.atomic = atomic
        self.object = path
        self.time = time
        self.parts = parts
        self.deletes = deletes
        self.before = before

    @property
    def updates(self) -> Iterator[tuple[Path, Leaf]]:
        """Every leaf with its path."""
        for part in self.parts:
            for name, value in part.leaves:
                yield part.container.child(name), value


def compare(path: Path, before: Node | None, after: Node | None) -> tuple[list[Part], list[Path]]:
    """The parts and deletes that lead from one node to another; what both share is not looked at.

    Where only the order of a user-ordered list changed, the key leaves of its entries are parts, in the new
    order.
    """
    parts: list[Part] = []
    deletes: list[Path] = []
    if after is None:
        if before is not None:
            deletes.append(path)
    elif isinstance(after, Container):
        _container(path, before if isinstance(before, Container) else None, after, parts, deletes)
    return parts, deletes


def _container(
    path: Path, before: Container | None, after: Container, parts: list[Part], deletes: list[Path]
) -> None:
    old = {} if before is None else before.children
    changed: list[tuple[str, Leaf]] = []
    below: list[tuple[str, Node | None, Container | Entries]] = []
    for name, node in after.children.items():
        known = old.get(name)
        if known is node:
            continue
        if isinstance(node, Container | Entries):
            below.append((name, known, node))
        elif not same_node(known, node):
            changed.append((name, node))
    if changed:
        parts.append(Part(path, tuple(changed)))
    for name, known, node in below:
        if isinstance(node, Container):
            _container(
                path.child(name), known if isinstance(known, Container) else None, node, parts, deletes
            )
        else:
            _entries(path, name, known if isinstance(known, Entries) else None, node, parts, deletes)
    if before is not None and (len(after.children) < len(old) or not old.keys() <= after.children.keys()):
        for name, known in old.items():
            if name not in after.children:
                deletes.extend(_gone(path, name, known))


def _entries(
    path: Path, name: str, before: Entries | None, after: Entries, parts: list[Part], deletes: list[Path]
) -> None:
    if not after.key_names:
        return  # what has no keys has no paths: such entries are read with what holds them
    old = {} if before is None else before.entries
    moved = after.ordered and [key for key in old if key in after.entries] != [
        key for key in after.entries if key in old
    ]
    for key, entry in after.entries.items():
        known = old.get(key)
        there = _entry(path, name, after.key_names, key)
        if moved and known is not None:
            parts.append(Part(there, tuple((key, entry.children[key]) for key in after.key_names)))  # type: ignore[misc]
        if known is not entry:
            _container(there, known, entry, parts, deletes)
    deletes.extend(_entry(path, name, after.key_names, key) for key in old if key not in after.entries)


def _gone(path: Path, name: str, node: Node) -> Iterator[Path]:
    if isinstance(node, Entries):
        for key in node.entries if node.key_names else ():
            yield _entry(path, name, node.key_names, key)
    else:
        yield path.child(name)


def _entry(path: Path, name: str, key_names: tuple[str, ...], key: Key) -> Path:
    return Path((*path.elems, Elem(name, tuple(zip(key_names, key, strict=True)))), path.origin)
