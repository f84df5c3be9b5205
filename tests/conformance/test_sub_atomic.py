"""Containers that the schema marks atomic: always whole, under their own prefix, ended by a plain delete."""

import pytest

from conformance.follower import Follower, changed, deleted
from conformance.target import Target
from conformance.wire import Client, joined, path, pb

SAMPLE = "/samples/sample[name=a]"
BUNDLE = f"{SAMPLE}/bundle"
MODES = (pb.ON_CHANGE, pb.SAMPLE, pb.TARGET_DEFINED)
TICK = 100_000_000


def entry(where: str, mode: int = pb.ON_CHANGE, **fields: int) -> pb.Subscription:
    interval = TICK if mode == pb.SAMPLE else 0
    return pb.Subscription(path=path(where), mode=mode, sample_interval=interval, **fields)


async def furnished(client: Client) -> dict[str, object]:
    """Set the bundle; its leaves as a client knows them."""
    value = {
        "left": 1,
        "right": "r",
        "inner": {"deep": True},
        "step": [{"id": 2, "act": "second"}, {"id": 1, "act": "first"}],
    }
    await client.set(update={BUNDLE: value, f"{SAMPLE}/config/string": "x"})
    return {
        f"{BUNDLE}/left": 1,
        f"{BUNDLE}/right": "r",
        f"{BUNDLE}/inner/deep": True,
        f"{BUNDLE}/step[id=2]/id": 2,
        f"{BUNDLE}/step[id=2]/act": "second",
        f"{BUNDLE}/step[id=1]/id": 1,
        f"{BUNDLE}/step[id=1]/act": "first",
    }


def is_whole(notification: pb.Notification, where: str = BUNDLE) -> bool:
    """True for an atomic message of this container; a piece of it in any other message is wrong."""
    inside = [name for name in changed(notification) if name.startswith(f"{where}/")]
    if not notification.atomic:
        assert not inside
        return False
    assert joined(notification.prefix, pb.Path()) == where
    assert len(inside) == len(notification.update) > 0
    assert not notification.delete
    return True


@pytest.mark.row("SUB-40")
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("encoding", [pb.JSON, pb.JSON_IETF, pb.PROTO])
async def test_one_leaf_changes_and_all_are_sent(client: Client, mode: int, encoding: int) -> None:
    expected = await furnished(client)
    async with client.subscribe(entry("/samples", mode), encoding=encoding) as stream:
        follower = await Follower(stream, "/samples").sync()
        (whole,) = [one for one in follower.seen if is_whole(one)]
        assert changed(whole) == expected
        assert follower.leaves[f"{SAMPLE}/config/string"] == "x"
        await client.set(update={f"{BUNDLE}/inner/deep": False})
        expected[f"{BUNDLE}/inner/deep"] = False
        follower.seen.clear()
        await follower.until(lambda: follower.leaves[f"{BUNDLE}/inner/deep"] is False)
        (whole,) = [one for one in follower.seen if is_whole(one) and changed(one) == expected]
        if mode != pb.SAMPLE:
            assert follower.seen == [whole]


@pytest.mark.row("SUB-40")
@pytest.mark.parametrize("mode", [pb.SubscriptionList.ONCE, pb.SubscriptionList.POLL])
async def test_once_and_poll_send_it_whole(client: Client, mode: int) -> None:
    expected = await furnished(client)
    async with client.subscribe("/", mode=mode, prefix=pb.Path(target="x7")) as stream:
        for _ in range(2 if mode == pb.SubscriptionList.POLL else 1):
            answer = await stream.until_sync()
            (whole,) = [one for one in answer if is_whole(one)]
            assert changed(whole) == expected
            assert whole.prefix.target == "x7"
            if mode == pb.SubscriptionList.POLL:
                await stream.poll()


@pytest.mark.row("SUB-40", "SUB-17")
async def test_heartbeats_send_it_whole(client: Client) -> None:
    expected = await furnished(client)
    beat = entry(BUNDLE, heartbeat_interval=2 * TICK)
    silent = entry(BUNDLE, pb.SAMPLE, suppress_redundant=True)
    async with client.subscribe(beat) as beating, client.subscribe(silent) as suppressed:
        one, two = [await Follower(stream, BUNDLE).sync() for stream in (beating, suppressed)]
        for _ in range(2):
            again = await one.next()
            assert is_whole(again)
            assert changed(again) == expected
        await client.set(update={f"{BUNDLE}/left": 9})
        only = await two.next()
        assert is_whole(only)
        assert changed(only) == {**expected, f"{BUNDLE}/left": 9}
        assert len([seen for seen in two.seen if seen.atomic]) == 2  # at the start, and now


@pytest.mark.row("SUB-40", "ENC-20")
async def test_the_order_of_a_list_is_that_of_the_message(client: Client) -> None:
    await furnished(client)
    async with client.subscribe(entry(BUNDLE)) as stream:
        follower = await Follower(stream, BUNDLE).sync()

        def order(notification: pb.Notification) -> list[object]:
            return [value for name, value in changed(notification).items() if name.endswith("/id")]

        assert order(follower.seen[-1]) == [2, 1]
        steps = [{"id": 1, "act": "first"}, {"id": 2, "act": "second"}]
        await client.set(replace={f"{BUNDLE}/step": steps})
        again = await follower.next()
        assert is_whole(again)
        assert order(again) == [1, 2]


@pytest.mark.row("SUB-41")
async def test_a_leaf_that_is_gone_is_left_out(client: Client) -> None:
    expected = await furnished(client)
    async with client.subscribe(entry("/samples")) as stream:
        follower = await Follower(stream, "/samples").sync()
        await client.set(delete=[f"{BUNDLE}/right", f"{BUNDLE}/step[id=2]"])
        again = await follower.next()
        assert is_whole(again)
        kept = {name: value for name, value in expected.items() if "right" not in name and "id=2" not in name}
        assert changed(again) == kept
        assert not any(one.delete for one in follower.seen)


@pytest.mark.row("SUB-41")
@pytest.mark.parametrize("gone", [BUNDLE, SAMPLE, "/samples"])
async def test_its_end_is_an_ordinary_delete(client: Client, gone: str) -> None:
    await furnished(client)
    async with client.subscribe(entry("/samples")) as above, client.subscribe(entry(BUNDLE)) as exactly:
        one, two = await Follower(above, "/samples").sync(), await Follower(exactly, BUNDLE).sync()
        await client.set(delete=[gone])
        await two.until(lambda: not two.leaves)
        assert deleted(two.seen[-1]) == [BUNDLE]
        assert not two.seen[-1].atomic
        await one.until(lambda: not any(name.startswith(BUNDLE) for name in one.leaves))
        assert not one.seen[-1].atomic


@pytest.mark.row("SUB-41")
async def test_its_last_leaf_goes_and_it_with_it(client: Client, target: Target) -> None:
    await client.set(update={f"{BUNDLE}/left": 1, f"{SAMPLE}/config/string": "x"})
    async with client.subscribe(entry("/samples")) as stream:
        follower = await Follower(stream, "/samples").sync()
        await client.set(delete=[f"{BUNDLE}/left"])
        seen = await follower.next()
        assert (deleted(seen), changed(seen), seen.atomic) == ([BUNDLE], {}, False)
        await client.set(update={f"{BUNDLE}/right": "back"})
        seen = await follower.next()
        assert is_whole(seen)
        assert changed(seen) == {f"{BUNDLE}/right": "back"}


@pytest.mark.row("SUB-41")
@pytest.mark.parametrize("part", ["left", "inner", "step[id=1]"])
async def test_a_part_of_it_comes_atomically_and_alone(client: Client, part: str) -> None:
    expected = await furnished(client)
    where = f"{BUNDLE}/{part}"
    mine = {name: value for name, value in expected.items() if name.startswith(where)}
    assert mine
    async with client.subscribe(entry(where)) as stream:
        follower = await Follower(stream, where).sync()
        (whole,) = follower.seen
        assert is_whole(whole)
        assert changed(whole) == mine
        leaf = next(name for name in reversed(mine) if not name.endswith("/id"))
        value = {"left": 7, "inner": False, "step[id=1]": "other"}[part]
        await client.set(update={leaf: value})
        again = await follower.next()
        assert is_whole(again)
        assert changed(again) == {**mine, leaf: value}
        await client.set(delete=[where])
        gone = await follower.next()
        assert not gone.atomic
        assert deleted(gone) == [where]
        assert not follower.leaves


@pytest.mark.row("SUB-41", "SUB-42", "SUB-39")
async def test_what_waits_of_it_is_replaced(client: Client, target: Target) -> None:
    """All in one turn of the loop, so that everything waits for the reader."""
    state = f"{SAMPLE}/state"
    async with client.subscribe(entry(SAMPLE)) as stream:
        follower = await Follower(stream, SAMPLE).sync()
        target.report(BUNDLE, {"left": 1})
        for number in range(2, 30):
            target.report_all({BUNDLE: {"left": number, "right": "r"}, state: {"ticks": number}})
        target.report(BUNDLE, {})
        target.report(BUNDLE, {"left": 99})
        await follower.until(lambda: follower.leaves.get(f"{BUNDLE}/left") == 99)
        name = f"{SAMPLE}/name"
        assert follower.leaves == {name: "a", f"{state}/ticks": 29, f"{BUNDLE}/left": 99}
        wholes = [one for one in follower.seen if one.atomic]
        assert all(is_whole(one) for one in wholes)
        assert len(wholes) <= 3
        target.report(BUNDLE, {"left": 100})
        for number in range(101, 111):
            target.report(BUNDLE, {"left": number})
        await follower.until(lambda: follower.leaves[f"{BUNDLE}/left"] == 110)
        assert sum(update.duplicates for one in follower.seen for update in one.update) >= 9
