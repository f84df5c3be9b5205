"""Initial values and stream, applied by a client, give the tree: for any changes, at any speed of reading."""

import asyncio
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.clock import Clock
from twinplane.model.appliance import appliance_path, vnic_path
from twinplane.model.port import interface_path
from twinplane.state.facts import Batch, DomainFact, DomainGone, Fact, LinkCounters, LinkFact, LinkGone
from twinplane.state.operational import Operational
from twinplane.subscribe.encode import Synced
from twinplane.subscribe.stream import Limits, Subscriber
from twinplane.subscribe.subscription import Mode, Subscription, SubscriptionList
from twinplane.tree.node import Container, Node
from twinplane_wire.path import Path, parse
from unit.subscribe.client import Encoder, Tree, selected

NAMES = ("a", "b")
PATHS = (
    "/",
    "/interfaces",
    "/interfaces/interface",
    "/interfaces/interface[name=a]",
    "/interfaces/interface[name=*]/state/oper-status",
    "/interfaces/interface[name=a]/state/counters",
    "/interfaces/interface[name=a]/state/counters/in-octets",
    "/interfaces/*/config",
    "/appliances/appliance[name=a]/vnics/vnic[name=*]/state",
    "/appliances/appliance/vnics/vnic/state/counters/in-octets",
    "/appliances/.../counters",
    "/.../oper-status",
    "/*/*/state",
    "/nowhere/at/all",
)


@dataclass(frozen=True, slots=True)
class Configured:
    path: Path
    after: Node | None


OWNERS = {"a": (None, vnic_path("a", "n"), vnic_path("b", "n")), "b": (None, vnic_path("a", "m"))}


def links() -> st.SearchStrategy[Fact]:
    """Devices that are marked, and marked anew; no two realise the same object."""
    return st.sampled_from(NAMES).flatmap(
        lambda name: st.builds(
            lambda owner, up, mtu: LinkFact(
                name, 1, "tun", mtu, "", owner, up, "UP" if up else "DOWN", up, 0, None
            ),
            st.sampled_from(OWNERS[name]),
            st.booleans(),
            st.sampled_from([1500, 9000]),
        )
    )


def facts() -> st.SearchStrategy[Fact]:
    names = st.sampled_from(NAMES)
    return st.one_of(
        links(),
        names.map(LinkGone),
        st.builds(
            lambda name, number: LinkCounters(name, number, 0, 0, 0, number, 0, 0, 0),
            names,
            st.integers(0, 3),
        ),
        st.builds(
            lambda name, state: DomainFact(name, "u", appliance_path(name), state, "", 1, 1, "", None, None),
            names,
            st.sampled_from(["running", "paused", "shutoff"]),
        ),
        names.map(lambda name: DomainGone(name, appliance_path(name))),
    )


def configs() -> st.SearchStrategy[Configured]:
    def build(name: str, mtu: int | None) -> Configured:
        after = None if mtu is None else Container({"name": name, "config": Container({"mtu": mtu})})
        return Configured(interface_path(name), after)

    return st.builds(build, st.sampled_from(NAMES), st.sampled_from([None, 1500, 9000]))


ACTIONS = st.lists(
    st.one_of(facts(), configs(), st.sampled_from(["pass", "complete"])), min_size=1, max_size=25
)


def act(tree: Operational, clock: Clock, action: Fact | Configured | str) -> None:
    if isinstance(action, Configured):
        tree.committed([action], (), clock.now_ns(), 1)
    elif action == "complete":
        tree.apply(Batch("source", (), complete=True))
    elif not isinstance(action, str):
        tree.apply(Batch("source", (action,)))


@settings(max_examples=300, deadline=None)
@given(before=ACTIONS, after=ACTIONS, paths=st.lists(st.sampled_from(PATHS), min_size=1, max_size=3))
def test_client_tree_converges(
    before: list[Fact | Configured | str], after: list[Fact | Configured | str], paths: list[str]
) -> None:
    async def scenario() -> None:
        clock = Clock(source=lambda: 1)
        tree = Operational(clock)
        tree.freshness.done()
        subscriber = Subscriber(tree, Encoder())
        patterns = [parse(path) for path in paths]
        for action in before:
            act(tree, clock, action)
        wanted = SubscriptionList(tuple(Subscription(path, Mode.ON_CHANGE) for path in patterns), "x")
        client = Tree()
        stream = subscriber.stream(wanted)
        pending: asyncio.Future[object] | None = None

        async def read_all() -> None:
            nonlocal pending
            while True:
                pending = pending or asyncio.ensure_future(anext(stream))
                for _ in range(5):
                    await asyncio.sleep(0)
                if not pending.done():
                    return
                client.take(pending.result())  # type: ignore[arg-type]
                pending = None

        changes = iter(after)
        while not client.synced:  # changes also in the middle of the initial walk
            client.take(await anext(stream))
            for action in (next(changes, None),):
                if action is not None:
                    act(tree, clock, action)
        first = client.history[: client.history.index(Synced())]
        assert not any(item.deletes for item in first)  # type: ignore[union-attr]
        for action in changes:
            act(tree, clock, action)
            if action == "pass":
                await read_all()
        await read_all()
        assert client.values == selected(tree.view, *patterns)
        assert client.synced == 1
        assert pending is not None
        pending.cancel()
        await asyncio.gather(pending, return_exceptions=True)
        await stream.aclose()  # type: ignore[attr-defined]
        assert subscriber._watched[None, ""].top.bare  # nothing of a closed stream stays

    asyncio.run(scenario())


@settings(max_examples=100, deadline=None)
@given(before=ACTIONS, paths=st.lists(st.sampled_from(PATHS), min_size=1, max_size=4))
def test_once_gives_each_leaf_once(before: list[Fact | Configured | str], paths: list[str]) -> None:
    async def scenario() -> None:
        clock = Clock(source=lambda: 1)
        tree = Operational(clock)
        tree.freshness.done()
        for action in before:
            act(tree, clock, action)
        patterns = [parse(path) for path in paths]
        wanted = SubscriptionList(tuple(map(Subscription, patterns)), "x")
        encoder = Encoder()
        client = Tree()
        async for item in Subscriber(tree, encoder).once(wanted):
            client.take(item)
        assert client.history[-1] == Synced()
        assert client.synced == 1
        expected = selected(tree.view, *patterns)
        assert client.values == expected
        assert encoder.leaves == len(expected)

    asyncio.run(scenario())


def test_slow_reader_gets_the_latest_values_and_a_count_of_the_dropped(clock: Clock) -> None:
    async def scenario() -> None:
        tree = Operational(clock)
        tree.freshness.done()
        subscriber = Subscriber(tree, Encoder(), Limits(waiting=200))
        path = parse("/interfaces/interface[name=a]/state/counters")
        stream = subscriber.stream(SubscriptionList((Subscription(path, Mode.ON_CHANGE),), "x"))
        client = Tree()
        client.take(await anext(stream))
        tree.apply(Batch("s", (LinkFact("a", 1, "", 1500, "", None, True, "UP", True, 0, None),)))
        for number in range(1000):
            tree.apply(Batch("s", (LinkCounters("a", number, 0, 0, 0, 0, 0, 0, 0),)))
        while client.values.get(path.child("in-octets")) != 999:
            client.take(await anext(stream))
        assert client.duplicates >= 999
        assert client.values == selected(tree.view, path)
        await stream.aclose()  # type: ignore[attr-defined]

    asyncio.run(scenario())


@pytest.fixture
def clock() -> Clock:
    return Clock(source=lambda: 1)
