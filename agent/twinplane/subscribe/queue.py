"""The coalescing queue of one stream: the latest value of each leaf, whatever the speed of the reader.

A reader that keeps up shares the parcels of each pass with all others. Only when a second parcel comes before
the first was taken are they laid out leaf by leaf and merged. Nothing is merged over the end of a commit that
is to be told.
"""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeAlias

from twinplane.state.change import Part
from twinplane.subscribe.encode import PREFIX_DEPTH, Committed, Encode, Encoding, Notice, Rel
from twinplane.subscribe.parcel import MESSAGE_BYTES, Offer, Parcel, split
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class _Update:
    time: int
    part: Part
    position: int
    duplicates: int


_Operations: TypeAlias = dict[Path, "_Update | int"]  # by path, in order of time; a number is a delete's time


class _Waiting:
    """Changes that may be merged: one parcel as it came, or objects with what several left of them."""

    __slots__ = ("_atomics", "objects", "parcel")

    def __init__(self) -> None:
        self._atomics: dict[Path, None] = {}  # those of the objects that are
        self.parcel: Parcel | None = None
        self.objects: dict[Path, Offer | _Operations] = {}

    def __bool__(self) -> bool:
        return self.parcel is not None or bool(self.objects)

    def add(self, parcel: Parcel) -> int:
        """Take in a parcel; gives how much longer this makes the queue."""
        if not self:
            self.parcel = parcel
            return parcel.size
        longer = 0
        waiting, self.parcel = self.parcel, None
        if waiting is not None:
            longer = sum([self._merge(offer) for offer in waiting.offers]) - waiting.size
        return longer + sum([self._merge(offer) for offer in parcel.offers])

    def taken(self, path: Path) -> None:
        """What waited for an object is on its way."""
        self._atomics.pop(path, None)

    def _merge(self, offer: Offer) -> int:
        path = offer.change.object
        if offer.change.atomic:
            return self._replace(path, offer)
        shorter = sum([self._drop_atomic(gone) for gone in offer.deletes]) if self._atomics else 0
        held = self.objects.get(path)
        if held is None:
            self.objects[path] = offer
            return offer.size - shorter
        if isinstance(held, Offer):
            before = held.size
            operations: _Operations = {}
            _absorb(operations, held)
        else:
            operations = held
            before = len(operations)
        _absorb(operations, offer)
        self.objects[path] = operations
        return len(operations) - before - shorter

    def _replace(self, path: Path, offer: Offer) -> int:
        """An atomic container takes the place of what waits of it, behind all that came meanwhile."""
        held = self.objects.pop(path, None)
        self._atomics[path] = None
        if not isinstance(held, Offer):
            self.objects[path] = offer
            return offer.size
        self.objects[path] = Offer(offer.change, offer.selection, held.missed + 1)
        return offer.size - held.size

    def _drop_atomic(self, gone: Path) -> int:
        """Drop atomic containers that a delete covers or reaches into; gives how long they were."""
        dropped = 0
        for path in [path for path in self._atomics if gone.is_prefix_of(path) or path.is_prefix_of(gone)]:
            del self._atomics[path]
            held = self.objects.pop(path, None)
            dropped += held.size if isinstance(held, Offer) else 0
        return dropped


class Queue:
    """What one stream has still to send. `limit` bounds the number of leaves, deletes and commits in it.

    `wake` is called when something is put into an empty queue, or when the queue overflows; then it keeps
    nothing and takes nothing any more. With `announced_only` leaves that are polled are left out.
    """

    def __init__(
        self,
        encode: Encode,
        encoding: Encoding,
        wake: Callable[[], None],
        limit: int,
        *,
        announced_only: bool = False,
    ) -> None:
        self._announced_only = announced_only
        self._encode = encode
        self._encoding = encoding
        self._wake = wake
        self._limit = limit
        self._ended: deque[tuple[_Waiting, Committed]] = deque()
        self._waiting = _Waiting()
        self._size = 0
        self.overflowed = False

    def __bool__(self) -> bool:
        return bool(self._ended) or bool(self._waiting)

    def __len__(self) -> int:
        """Leaves, deletes and commits that wait."""
        return self._size

    def offer(self, parcel: Parcel) -> None:
        """Take in what a pass has for the stream."""
        if self._announced_only:
            parcel = parcel.announced()
        if self.overflowed or not parcel.offers:
            return
        if not self:
            self._wake()
        self._size += self._waiting.add(parcel)
        self._check()

    def end(self, commit: Committed) -> None:
        """What waits now goes before the end of this commit, what comes later goes after it."""
        if self.overflowed:
            return
        if not self:
            self._wake()
        self._ended.append((self._waiting, commit))
        self._waiting = _Waiting()
        self._size += 1
        self._check()

    def clear(self) -> None:
        """Drop what waits."""
        self._ended.clear()
        self._waiting = _Waiting()
        self._size = 0

    def take(self) -> Iterator[Notice | Committed]:
        """Everything that waits, oldest objects first; what is put in meanwhile comes too."""
        while self:
            waiting = self._ended[0][0] if self._ended else self._waiting
            if waiting:
                yield from self._next(waiting)
            elif self._ended:
                self._size -= 1
                yield self._ended.popleft()[1]

    def _next(self, waiting: "_Waiting") -> Iterator[Notice]:
        if waiting.parcel is not None:
            parcel, waiting.parcel = waiting.parcel, None
            self._size -= parcel.size
            yield from parcel.notices(self._encode, self._encoding)
            return
        path = next(iter(waiting.objects))
        held = waiting.objects.pop(path)
        waiting.taken(path)
        if isinstance(held, Offer):
            self._size -= held.size
            yield from Parcel((held,)).notices(self._encode, self._encoding)
        else:
            self._size -= len(held)
            yield from self._notices(Path(path.elems[:PREFIX_DEPTH], path.origin), held)

    def _check(self) -> None:
        if self._size > self._limit:
            self.clear()
            self.overflowed = True
            self._wake()

    def _notices(self, prefix: Path, operations: _Operations) -> Iterator[Notice]:
        """The operations of one object, a notice for each of their times or, where that is long, several."""
        time = -1
        size = 0
        updates: list[bytes] = []
        deletes: list[Rel] = []
        duplicates: list[tuple[int, int]] = []
        for path, operation in operations.items():
            when = operation if isinstance(operation, int) else operation.time
            if when != time or size >= MESSAGE_BYTES:
                if updates or deletes:
                    yield Notice(prefix, time, tuple(updates), tuple(deletes), tuple(duplicates))
                time, size, updates, deletes, duplicates = when, 0, [], [], []
            if isinstance(operation, int):
                deletes.append(path.elems[PREFIX_DEPTH:])
            else:
                if operation.duplicates:
                    duplicates.append((len(updates), operation.duplicates))
                pieces = split(operation.part, self._encode, self._encoding)
                updates.append(pieces[operation.position])
                size += len(updates[-1])
        if updates or deletes:
            yield Notice(prefix, time, tuple(updates), tuple(deletes), tuple(duplicates))


def _absorb(operations: _Operations, offer: Offer) -> None:
    """Bring a later change into what waits for its object; deletes go first, as a client applies them."""
    for gone in offer.deletes:
        for path in [path for path in operations if gone.is_prefix_of(path)]:
            del operations[path]
        operations[gone] = offer.change.time
    for part, position in offer.leaves():
        path = part.container.child(part.leaves[position][0])
        before = operations.pop(path, None)
        dropped = before.duplicates + 1 if isinstance(before, _Update) else 0
        operations[path] = _Update(offer.change.time, part, position, dropped)
