"""ONCE, POLL and the initial values of STREAM: what is sent first, and where the sync stands."""

from itertools import pairwise

import grpc
import pytest

from conformance.follower import Follower
from conformance.target import Target
from conformance.wire import Client, leaves, path, pb

LAN = "/virtual-switches/virtual-switch[name=lan]"
STATE = "/samples/sample[name=a]/state"
STREAM, ONCE, POLL = pb.SubscriptionList.STREAM, pb.SubscriptionList.ONCE, pb.SubscriptionList.POLL
ENCODINGS = (pb.JSON, pb.JSON_IETF, pb.PROTO)


async def furnished(client: Client, target: Target) -> None:
    await client.set(update={f"{LAN}/config": {"mtu": 1400, "description": "ü"}})
    target.report(STATE, {"name": "a", "ticks": 3, "string": "x"})


@pytest.mark.row("SUB-08", "SUB-09", "SUB-27", "SUB-30", "PATH-04")
@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_once_is_every_leaf_once_one_sync_and_ok(client: Client, target: Target, encoding: int) -> None:
    await furnished(client, target)
    async with client.subscribe("/", mode=ONCE, encoding=encoding) as stream:
        follower = await Follower(stream).sync()
        assert await stream.read() is None  # nothing behind the sync, and the end by itself
        assert await stream.status() is grpc.StatusCode.OK
    (everything,) = (await client.get("/", encoding=pb.PROTO)).notification
    assert follower.leaves.keys() == leaves([everything]).keys()
    assert follower.leaves[f"{LAN}/config/mtu"] == 1400
    assert follower.leaves[f"{STATE}/string"] == "x"
    assert not any(isinstance(value, dict) for value in follower.leaves.values())


@pytest.mark.row("SUB-27", "SUB-28")
@pytest.mark.parametrize("mode", [STREAM, ONCE, POLL])
async def test_allowing_aggregation_changes_nothing(client: Client, target: Target, mode: int) -> None:
    await furnished(client, target)
    async with (
        client.subscribe(LAN, STATE, mode=mode, allow_aggregation=True) as allowing,
        client.subscribe(LAN, STATE, mode=mode) as plain,
    ):
        one, two = [await Follower(stream, LAN, STATE).sync() for stream in (allowing, plain)]
        assert one.leaves == two.leaves
        if mode == STREAM:
            target.report(STATE, {"ticks": 4, "string": "y"})
            notification = await one.next()
            assert {update.val.WhichOneof("value") for update in notification.update} == {"json_val"}
            assert len(notification.update) == 2
            assert not any(isinstance(value, dict) for value in one.leaves.values())


@pytest.mark.row("SUB-07", "SUB-11")
@pytest.mark.parametrize("mode", [STREAM, ONCE, POLL])
async def test_a_valid_path_without_data(client: Client, target: Target, mode: int) -> None:
    await furnished(client, target)
    absent = "/virtual-switches/virtual-switch[name=nobody]"
    async with client.subscribe(absent, LAN, mode=mode) as stream:
        follower = await Follower(stream, absent, LAN).sync()
        assert follower.leaves.keys() > {f"{LAN}/config/mtu"}
        assert not any("nobody" in one for one in follower.leaves)
    async with client.subscribe(absent, "/images", mode=mode) as stream:
        assert await stream.until_sync() == []
        if mode == ONCE:
            assert await stream.status() is grpc.StatusCode.OK
        elif mode == POLL:
            await stream.poll()
            assert await stream.until_sync() == []
        else:
            follower = Follower(stream, absent)
            await client.set(update={f"{absent}/config/mtu": 1300})
            await follower.until(lambda: follower.leaves.get(f"{absent}/config/mtu") == 1300)


@pytest.mark.row("SUB-10", "SUB-11")
@pytest.mark.parametrize("mode", [pb.TARGET_DEFINED, pb.ON_CHANGE, pb.SAMPLE])
async def test_every_mode_begins_with_all_values_and_one_sync(
    client: Client, target: Target, mode: int
) -> None:
    await furnished(client, target)
    port = "/interfaces/interface[name=eth7]"
    asked = (LAN, STATE, port, "/images")
    entries = [pb.Subscription(path=path(one), mode=mode) for one in asked]
    async with client.subscribe(*entries) as stream:
        follower = await Follower(stream, *asked).sync()
        assert f"{port}/state/counters/in-octets" in follower.leaves  # polled ones too
        assert follower.leaves[f"{STATE}/ticks"] == 3
        for mtu in (1401, 1402, 1403):  # no further sync among what follows: next() would refuse it
            await client.set(update={f"{LAN}/config/mtu": mtu})
            await follower.until(lambda mtu=mtu: follower.leaves[f"{LAN}/config/mtu"] == mtu)  # type: ignore[misc]


@pytest.mark.row("SUB-12")
async def test_a_poll_stream_begins_with_all_values_and_gives_them_again(
    client: Client, target: Target
) -> None:
    await furnished(client, target)
    async with client.subscribe(LAN, STATE, mode=POLL) as stream:
        first = leaves(await stream.until_sync())
        assert first[f"{LAN}/config/mtu"] == 1400
        assert first[f"{STATE}/string"] == "x"
        for _ in range(3):
            await stream.poll()
            assert leaves(await stream.until_sync()) == first
        await stream.half_close()
        assert await stream.status() is grpc.StatusCode.OK


@pytest.mark.row("SUB-13")
async def test_a_poll_shows_the_moment_of_the_poll(client: Client, target: Target) -> None:
    await furnished(client, target)
    new = "/virtual-switches/virtual-switch[name=new]"
    async with client.subscribe("/virtual-switches", STATE, mode=POLL) as stream:
        await stream.until_sync()
        await client.set(delete=[LAN], update={f"{new}/config/mtu": 1300})
        target.report(STATE, {"ticks": 4})
        await stream.poll()
        answer = await stream.until_sync()
        assert not any(one.delete for one in answer)
        values = leaves(answer)
        assert not any(one.startswith(LAN) for one in values)
        assert values[f"{new}/config/mtu"] == 1300
        assert values[f"{STATE}/ticks"] == 4


@pytest.mark.row("SUB-13", "SUB-31")
async def test_polls_at_once_are_each_answered(client: Client, target: Target) -> None:
    await furnished(client, target)
    async with client.subscribe(LAN, mode=POLL) as stream:
        for _ in range(3):
            await stream.poll()
        answers = [await stream.until_sync() for _ in range(4)]
        assert len({tuple(sorted(leaves(answer).items())) for answer in answers}) == 1
        assert answers[0]
        times = [{one.timestamp for one in answer} for answer in answers]
        assert all(max(earlier) < min(later) for earlier, later in pairwise(times))
        await stream.half_close()
        assert await stream.read() is None


@pytest.mark.row("SUB-14")
async def test_updates_only(client: Client, target: Target) -> None:
    await furnished(client, target)
    assert [one.sync_response for one in await client.once("/", updates_only=True)] == [True]
    async with client.subscribe(LAN, mode=POLL, updates_only=True) as stream:
        assert await stream.until_sync() == []
        await stream.poll()
        assert leaves(await stream.until_sync())[f"{LAN}/config/mtu"] == 1400
    for mode in (pb.ON_CHANGE, pb.TARGET_DEFINED):
        entry = pb.Subscription(path=path(LAN), mode=mode)
        async with client.subscribe(entry, updates_only=True) as stream:
            assert await stream.until_sync() == []
            follower = Follower(stream, LAN)
            await client.set(update={f"{LAN}/config/description": pb.SubscriptionMode.Name(mode)})
            await follower.next()
            assert follower.leaves == {f"{LAN}/config/description": pb.SubscriptionMode.Name(mode)}
    entry = pb.Subscription(path=path(f"{LAN}/config"), mode=pb.SAMPLE, sample_interval=10**8)
    async with client.subscribe(entry, updates_only=True) as stream:
        assert await stream.until_sync() == []
        assert leaves([await stream.notification()])[f"{LAN}/config/mtu"] == 1400
