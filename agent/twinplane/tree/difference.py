"""The edits that lead from one tree to another: as small as can be, so that they apply to a third one too."""

from collections.abc import Iterator

from twinplane.tree.draft import SchemaPath
from twinplane.tree.edit import Edit, Operation, Place, Where
from twinplane.tree.node import Container, Entries, Key, Node, same_node
from twinplane.tree.query import entry_path
from twinplane_wire.path import Path

_NOTHING = Container()


def difference(
    before: Container, after: Container, presence: frozenset[SchemaPath], origin: str = ""
) -> tuple[Edit, ...]:
    """Edits with which `before` becomes `after`, down to entries without a leaf of their own and to the order
    that users gave to lists. Each concerns one leaf, one entry, or one container of those in `presence`, so
    that on another tree they leave alone what these two have in common."""
    return tuple(_Difference(presence).children(before, after, Path((), origin)))


class _Difference:
    def __init__(self, presence: frozenset[SchemaPath]) -> None:
        self._presence = presence

    def children(self, left: Container, right: Container, path: Path) -> Iterator[Edit]:
        for name in dict.fromkeys((*left.children, *right.children)):
            old, new = left.children.get(name), right.children.get(name)
            if old is not new:
                yield from self._node(old, new, path.child(name))

    def _node(self, old: Node | None, new: Node | None, path: Path) -> Iterator[Edit]:
        if _is_list(old) or _is_list(new):
            yield from self._entries(_entries(old, new), _entries(new, old), path)
        elif isinstance(old, Container) or isinstance(new, Container):
            yield from self._container(old, new, path)
        elif new is None:
            yield Edit(Operation.DELETE, path)
        elif not same_node(old, new):
            yield Edit(Operation.REPLACE, path, new)

    def _container(self, old: Node | None, new: Node | None, path: Path) -> Iterator[Edit]:
        if tuple(elem.name for elem in path.elems) in self._presence:
            if new is None:
                yield Edit(Operation.DELETE, path)
                return
            if old is None:
                yield Edit(Operation.UPDATE, path, _NOTHING)
        yield from self.children(_container(old), _container(new), path)

    def _entries(self, old: Entries, new: Entries, path: Path) -> Iterator[Edit]:
        for key, entry in old.entries.items():
            if key not in new.entries:
                yield Edit(Operation.DELETE, entry_path(path, old.key_names, key))
            elif new.entries[key] is not entry:
                yield from self.children(entry, new.entries[key], entry_path(path, old.key_names, key))
        for key, entry in new.entries.items():
            if key not in old.entries:
                where, bare = entry_path(path, new.key_names, key), _bare(entry, new)
                yield Edit(Operation.UPDATE, where, bare)
                yield from self.children(bare, entry, where)
        if new.ordered:
            yield from _moves(old, new, path)


def _moves(old: Entries, new: Entries, path: Path) -> Iterator[Edit]:
    """What brings the entries into their order, once those that are gone are gone and new ones are last."""
    now = [key for key in old.entries if key in new.entries]
    now += [key for key in new.entries if key not in old.entries]
    before: Key | None = None
    for position, key in enumerate(new.entries):
        if now[position] != key:
            now.remove(key)
            now.insert(position, key)
            place = Place(Where.FIRST)
            if before is not None:
                place = Place(Where.AFTER, entry_path(path, new.key_names, before))
            where = entry_path(path, new.key_names, key)
            yield Edit(Operation.UPDATE, where, _bare(new.entries[key], new), place=place)
        before = key


def _bare(entry: Container, listed: Entries) -> Container:
    """An entry with nothing but its keys."""
    return Container({name: entry.children[name] for name in listed.key_names if name in entry.children})


def _is_list(node: Node | None) -> bool:
    return isinstance(node, Entries) and bool(node.key_names)


def _entries(node: Node | None, other: Node | None) -> Entries:
    if isinstance(node, Entries):
        return node
    assert isinstance(other, Entries)
    return Entries(other.key_names, {}, other.ordered)


def _container(node: Node | None) -> Container:
    return node if isinstance(node, Container) else _NOTHING
