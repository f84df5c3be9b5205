"""When samples and heartbeats come, on a clock that does not wait: exact, however busy the machine is."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from doubles.virtual import run
from twinplane.clock import Clock
from twinplane.model.port import interface_path
from twinplane.state.facts import Batch, LinkCounters, LinkFact
from twinplane.state.operational import Operational
from twinplane.subscribe.encode import Item, Notice, Synced
from twinplane.subscribe.live import Limits
from twinplane.subscribe.stream import Subscriber
from twinplane.subscribe.subscription import SECOND, Mode, Subscription, SubscriptionList
from twinplane_wire.path import Path
from unit.subscribe.client import Encoder, Tree, updates

STATUS = interface_path("a").child("state").child("oper-status")
COUNTER = interface_path("a").child("state").child("counters").child("in-octets")


class Bench:
    """A tree with one device whose counters grow with every poll, and a client of it, in virtual time."""

    def __init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.start = loop.time()
        self.clock = Clock(source=lambda: round((loop.time() - self.start) * SECOND) + 10**18)
        self.tree = Operational(self.clock)
        self.subscriber = Subscriber(self.tree, Encoder(), Limits())
        self.polls = 0
        self._polling = asyncio.ensure_future(self._poll())
        self.set(up=True)

    def set(self, *, up: bool) -> None:
        fact = LinkFact("a", 1, "", 1500, "", None, up, "UP" if up else "DOWN", up, 0, None)
        self.tree.apply(Batch("s", (fact,)))

    async def _poll(self) -> None:
        while True:
            await self.tree.freshness.wanted()
            self.polls += 1
            self.tree.apply(Batch("s", (LinkCounters("a", self.polls, 0, 0, 0, 0, 0, 0, 0),)))
            self.tree.freshness.done()

    async def follow(self, seconds: float, *entries: Subscription) -> dict[Path, list[float]]:
        """By leaf the times (s) after the sync at which it came, over so many seconds of reading."""
        tree = Tree()
        found: dict[Path, list[float]] = {}
        stream = self.subscriber.stream(SubscriptionList(entries, "x"))
        while not isinstance(item := await anext(stream), Synced):
            tree.take(item)
        loop = asyncio.get_running_loop()
        begin = loop.time()
        async for item in _until(stream, begin + seconds):
            tree.take(item)
            assert isinstance(item, Notice)
            for path, _ in updates(item):
                found.setdefault(path, []).append(loop.time() - begin)
        await stream.aclose()  # type: ignore[attr-defined]
        return found

    def close(self) -> None:
        self._polling.cancel()


async def _until(stream: AsyncIterator[Item], end: float) -> AsyncIterator[Item]:
    while True:
        try:
            async with asyncio.timeout_at(end):
                item = await anext(stream)
        except TimeoutError:
            return
        yield item


def ticks(interval: float, count: int) -> list[float]:
    return [pytest.approx(interval * (number + 1), abs=0.011) for number in range(count)]


@pytest.mark.row("SUB-19")
def test_sixty_samples_a_minute_without_drift() -> None:
    async def body() -> None:
        bench = Bench()
        entries = [Subscription(path, Mode.SAMPLE, SECOND) for path in (STATUS, COUNTER)]
        found = await bench.follow(60.5, *entries)
        assert found[STATUS] == ticks(1, 60)
        assert found[COUNTER] == ticks(1, 60)
        assert bench.polls >= 60
        bench.close()

    run(body())


@pytest.mark.row("SUB-21")
def test_interval_zero_is_the_documented_least() -> None:
    async def body() -> None:
        bench = Bench()
        found = await bench.follow(5.05, Subscription(STATUS, Mode.SAMPLE, 0))
        assert found[STATUS] == ticks(Limits().least_interval / SECOND, 50)
        bench.close()

    run(body())


@pytest.mark.row("SUB-17")
def test_an_on_change_heartbeat_comes_once_per_interval() -> None:
    async def body() -> None:
        bench = Bench()
        asyncio.get_running_loop().call_later(7, lambda: bench.set(up=False))
        entry = Subscription(STATUS, Mode.ON_CHANGE, heartbeat_interval=5 * SECOND)
        found = await bench.follow(30.5, entry)
        assert found[STATUS] == sorted([*ticks(5, 6), pytest.approx(7, abs=0.011)], key=_value)
        bench.close()

    run(body())


@pytest.mark.row("SUB-22", "SUB-23")
def test_suppressed_samples_and_their_heartbeat() -> None:
    async def body() -> None:
        bench = Bench()
        loop = asyncio.get_running_loop()
        loop.call_later(3.5, lambda: bench.set(up=False))
        suppressed = {"sample_interval": SECOND, "suppress_redundant": True}
        silent = Subscription(STATUS, Mode.SAMPLE, **suppressed)
        assert (await bench.follow(20.5, silent))[STATUS] == [pytest.approx(4, abs=0.011)]
        beating = Subscription(STATUS, Mode.SAMPLE, heartbeat_interval=10 * SECOND, **suppressed)
        loop.call_later(12.5, lambda: bench.set(up=True))
        found = await bench.follow(30.5, beating)
        assert found[STATUS] == [pytest.approx(time, abs=0.011) for time in (10, 13, 20, 30)]
        growing = Subscription(COUNTER, Mode.SAMPLE, **suppressed)
        found = await bench.follow(5.5, growing, silent)
        assert found[COUNTER] == ticks(1, 5)
        assert STATUS not in found
        bench.close()

    run(body())


@pytest.mark.row("SUB-24")
def test_target_defined_tells_events_and_samples_counters() -> None:
    async def body() -> None:
        bench = Bench()
        asyncio.get_running_loop().call_later(2.3, lambda: bench.set(up=False))
        found = await bench.follow(5.5, Subscription(interface_path("a"), Mode.TARGET_DEFINED))
        assert found[STATUS] == [pytest.approx(2.3, abs=0.011)]
        assert found[COUNTER] == ticks(1, 5)
        bench.close()

    run(body())


@pytest.mark.row("SUB-25")
def test_modes_of_one_list_keep_their_own_times() -> None:
    async def body() -> None:
        bench = Bench()
        asyncio.get_running_loop().call_later(2.3, lambda: bench.set(up=False))
        mtu = STATUS.__class__((*STATUS.elems[:-1], STATUS.elems[-1].__class__("mtu")))
        found = await bench.follow(
            6.5,
            Subscription(STATUS, Mode.ON_CHANGE),
            Subscription(mtu, Mode.SAMPLE, 2 * SECOND),
            Subscription(COUNTER, Mode.TARGET_DEFINED),
        )
        assert found[STATUS] == [pytest.approx(2.3, abs=0.011)]
        assert found[mtu] == ticks(2, 3)
        assert found[COUNTER] == ticks(1, 6)
        bench.close()

    run(body())


@pytest.mark.row("SUB-15")
def test_a_minute_without_changes_is_silent() -> None:
    async def body() -> None:
        bench = Bench()
        assert await bench.follow(60, Subscription(STATUS, Mode.ON_CHANGE)) == {}
        bench.close()

    run(body())


def _value(time: object) -> float:
    return time.expected if hasattr(time, "expected") else float(str(time))
