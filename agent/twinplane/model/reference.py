"""References between objects: which entry of which list a leaf names, found from the schema's leafrefs."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias

from twinplane.tree.node import Container, Entries, Node
from twinplane.tree.query import entry_path
from twinplane_wire.path import Path

Names: TypeAlias = tuple[str, ...]

# The schema path of a referring leaf → that of the list it points into (schema/table.py: `leafrefs`).
Leafrefs: TypeAlias = Mapping[Names, Names]


class Reference(NamedTuple):
    """A leaf (or a member of a leaf-list) and the object it names."""

    leaf: Path
    target: Path


def references(path: Path, entry: Container, leafrefs: Leafrefs) -> Iterator[Reference]:
    """The references that an object makes to other objects, in tree order.

    `leafrefs` lists only those between objects: their target is a list just below a top-level container,
    with the one key ``name``.
    """
    place = tuple(elem.name for elem in path.elems)
    for leaf, target in leafrefs.items():
        if leaf[: len(place)] == place:
            yield from _found(entry, leaf[len(place) :], path, target)


def _found(node: Node, names: Names, path: Path, target: Names) -> Iterator[Reference]:
    if isinstance(node, Entries):
        for key, entry in node.entries.items():
            yield from _found(entry, names, entry_path(path, node.key_names, key), target)
    elif isinstance(node, Container):
        child = node.children.get(names[0])
        if child is not None:
            yield from _found(child, names[1:], path.child(names[0]), target)
    else:
        for value in node if isinstance(node, tuple) else (node,):
            yield Reference(path, _target(target, str(value), path.origin))


def _target(names: Names, value: str, origin: str) -> Path:
    above = Path((), origin)
    for name in names[:-1]:
        above = above.child(name)
    return above.child(names[-1], ("name", value))
