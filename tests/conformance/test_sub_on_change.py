"""ON_CHANGE and TARGET_DEFINED: what changes is sent, whoever changed it; removals, defaults, mixed modes."""

import pytest

from conformance.follower import Follower, changed, deleted
from conformance.refusal import refused
from conformance.target import Target
from conformance.wire import Client, path, pb

SWITCHES = "/virtual-switches"
LAN = f"{SWITCHES}/virtual-switch[name=lan]"
PORT = "/interfaces/interface[name=eth7]"
STATE = "/samples/sample[name=a]/state"


def on_change(*paths: str, **fields: int) -> list[pb.Subscription]:
    return [pb.Subscription(path=path(one), mode=pb.ON_CHANGE, **fields) for one in paths]


def set_link(target: Target, *, up: bool, name: str = "eth7") -> None:
    """As somebody with `ip link set` would."""
    target.host.kernel.devices[name].up = up
    target.source.touch()


@pytest.mark.row("SUB-15", "SUB-46")
async def test_changes_of_everybody_are_sent(client: Client, target: Target) -> None:
    asked = (LAN, PORT, STATE)
    async with client.subscribe(*on_change(*asked)) as stream:
        follower = await Follower(stream, *asked).sync()
        counters = f"{PORT}/state/counters/"
        await client.set(update={f"{LAN}/config/mtu": 1400})  # a Set
        await follower.until(lambda: follower.leaves.get(f"{LAN}/config/mtu") == 1400)
        for up in (False, True, False):  # the kernel
            set_link(target, up=up)
            await follower.until(
                lambda up=up: follower.leaves[f"{PORT}/state/oper-status"] == ("UP" if up else "DOWN")  # type: ignore[misc]
            )
        target.report(STATE, {"string": "x"})  # another source
        await follower.until(lambda: follower.leaves.get(f"{STATE}/string") == "x")
        unmoved = {one: follower.times[one] for one in follower.leaves if one.startswith(f"{PORT}/config/")}
        target.report(STATE, {"string": "y"})
        await follower.until(lambda: follower.leaves[f"{STATE}/string"] == "y")
        moved = [one for one in unmoved if follower.times[one] != unmoved[one]]
        assert not moved, moved
        last = follower.seen[-1]
        assert not [one for one in changed(last) if not one.startswith((f"{STATE}/string", counters))]


@pytest.mark.row("SUB-15")
async def test_nothing_changed_nothing_sent(client: Client, target: Target) -> None:
    """Every notification between two changes would have to be of a leaf that did not change."""
    await client.set(update={f"{LAN}/config/mtu": 1400})
    async with client.subscribe(*on_change(SWITCHES)) as stream:
        follower = await Follower(stream, SWITCHES).sync()
        await stream.silent(1.5)
    assert follower.leaves[f"{LAN}/config/mtu"] == 1400


@pytest.mark.row("SUB-16", "SUB-15")
async def test_the_same_value_is_no_change(client: Client, target: Target) -> None:
    await client.set(update={f"{LAN}/config": {"mtu": 1400, "description": "a"}})
    target.report(STATE, {"string": "x", "ticks": 1})
    async with client.subscribe(*on_change(LAN, STATE)) as stream:
        follower = await Follower(stream, LAN, STATE).sync()
        await client.set(update={f"{LAN}/config/description": "a"})
        await client.set(replace={f"{LAN}/config/mtu": 1400})
        target.report(STATE, {"string": "x", "ticks": 1})
        set_link(target, up=False)
        after = await follower.quiet_before(client.set(update={f"{LAN}/config/description": "b"}))
        assert changed(after) == {f"{LAN}/config/description": "b"}
        target.report(STATE, {"string": "x", "ticks": 2})
        assert changed(await follower.next()) == {f"{STATE}/ticks": 2}
        # Beside what does change, and read anew: equal, though not the same object.
        both = {"mtu": 1400, "description": "c"}
        for write in (
            client.set(update={f"{LAN}/config": both}),
            client.set(replace={f"{LAN}/config": both}),
        ):
            await write
        assert changed(await follower.next()) == {f"{LAN}/config/description": "c"}
        target.report(STATE, {"string": "".join(("x", "y")), "ticks": 3})
        await follower.next()
        target.report(STATE, {"string": "".join(("x", "y")), "ticks": 4})
        assert changed(await follower.next()) == {f"{STATE}/ticks": 4}


@pytest.mark.row("SUB-17")
async def test_a_heartbeat_repeats_what_did_not_change(client: Client, target: Target) -> None:
    target.report(STATE, {"string": "x", "ticks": 1})
    async with client.subscribe(*on_change(STATE, heartbeat_interval=200_000_000)) as stream:
        follower = await Follower(stream, STATE).sync()
        for _ in range(3):
            beat = changed(await follower.next())
            assert beat == {f"{STATE}/string": "x", f"{STATE}/ticks": 1}
        target.report(STATE, {"ticks": 2})  # in between: at once, alone
        assert changed(await follower.next()) == {f"{STATE}/ticks": 2}
        assert changed(await follower.next()) == {f"{STATE}/string": "x", f"{STATE}/ticks": 2}


@pytest.mark.row("SUB-18")
async def test_what_nothing_announces_is_looked_at(client: Client, target: Target) -> None:
    counter = f"{PORT}/state/counters/in-octets"
    async with client.subscribe(*on_change(counter)) as stream:
        follower = await Follower(stream, counter).sync()
        values = [follower.leaves[counter]]
        while len(values) < 3:
            values.append(changed(await follower.next())[counter])
    assert values == sorted(set(values))


@pytest.mark.row("SUB-24")
async def test_the_target_samples_counters_and_tells_events(client: Client, target: Target) -> None:
    """A frozen counter tells sampling from sending differences."""
    await client.set(update={f"{LAN}/config/mtu": 1400})
    target.source.frozen = True
    asked = (PORT, LAN)
    entries = [pb.Subscription(path=path(one)) for one in asked]
    async with client.subscribe(*entries) as stream:
        follower = await Follower(stream, *asked).sync()
        set_link(target, up=False)
        await follower.until(lambda: follower.leaves[f"{PORT}/state/oper-status"] == "DOWN")
        frozen_at = f"{PORT}/state/counters/in-octets"
        start = len(follower.seen)
        while sum(frozen_at in changed(one) for one in follower.seen[start:]) < 3:
            await follower.next()
        sampled = [one for one in follower.seen[start:] if frozen_at in changed(one)]
        assert all(name.startswith(f"{PORT}/state/counters/") for one in sampled for name in changed(one))
        # what events announce came once, or not at all
        assert not [one for one in follower.seen[start:] if f"{PORT}/state/mtu" in changed(one)]


@pytest.mark.row("SUB-24", "SUB-20")
async def test_an_interval_belongs_to_sample(client: Client) -> None:
    entry = pb.Subscription(path=path(LAN), mode=pb.TARGET_DEFINED, sample_interval=10**10)
    async with client.subscribe(entry) as stream:
        refusal = await refused(stream.until_sync(), None, "sample_interval", "TARGET_DEFINED")
    assert refusal.code.name == "INVALID_ARGUMENT"


@pytest.mark.row("SUB-25")
async def test_each_path_of_a_list_has_its_own_mode(client: Client, target: Target) -> None:
    await client.set(update={f"{LAN}/config/mtu": 1400})
    target.report(STATE, {"string": "x"})
    asked = (f"{LAN}/config", STATE, f"{PORT}/state")
    async with client.subscribe(
        pb.Subscription(path=path(asked[0]), mode=pb.ON_CHANGE),
        pb.Subscription(path=path(asked[1]), mode=pb.SAMPLE, sample_interval=200_000_000),
        pb.Subscription(path=path(asked[2]), mode=pb.TARGET_DEFINED),
    ) as stream:
        follower = await Follower(stream, *asked).sync()
        samples = 0
        counter = 0
        while samples < 4 or not counter:
            got = changed(await follower.next())
            samples += got == {f"{STATE}/string": "x"}
            counter += f"{PORT}/state/counters/in-octets" in got
            assert not [one for one in got if one.startswith(LAN)]
        await client.set(update={f"{LAN}/config/mtu": 1450})
        set_link(target, up=False)
        await follower.until(
            lambda: (
                follower.leaves[f"{LAN}/config/mtu"] == 1450
                and follower.leaves[f"{PORT}/state/oper-status"] == "DOWN"
            )
        )


@pytest.mark.row("SUB-26")
@pytest.mark.parametrize(
    "mode", [pb.SubscriptionList.ONCE, pb.SubscriptionList.POLL, pb.SubscriptionList.STREAM]
)
async def test_overlapping_paths_are_served_once(client: Client, mode: int) -> None:
    leaf = f"{LAN}/config/description"
    asked = (LAN, LAN, SWITCHES, f"{SWITCHES}/*/config", leaf)
    await client.set(update={leaf: "a"})
    async with client.subscribe(*on_change(*asked), mode=mode) as stream:
        follower = await Follower(stream, SWITCHES).sync()  # refuses a leaf that comes twice
        assert follower.leaves[leaf] == "a"
        if mode == pb.SubscriptionList.STREAM:
            for text in ("b", "c"):
                await client.set(update={leaf: text})
                assert changed(await follower.next()) == {leaf: text}


@pytest.mark.row("SUB-29")
async def test_what_changes_at_different_times_has_different_times(client: Client, target: Target) -> None:
    target.report(STATE, {"string": "x", "ticks": 1})
    async with client.subscribe(*on_change(STATE)) as stream:
        follower = await Follower(stream, STATE).sync()
        target.report(STATE, {"string": "y"})
        target.report(STATE, {"ticks": 2})  # before anything of the first was sent
        one, two = await follower.next(), await follower.next()
        assert [changed(one), changed(two)] == [{f"{STATE}/string": "y"}, {f"{STATE}/ticks": 2}]
        assert one.timestamp < two.timestamp
        target.report(STATE, {"string": "z", "ticks": 3})  # at one time: together
        assert changed(await follower.next()) == {f"{STATE}/string": "z", f"{STATE}/ticks": 3}


@pytest.mark.row("SUB-31")
async def test_a_time_is_that_of_the_event_not_of_sending(client: Client, target: Target) -> None:
    async with client.subscribe(*on_change(STATE)) as stream:
        follower = await Follower(stream, STATE).sync()
        before = target.clock.now_ns()
        target.report(STATE, {"string": "x"})
        after = target.clock.now_ns()
        assert before < (await follower.next()).timestamp < after  # though it was sent after all this
        done = await client.set(update={f"{LAN}/config/mtu": 1400})
    async with client.subscribe(*on_change(LAN)) as stream:
        follower = await Follower(stream, LAN).sync()
        done = await client.set(update={f"{LAN}/config/mtu": 1450})
        await follower.until(lambda: follower.leaves[f"{LAN}/config/mtu"] == 1450)
        assert follower.times[f"{LAN}/config/mtu"] == done.timestamp


@pytest.mark.row("SUB-32", "SUB-38")
async def test_a_delete_is_newer_than_what_it_removes(client: Client, target: Target) -> None:
    """Made and removed in one turn of the loop; the follower checks times, also of what was coalesced."""
    async with client.subscribe(*on_change("/samples")) as stream:
        follower = await Follower(stream, "/samples").sync()
        for number in range(50):
            target.report(STATE, {"ticks": number, "string": "x"})
            target.report(STATE, {})
            if number % 7 == 0:
                await client.capabilities()
        target.report(STATE, {"ticks": 99})
        await follower.until(lambda: follower.leaves.get(f"{STATE}/ticks") == 99)
        assert f"{STATE}/string" not in follower.leaves


@pytest.mark.row("SUB-33", "SUB-35")
async def test_removal_is_a_delete_no_higher_than_the_subscription(client: Client, target: Target) -> None:
    narrow, leaf = f"{LAN}/config", f"{LAN}/config/mtu"
    await client.set(update={leaf: 1400, f"{SWITCHES}/virtual-switch[name=wan]/config/mtu": 1300})
    async with (
        client.subscribe(*on_change(SWITCHES)) as all_of_it,
        client.subscribe(*on_change(narrow)) as some,
        client.subscribe(*on_change(leaf)) as one,
        client.subscribe(*on_change(f"{SWITCHES}/virtual-switch[name=*]/config/mtu")) as wild,
    ):
        everything = await Follower(all_of_it, SWITCHES).sync()
        part = await Follower(some, narrow).sync()
        single = await Follower(one, leaf).sync()
        each = await Follower(wild, f"{SWITCHES}/virtual-switch[name=*]/config/mtu").sync()
        await client.set(delete=[LAN])
        await everything.until(lambda: not any(name.startswith(LAN) for name in everything.leaves))
        assert everything.leaves
        await part.until(lambda: not part.leaves)
        await single.until(lambda: not single.leaves)
        assert deleted(single.seen[-1]) == [leaf]
        await each.until(lambda: len(each.leaves) == 1)
        assert deleted(each.seen[-1]) == [leaf]
        (notification,) = [one for one in everything.seen if one.delete]
        assert deleted(notification) == [LAN]


@pytest.mark.row("SUB-33", "ENC-14")
async def test_a_leaf_that_goes_alone(client: Client) -> None:
    sample = "/samples/sample[name=a]/config"
    await client.set(update={sample: {"string": "x", "words": ["one", "two"], "int8": 1}})
    async with client.subscribe(*on_change(sample)) as stream:
        follower = await Follower(stream, sample).sync()
        await client.set(delete=[f"{sample}/string"])
        assert deleted(await follower.next()) == [f"{sample}/string"]
        await client.set(delete=[f"{sample}/words"])
        assert deleted(await follower.next()) == [f"{sample}/words"]
        assert follower.leaves == {f"{sample}/name": "a", f"{sample}/int8": 1}


@pytest.mark.row("SUB-36")
async def test_back_to_the_default_is_an_update(client: Client) -> None:
    config = "/samples/settings/config"
    await client.set(update={f"{config}/enabled": False, f"{LAN}/config/mtu": 1400})
    async with client.subscribe(*on_change(config, f"{LAN}/config")) as stream:
        follower = await Follower(stream, config, f"{LAN}/config").sync()
        await client.set(delete=[f"{config}/enabled"])
        got = await follower.next()
        assert (changed(got), deleted(got)) == ({f"{config}/enabled": True}, [])
        await client.set(delete=[f"{LAN}/config/mtu"])
        got = await follower.next()
        assert (changed(got), deleted(got)) == ({f"{LAN}/config/mtu": 1500}, [])


@pytest.mark.row("ENC-13")
async def test_a_leaf_list_travels_whole(client: Client) -> None:
    words = "/samples/sample[name=a]/config/words"
    await client.set(update={words: ["one", "two"]})
    async with client.subscribe(*on_change(words), encoding=pb.PROTO) as stream:
        follower = await Follower(stream, words).sync()
        await client.set(replace={words: ["one", "three"]})
        notification = await follower.next()
        assert len(notification.update) == 1
        assert not notification.delete
        assert sorted(follower.leaves[words]) == ["one", "three"]


@pytest.mark.row("SUB-46")
async def test_config_and_state_follow_a_set(client: Client, target: Target) -> None:
    asked = f"{PORT}/*/mtu"
    await client.set(update={f"{PORT}/config/mtu": 1500})
    async with client.subscribe(*on_change(asked)) as stream:
        follower = await Follower(stream, asked).sync()
        done = await client.set(update={f"{PORT}/config/mtu": 1400})
        await follower.until(
            lambda: [follower.leaves[f"{PORT}/{part}/mtu"] for part in ("config", "state")] == [1400, 1400]
        )
        assert follower.times[f"{PORT}/config/mtu"] == done.timestamp
        assert follower.times[f"{PORT}/state/mtu"] >= done.timestamp
        before = len(follower.seen)
        await refused(client.set(update={f"{PORT}/config/mtu": 1300, "/nope": 1}))
        await refused(client.set(update={f"{PORT}/config/mtu": 1300, f"{PORT}/config/enabled": 7}))
        await client.set(update={f"{PORT}/config/mtu": 1450})
        await follower.until(lambda: follower.leaves[f"{PORT}/config/mtu"] == 1450)
        seen = [value for one in follower.seen[before:] for value in changed(one).values()]
        assert 1300 not in seen
