"""Sources that work, fail and hang side by side."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

from twinplane.clock import Clock
from twinplane.state.collect import Collector, Feed, Pace
from twinplane.state.facts import Batch, LinkCounters, LinkFact
from twinplane.state.operational import Operational
from twinplane.tree.query import get
from twinplane_wire.path import ROOT, parse

LINK = LinkFact("eth0", 2, "", 1500, "", None, True, "UP", True, 1, None)
FAST = Pace(poll_limit=0.02, shortest=0.01, longest=0.02)


async def good() -> AsyncIterator[Batch]:
    yield Batch("good", (LINK,), complete=True)
    await asyncio.Event().wait()


async def silent() -> AsyncIterator[Batch]:
    await asyncio.Event().wait()
    yield Batch("silent", ())


def poll(octets: list[int]) -> Callable[[], Awaitable[Batch]]:
    async def read() -> Batch:
        octets[0] += 1
        return Batch("good", (LinkCounters("eth0", octets[0], 0, 0, 0, 0, 0, 0, 0),))

    return read


async def hang() -> Batch:
    await asyncio.Event().wait()
    raise AssertionError


def status(tree: Operational, name: str) -> object:
    return get(tree.view, parse(f"/system/host/sources/source[name={name}]/state/status"))


def alarmed(tree: Operational, name: str) -> bool:
    return get(tree.view, parse(f"/system/alarms/alarm[id=source {name}]")) is not None


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def test_each_source_is_judged_by_itself(clock: Clock) -> None:
    tries: list[int] = []

    async def broken() -> AsyncIterator[Batch]:
        tries.append(1)
        if len(tries) < 3:
            raise OSError("no socket")
        yield Batch("broken", ())
        await asyncio.Event().wait()

    async def scenario() -> None:
        tree = Operational(clock)
        octets = [0]
        feeds = [
            Feed("good", good, poll(octets)),
            Feed("broken", broken),
            Feed("stuck", good, hang),
            Feed("late", silent),
        ]
        collector = Collector(tree, feeds, clock, FAST)
        running = asyncio.ensure_future(collector.run())
        assert await collector.first_facts(0.05) == ("late",)
        assert status(tree, "good") == "CURRENT"
        await until(lambda: status(tree, "broken") == "CURRENT")
        assert len(tries) == 3
        assert not alarmed(tree, "broken")

        await tree.fresh([ROOT])  # the stuck source does not answer, the others do
        assert get(tree.view, parse("/interfaces/interface[name=eth0]/state/counters/in-octets")) == 1
        assert status(tree, "good") == "CURRENT"
        await until(lambda: status(tree, "stuck") == "STALE")
        assert alarmed(tree, "stuck")

        await tree.fresh([ROOT], max_age=0)  # polled again without the one that still hangs
        assert octets == [2]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())


def test_broken_source_is_alarmed_until_it_answers(clock: Clock) -> None:
    fail = [True]

    async def flaky() -> AsyncIterator[Batch]:
        if fail[0]:
            raise OSError("no socket")
        yield Batch("flaky", (LINK,), complete=True)
        await asyncio.Event().wait()

    async def scenario() -> None:
        tree = Operational(clock)
        running = asyncio.ensure_future(Collector(tree, [Feed("flaky", flaky)], clock, FAST).run())
        await until(lambda: alarmed(tree, "flaky"))
        assert status(tree, "flaky") == "STALE"
        fail[0] = False
        await until(lambda: not alarmed(tree, "flaky"))
        assert status(tree, "flaky") == "CURRENT"
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(scenario())
