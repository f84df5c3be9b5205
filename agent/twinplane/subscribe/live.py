"""The state of one STREAM: what waits to be sent, and when it samples."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

from twinplane.errors import Fault, RequestError, Violation
from twinplane.state.freshness import Freshness
from twinplane.state.operational import polled
from twinplane.subscribe.encode import Committed, Encode, Encoding, Notice
from twinplane.subscribe.pace import sampled
from twinplane.subscribe.queue import Queue
from twinplane.subscribe.sample import Ticker
from twinplane.subscribe.subscription import SECOND, Mode, Subscription, SubscriptionList
from twinplane.subscribe.values import Moment, Values, select
from twinplane_wire.path import ROOT


@dataclass(frozen=True, slots=True)
class Limits:
    """What a stream may ask for and hold.

    Nanoseconds: `least_interval` is the least between two samples, `poll_interval` the pace at which leaves
    that no event announces are looked at for ON_CHANGE and sampled for TARGET_DEFINED. `waiting` is how many
    leaves may wait for a slow reader.
    """

    least_interval: int = SECOND // 10
    poll_interval: int = SECOND
    waiting: int = 200_000


class Live:
    """One stream. Its queues are filled by whoever watches for `watched`."""

    def __init__(
        self,
        freshness: Freshness,
        values: Values,
        encode: Encode,
        wanted: SubscriptionList,
        limits: Limits,
    ) -> None:
        self._freshness = freshness
        self._values = values
        self._encoding = wanted.encoding
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self.queue = Queue(encode, wanted.encoding, self._woken.set, limits.waiting)
        self._events = Queue(encode, wanted.encoding, self._woken.set, limits.waiting, announced_only=True)
        self._poller: Ticker | None = None
        self._max_age = _max_age(limits.poll_interval)
        self.watched: list[tuple[Subscription, Queue]] = []
        self._samples = self._timetable(wanted.subscriptions, limits)
        self.follows = bool(self.watched)  # something is sent as it changes

    def _timetable(self, subscriptions: Sequence[Subscription], limits: Limits) -> "list[_Sample]":
        """What is sampled when; what is sent as it changes is added to `watched`."""
        start = self._loop.time()
        groups: dict[int, list[Subscription]] = {}
        suppressed: dict[tuple[int, int], list[Subscription]] = {}
        for entry in subscriptions:
            interval = entry.sample_interval or limits.least_interval
            beat = entry.heartbeat_interval
            match entry.mode:
                case Mode.SAMPLE if entry.suppress_redundant:
                    suppressed.setdefault((interval, beat), []).append(entry)
                case Mode.SAMPLE:
                    groups.setdefault(interval, []).append(entry)
                case Mode.TARGET_DEFINED if counters := sampled(entry.path):
                    self.watched.append((entry, self._events))
                    pace = groups.setdefault(limits.poll_interval, [])
                    pace += [Subscription(path, Mode.SAMPLE) for path in counters]
                case _:
                    self.watched.append((entry, self.queue))
                    if polled(entry.path):
                        self._poller = Ticker(limits.poll_interval, start)
            if beat and entry.mode is not Mode.SAMPLE:
                groups.setdefault(beat, []).append(entry)
        return [
            *(_Sample(entries, interval, start) for interval, entries in groups.items()),
            *(
                _Sample(entries, interval, start, self._values, beat)
                for (interval, beat), entries in suppressed.items()
            ),
        ]

    def ready(self) -> Iterator[Notice | Committed]:
        """What can be sent now: changes first, then samples whose values are fresh."""
        self._woken.clear()
        now = self._loop.time()
        if self._poller is not None and self._poller.take(now) is not None:
            self._freshness.request(self._max_age)  # the answer comes as changes
        for sample in self._samples:
            if sample.falls_due(now) and sample.poll is None and sample.polled:
                sample.poll = self._freshness.request(sample.max_age)
                if sample.poll is not None:
                    sample.poll.add_done_callback(lambda _: self._woken.set())
        yield from self._changes()
        for sample in self._samples:
            if sample.is_due:
                yield from self._changes()  # older than the sample
                yield from sample.take(self._values, self._encoding)

    async def wait(self) -> None:
        """Until there may be something to send."""
        dues = [sample.due for sample in self._samples]
        if self._poller is not None:
            dues.append(self._poller.due)
        with suppress(TimeoutError):
            async with asyncio.timeout_at(min(dues) if dues else None):
                await self._woken.wait()

    def close(self) -> None:
        """Drop what waits."""
        self.queue.clear()
        self._events.clear()

    def _changes(self) -> Iterator[Notice | Committed]:
        while self.queue or self._events:
            yield from self.queue.take()
            yield from self._events.take()
        if self.queue.overflowed or self._events.overflowed:
            raise RequestError(
                Violation(
                    ROOT,
                    Fault.TOO_LARGE,
                    "the stream is not read fast enough: too many changes wait for it",
                    "read faster, or subscribe to less",
                )
            )


class _Sample:
    """Subscriptions that are served at the same ticks.

    Given `values`, only what differs from the tick before is sent (`suppress_redundant`), and everything once
    per heartbeat `beat` (0: never); else everything at each tick. Times are nanoseconds.
    """

    def __init__(
        self,
        subscriptions: Sequence[Subscription],
        interval: int,
        start: float,
        values: Values | None = None,
        beat: int = 0,
    ) -> None:
        self._wanted = select(subscriptions)
        self._ticker = Ticker(interval, start)
        self._beat = Ticker(beat, start) if beat else None
        self._before: Moment | None = None if values is None else values.moment(self._wanted)
        self._missed: int | None = None
        self._everything = False
        self.polled = any(polled(entry.path) for entry in subscriptions)
        self.max_age = _max_age(interval)
        self.poll: asyncio.Future[None] | None = None

    @property
    def due(self) -> float:
        """When it is due next, on the loop's clock."""
        return self._ticker.due if self._beat is None else min(self._ticker.due, self._beat.due)

    @property
    def is_due(self) -> bool:
        """True when a tick has come and what is polled is fresh."""
        return self._missed is not None and (self.poll is None or self.poll.done())

    def falls_due(self, now: float) -> bool:
        """Take notice of the time; True from a tick until its values are taken."""
        missed = self._ticker.take(now)
        if missed is not None:
            self._missed = missed if self._missed is None else self._missed + missed + 1
        if self._beat is not None and self._beat.take(now) is not None:
            self._missed = self._missed or 0
            self._everything = True
        return self._missed is not None

    def take(self, values: Values, encoding: Encoding) -> Iterator[Notice]:
        """The values of this tick."""
        missed, self._missed, self.poll = self._missed or 0, None, None
        now = values.moment(self._wanted)
        before = self._before
        if before is None:
            yield from values.at(self._wanted, encoding, now, missed)
            return
        everything, self._everything, self._before = self._everything, False, now
        for notice in values.between(self._wanted, encoding, before, now):
            if not everything:
                yield notice
            elif notice.deletes:
                yield Notice(notice.prefix, notice.time, (), notice.deletes)
        if everything:
            yield from values.at(self._wanted, encoding, now)


def _max_age(interval: int) -> float:
    """How old (in seconds) polled values may be at a tick, so that every tick has its own."""
    return min(1.0, 0.9 * interval / SECOND)
