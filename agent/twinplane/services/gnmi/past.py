"""History: configuration as it was, answered from the commits that are kept (gNMI history extension, 2.2).

State has no history here. What was configured is completed with the defaults in use, as reads of now have it.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.compile import Schemas
from twinplane.schema.defaults import with_defaults
from twinplane.services.gnmi.extension import Snapshot, Span
from twinplane.state.configured import exchanged
from twinplane.subscribe.values import Moment
from twinplane.transaction.datastore import Running
from twinplane.transaction.history import History
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path


class Past:
    """Reads what was. `running` gives what is configured now, `standing` are the objects that have defaults
    in use without being configured."""

    def __init__(
        self, schemas: Schemas, history: History, running: Callable[[], Running], standing: Iterable[Path]
    ) -> None:
        self._schemas = schemas
        self._history = history
        self._running = running
        self._standing = frozenset(standing)

    async def moments(
        self, asked: Snapshot | Span, now: int, origins: Iterable[str]
    ) -> AsyncIterator[tuple[Moment, int]]:
        """The trees of these origins at the time of a snapshot, or at the start of a span and then after each
        commit within it; with the number of the newest commit. Times are in ns since the epoch.

        Raises:
            RequestError: VALUE, a span ends before it starts; NOT_SERVED, a time that has not come; NO_DATA,
                one that is longer ago than commits are kept.
        """
        start, end = (asked.time, asked.time) if isinstance(asked, Snapshot) else asked
        if start > end:
            raise _refused(Fault.VALUE, f"the range starts at {start}, after its end at {end}")
        if end > now:
            raise _refused(Fault.NOT_SERVED, f"history of {end} is not served before that time; it is {now}")
        # A snapshot has what was committed at its very time; a range tells of that as a change.
        until = start + 1 if isinstance(asked, Snapshot) else start
        number, configured = await self._history.before(until, self._running())
        wanted = frozenset(origins)
        forest = NOTHING.changed(self._completed(_everything(configured, self._standing), wanted))
        yield _moment(start, forest, wanted), number
        while not isinstance(asked, Snapshot):
            found = await self._history.following(number, end)
            if not found:
                return
            for commit, objects in found:
                forest = forest.changed(self._completed(objects, wanted))
                number = commit.number
                yield _moment(commit.time, forest, wanted), number
        return

    def _completed(self, objects: Iterable[ObjectChange], origins: frozenset[str]) -> Iterator[ObjectChange]:
        for one in objects:
            if one.path.origin not in origins:
                continue
            after = one.after
            if after is None and one.path in self._standing:
                after = Container()
            if after is not None:
                filled = with_defaults(self._schemas.table(one.path.origin), one.path, after)
                copied = exchanged(None, None, filled)  # defaults are nodes that many objects share
                assert isinstance(copied, Container)
                after = copied
            yield ObjectChange(one.path, one.before, after)


def _everything(forest: Forest, standing: Iterable[Path]) -> Iterator[ObjectChange]:
    configured = changes(NOTHING, forest)
    yield from configured
    for path in set(standing) - {one.path for one in configured}:
        yield ObjectChange(path, None, Container())


def _moment(time: int, forest: Forest, origins: Iterable[str]) -> Moment:
    return Moment(time, {origin: forest.tree(origin) for origin in origins})


def _refused(fault: Fault, text: str) -> RequestError:
    return RequestError(Violation(ROOT, fault, text))
