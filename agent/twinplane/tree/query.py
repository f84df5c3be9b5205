"""Reading trees: one node, all nodes that a path with wildcards selects, all leaves of a subtree."""

from collections.abc import Iterator

from twinplane.tree.node import Container, Entries, Key, Leaf, Node
from twinplane_wire.path import Elem, Path

ANY_NODE = "*"  # one level, any name; as a key value: any entry
ANY_DEPTH = "..."  # any number of levels, none included


def get(root: Container, path: Path) -> Node | None:
    """The node at a path without wildcards, or None. A list without keys gives its `Entries`."""
    node: Node | None = root
    for name, keys in path.elems:
        if not isinstance(node, Container):
            return None
        node = node.children.get(name)
        if keys:
            if not isinstance(node, Entries):
                return None
            node = node.entries.get(entry_key(node.key_names, keys))
    return node


def select(root: Container, path: Path) -> Iterator[tuple[Path, Node]]:
    """Every node that the path selects, with its concrete path, each once, in tree order.

    ``*`` matches one level or any key value, ``...`` any number of levels (none included), keys left out any
    value (gNMI path conventions). A list addressed without keys yields its entries; nothing yields nothing.
    """
    elems = path.elems
    walk = _walk(root, elems, 0, Path((), path.origin))
    if sum(elem.name == ANY_DEPTH for elem in elems) < 2:
        return walk
    return _distinct(walk)


def leaves(node: Node, path: Path) -> Iterator[tuple[Path, Leaf]]:
    """Every leaf at or below a node that stands at `path`, with its concrete path, in tree order."""
    if isinstance(node, Container):
        for name, child in node.children.items():
            yield from leaves(child, path.child(name))
    elif isinstance(node, Entries):
        for below, entry in entries(node, path):
            yield from leaves(entry, below)
    else:
        yield path, node


def entries(node: Entries, path: Path) -> Iterator[tuple[Path, Container]]:
    """The entries of a list that stands at `path` (without keys), each with its path; those of a list without
    keys have none."""
    for key, entry in node.entries.items() if node.key_names else ():
        yield entry_path(path, node.key_names, key), entry


def entry_path(path: Path, key_names: tuple[str, ...], key: Key) -> Path:
    """The path of one entry of the list whose path (keys of its last element aside) is given."""
    keys = tuple(zip(key_names, key, strict=True))
    return Path((*path.elems[:-1], Elem(path.elems[-1].name, keys)), path.origin)


def is_concrete(root: Container, path: Path) -> bool:
    """True when the path has no wildcard and leaves no key out of a list of this tree (its end excepted)."""
    node: Node | None = root
    last = len(path.elems) - 1
    for position, (name, keys) in enumerate(path.elems):
        if name in (ANY_NODE, ANY_DEPTH) or any(value == ANY_NODE for _, value in keys):
            return False
        node = node.children.get(name) if isinstance(node, Container) else None
        if isinstance(node, Entries):
            if len(keys) < len(node.key_names):
                return position == last and not keys
            node = node.entries.get(entry_key(node.key_names, keys))
    return True


def entry_key(key_names: tuple[str, ...], keys: tuple[tuple[str, str], ...]) -> Key:
    """The key of an entry from the key pairs of a path element, whatever their order."""
    if len(keys) == 1:
        return (keys[0][1],)
    given = dict(keys)
    return tuple(given.get(name, "") for name in key_names)


def _walk(node: Node, elems: tuple[Elem, ...], at: int, path: Path) -> Iterator[tuple[Path, Node]]:
    if at == len(elems):
        yield path, node
        return
    if not isinstance(node, Container):
        return
    name, keys = elems[at]
    if name == ANY_DEPTH:
        yield from _walk(node, elems, at + 1, path)
        for child_path, child in _children(node, ANY_NODE, (), path):
            if isinstance(child, Container):
                yield from _walk(child, elems, at, child_path)
            elif at + 1 == len(elems):
                yield child_path, child
        return
    for child_path, child in _children(node, name, keys, path):
        yield from _walk(child, elems, at + 1, child_path)


def _children(
    node: Container, name: str, keys: tuple[tuple[str, str], ...], path: Path
) -> Iterator[tuple[Path, Node]]:
    if name == ANY_NODE:
        named = list(node.children.items())
    else:
        child = node.children.get(name)
        named = [] if child is None else [(name, child)]
    for child_name, child in named:
        if isinstance(child, Entries) and child.key_names:
            yield from _matching(child, path.child(child_name, *keys))
        elif not keys:
            yield path.child(child_name), child


def _matching(node: Entries, path: Path) -> Iterator[tuple[Path, Container]]:
    wanted = [(name, value) for name, value in path.elems[-1].keys if value != ANY_NODE]
    if len(wanted) == len(node.key_names):
        key = entry_key(node.key_names, tuple(wanted))
        entry = node.entries.get(key)
        if entry is not None:
            yield entry_path(path, node.key_names, key), entry
        return
    if any(name not in node.key_names for name, _ in wanted):
        return
    positions = [(node.key_names.index(name), value) for name, value in wanted]
    for key, entry in node.entries.items():
        if all(key[position] == value for position, value in positions):
            yield entry_path(path, node.key_names, key), entry


def _distinct(walk: Iterator[tuple[Path, Node]]) -> Iterator[tuple[Path, Node]]:
    seen: set[Path] = set()
    for path, node in walk:
        if path not in seen:
            seen.add(path)
            yield path, node
