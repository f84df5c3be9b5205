"""ONCE, POLL and STREAM, of now and of the past, as async iterators of items; no gRPC types."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from types import MappingProxyType

from twinplane.state.change import Change
from twinplane.state.operational import Operational
from twinplane.subscribe.atomic import Marks, shared
from twinplane.subscribe.encode import Committed, Encode, Item, Notice, Synced
from twinplane.subscribe.live import Limits, Live
from twinplane.subscribe.match import Subscriptions
from twinplane.subscribe.queue import Queue
from twinplane.subscribe.subscription import SubscriptionList, View, check
from twinplane.subscribe.values import Moment, Values, select


class Subscriber:
    """Serves subscriptions from the operational tree, whose listener it becomes.

    `marks` says, by origin, which containers are atomic.
    """

    def __init__(
        self,
        operational: Operational,
        encode: Encode,
        limits: Limits | None = None,
        marks: Mapping[str, Marks] = MappingProxyType({}),
    ) -> None:
        self._operational = operational
        self._encode = encode
        self._limits = limits or Limits()
        self._marks = marks
        self._values = Values(operational, encode, marks)
        self._watched: dict[tuple[View | None, str], Subscriptions[Queue]] = {}  # by view and origin
        self._told: dict[Queue, None] = {}  # those who are told of commits
        operational.listen(self._changed, self._committed)

    async def once(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """All current values, then `Synced`, then the end. POLL calls it for every poll."""
        if not wanted.updates_only:
            await self._operational.fresh([entry.path for entry in wanted.subscriptions])
            for notice in self._current(wanted):
                yield notice
        yield Synced()

    async def past(
        self, wanted: SubscriptionList, moments: AsyncIterator[tuple[Moment, int]]
    ) -> AsyncIterator[Item]:
        """The values of the first moment, `Synced`, what differs in each later one, then the end. With each
        moment comes the number of the commit that made it.

        Raises:
            RequestError: as `stream`, and what `moments` raises.
        """
        check(wanted.subscriptions, self._limits.least_interval)
        selected, values = select(wanted.subscriptions), self._values.of(wanted.view)
        before = values.seen((await anext(moments))[0])
        if not wanted.updates_only:
            for notice in values.at(selected, wanted.encoding, before):
                yield notice
        yield Synced()
        async for whole, revision in moments:
            moment = values.seen(whole)
            for notice in values.between(selected, wanted.encoding, before, moment):
                yield notice
            if wanted.commits:
                yield Committed(revision, "")
            before = moment

    async def stream(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """Initial values, `Synced`, then changes and samples until the iterator is closed.

        Raises:
            RequestError: before anything is yielded, for intervals that cannot be served; later, when the
                reader is so slow that more waits for it than is allowed.
        """
        check(wanted.subscriptions, self._limits.least_interval)
        await self._operational.fresh([entry.path for entry in wanted.subscriptions])
        # From here to the first notice nothing awaits: what is watched, what is sampled and the initial
        # values start from the same moment, and nothing is lost in between.
        view, values = wanted.view, self._values.of(wanted.view)
        live = Live(self._operational.freshness, values, self._encode, wanted, self._limits)
        try:
            for entry, queue in live.watched:
                key = (view, entry.path.origin)
                self._watched.setdefault(key, Subscriptions()).add(entry.path, queue)
            if wanted.commits and live.follows:
                self._told[live.queue] = None
            if not wanted.updates_only:
                for notice in self._current(wanted):
                    yield notice
            yield Synced()
            while True:
                for item in live.ready():
                    yield item
                await live.wait()
        finally:
            live.close()
            self._told.pop(live.queue, None)
            for entry, queue in live.watched:
                key = (view, entry.path.origin)
                self._watched[key].discard(entry.path, queue)
                if self._watched[key].top.bare and view is not None:
                    del self._watched[key]

    def _current(self, wanted: SubscriptionList) -> Iterator[Notice]:
        """All current values, those of the moment in which the first notice is asked for."""
        selected, values = select(wanted.subscriptions), self._values.of(wanted.view)
        yield from values.at(selected, wanted.encoding, values.moment(selected))

    def _changed(self, changes: Sequence[Change]) -> None:
        for (view, origin), subscriptions in self._watched.items():
            if not subscriptions.top.bare:
                mine = [change for change in changes if change.object.origin == origin]
                root = self._operational.root(origin)
                if view is not None:
                    root = view.tree(origin, whole := root)
                    mine = [seen for change in mine if (seen := view.change(change, whole)) is not None]
                for queue, parcel in shared(subscriptions, mine, self._marks.get(origin), root):
                    queue.offer(parcel)

    def _committed(self, revision: int, confirm: str, author: str) -> None:
        for queue in self._told:
            queue.end(Committed(revision, confirm, author))
