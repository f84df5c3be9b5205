"""What a stream yields, by the rows of the conformance matrix (SUB-…)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing

import pytest

from doubles import virtual
from twinplane.clock import Clock
from twinplane.errors import RequestError
from twinplane.model.appliance import vnic_path
from twinplane.state.facts import Batch, LinkCounters, LinkFact, LinkGone
from twinplane.state.operational import Operational
from twinplane.subscribe.encode import Item, Notice, Synced
from twinplane.subscribe.stream import Limits, Subscriber
from twinplane.subscribe.subscription import Mode, Subscription, SubscriptionList
from twinplane_wire.path import Path, parse
from unit.subscribe.client import Encoder, Tree, deletes, selected, updates

MILLISECOND = 1_000_000
TICK = 20 * MILLISECOND
LIMITS = Limits(least_interval=MILLISECOND, poll_interval=TICK, waiting=500)


class Box:
    """A tree with one host port, and a poll that counts on by itself."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.clock = Clock(source=lambda: 1)
        self.tree = Operational(self.clock)
        self.encoder = Encoder()
        self.subscriber = Subscriber(self.tree, self.encoder, limits)
        self.polls = 0
        self.see(LinkFact("eth0", 1, "", 1500, "", None, True, "UP", True, 0, None))

    def see(self, *facts: object) -> None:
        self.tree.apply(Batch("source", facts))  # type: ignore[arg-type]

    def count(self, octets: int) -> None:
        self.see(LinkCounters("eth0", octets, 0, 0, 0, 0, 0, 0, 0))

    def stream(self, *entries: Subscription, updates_only: bool = False) -> AsyncIterator[Item]:
        return self.subscriber.stream(SubscriptionList(entries, "x", updates_only))

    async def serve_polls(self) -> None:
        while True:
            await self.tree.freshness.wanted()
            self.polls += 1
            self.count(self.polls)
            self.tree.freshness.done()


def run(scenario: Callable[[Box], Awaitable[None]], limits: Limits = LIMITS) -> Box:
    """Run a scenario beside a box that answers polls."""
    box = Box(limits)

    async def all_of_it() -> None:
        polls = asyncio.ensure_future(box.serve_polls())
        async with asyncio.timeout(20):
            await scenario(box)
        polls.cancel()
        await asyncio.gather(polls, return_exceptions=True)

    virtual.run(all_of_it())
    return box


def state(leaf: str) -> Path:
    return parse(f"/interfaces/interface[name=eth0]/state/{leaf}")


async def notices(stream: AsyncIterator[Item], number: int) -> list[Notice]:
    """The next notices, `Synced` left out."""
    found: list[Notice] = []
    while len(found) < number:
        item = await anext(stream)
        if isinstance(item, Notice):
            found.append(item)
    return found


def test_path_without_data_syncs_stays_open_and_delivers_later() -> None:  # SUB-07, SUB-11
    async def scenario(box: Box) -> None:
        path = parse("/interfaces/interface[name=later]/state/oper-status")
        async with aclosing(box.stream(Subscription(path, Mode.ON_CHANGE))) as stream:  # type: ignore[type-var]
            assert await anext(stream) == Synced()
            box.see(LinkFact("later", 2, "", 1500, "", None, True, "UP", True, 0, None))
            (notice,) = await notices(stream, 1)
            assert updates(notice) == [(path, "UP")]

    run(scenario)


def test_updates_only_leaves_initial_values_out() -> None:  # SUB-14
    async def scenario(box: Box) -> None:
        entry = Subscription(state("oper-status"), Mode.ON_CHANGE)
        async with aclosing(box.stream(entry, updates_only=True)) as stream:  # type: ignore[type-var]
            assert await anext(stream) == Synced()
        once = box.subscriber.once(SubscriptionList((entry,), "x", updates_only=True))
        assert [item async for item in once] == [Synced()]

    run(scenario)


def test_counters_reach_on_change_by_polling() -> None:  # SUB-10, SUB-18, A-08
    async def scenario(box: Box) -> None:
        entry = Subscription(state("counters/in-octets"), Mode.ON_CHANGE)
        async with aclosing(box.stream(entry)) as stream:  # type: ignore[type-var]
            found = await notices(stream, 4)
        assert [updates(notice) for notice in found] == [
            [(state("counters/in-octets"), number)] for number in (1, 2, 3, 4)
        ]

    run(scenario)


def test_sample_sends_every_leaf_at_each_tick_changed_or_not() -> None:  # SUB-19, SUB-21, SUB-25
    async def scenario(box: Box) -> None:
        entries = (
            Subscription(state("oper-status"), Mode.SAMPLE, sample_interval=TICK),
            Subscription(state("mtu"), Mode.SAMPLE),
            Subscription(state("enabled"), Mode.ON_CHANGE),
        )
        client = Tree()
        counts = dict.fromkeys(("oper-status", "mtu", "enabled"), 0)
        async with aclosing(box.stream(*entries)) as stream:  # type: ignore[type-var]
            while counts["oper-status"] < 4:
                item = await anext(stream)
                client.take(item)
                if isinstance(item, Notice):
                    for path, _ in updates(item):
                        counts[path.elems[-1].name] += 1
        assert client.synced == 1
        assert counts["mtu"] > counts["oper-status"]
        assert counts["enabled"] == 1
        assert box.polls == 0  # nothing polled below these paths

    run(scenario)


def test_sample_of_counters_polls_before_each_tick() -> None:
    async def scenario(box: Box) -> None:
        entry = Subscription(state("counters"), Mode.SAMPLE, sample_interval=TICK)
        async with aclosing(box.stream(entry)) as stream:  # type: ignore[type-var]
            found = await notices(stream, 4)
        octets = [dict(updates(notice))[state("counters/in-octets")] for notice in found]
        assert octets == sorted(set(octets))  # type: ignore[type-var]
        assert all(len(updates(notice)) == 9 for notice in found)
        assert [notice.time for notice in found] == sorted({notice.time for notice in found})

    run(scenario)


def test_suppress_redundant_is_per_leaf_and_heartbeat_sends_all() -> None:  # SUB-22, SUB-23
    async def scenario(box: Box) -> None:
        path = parse("/interfaces/interface[name=eth0]/state/counters")
        entry = Subscription(path, Mode.SAMPLE, sample_interval=TICK, suppress_redundant=True)
        async with aclosing(box.stream(entry)) as stream:  # type: ignore[type-var]
            found = await notices(stream, 3)
        assert [len(updates(notice)) for notice in found] == [9, 1, 1]
        beating = Subscription(path, Mode.SAMPLE, 1000 * TICK, TICK, suppress_redundant=True)
        client = Tree()
        async with aclosing(box.stream(beating)) as stream:  # type: ignore[type-var]
            while len(client.history) < 6:
                client.take(await anext(stream))
        full = [item for item in client.history if isinstance(item, Notice) and len(updates(item)) == 9]
        assert len(full) >= 3

    run(scenario)


def test_heartbeat_repeats_what_does_not_change() -> None:  # SUB-17
    async def scenario(box: Box) -> None:
        entry = Subscription(state("mtu"), Mode.ON_CHANGE, heartbeat_interval=TICK)
        client = Tree()
        async with aclosing(box.stream(entry)) as stream:  # type: ignore[type-var]
            while len(client.history) < 5:
                client.take(await anext(stream))
        assert client.values == {state("mtu"): 1500}

    run(scenario)


@pytest.mark.parametrize(
    "entry",
    [
        Subscription(state("mtu"), Mode.SAMPLE, sample_interval=1),
        Subscription(state("mtu"), Mode.ON_CHANGE, heartbeat_interval=1),
        Subscription(state("mtu"), Mode.TARGET_DEFINED, sample_interval=10 * TICK),
    ],
)
def test_intervals_that_cannot_be_served_are_refused_before_any_data(entry: Subscription) -> None:
    async def scenario(box: Box) -> None:  # SUB-05, SUB-20, SUB-24
        with pytest.raises(RequestError) as caught:
            await anext(box.stream(Subscription(state("enabled"), Mode.ON_CHANGE), entry))
        assert [violation.path for violation in caught.value.violations] == [state("mtu")]

    run(scenario)


def test_delete_never_points_above_the_subscription() -> None:  # SUB-33, SUB-35
    async def scenario(box: Box) -> None:
        for number, name in enumerate(("a", "b")):
            owner = vnic_path("fw", name)
            box.see(LinkFact(f"tp{number}", 9, "tun", 1500, "", owner, True, "UP", True, 0, None))
        path = parse("/appliances/appliance[name=*]/vnics/vnic[name=*]/state/oper-status")
        whole = parse("/interfaces/interface[name=fw:a]")
        entries = (Subscription(path, Mode.ON_CHANGE), Subscription(whole, Mode.ON_CHANGE))
        async with aclosing(box.stream(*entries)) as stream:  # type: ignore[type-var]
            while await anext(stream) != Synced():
                pass
            box.see(LinkGone("tp0"), LinkGone("tp1"))
            found = await notices(stream, 2)
        gone = sorted(str(path) for notice in found for path in deletes(notice))
        assert gone == [
            "/appliances/appliance[name=fw]/vnics/vnic[name=a]/state/oper-status",
            "/appliances/appliance[name=fw]/vnics/vnic[name=b]/state/oper-status",
            "/interfaces/interface[name=fw:a]",
        ]
        assert all(not notice.updates for notice in found)

    run(scenario)


def test_delete_and_new_update_keep_their_order_for_a_slow_reader() -> None:  # SUB-38
    async def scenario(box: Box) -> None:
        path = parse("/interfaces/interface[name=x]")
        client = Tree()
        async with aclosing(box.stream(Subscription(path, Mode.ON_CHANGE))) as stream:  # type: ignore[type-var]
            client.take(await anext(stream))
            for number in range(100):
                up = number % 2 == 0
                box.see(LinkFact("x", number, "", 1500, "", None, up, "UP" if up else "", up, 0, None))
                box.see(LinkGone("x"))
            box.see(LinkFact("x", 5, "", 70000, "", None, True, "", True, 0, None))
            while not client.values:
                client.take(await anext(stream))
            box.see(LinkFact("x", 6, "", 70000, "", None, True, "", True, 0, None))
            while client.values != selected(box.tree.view, path):
                client.take(await anext(stream))

    run(scenario)


def test_memory_is_bounded_and_a_stuck_reader_ends_with_a_reason() -> None:  # SUB-42
    async def scenario(box: Box) -> None:
        stuck = box.stream(Subscription(parse("/interfaces"), Mode.ON_CHANGE))
        other = box.stream(Subscription(state("mtu"), Mode.ON_CHANGE))
        await notices(stuck, 1)
        await notices(other, 1)
        for number in range(200):  # ever new names: nothing to coalesce
            box.see(LinkFact(f"n{number}", number, "", 1500, "", None, True, "UP", True, 0, None))
        with pytest.raises(RequestError, match="not read fast enough"):
            while True:
                await anext(stuck)
        assert await anext(other) == Synced()
        await other.aclose()  # type: ignore[attr-defined]

    run(scenario)


def test_bytes_are_made_once_for_all_subscribers() -> None:
    async def scenario(box: Box) -> None:
        entry = Subscription(parse("/interfaces"), Mode.ON_CHANGE)
        streams = [box.stream(entry) for _ in range(50)]
        for stream in streams:
            while await anext(stream) != Synced():
                pass
        first = box.encoder.leaves
        box.count(500)
        for stream in streams:
            await notices(stream, 1)
            await stream.aclose()  # type: ignore[attr-defined]
        assert first == len(selected(box.tree.view, parse("/interfaces")))
        assert box.encoder.leaves == first + 1

    run(scenario)
