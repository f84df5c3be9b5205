"""The coalescing queue of one stream: the latest value of each leaf, whatever the speed of the reader."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from twinplane.state.change import Change, Part
from twinplane.subscribe.encode import PREFIX_DEPTH, Encode, Encoding, Notice, Rel
from twinplane.subscribe.match import Selection
from twinplane_wire.path import Path

MESSAGE_BYTES = 64 * 1024
"""Notices of one time and prefix share a message up to about this size."""


@dataclass(frozen=True, slots=True)
class _Update:
    time: int
    part: Part
    position: int
    duplicates: int


@dataclass(frozen=True, slots=True)
class _Whole:
    """One change of an object, not merged with another yet."""

    change: Change
    selection: Selection | None


_Operations: TypeAlias = dict[Path, "_Update | int"]  # by path, in order of time; a number is a delete's time


class Queue:
    """What one stream has still to send. `limit` bounds the number of leaves and deletes in it.

    `wake` is called when something is put into an empty queue, or when the queue overflows; then it keeps
    nothing and takes nothing any more.
    """

    def __init__(self, encode: Encode, encoding: Encoding, wake: Callable[[], None], limit: int) -> None:
        self._encode = encode
        self._encoding = encoding
        self._wake = wake
        self._limit = limit
        self._objects: dict[Path, _Whole | _Operations] = {}
        self._size = 0
        self.overflowed = False

    def __bool__(self) -> bool:
        return bool(self._objects)

    def __len__(self) -> int:
        """Leaves and deletes that wait."""
        return self._size

    def offer(self, change: Change, selection: Selection | None) -> None:
        """Take in what of a change concerns the stream (None: all of it)."""
        if self.overflowed:
            return
        held = self._objects.get(change.object)
        if held is None:
            if not self._objects:
                self._wake()
            self._objects[change.object] = _Whole(change, selection)
            self._size += _size(change, selection)
        else:
            if isinstance(held, _Whole):
                self._size -= _size(held.change, held.selection)
                operations: _Operations = {}
                _absorb(operations, held.change, held.selection)
            else:
                operations = held
                self._size -= len(operations)
            _absorb(operations, change, selection)
            self._objects[change.object] = operations
            self._size += len(operations)
        if self._size > self._limit:
            self._objects.clear()
            self._size = 0
            self.overflowed = True
            self._wake()

    def clear(self) -> None:
        """Drop what waits."""
        self._objects.clear()
        self._size = 0

    def take(self) -> Iterator[Notice]:
        """Everything that waits, oldest objects first; what is put in meanwhile comes too."""
        pack: Pack | None = None
        while self._objects:
            path = next(iter(self._objects))
            held = self._objects.pop(path)
            prefix = Path(path.elems[:PREFIX_DEPTH], path.origin)
            if isinstance(held, _Whole):
                self._size -= _size(held.change, held.selection)
                if pack is not None and not pack.fits(prefix, held.change.time):
                    yield pack.notice()
                    pack = None
                pack = pack or Pack(prefix, held.change.time)
                pack.add(self._pieces(held.change, held.selection), _deletes(held.change, held.selection))
                continue
            self._size -= len(held)
            if pack is not None:
                yield pack.notice()
                pack = None
            yield from self._notices(prefix, held)
        if pack is not None:
            yield pack.notice()

    def _pieces(self, change: Change, selection: Selection | None) -> Iterator[bytes]:
        if selection is None:
            for part in change.parts:
                yield self._joined(part)
            return
        for index in selection.parts:
            yield self._joined(change.parts[index])
        for index, positions in selection.leaves.items():
            if index not in selection.parts:
                pieces = self._split(change.parts[index])
                for position in positions:
                    yield pieces[position]

    def _notices(self, prefix: Path, operations: _Operations) -> Iterator[Notice]:
        """The operations of one object, a notice for each of their times."""
        time = -1
        updates: list[bytes] = []
        deletes: list[Rel] = []
        duplicates: list[tuple[int, int]] = []
        for path, operation in operations.items():
            when = operation if isinstance(operation, int) else operation.time
            if when != time:
                if updates or deletes:
                    yield Notice(prefix, time, tuple(updates), tuple(deletes), tuple(duplicates))
                time, updates, deletes, duplicates = when, [], [], []
            if isinstance(operation, int):
                deletes.append(path.elems[PREFIX_DEPTH:])
            else:
                if operation.duplicates:
                    duplicates.append((len(updates), operation.duplicates))
                updates.append(self._split(operation.part)[operation.position])
        if updates or deletes:
            yield Notice(prefix, time, tuple(updates), tuple(deletes), tuple(duplicates))

    def _split(self, part: Part) -> tuple[bytes, ...]:
        """The leaves of a part, one piece each; kept with the part for all streams."""
        memo = part.memo
        if memo is None:
            memo = part.memo = {}
        kept: tuple[bytes, ...] | None = memo.get(("pieces", self._encoding))
        if kept is None:
            kept = memo["pieces", self._encoding] = tuple(
                self._encode(part.container, part.leaves, self._encoding)
            )
        return kept

    def _joined(self, part: Part) -> bytes:
        """All leaves of a part in one piece."""
        memo = part.memo
        if memo is not None and (kept := memo.get(("joined", self._encoding))) is not None:
            return kept  # type: ignore[no-any-return]
        pieces = self._split(part)
        assert part.memo is not None
        joined: bytes = b"".join(pieces)
        part.memo["joined", self._encoding] = joined
        return joined


class Pack:
    """A notice under construction."""

    __slots__ = ("_bytes", "_deletes", "_prefix", "_time", "_updates")

    def __init__(self, prefix: Path, time: int) -> None:
        self._prefix = prefix
        self._time = time
        self._updates: list[bytes] = []
        self._deletes: list[Rel] = []
        self._bytes = 0

    def fits(self, prefix: Path, time: int) -> bool:
        """True when something of that prefix and time may be added."""
        return time == self._time and self._bytes < MESSAGE_BYTES and prefix == self._prefix

    def add(self, updates: Iterable[bytes], deletes: Iterable[Path] = ()) -> None:
        """Add pieces, and deletes given as absolute paths."""
        for piece in updates:
            self._updates.append(piece)
            self._bytes += len(piece)
        self._deletes.extend([path.elems[PREFIX_DEPTH:] for path in deletes])

    def notice(self, missed: int = 0) -> Notice:
        """The notice; each update (one leaf per piece) stands for `missed` older values as well."""
        duplicates = tuple((index, missed) for index in range(len(self._updates))) if missed else ()
        return Notice(self._prefix, self._time, tuple(self._updates), tuple(self._deletes), duplicates)


def _size(change: Change, selection: Selection | None) -> int:
    if selection is None:
        return sum([len(part.leaves) for part in change.parts]) + len(change.deletes)
    whole = sum([len(change.parts[index].leaves) for index in selection.parts])
    return whole + sum([len(positions) for positions in selection.leaves.values()]) + len(selection.deletes)


def _deletes(change: Change, selection: Selection | None) -> Iterable[Path]:
    return change.deletes if selection is None else selection.deletes


def _chosen(change: Change, selection: Selection | None) -> Iterator[tuple[Part, int]]:
    if selection is None:
        for part in change.parts:
            yield from ((part, position) for position in range(len(part.leaves)))
        return
    for index in selection.parts:
        part = change.parts[index]
        yield from ((part, position) for position in range(len(part.leaves)))
    for index, positions in selection.leaves.items():
        if index not in selection.parts:
            yield from ((change.parts[index], position) for position in positions)


def _absorb(operations: _Operations, change: Change, selection: Selection | None) -> None:
    """Bring a later change into what waits for its object; deletes go first, as a client applies them."""
    for gone in _deletes(change, selection):
        for path in [path for path in operations if gone.is_prefix_of(path)]:
            del operations[path]
        operations[gone] = change.time
    for part, position in _chosen(change, selection):
        path = part.container.child(part.leaves[position][0])
        before = operations.pop(path, None)
        dropped = before.duplicates + 1 if isinstance(before, _Update) else 0
        operations[path] = _Update(change.time, part, position, dropped)
