"""Which nodes a change touches, down to the last one: what the authorisation of a write is asked about."""

from collections.abc import Iterator

from twinplane.tree.node import Container, Entries, Node, same_node
from twinplane.tree.query import entry_path
from twinplane_wire.path import Path


def touched(before: Node | None, after: Node | None, path: Path) -> Iterator[Path]:
    """The paths of leaves that come, go or change below a node at `path`; of containers and entries that come
    or go and hold nothing; of lists whose entries change places. What both share is not looked at."""
    if before is after:
        return
    if _is_container(before) and _is_container(after):
        old = before.children if isinstance(before, Container) else {}
        new = after.children if isinstance(after, Container) else {}
        if not old and not new:
            yield path
        for name in dict.fromkeys((*old, *new)):
            yield from touched(old.get(name), new.get(name), path.child(name))
    elif _is_list(before) and _is_list(after):
        yield from _entries(before, after, path)
    elif before is None or after is None or not same_node(before, after):
        yield path


def _entries(before: Node | None, after: Node | None, path: Path) -> Iterator[Path]:
    old = before.entries if isinstance(before, Entries) else {}
    new = after.entries if isinstance(after, Entries) else {}
    some = after if isinstance(after, Entries) else before
    assert isinstance(some, Entries)
    if some.ordered and [key for key in old if key in new] != [key for key in new if key in old]:
        yield path
    for key in dict.fromkeys((*old, *new)):
        yield from touched(old.get(key), new.get(key), entry_path(path, some.key_names, key))


def _is_container(node: Node | None) -> bool:
    return node is None or isinstance(node, Container)


def _is_list(node: Node | None) -> bool:
    return node is None or isinstance(node, Entries)
