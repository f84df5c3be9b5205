"""The difference of two trees: which objects were touched, and which leaves of one changed.

An object is an entry of a list just below a top-level container, or any other child of such a container: the
unit in which configuration is judged, planned and stored. Subtrees that both trees share are not looked at.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import compress
from operator import is_not

from twinplane.tree.node import Container, Entries, Key, Leaf, Node, same_node
from twinplane.tree.query import entry_path, leaves
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One touched object; None where it is absent. A leaf directly in a top-level container belongs to an
    object of its own: a container that holds only that leaf's value, at the container's own path."""

    path: Path
    before: Container | None
    after: Container | None


@dataclass(frozen=True, slots=True)
class Diff:
    """The touched objects of one origin, in path order."""

    objects: tuple[ObjectChange, ...]

    def __bool__(self) -> bool:
        return bool(self.objects)


def diff(old: Container, new: Container, origin: str = "") -> Diff:
    """The objects that differ between two trees; costs what was rebuilt, not what is there."""
    changes: list[ObjectChange] = []
    root = Path((), origin)
    for name, before, after in _pairs(old, new):
        changes.extend(_top(root.child(name), _container(before), _container(after)))
    changes.sort(key=lambda change: str(change.path))
    return Diff(tuple(changes))


def objects(root: Container, origin: str = "") -> Iterator[tuple[Path, Container]]:
    """Every object of a tree with its path."""
    for change in diff(Container(), root, origin).objects:
        if change.after is not None:
            yield change.path, change.after


def leaf_changes(
    before: Node | None, after: Node | None, path: Path
) -> tuple[tuple[tuple[Path, Leaf], ...], tuple[Path, ...]]:
    """The leaves below one node that are new or have another value, and the paths of those that are gone."""
    updates: list[tuple[Path, Leaf]] = []
    deletes: list[Path] = []
    _compare(before, after, path, updates, deletes)
    return tuple(updates), tuple(deletes)


def reordered(before: Container, after: Container, path: Path) -> Iterator[Path]:
    """The lists below a container that stands at `path` in which entries that both have stand in another
    order, where the order is the user's."""
    for name, left, right in _pairs(before, after):
        if isinstance(left, Container) and isinstance(right, Container):
            yield from reordered(left, right, path.child(name))
        elif isinstance(left, Entries) and isinstance(right, Entries):
            child = path.child(name)
            stayed = [key for key in right.entries if key in left.entries]
            if right.ordered and stayed != [key for key in left.entries if key in right.entries]:
                yield child
            for key, old, new in _entry_pairs(left, right):
                if old is not None and new is not None:
                    yield from reordered(old, new, entry_path(child, left.key_names, key))


def _top(path: Path, before: Container, after: Container) -> Iterator[ObjectChange]:
    loose_before: dict[str, Node] = {}
    loose_after: dict[str, Node] = {}
    for name, left, right in _pairs(before, after):
        child = path.child(name)
        if isinstance(left, Entries) or isinstance(right, Entries):
            yield from _entries(child, left, right)
        elif isinstance(left, Container) or isinstance(right, Container):
            if not same_node(left, right):
                yield ObjectChange(child, _object(left), _object(right))
        else:
            loose_before |= {} if left is None else {name: left}
            loose_after |= {} if right is None else {name: right}
    if loose_before or loose_after:
        change = ObjectChange(path, Container(loose_before), Container(loose_after))
        if change.before != change.after:
            yield ObjectChange(
                path, change.before if loose_before else None, change.after if loose_after else None
            )


def _entries(path: Path, before: Node | None, after: Node | None) -> Iterator[ObjectChange]:
    names = after.key_names if isinstance(after, Entries) else ()
    names = before.key_names if isinstance(before, Entries) else names
    old = before if isinstance(before, Entries) else Entries(names, {})
    new = after if isinstance(after, Entries) else Entries(names, {})
    for key, left, right in _entry_pairs(old, new):
        if not same_node(left, right):
            yield ObjectChange(entry_path(path, names, key), left, right)


def _compare(
    before: Node | None,
    after: Node | None,
    path: Path,
    updates: list[tuple[Path, Leaf]],
    deletes: list[Path],
) -> None:
    if before is after:
        return
    if isinstance(before, Container) and isinstance(after, Container):
        for name, left, right in _pairs(before, after):
            if isinstance(left, Container | Entries) or not same_node(left, right):
                _compare(left, right, path.child(name), updates, deletes)
    elif isinstance(before, Entries) and isinstance(after, Entries):
        for key, left, right in _entry_pairs(before, after):
            _compare(left, right, entry_path(path, before.key_names, key), updates, deletes)
    elif before is None or after is None or not same_node(before, after):
        held = {} if after is None else dict(leaves(after, path))
        updates.extend(held.items())
        if before is not None:
            deletes.extend(gone for gone, _ in leaves(before, path) if gone not in held)


def _pairs(old: Container, new: Container) -> Iterator[tuple[str, Node | None, Node | None]]:
    """Children by name that are not one and the same object in both."""
    for name, left in old.children.items():
        right = new.children.get(name)
        if left is not right:
            yield name, left, right
    for name, right in new.children.items():
        if name not in old.children:
            yield name, None, right


def _entry_pairs(old: Entries, new: Entries) -> Iterator[tuple[Key, Container | None, Container | None]]:
    """Entries by key that are not one and the same object in both."""
    lefts, rights = old.entries, new.entries
    if len(lefts) == len(rights) and list(lefts) == list(rights):
        # Nearly always, and with long lists: nothing is interpreted but for the entries that differ.
        for key in compress(lefts, map(is_not, lefts.values(), rights.values())):
            yield key, lefts[key], rights[key]
        return
    for key, left in old.entries.items():
        right = new.entries.get(key)
        if left is not right:
            yield key, left, right
    for key, entry in new.entries.items():
        if key not in old.entries:
            yield key, None, entry


def _container(node: Node | None) -> Container:
    return node if isinstance(node, Container) else Container()


def _object(node: Node | None) -> Container | None:
    return node if isinstance(node, Container) else None
