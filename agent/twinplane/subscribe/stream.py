"""ONCE, POLL and STREAM as async iterators of items; no gRPC types."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twinplane.errors import Fault, RequestError, Violation
from twinplane.state.change import Change
from twinplane.state.operational import Operational, polled
from twinplane.subscribe.encode import Committed, Encode, Encoding, Item, Notice, Synced
from twinplane.subscribe.match import Subscriptions
from twinplane.subscribe.parcel import parcels
from twinplane.subscribe.queue import Queue
from twinplane.subscribe.sample import Ticker
from twinplane.subscribe.subscription import SECOND, Mode, Subscription, SubscriptionList, check
from twinplane.subscribe.walk import Walk
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Elem, Path


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stream may ask for and hold: the least interval and the pace of polling for ON_CHANGE, both in
    nanoseconds, and the number of leaves that may wait for a slow reader."""

    least_interval: int = SECOND // 10
    poll_interval: int = SECOND
    waiting: int = 200_000


class Subscriber:
    """Serves subscriptions from the operational tree, whose listener it becomes."""

    def __init__(self, operational: Operational, encode: Encode, limits: Limits | None = None) -> None:
        self._operational = operational
        self._encode = encode
        self._limits = limits or Limits()
        self._watched: dict[str, Subscriptions[Queue]] = {}
        self._told: dict[Queue, None] = {}  # those who are told of commits
        operational.listen(self._changed, self._committed)

    async def once(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """All current values, then `Synced`, then the end. POLL calls it for every poll."""
        await self._operational.fresh([entry.path for entry in wanted.subscriptions])
        if not wanted.updates_only:
            for notice in self._values(_selected(wanted.subscriptions), wanted.encoding):
                yield notice
        yield Synced()

    async def stream(self, wanted: SubscriptionList) -> AsyncIterator[Item]:
        """Initial values, `Synced`, then changes and samples until the iterator is closed.

        Raises:
            RequestError: before anything is yielded, for intervals that cannot be served; later, when the
                reader is so slow that more waits for it than is allowed.
        """
        check(wanted.subscriptions, self._limits.least_interval)
        await self._operational.fresh([entry.path for entry in wanted.subscriptions])
        live = _Stream(self._operational, self._encode, wanted, self._limits)
        try:
            for entry, queue in live.watched:
                self._watched.setdefault(entry.path.origin, Subscriptions()).add(entry.path, queue)
            if wanted.commits and live.follows:
                self._told[live.queue] = None
            if not wanted.updates_only:  # watching began before: nothing is lost in between
                for notice in self._values(_selected(wanted.subscriptions), wanted.encoding):
                    yield notice
            yield Synced()
            while True:
                for item in live.ready(self._values):
                    yield item
                await live.wait()
        finally:
            live.close()
            self._told.pop(live.queue, None)
            for entry, queue in live.watched:
                self._watched[entry.path.origin].discard(entry.path, queue)

    def _values(self, wanted: "_Selected", encoding: Encoding, missed: int = 0) -> Iterator[Notice]:
        """What is selected now, as of now; the roots are taken before the first notice is.

        With `missed` every update says that it stands for so many dropped ones.
        """
        time = self._operational.stamp()
        roots = {origin: self._operational.root(origin) for origin in wanted}
        return self._walked(wanted, roots, encoding, time, missed)

    def _walked(
        self, wanted: "_Selected", roots: dict[str, Container], encoding: Encoding, time: int, missed: int
    ) -> Iterator[Notice]:
        for origin, (tree, paths) in wanted.items():
            walk = Walk(self._encode, encoding, tree, paths)
            if not missed:
                for name, content in walk.messages(roots[origin], origin):
                    yield Notice(Path((Elem(name),), origin), time, (content,))
                continue
            for name, pieces in walk.pieces(roots[origin], origin):
                duplicates = tuple((index, missed) for index in range(len(pieces)))
                yield Notice(Path((Elem(name),), origin), time, tuple(pieces), (), duplicates)

    def _changed(self, changes: Sequence[Change]) -> None:
        for origin, subscriptions in self._watched.items():
            if not subscriptions.top.bare:
                mine = [change for change in changes if change.object.origin == origin]
                for queue, parcel in parcels(subscriptions, mine):
                    queue.offer(parcel)

    def _committed(self, revision: int, confirm: str) -> None:
        for queue in self._told:
            queue.end(Committed(revision, confirm))


_Selected = dict[str, tuple[Subscriptions[bool], frozenset[Path]]]  # by origin
_Values = Callable[[_Selected, Encoding, int], Iterator[Notice]]


class _Sample:
    """Subscriptions that are served at the same ticks. With `pending`, only what changed since the last tick
    is sent (`suppress_redundant`)."""

    def __init__(
        self, subscriptions: Sequence[Subscription], interval: int, start: float, pending: Queue | None
    ) -> None:
        self.wanted = _selected(subscriptions)
        self.ticker = Ticker(interval, start)
        self.pending = pending
        self.polled = any(polled(entry.path) for entry in subscriptions)
        self.max_age = _max_age(interval)
        self.missed: int | None = None
        self.poll: asyncio.Future[None] | None = None


class _Stream:
    """The state of one STREAM: what waits to be sent and when the next tick is."""

    def __init__(
        self, operational: Operational, encode: Encode, wanted: SubscriptionList, limits: Limits
    ) -> None:
        self._freshness = operational.freshness
        self._encoding = wanted.encoding
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self.queue = Queue(encode, wanted.encoding, self._woken.set, limits.waiting)
        self._samples: list[_Sample] = []
        self._poller: Ticker | None = None
        self._max_age = _max_age(limits.poll_interval)
        self.watched: list[tuple[Subscription, Queue]] = []
        start = self._loop.time()
        groups: dict[tuple[int, bool], list[Subscription]] = {}
        beats: dict[int, list[Subscription]] = {}
        for entry in wanted.subscriptions:
            if entry.mode is Mode.SAMPLE:
                interval = entry.sample_interval or limits.least_interval
                groups.setdefault((interval, entry.suppress_redundant), []).append(entry)
            else:
                self.watched.append((entry, self.queue))
                if polled(entry.path):
                    self._poller = Ticker(limits.poll_interval, start)
            if entry.heartbeat_interval and (entry.mode is not Mode.SAMPLE or entry.suppress_redundant):
                beats.setdefault(entry.heartbeat_interval, []).append(entry)
        self.follows = bool(self.watched)  # something is sent as it changes
        for (interval, suppressed), entries in groups.items():
            pending = Queue(encode, wanted.encoding, lambda: None, limits.waiting) if suppressed else None
            self._samples.append(_Sample(entries, interval, start, pending))
            if pending is not None:
                self.watched += [(entry, pending) for entry in entries]
        for interval, entries in beats.items():
            self._samples.append(_Sample(entries, interval, start, None))

    def ready(self, values: _Values) -> Iterator[Notice | Committed]:
        """What can be sent now: changes first, then samples whose values are fresh."""
        self._woken.clear()
        now = self._loop.time()
        if self._poller is not None and self._poller.take(now) is not None:
            self._freshness.request(self._max_age)  # the answer comes as changes
        for sample in self._samples:
            missed = sample.ticker.take(now)
            if missed is not None:
                sample.missed = missed if sample.missed is None else sample.missed + missed + 1
            if sample.missed is not None and sample.poll is None and sample.polled:
                sample.poll = self._freshness.request(sample.max_age)
                if sample.poll is not None:
                    sample.poll.add_done_callback(lambda _: self._woken.set())
        yield from self._changes(self.queue)
        for sample in self._samples:
            if sample.missed is None or (sample.poll is not None and not sample.poll.done()):
                continue
            count, sample.missed, sample.poll = sample.missed, None, None
            if sample.pending is not None:
                yield from self._changes(sample.pending)
            else:
                for queue in {id(queue): queue for _, queue in self.watched}.values():
                    yield from self._changes(queue)  # older than the sample
                yield from values(sample.wanted, self._encoding, count)

    async def wait(self) -> None:
        """Until there may be something to send."""
        dues = [sample.ticker.due for sample in self._samples]
        if self._poller is not None:
            dues.append(self._poller.due)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(dues) if dues else None):
                await self._woken.wait()

    def close(self) -> None:
        """Drop what waits."""
        self.queue.clear()

    def _changes(self, queue: Queue) -> Iterator[Notice | Committed]:
        yield from queue.take()
        if queue.overflowed:
            raise RequestError(
                Violation(
                    ROOT,
                    Fault.TOO_LARGE,
                    "the stream is not read fast enough: too many changes wait for it",
                    "read faster, or subscribe to less",
                )
            )


def _max_age(interval: int) -> float:
    """How old (in seconds) polled values may be at a tick, so that every tick has its own."""
    return min(1.0, 0.9 * interval / SECOND)


def _selected(subscriptions: Iterable[Subscription]) -> _Selected:
    paths: dict[str, list[Path]] = {}
    for entry in subscriptions:
        paths.setdefault(entry.path.origin, []).append(entry.path)
    selected: _Selected = {}
    for origin, mine in paths.items():
        tree: Subscriptions[bool] = Subscriptions()
        for path in mine:
            tree.add(path, True)
        selected[origin] = (tree, frozenset(mine))
    return selected
