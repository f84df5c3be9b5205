"""SAMPLE on the wire: every leaf at every tick, what changed, heartbeats. Exact times: test_sub_cadence."""

import grpc
import pytest

from conformance.follower import Follower, changed, deleted
from conformance.refusal import of
from conformance.target import Target
from conformance.wire import Client, path, pb

STATE = "/samples/sample[name=a]/state"
PORT = "/interfaces/interface[name=eth7]/state"
TICK = 100_000_000  # ns; the least that is offered


def sample(*paths: str, interval: int = TICK, **fields: int) -> list[pb.Subscription]:
    return [
        pb.Subscription(path=path(one), mode=pb.SAMPLE, sample_interval=interval, **fields) for one in paths
    ]


@pytest.mark.row("SUB-19", "SUB-27", "SUB-31")
async def test_every_leaf_at_every_tick(client: Client, target: Target) -> None:
    target.report(STATE, {"string": "x", "ticks": 1})
    async with client.subscribe(*sample(STATE)) as stream:
        follower = await Follower(stream, STATE).sync()
        for number in range(1, 6):
            target.report(STATE, {"ticks": number})
            before = target.clock.now_ns()
            seen = await follower.next()
            assert changed(seen) == {f"{STATE}/string": "x", f"{STATE}/ticks": number}
            assert before < seen.timestamp < target.clock.now_ns()  # of collection


@pytest.mark.row("SUB-19", "GET-15")
async def test_polled_leaves_are_fresh_at_every_tick(client: Client) -> None:
    counter = f"{PORT}/counters/in-octets"
    async with client.subscribe(*sample(counter, interval=300_000_000)) as stream:
        follower = await Follower(stream, counter).sync()
        first = follower.leaves[counter]
        values = [first, *[changed(await follower.next())[counter] for _ in range(3)]]
    assert values == sorted(values)
    assert values[-1] > values[0]  # that each tick has its own poll: test_sub_cadence


@pytest.mark.row("SUB-20")
@pytest.mark.parametrize("interval", [1, 1000, TICK - 1])
@pytest.mark.parametrize("field", ["sample_interval", "heartbeat_interval"])
async def test_an_interval_that_cannot_be_met(client: Client, interval: int, field: str) -> None:
    entry = pb.Subscription(path=path(STATE), mode=pb.SAMPLE, **{field: interval})
    async with client.subscribe(entry) as stream:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
    refusal = of(caught.value)
    assert refusal.code is grpc.StatusCode.INVALID_ARGUMENT
    assert str(interval) in refusal.message
    assert str(TICK) in refusal.message  # says what would do


@pytest.mark.row("SUB-21")
async def test_interval_zero_is_the_fastest(client: Client, target: Target) -> None:
    target.report(STATE, {"string": "x"})
    async with client.subscribe(*sample(STATE, interval=0)) as stream:
        follower = await Follower(stream, STATE).sync()
        times = [(await follower.next()).timestamp for _ in range(5)]
        assert times[-1] - times[0] > 3 * TICK  # four ticks, less what the first may have been late


@pytest.mark.row("SUB-22")
async def test_unchanged_leaves_are_left_out_one_by_one(client: Client, target: Target) -> None:
    target.report(STATE, {"string": "x", "ticks": 1})
    async with client.subscribe(*sample(STATE, suppress_redundant=True)) as stream:
        follower = await Follower(stream, STATE).sync()
        for number in (2, 3, 4):
            target.report(STATE, {"ticks": number})
            assert changed(await follower.next()) == {f"{STATE}/ticks": number}
        target.report(STATE, {"ticks": 9})
        target.report(STATE, {"ticks": 4})  # there and back between two ticks: unchanged
        target.report(STATE, {"string": "y"})
        assert changed(await follower.next()) == {f"{STATE}/string": "y"}


@pytest.mark.row("SUB-23")
async def test_a_heartbeat_repeats_the_unchanged(client: Client, target: Target) -> None:
    target.report(STATE, {"string": "x", "ticks": 1})
    entries = sample(STATE, suppress_redundant=True, heartbeat_interval=3 * TICK)
    async with client.subscribe(*entries) as stream:
        follower = await Follower(stream, STATE).sync()
        for _ in range(2):
            assert changed(await follower.next()) == {f"{STATE}/string": "x", f"{STATE}/ticks": 1}
        target.report(STATE, {"ticks": 2})
        await follower.until(lambda: follower.leaves[f"{STATE}/ticks"] == 2)
        again = await follower.next()
        assert changed(again) == {f"{STATE}/string": "x", f"{STATE}/ticks": 2}


@pytest.mark.row("SUB-34")
async def test_what_vanished_is_sampled_no_more(client: Client, target: Target) -> None:
    other = "/samples/sample[name=b]/state"
    target.report_all({STATE: {"string": "x"}, other: {"string": "b"}})
    wild = "/samples/sample[name=*]/state"
    async with (
        client.subscribe(*sample(wild)) as plain,
        client.subscribe(*sample(wild, suppress_redundant=True)) as suppressed,
    ):
        one, two = [await Follower(stream, wild).sync() for stream in (plain, suppressed)]
        target.report(STATE, {})
        for _ in range(3):
            await one.next()
        late = [changed(seen) for seen in one.seen[-2:]]
        assert late == [{f"{other}/string": "b"}] * 2
        assert sum(len(seen.delete) for seen in one.seen) <= 1
        await two.next()
        assert deleted(two.seen[-1]) == [STATE]
        assert two.leaves == {f"{other}/string": "b"}
        target.report(other, {"string": "c"})
        assert changed(await two.next()) == {f"{other}/string": "c"}
        assert sum(len(seen.delete) for seen in two.seen) == 1
