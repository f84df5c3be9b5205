"""Drives the sources of facts into the operational tree; a source that fails or hangs harms only itself."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from twinplane.clock import Clock
from twinplane.state.facts import AlarmFact, Batch, SourceFact
from twinplane.state.operational import Operational

COLLECTOR = "collector"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Feed:
    """A source by the name of its row in /system/host/sources.

    `batches` starts an endless iterator of batches, the first of them complete; it may raise, and is then
    started anew. `poll` reads all counters of the source at once; None where it has none.
    """

    name: str
    batches: Callable[[], AsyncIterator[Batch]]
    poll: Callable[[], Awaitable[Batch]] | None = None


@dataclass(frozen=True, slots=True)
class Pace:
    """Times in seconds: how long a poll may take before its source is stale, and the wait before a failed
    source is started again (doubled up to `longest`)."""

    poll_limit: float = 0.45
    shortest: float = 0.5
    longest: float = 30.0


class Collector:
    """Runs all feeds. `run` ends only by cancellation."""

    def __init__(
        self, operational: Operational, feeds: Sequence[Feed], clock: Clock, pace: Pace | None = None
    ) -> None:
        self._operational = operational
        self._clock = clock
        self._pace = pace or Pace()
        self._runs = tuple(_Run(feed) for feed in feeds)

    async def run(self) -> None:
        """Follow every source and serve every request for a poll."""
        async with asyncio.TaskGroup() as group:
            for run in self._runs:
                group.create_task(self._follow(run), name=f"source {run.feed.name}")
            await self._serve_polls(group)

    async def first_facts(self, limit: float) -> tuple[str, ...]:
        """Wait until every source has given its first batch or failed, at most `limit` seconds; names those
        that have given none."""
        async with asyncio.TaskGroup() as group:
            for run in self._runs:
                group.create_task(_within(limit, run.heard))
        return tuple(run.feed.name for run in self._runs if not run.last_heard)

    async def _follow(self, run: "_Run") -> None:
        delay = self._pace.shortest
        while True:
            try:
                async for batch in run.feed.batches():
                    self._operational.apply(batch)
                    run.broken = ""
                    self._heard(run)
                    delay = self._pace.shortest
                run.broken = "ended"
            except Exception as error:  # whatever a source raises, the others go on
                _log.exception("source %s failed", run.feed.name)
                run.broken = str(error) or type(error).__name__
            self._report(run)
            run.heard.set()
            await asyncio.sleep(delay)
            delay = min(2 * delay, self._pace.longest)

    async def _serve_polls(self, group: asyncio.TaskGroup) -> None:
        while True:
            await self._operational.freshness.wanted()
            tasks = [
                group.create_task(self._poll(run), name=f"poll {run.feed.name}")
                for run in self._runs
                if run.feed.poll is not None and not run.polling
            ]
            if tasks:
                await asyncio.wait(tasks, timeout=self._pace.poll_limit)
            for run in self._runs:
                if run.polling:
                    run.silent = "does not answer"
                    self._report(run)
            self._operational.apply(
                Batch(COLLECTOR, tuple(run.fact() for run in self._runs if run.published))
            )
            self._operational.freshness.done()

    async def _poll(self, run: "_Run") -> None:
        assert run.feed.poll is not None
        run.polling = True
        try:
            batch = await run.feed.poll()
        except Exception as error:  # as above: the other sources go on
            run.polling = False
            if not run.silent:
                _log.warning("poll of source %s failed: %s", run.feed.name, error)
            run.silent = str(error) or type(error).__name__
            self._report(run)
            return
        run.polling = False
        run.silent = ""
        self._operational.apply(batch)
        self._heard(run)

    def _heard(self, run: "_Run") -> None:
        run.last_heard = self._clock.now_ns()
        run.heard.set()
        self._report(run)

    def _report(self, run: "_Run") -> None:
        """Publish the status if it differs from the one published last, with the alarm that goes with it."""
        if run.fact().status == run.published:
            return
        run.published = run.fact().status
        alarm = AlarmFact(
            f"source {run.feed.name}",
            f"/system/host/sources/source[name={run.feed.name}]",
            "MINOR",
            f"source {run.feed.name}: {run.broken or run.silent}",
            cleared=run.published == "OK",
            kind="SOURCE_STALE",
        )
        self._operational.apply(Batch(COLLECTOR, (run.fact(), alarm)))


class _Run:
    """A feed and how it is: `broken` says why its batches ended, `silent` why its last poll gave nothing."""

    def __init__(self, feed: Feed) -> None:
        self.feed = feed
        self.broken = ""
        self.silent = ""
        self.published = ""
        self.last_heard = 0
        self.polling = False
        self.heard = asyncio.Event()

    def fact(self) -> SourceFact:
        status = "FAILED" if self.broken else "STALE" if self.silent else "OK"
        return SourceFact(self.feed.name, status, self.broken or self.silent, self.last_heard)


async def _within(limit: float, event: asyncio.Event) -> None:
    try:
        async with asyncio.timeout(limit):
            await event.wait()
    except TimeoutError:
        return
