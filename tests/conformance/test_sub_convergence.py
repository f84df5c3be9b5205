"""Initial values and stream, applied by a client, are what Get says: whatever changes, and whenever."""

import asyncio
import random

import pytest

from conformance.follower import Follower, changed, deleted
from conformance.target import Target
from conformance.wire import Client, leaves, path, pb

SWITCHES = "/virtual-switches"
SAMPLES = "/samples"
DONE = f"{SAMPLES}/settings/config/plain"
MODES = (pb.ON_CHANGE, pb.TARGET_DEFINED)


def entry(where: str, mode: int) -> pb.Subscription:
    return pb.Subscription(path=path(where), mode=mode)


async def churn(client: Client, target: Target, seed: int, count: int) -> None:
    """Sets, deletes, replaces and events of few objects, some in the same turn of the loop."""
    chance = random.Random(seed)
    for number in range(count):
        name = chance.choice("abc")
        switch, sample = f"{SWITCHES}/virtual-switch[name={name}]", f"{SAMPLES}/sample[name={name}]"
        match chance.randrange(8):
            case 0:
                await client.set(delete=[switch])
            case 1:
                await client.set(delete=[sample])
            case 2:
                await client.set(replace={switch: {"config": {"name": name, "mtu": 1300 + number}}})
            case 3:
                bundle = {"left": number % 250, "inner": {"deep": bool(number % 2)}}
                await client.set(replace={f"{sample}/bundle": bundle})
            case 4:
                words = [f"w{chance.randrange(9)}" for _ in range(2)]
                await client.set(
                    replace={f"{sample}/config": {"name": name, "words": list(dict.fromkeys(words))}}
                )
            case 5:
                target.report(f"{sample}/state", {"ticks": number, "string": f"s{number}"})
            case 6:
                target.report(f"{sample}/state", {})
                target.report(f"{sample}/state", {"ticks": number})
            case _:
                await client.set(update={f"{switch}/config": {"description": f"ü{number}"}})
        if chance.random() < 0.3:
            await asyncio.sleep(0)


async def same_as_get(client: Client, follower: Follower, *paths: str) -> None:
    """What the follower has after the last change, and what Get has."""
    now = leaves((await client.get(*paths, encoding=pb.PROTO)).notification)
    assert follower.leaves == now
    assert now


@pytest.mark.row("SUB-39", "SUB-38", "SUB-37", "SUB-09", "SUB-32")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed", range(4))
async def test_subscribed_in_the_middle_of_changes(
    client: Client, target: Target, mode: int, seed: int
) -> None:
    await churn(client, target, seed + 100, 20)

    async def change() -> None:
        await churn(client, target, seed, 120)
        await client.set(update={DONE: "done"})

    changing = asyncio.ensure_future(change())
    entries = (entry(SWITCHES, mode), entry(SAMPLES, mode))
    async with client.subscribe(*entries, encoding=pb.PROTO) as stream:
        follower = await Follower(stream, SWITCHES, SAMPLES).sync()
        await follower.until(lambda: follower.leaves.get(DONE) == "done")
        await changing
        await same_as_get(client, follower, SWITCHES, SAMPLES)


@pytest.mark.row("SUB-39")
@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", range(20))
async def test_at_length(client: Client, target: Target, seed: int) -> None:
    async with client.subscribe(entry("/", pb.ON_CHANGE), encoding=pb.PROTO) as stream:
        follower = await Follower(stream).sync()
        await churn(client, target, seed, 1500)
        await client.set(update={DONE: "done"})
        await follower.until(lambda: follower.leaves.get(DONE) == "done")
        mine = {
            name: value for name, value in follower.leaves.items() if name.startswith((SWITCHES, SAMPLES))
        }
        now = await client.get(SWITCHES, SAMPLES, encoding=pb.PROTO)
        assert mine == leaves(now.notification)


@pytest.mark.row("SUB-37")
@pytest.mark.parametrize("style", ["replace", "delete-and-update"])
async def test_a_replaced_container_is_complete(client: Client, style: str) -> None:
    config = f"{SAMPLES}/sample[name=a]/config"
    await client.set(update={config: {"string": "x", "int8": 1, "words": ["one"]}})
    async with client.subscribe(entry(config, pb.ON_CHANGE), encoding=pb.PROTO) as stream:
        follower = await Follower(stream, config).sync()
        new = {"name": "a", "string": "y", "uint8": 2}
        if style == "replace":
            await client.set(replace={config: new})
        else:
            await client.set(delete=[config], update={config: new})
        await follower.until(lambda: follower.leaves.get(f"{config}/uint8") == 2)
        await same_as_get(client, follower, config)
        assert f"{config}/int8" not in follower.leaves


@pytest.mark.row("SUB-38")
async def test_an_entry_bounced_a_hundred_times(client: Client) -> None:
    lan = f"{SWITCHES}/virtual-switch[name=lan]"
    async with client.subscribe(entry(SWITCHES, pb.ON_CHANGE), encoding=pb.PROTO) as stream:
        follower = await Follower(stream, SWITCHES).sync()
        for number in range(100):
            await client.set(update={f"{lan}/config/mtu": 1300 + number})
            await client.set(delete=[lan])
        await client.set(update={f"{lan}/config/mtu": 1500, f"{lan}/config/description": "last"})
        await follower.until(lambda: follower.leaves.get(f"{lan}/config/description") == "last")
        await same_as_get(client, follower, SWITCHES)
        order = [
            (value if (value := changed(one).get(f"{lan}/config/mtu")) else "gone")
            for one in follower.seen
            if f"{lan}/config/mtu" in changed(one) or any(lan.startswith(name) for name in deleted(one))
        ]
        values = [value for value in order if value != "gone"]
        assert values == sorted(values)


@pytest.mark.row("SUB-39")
async def test_nothing_is_lost_between_snapshot_and_watch(client: Client, target: Target) -> None:
    """A change in the same turn in which a stream begins, many times over."""
    state = f"{SAMPLES}/sample[name=a]/state"
    for number in range(60):
        target.report(state, {"ticks": number})
        async with client.subscribe(entry(state, pb.ON_CHANGE)) as stream:
            for _ in range(number % 6):
                await asyncio.sleep(0)
            target.report(state, {"ticks": -number - 1})
            follower = await Follower(stream, state).sync()
            while follower.leaves.get(f"{state}/ticks") != -number - 1:
                await follower.next()
