"""Slow and stuck readers, many streams, streams that come and go: nobody harms anybody else."""

import asyncio
import gc
import inspect
from collections.abc import Awaitable, Callable
from pathlib import Path as File

import grpc
import pytest

from conformance.follower import Follower, changed
from conformance.target import Target
from conformance.wire import Client, leaves, path, pb
from twinplane.services.rpc import Limits
from twinplane.subscribe.live import Limits as StreamLimits
from twinplane.subscribe.live import Live

STATE = "/samples/sample[name=a]/state"
LAN = "/virtual-switches/virtual-switch[name=lan]"
EXHAUSTED = grpc.StatusCode.RESOURCE_EXHAUSTED
BULK = 60_000  # characters, so that few messages fill every buffer between the agent and a client


def on_change(where: str) -> pb.Subscription:
    return pb.Subscription(path=path(where), mode=pb.ON_CHANGE)


async def until(met: Callable[[], bool]) -> None:
    while not met():
        await asyncio.sleep(0.01)


def live_streams() -> int:
    """How many streams the agent holds in memory."""
    gc.collect()
    return sum(isinstance(one, Live) for one in gc.get_objects())


def bare(target: Target) -> bool:
    """True when nothing is watched any more."""
    return all(tree.top.bare for tree in target.subscriber._watched.values())


async def churn(target: Target, first: int, count: int) -> None:
    """As many changes of one big leaf, each in a turn of its own."""
    for number in range(first, first + count):
        target.report(STATE, {"ticks": number, "string": f"{number:06}" * (BULK // 6)})
        await asyncio.sleep(0)


@pytest.mark.row("SUB-42", "SUB-31")
async def test_a_slow_reader_gets_the_latest_and_a_count_of_the_rest(target: Target) -> None:
    ticks = f"{STATE}/ticks"
    slow, fast = target.client(), target.client()
    async with slow.subscribe(on_change(STATE)) as stuck, fast.subscribe(on_change(ticks)) as reading:
        follower = await Follower(stuck, STATE).sync()
        other = await Follower(reading, ticks).sync()
        began = target.clock.now_ns()
        for first in range(0, 400, 10):  # megabytes; nobody reads `stuck`
            await churn(target, first, 10)
            await other.until(lambda first=first: other.leaves.get(ticks) == first + 9)  # type: ignore[misc]
        ended = target.clock.now_ns()
        await follower.until(lambda: follower.leaves.get(ticks) == 399)
        mine = [one for one in follower.seen if ticks in changed(one)]
        assert len(mine) < 300  # what did not fit between us was not kept either
        dropped = sum(
            update.duplicates for one in mine for update in one.update if update.path.elem[-1].name == "ticks"
        )
        assert len(mine) + dropped == 400
        assert all(began < one.timestamp < ended for one in mine)  # when it was, not when it was read


@pytest.mark.row("SUB-37", "GET-17")
async def test_what_is_long_comes_in_messages_that_clients_take(target: Target) -> None:
    """One object is longer than the 4 MiB that a client takes unless it is told otherwise."""
    held = "/samples/sample[name=a]/addresses"
    entries = [{"ip": f"10.0.0.{number}", "label": f"{number:06}" * 40_000} for number in range(30)]
    labels = {f"{held}/address[ip={one['ip']}]/label": one["label"] for one in entries}

    def found(tree: dict[str, object]) -> dict[str, object]:
        return {name: value for name, value in tree.items() if name.endswith("/label")}

    async with grpc.aio.insecure_channel(target.addresses[0]) as channel:
        client = Client(channel)
        async with client.subscribe(on_change("/samples")) as stream:
            follower = await Follower(stream, "/samples").sync()
            await client.set(update={held: {"address": entries}})
            await follower.until(lambda: found(follower.leaves) == labels)
        for where in ("/", "/samples", "/samples/sample[name=a]", held, f"{held}/address/label"):
            whole = await client.once(where)
            assert found(leaves(one.update for one in whole)) == labels
            assert max(one.ByteSize() for one in whole) < 1 << 20


@pytest.mark.row("SUB-42")
async def test_a_stuck_reader_is_dropped_and_frees_everything(folder: File) -> None:
    async with Target(folder, limits=Limits(write_seconds=0.5)) as target:
        healthy = target.client()
        async with (
            healthy.subscribe(on_change(LAN)) as other,
            target.client().subscribe(on_change(STATE)) as stuck,
        ):
            follower = await Follower(other, LAN).sync()
            await stuck.until_sync()
            tasks = len(asyncio.all_tasks())
            number = 0
            while live_streams() > 1:  # until the agent has given it up
                await churn(target, number, 10)
                number += 10
                await asyncio.sleep(0.02)
            await healthy.set(update={f"{LAN}/config/mtu": 1400})
            await follower.until(lambda: follower.leaves.get(f"{LAN}/config/mtu") == 1400)
            # The status is behind what was sent before: it is there when the reader comes back, and nobody
            # in the agent waits for that.
            assert await stuck.status() is EXHAUSTED
            assert len(asyncio.all_tasks()) <= tasks
        await until(lambda: bare(target))


@pytest.mark.row("SUB-42")
async def test_the_status_does_not_wait_for_the_reader(folder: File, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinplane.services.rpc.STATUS_SECONDS", 0.3)
    async with Target(folder, limits=Limits(write_seconds=0.3, streams_per_user=1)) as target:
        client = target.client()
        before = _handlers()
        async with client.subscribe(on_change(STATE)) as stuck:
            await stuck.until_sync()
            assert _handlers() > before
            number = 0
            while _handlers() > before:  # the handler itself ends, though nothing was read
                await churn(target, number, 10)
                number += 10
                await asyncio.sleep(0.02)
            async with client.subscribe(on_change(LAN)) as second:  # its place is free
                assert await second.until_sync() == []
            assert await stuck.status() is EXHAUSTED


def _handlers() -> int:
    """How many calls of the handler of streams have not ended."""
    gc.collect()
    running = [one for one in gc.get_objects() if inspect.iscoroutine(one)]
    return sum(one.cr_code.co_qualname == "stream.<locals>.handle" for one in running)


@pytest.mark.row("SUB-42")
async def test_what_may_wait_is_bounded(folder: File) -> None:
    """Deletes of ever new entries cannot be coalesced: at the limit the stream ends."""
    async with Target(folder, streaming=StreamLimits(waiting=50)) as target:
        client = target.client()
        async with client.subscribe(on_change("/samples")) as stream:
            await stream.until_sync()
            for number in range(100):
                target.report(f"/samples/sample[name=n{number}]/state", {"ticks": 1})
            assert await stream.status() is EXHAUSTED
        async with client.subscribe(on_change("/samples")) as stream:
            follower = await Follower(stream, "/samples").sync()
            assert len(follower.leaves) > 100  # what is there is not bounded, only what waits


@pytest.mark.row("SUB-43")
async def test_a_stream_goes_on_after_half_close(client: Client, target: Target) -> None:
    entries = (
        on_change(LAN),
        pb.Subscription(path=path(STATE), mode=pb.SAMPLE, sample_interval=100_000_000),
    )
    target.report(STATE, {"ticks": 1})
    async with client.subscribe(*entries) as stream:
        await stream.half_close()
        follower = await Follower(stream, LAN, STATE).sync()
        for mtu in (1400, 1401):
            await client.set(update={f"{LAN}/config/mtu": mtu})
            await follower.until(lambda mtu=mtu: follower.leaves.get(f"{LAN}/config/mtu") == mtu)  # type: ignore[misc]
        samples = len(follower.seen)
        await follower.until(lambda: len(follower.seen) > samples + 3)


@pytest.mark.row("SUB-43")
async def test_a_thousand_streams_come_and_go(client: Client, target: Target) -> None:
    target.report(STATE, {"ticks": 1})

    async def one(number: int) -> None:
        mode = (pb.ON_CHANGE, pb.SAMPLE, pb.TARGET_DEFINED)[number % 3]
        async with client.subscribe(pb.Subscription(path=path("/"), mode=mode)) as stream:
            if number % 4:  # some are cancelled before they have said a word
                await stream.until_sync()

    await one(1)
    await until(lambda: bare(target) and live_streams() == 0)
    tasks = len(asyncio.all_tasks())
    for number in range(1000):
        await one(number)
    await until(lambda: bare(target) and live_streams() == 0)
    await until(lambda: len(asyncio.all_tasks()) <= tasks)
    target.report(STATE, {"ticks": 2})  # nobody is left to be told


@pytest.mark.row("AUTH-12")
async def test_hundreds_of_idle_streams_cost_nothing(folder: File) -> None:
    """Counted, not timed: what does not concern them wakes none, and a Get goes past all of them."""
    async with Target(folder, limits=Limits(streams_per_user=1000)) as target:
        clients = [target.client() for _ in range(4)]
        streams = [clients[number % 4].subscribe(on_change(LAN)) for number in range(400)]
        try:
            for stream in streams:
                await stream.__aenter__()
                await stream.until_sync()
            waiting = [stream.call.read() for stream in streams]
            reads = [asyncio.ensure_future(read) for read in waiting]
            client, reader = target.client(), target.reader()
            for number in range(20):
                target.report(STATE, {"ticks": number})
                assert await client.value(f"{STATE}/ticks") == number
                await client.set(update={"/samples/settings/config/plain": f"{number}"})
                assert (await reader.capabilities()).supported_models
            assert not any(read.done() for read in reads)
            await client.set(update={f"{LAN}/config/mtu": 1400})  # and all of them are there
            done, _ = await asyncio.wait(reads, timeout=60)
            assert len(done) == len(reads)
        finally:
            for stream in streams:
                stream.call.cancel()
        await until(lambda: bare(target))


@pytest.mark.row("AUTH-12")
async def test_a_user_with_too_many_streams_is_alone_with_that(folder: File) -> None:
    """A thousand streams of one user, most of them silent from the start."""
    async with Target(folder, limits=Limits(streams_per_user=50)) as target:
        greedy, other = target.mutual("operator"), target.mutual("reader")
        streams = [greedy.stream() for _ in range(1000)]
        reads = [asyncio.ensure_future(stream.status()) for stream in streams]
        await until(lambda: sum(read.done() for read in reads) >= 950)
        codes = {read.result() for read in reads if read.done()}
        assert codes == {EXHAUSTED}
        assert sum(not read.done() for read in reads) == 50
        async with other.subscribe(on_change(LAN)) as stream:
            follower = await Follower(stream, LAN).sync()
            admin = target.client()
            await admin.set(update={f"{LAN}/config/mtu": 1400})
            await follower.until(lambda: follower.leaves.get(f"{LAN}/config/mtu") == 1400)
            assert await other.value(f"{LAN}/config/mtu") == 1400
        for stream in streams:
            stream.call.cancel()
        await asyncio.gather(*reads, return_exceptions=True)
        async with greedy.subscribe(on_change(LAN)) as stream:  # his places are free again
            assert await stream.until_sync()


@pytest.mark.row("AUTH-12")
async def test_a_user_who_asks_too_fast_is_alone_with_that(folder: File) -> None:
    async with Target(folder, limits=Limits(requests_per_second=2)) as target:
        greedy, other = target.mutual("operator"), target.mutual("reader")
        calls = [greedy.capabilities() for _ in range(100)]
        answers = await asyncio.gather(*calls, return_exceptions=True)
        codes = {answer.code() for answer in answers if isinstance(answer, grpc.aio.AioRpcError)}
        assert codes == {EXHAUSTED}
        assert any(not isinstance(answer, Exception) for answer in answers)
        assert (await other.capabilities()).supported_models
        while isinstance(await _ended(greedy.capabilities()), Exception):
            await asyncio.sleep(0.05)  # it is his turn again soon


async def _ended(call: Awaitable[object]) -> object:
    try:
        return await call
    except grpc.aio.AioRpcError as error:
        return error
