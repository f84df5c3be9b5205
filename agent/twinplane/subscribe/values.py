"""What a set of subscriptions selects: as it is now, and as it differs from an earlier moment."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from twinplane.state.change import Change, compare
from twinplane.state.operational import Operational
from twinplane.subscribe.atomic import Marks, apart, shared, whole
from twinplane.subscribe.encode import PREFIX_DEPTH, Encode, Encoding, Notice
from twinplane.subscribe.match import Subscriptions, match, union
from twinplane.subscribe.parcel import Offer, Parcel, portions
from twinplane.subscribe.subscription import Subscription, View
from twinplane.subscribe.walk import Walk
from twinplane.tree.diff import diff
from twinplane.tree.node import Container
from twinplane_wire.path import Elem, Path


class Moment(NamedTuple):
    """The trees by origin as they were at one time (ns since the epoch)."""

    time: int
    roots: Mapping[str, Container]


class Selected(NamedTuple):
    """The subscriptions of one origin; `paths` tells apart what selects differently."""

    origin: str
    tree: Subscriptions[bool]
    paths: frozenset[Path]


def select(subscriptions: Iterable[Subscription]) -> tuple[Selected, ...]:
    """Subscriptions by origin."""
    paths: dict[str, list[Path]] = {}
    for entry in subscriptions:
        paths.setdefault(entry.path.origin, []).append(entry.path)
    selected: list[Selected] = []
    for origin, mine in paths.items():
        tree: Subscriptions[bool] = Subscriptions()
        for path in mine:
            tree.add(path, True)
        selected.append(Selected(origin, tree, frozenset(mine)))
    return tuple(selected)


class Values:
    """Reads the operational tree for all streams whose readers see the same (`view`; None: everything)."""

    def __init__(
        self,
        operational: Operational,
        encode: Encode,
        marks: Mapping[str, Marks],
        view: View | None = None,
    ) -> None:
        self._operational = operational
        self._encode = encode
        self._marks = marks
        self._view = view

    def of(self, view: View | None) -> "Values":
        """The same for readers who see something else."""
        return self if view is None else Values(self._operational, self._encode, self._marks, view)

    def seen(self, moment: Moment) -> Moment:
        """What the readers see of a moment."""
        view = self._view
        if view is None:
            return moment
        return Moment(moment.time, {origin: view.tree(origin, root) for origin, root in moment.roots.items()})

    def moment(self, wanted: tuple[Selected, ...]) -> Moment:
        """The trees as they are now; what changes later has a later time."""
        time = self._operational.stamp()
        return self.seen(Moment(time, {one.origin: self._operational.root(one.origin) for one in wanted}))

    def at(
        self, wanted: tuple[Selected, ...], encoding: Encoding, moment: Moment, missed: int = 0
    ) -> Iterator[Notice]:
        """All that is selected; with `missed` every update says that it stands for so many dropped ones."""
        time = moment.time
        for one in wanted:
            root, marks = moment.roots[one.origin], self._marks.get(one.origin)
            rest, atomics = (root, ()) if marks is None else apart(root, marks)
            walk = Walk(self._encode, encoding, one.tree, one.paths)
            if not missed:
                for name, content in walk.messages(rest, one.origin):
                    yield Notice(_prefix(name, one.origin), time, (content,))
            else:
                for name, pieces in walk.pieces(rest, one.origin):
                    for portion in filter(None, portions(pieces)):
                        duplicates = tuple((index, missed) for index in range(len(portion)))
                        yield Notice(_prefix(name, one.origin), time, tuple(portion), (), duplicates)
            for elems, node in atomics:
                change = whole(Path(elems, one.origin), node, time)
                if found := match(one.tree, change):
                    offer = Offer(change, union(change, found.values()), missed)
                    yield from Parcel((offer,)).notices(self._encode, encoding)

    def between(
        self, wanted: tuple[Selected, ...], encoding: Encoding, before: Moment, after: Moment
    ) -> Iterator[Notice]:
        """What of the selected leaves differs between two moments, with the time of the later one."""
        for one in wanted:
            old, new = before.roots[one.origin], after.roots[one.origin]
            changes = _changes(old, new, one.origin, after.time)
            for _, parcel in shared(one.tree, changes, self._marks.get(one.origin), new):
                yield from parcel.notices(self._encode, encoding)


def _prefix(container: str, origin: str) -> Path:
    return Path((Elem(container),)[:PREFIX_DEPTH], origin)


def _changes(before: Container, after: Container, origin: str, time: int) -> list[Change]:
    found: list[Change] = []
    for touched in diff(before, after, origin).objects:
        parts, deletes = compare(touched.path, touched.before, touched.after)
        if parts or deletes:
            old = touched.before if deletes else None
            found.append(Change(touched.path, time, tuple(parts), tuple(deletes), old))
    return found
