"""What one pass gives to all subscribers of the same path: made once, shared by their queues."""

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from twinplane.state.change import Change, Part
from twinplane.subscribe.encode import PREFIX_DEPTH, Encode, Encoding, Notice, Rel
from twinplane.subscribe.match import Point, Selection, Subscriptions, match, union
from twinplane.subscribe.pace import announced
from twinplane_wire.path import Path

T = TypeVar("T")

MESSAGE_BYTES = 64 * 1024
"""Notices of one time and prefix share a message up to about this size, and longer ones are divided: what
clients take is 4 MiB unless they are told otherwise."""


def portions(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Pieces in portions of a good size for a message; at least one, which may be empty."""
    portion: list[bytes] = []
    size = 0
    for piece in pieces:
        if size >= MESSAGE_BYTES:
            yield portion
            portion, size = [], 0
        portion.append(piece)
        size += len(piece)
    yield portion


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

    def add(self, updates: Sequence[bytes], deletes: Iterable[Path] = ()) -> None:
        """Add pieces, and deletes given as absolute paths."""
        self._updates.extend(updates)
        self._bytes += sum(map(len, updates))
        self._deletes.extend([path.elems[PREFIX_DEPTH:] for path in deletes])

    def notice(self) -> Notice:
        """The notice, its updates in one piece."""
        updates = (b"".join(self._updates),) if self._updates else ()
        return Notice(self._prefix, self._time, updates, tuple(self._deletes))


class Offer:
    """One change as far as it is selected (None: all of it); it stands for `missed` dropped ones as well."""

    __slots__ = ("change", "missed", "selection", "size")

    def __init__(self, change: Change, selection: Selection | None, missed: int = 0) -> None:
        self.change = change
        self.selection = selection
        self.missed = missed
        if selection is None:
            self.size = sum([len(part.leaves) for part in change.parts]) + len(change.deletes)
        else:
            whole = sum([len(change.parts[index].leaves) for index in selection.parts])
            some = sum([len(positions) for positions in selection.leaves.values()])
            self.size = whole + some + len(selection.deletes)

    @property
    def deletes(self) -> Iterable[Path]:
        """The deletes that are selected."""
        return self.change.deletes if self.selection is None else self.selection.deletes

    def leaves(self) -> Iterator[tuple[Part, int]]:
        """The leaves that are selected: part and position in it."""
        if self.selection is None:
            for part in self.change.parts:
                yield from ((part, position) for position in range(len(part.leaves)))
            return
        for index in self.selection.parts:
            part = self.change.parts[index]
            yield from ((part, position) for position in range(len(part.leaves)))
        for index, positions in self.selection.leaves.items():
            if index not in self.selection.parts:
                yield from ((self.change.parts[index], position) for position in positions)

    def pieces(self, encode: Encode, encoding: Encoding) -> Iterator[bytes]:
        """The bytes of what is selected."""
        depth = len(self.change.object.elems) if self.change.atomic else PREFIX_DEPTH
        if self.selection is None:
            for part in self.change.parts:
                yield from split(part, encode, encoding, depth)
            return
        for index in self.selection.parts:
            yield from split(self.change.parts[index], encode, encoding, depth)
        for index, positions in self.selection.leaves.items():
            if index not in self.selection.parts:
                pieces = split(self.change.parts[index], encode, encoding, depth)
                yield from [pieces[position] for position in positions]

    def announced(self) -> "Offer | None":
        """What of it events announce: the offer without polled leaves, None where nothing is left."""
        left = Selection()
        left.deletes = dict.fromkeys(self.deletes)
        for index, part in enumerate(self.change.parts):
            names = tuple([elem.name for elem in part.container.elems])
            positions = announced(names, tuple([name for name, _ in part.leaves]))
            if self.selection is not None and index not in self.selection.parts:
                chosen = self.selection.leaves.get(index, {})
                positions = tuple([position for position in positions if position in chosen])
            if len(positions) == len(part.leaves):
                left.parts[index] = None
            elif positions:
                left.leaves[index] = dict.fromkeys(positions)
        offer = Offer(self.change, left)
        return self if offer.size == self.size else offer if offer.size else None


class Parcel:
    """The offers of one pass for one set of paths."""

    __slots__ = ("_announced", "_notices", "offers", "size")

    def __init__(self, offers: Sequence[Offer]) -> None:
        self.offers = offers
        self.size = sum([offer.size for offer in offers])
        self._notices: dict[Encoding, tuple[Notice, ...]] = {}
        self._announced: Parcel | None = None

    def announced(self) -> "Parcel":
        """The parcel without what is polled (it may be empty), the same for all who ask."""
        if self._announced is None:
            found = [offer.announced() for offer in self.offers]
            same = all(new is old for new, old in zip(found, self.offers, strict=True))
            self._announced = self if same else Parcel([offer for offer in found if offer is not None])
        return self._announced

    def notices(self, encode: Encode, encoding: Encoding) -> tuple[Notice, ...]:
        """The offers as messages, the same for all who ask."""
        kept = self._notices.get(encoding)
        if kept is None:
            kept = self._notices[encoding] = tuple(self._packed(encode, encoding))
        return kept

    def _packed(self, encode: Encode, encoding: Encoding) -> Iterator[Notice]:
        pack: Pack | None = None
        prefixes: dict[object, Path] = {}
        for offer in self.offers:
            path = offer.change.object
            if offer.change.atomic:
                if pack is not None:
                    yield pack.notice()
                    pack = None
                yield _atomic(offer, encode, encoding)
                continue
            prefix = prefixes.setdefault(
                (path.elems[:PREFIX_DEPTH], path.origin), Path(path.elems[:PREFIX_DEPTH], path.origin)
            )
            deletes = offer.deletes
            for portion in portions(offer.pieces(encode, encoding)):
                if pack is not None and not pack.fits(prefix, offer.change.time):
                    yield pack.notice()
                    pack = None
                pack = pack or Pack(prefix, offer.change.time)
                pack.add(portion, deletes)
                deletes = ()
        if pack is not None:
            yield pack.notice()


def parcels(subscriptions: Subscriptions[T], changes: Iterable[Change]) -> Iterator[tuple[T, Parcel]]:
    """What each member gets of a pass; members with the same paths get the very same parcel."""
    offers: dict[Point[T], list[Offer]] = {}
    for change in changes:
        shared: dict[int, Offer] = {}
        for point, selection in match(subscriptions, change).items():
            offer = shared.get(id(selection))
            if offer is None:
                offer = shared[id(selection)] = Offer(change, selection)
            offers.setdefault(point, []).append(offer)
    points: dict[T, list[Point[T]]] = {}
    for point in offers:
        for member in point.members:
            points.setdefault(member, []).append(point)
    made: dict[tuple[Point[T], ...], Parcel] = {}
    for member, mine in points.items():
        key = tuple(mine)
        parcel = made.get(key)
        if parcel is None:
            parcel = made[key] = Parcel(_merged([offers[point] for point in mine]))
        yield member, parcel


def split(part: Part, encode: Encode, encoding: Encoding, depth: int = PREFIX_DEPTH) -> Sequence[bytes]:
    """The leaves of a part, one piece each, for a prefix of `depth` elements; kept with the part for all
    streams (a part is always asked for with the same depth)."""
    memo = part.memo
    if memo is None:
        memo = part.memo = {}
    kept: Sequence[bytes] | None = memo.get(encoding)
    if kept is None:
        kept = memo[encoding] = encode(part.container, part.leaves, encoding, depth)
    return kept


def _atomic(offer: Offer, encode: Encode, encoding: Encoding) -> Notice:
    pieces = tuple(offer.pieces(encode, encoding))
    duplicates = tuple((index, offer.missed) for index in range(len(pieces))) if offer.missed else ()
    return Notice(offer.change.object, offer.change.time, pieces, (), duplicates, atomic=True)


def _merged(lists: list[list[Offer]]) -> list[Offer]:
    if len(lists) == 1:
        return lists[0]
    selections: dict[int, tuple[Change, list[Selection | None]]] = {}
    for offers in lists:
        for offer in offers:
            selections.setdefault(id(offer.change), (offer.change, []))[1].append(offer.selection)
    return [Offer(change, union(change, each)) for change, each in selections.values()]
