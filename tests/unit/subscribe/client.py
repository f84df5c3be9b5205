"""A subscriber's end: an encoder whose pieces can be read back, and the tree that a client keeps.

A piece is a length, a path relative to the prefix and a value, so that concatenated pieces can be taken apart
as the fields of a Notification can.
"""

import pickle
from collections.abc import AsyncIterator, Sequence

from twinplane.subscribe.encode import PREFIX_DEPTH, Encoding, Item, Notice, Synced
from twinplane.tree.node import Container, Leaf
from twinplane.tree.query import leaves
from twinplane_wire.path import Elem, Path


class Encoder:
    """Counts the leaves it was asked for."""

    def __init__(self) -> None:
        self.leaves = 0

    def __call__(
        self,
        container: Path,
        leaves: Sequence[tuple[str, Leaf]],
        encoding: Encoding,
        depth: int = PREFIX_DEPTH,
    ) -> Sequence[bytes]:
        self.leaves += len(leaves)
        return [_piece(container.child(name).elems[depth:], value) for name, value in leaves]


def _piece(path: tuple[Elem, ...], value: Leaf) -> bytes:
    content = pickle.dumps((path, value))
    return len(content).to_bytes(4, "big") + content


def updates(notice: Notice) -> list[tuple[Path, Leaf]]:
    """The updates of a notice with absolute paths."""
    found: list[tuple[Path, Leaf]] = []
    data = b"".join(notice.updates)
    while data:
        size = int.from_bytes(data[:4], "big")
        path, value = pickle.loads(data[4 : 4 + size])
        found.append((notice.prefix.join(tuple(Elem(*elem) for elem in path)), value))
        data = data[4 + size :]
    return found


def deletes(notice: Notice) -> list[Path]:
    """The deletes of a notice with absolute paths."""
    return [notice.prefix.join(elems) for elems in notice.deletes]


class Tree:
    """What a client knows, and the rules of gNMI that every notice has to keep."""

    def __init__(self) -> None:
        self.values: dict[Path, Leaf] = {}
        self.times: dict[Path, int] = {}
        self.synced = 0
        self.duplicates = 0
        self.history: list[Item] = []

    def take(self, item: Item) -> None:
        """Apply an item: deletes first, then updates."""
        self.history.append(item)
        if isinstance(item, Synced):
            self.synced += 1
            return
        self.duplicates += sum(count for _, count in item.duplicates)
        for gone in deletes(item):
            for path in [path for path in self.values if gone.is_prefix_of(path)]:
                assert item.time > self.times[path], f"delete of {path} is not newer than its update"
                del self.values[path]
        seen: set[Path] = set()
        for path, value in updates(item):
            assert path not in seen, f"{path} twice in one notice"
            seen.add(path)
            assert item.time >= self.times.get(path, 0), f"{path} goes back in time"
            self.values[path] = value
            self.times[path] = item.time


def selected(root: Container, *paths: Path) -> dict[Path, Leaf]:
    """Every leaf of a tree that one of the patterns covers; the slow and obvious way."""
    return {
        path: value
        for path, value in leaves(root, Path())
        if any(_covers(pattern.elems, path.elems) for pattern in paths)
    }


def _covers(pattern: tuple[Elem, ...], elems: tuple[Elem, ...]) -> bool:
    if not pattern:
        return True
    if pattern[0].name == "...":
        return any(_covers(pattern[1:], elems[start:]) for start in range(len(elems) + 1))
    if not elems or pattern[0].name not in ("*", elems[0].name):
        return False
    given = dict(elems[0].keys)
    if any(value not in ("*", given.get(name)) for name, value in pattern[0].keys):
        return False
    return _covers(pattern[1:], elems[1:])


async def drain(stream: AsyncIterator[Item], tree: Tree) -> None:
    """Feed a stream into a tree until it ends."""
    async for item in stream:
        tree.take(item)
