"""Drafts: a batch of changes to a tree that copies each map it touches once.

The tree a draft starts from is never changed. A draft belongs to one caller and one pass; what `freeze`
returns is an ordinary tree, and the draft may go on from there.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import TypeAlias

from twinplane.tree.node import Container, Entries, Key, Leaf, Node, same_node
from twinplane.tree.query import entry_key, get
from twinplane_wire.path import Elem, Path

SchemaPath: TypeAlias = tuple[str, ...]


class Draft:
    """A tree under change. `presence` names the containers (by their schema path) that mean something empty;
    all others vanish, as lists do, when their last child does. `ordered` names the lists whose order is the
    user's."""

    __slots__ = ("_ordered", "_owned", "_presence", "_root")

    def __init__(
        self,
        root: Container,
        presence: frozenset[SchemaPath] = frozenset(),
        ordered: frozenset[SchemaPath] = frozenset(),
    ) -> None:
        self._root = root
        self._presence = presence
        self._ordered = ordered
        self._owned: dict[int, Container | Entries] = {}

    @property
    def root(self) -> Container:
        """The tree as it is now; to look into only, and not beyond the next change."""
        return self._root

    def freeze(self) -> Container:
        """The tree as it is now, for good."""
        self._owned.clear()
        return self._root

    def put(self, path: Path, value: Node, entries: Sequence[Container] = ()) -> None:
        """Set the node at a concrete path; missing ancestors come into being.

        `entries` says how the entry of each keyed element looks when it must be made (else it holds its keys
        as text). An equal node is left as it is, so that it stays the same object.
        """
        old = get(self._root, path)
        if old is not None and (old is value or same_node(old, value)):
            return
        value = shared(old, value)
        if not path.elems:
            self._root = value if isinstance(value, Container) else Container()
            return
        holder = self._own_root()
        keyed = 0
        last = len(path.elems) - 1
        for position, (name, keys) in enumerate(path.elems):
            if not keys:
                if position == last:
                    _write(holder)[name] = value
                    return
                holder = self._own_child(holder, name)
                continue
            names = tuple(key for key, _ in keys)
            listed = self._own_list(holder, name, names)
            if not listed.entries and self._ordered:
                listed.ordered = tuple(elem.name for elem in path.elems[: position + 1]) in self._ordered
            key = entry_key(listed.key_names, keys)
            if position == last:
                _write_entries(listed)[key] = value if isinstance(value, Container) else Container()
                return
            made = entries[keyed] if keyed < len(entries) else Container(dict(keys))
            keyed += 1
            holder = self._own_entry(listed, key, made)

    def fill(self, path: Path, leaves: Mapping[str, Leaf]) -> None:
        """Set leaves of one container at a concrete path, which comes into being with its ancestors.

        One way down for all of them, and nothing is compared: for leaves that are known to differ."""
        _write(self._own_at(path.elems)).update(leaves)

    def exchange(self, path: Path, value: Container) -> None:
        """Put a container at a concrete path in the place of whatever stands there; nothing is compared: the
        cheap way for what is known to differ (counters)."""
        holder = self._own_at(path.elems[:-1])
        name, keys = path.elems[-1]
        if keys:
            listed = self._own_list(holder, name, tuple([key for key, _ in keys]))
            _write_entries(listed)[entry_key(listed.key_names, keys)] = value
        else:
            _write(holder)[name] = value

    def remove(self, path: Path, *, drop_bare_entries: bool = False) -> None:
        """Remove the node at a concrete path, if it is there, and what it leaves empty above.

        With `drop_bare_entries` an entry left with nothing but its keys goes too (state, which exists only
        through its leaves); in configuration such an entry is data of its own.
        """
        if get(self._root, path) is None:
            return
        if not path.elems:
            self._root = Container() if self._root.children else self._root
            return
        trail = self._own_trail(path)
        for depth in range(len(trail) - 1, -1, -1):
            holder, listed = trail[depth]
            name, keys = path.elems[depth]
            if listed is not None:
                del _write_entries(listed)[entry_key(listed.key_names, keys)]
                if listed.entries:
                    return
            del _write(holder)[name]
            if depth == 0 or self._stays(path, depth, holder, trail[depth - 1][1], drop_bare_entries):
                return

    def _stays(self, path: Path, depth: int, holder: Container, listed: Entries | None, bare: bool) -> bool:
        """Whether the container at `depth` of the path stays after it lost a child."""
        if listed is not None:
            return not (bare and set(holder.children) <= set(listed.key_names))
        if holder.children:
            return True
        return tuple(elem.name for elem in path.elems[:depth]) in self._presence

    def _own_trail(self, path: Path) -> list[tuple[Container, Entries | None]]:
        """For each element, ready to change: its holder and, where it is an entry, its list."""
        holder = self._own_root()
        trail: list[tuple[Container, Entries | None]] = []
        for position, (name, keys) in enumerate(path.elems):
            listed: Entries | None = None
            if keys:
                listed = self._own_list(holder, name, ())
            trail.append((holder, listed))
            if position < len(path.elems) - 1:
                if listed is None:
                    holder = self._own_child(holder, name)
                else:
                    holder = self._own_entry(listed, entry_key(listed.key_names, keys), Container())
        return trail

    def _own_at(self, elems: Sequence[Elem]) -> Container:
        """The container at these elements, ready to change."""
        owned = self._owned
        holder = self._own_root()
        for name, keys in elems:
            child = holder.children.get(name)
            if not keys:
                if not isinstance(child, Container) or id(child) not in owned:
                    child = self._own_child(holder, name)
                holder = child
                continue
            if not isinstance(child, Entries) or id(child) not in owned:
                child = self._own_list(holder, name, tuple([key for key, _ in keys]))
            key = (keys[0][1],) if len(keys) == 1 else entry_key(child.key_names, keys)
            entry = child.entries.get(key)
            if entry is None or id(entry) not in owned:
                entry = self._own_entry(child, key, Container(dict(keys)) if entry is None else entry)
            holder = entry
        return holder

    def _own_root(self) -> Container:
        if id(self._root) not in self._owned:
            self._root = self._keep(Container(dict(self._root.children)))
        return self._root

    def _own_child(self, holder: Container, name: str) -> Container:
        child = holder.children.get(name)
        if isinstance(child, Container) and id(child) in self._owned:
            return child
        copied = self._keep(Container(dict(child.children) if isinstance(child, Container) else {}))
        _write(holder)[name] = copied
        return copied

    def _own_list(self, holder: Container, name: str, key_names: tuple[str, ...]) -> Entries:
        child = holder.children.get(name)
        if isinstance(child, Entries):
            if id(child) in self._owned:
                return child
            copied = Entries(child.key_names, dict(child.entries), child.ordered)
        else:
            copied = Entries(key_names, {})
        self._owned[id(copied)] = copied
        _write(holder)[name] = copied
        return copied

    def _own_entry(self, listed: Entries, key: Key, made: Container) -> Container:
        entry = listed.entries.get(key, made)
        if id(entry) in self._owned:
            return entry
        copied = self._keep(Container(dict(entry.children)))
        _write_entries(listed)[key] = copied
        return copied

    def _keep(self, node: Container) -> Container:
        self._owned[id(node)] = node
        return node


def put(root: Container, path: Path, value: Leaf) -> Container:
    """The tree with one leaf set; many changes are cheaper in one `Draft`."""
    draft = Draft(root)
    draft.put(path, value)
    return draft.freeze()


def remove(root: Container, path: Path) -> Container:
    """The tree without the node at a concrete path; many changes are cheaper in one `Draft`."""
    draft = Draft(root)
    draft.remove(path)
    return draft.freeze()


def shared(old: Node | None, new: Node) -> Node:
    """A node equal to `new` in which every subtree that `old` has too is the very object that `old` has."""
    if old is new:
        return new
    if isinstance(new, Container) and isinstance(old, Container):
        children = {name: shared(old.children.get(name), child) for name, child in new.children.items()}
        return old if _identical(old.children, children) else Container(children)
    if isinstance(new, Entries) and isinstance(old, Entries) and new.key_names == old.key_names:
        entries: dict[Key, Container] = {}
        for key, entry in new.entries.items():
            kept = shared(old.entries.get(key), entry)
            entries[key] = kept if isinstance(kept, Container) else entry
        same_order = list(entries) == list(old.entries)
        if same_order and _identical(old.entries, entries):
            return old
        return Entries(new.key_names, entries, new.ordered)
    return old if old is not None and same_node(old, new) else new


def _identical(left: object, right: object) -> bool:
    if not isinstance(left, dict | MappingProxyType) or not isinstance(right, dict):
        return False
    return len(left) == len(right) and all(left.get(name) is node for name, node in right.items())


def _write(node: Container) -> dict[str, Node]:
    """The children of a container that the draft made: a dict nobody else has seen."""
    assert isinstance(node.children, dict)
    return node.children


def _write_entries(node: Entries) -> dict[Key, Container]:
    assert isinstance(node.entries, dict)
    return node.entries
