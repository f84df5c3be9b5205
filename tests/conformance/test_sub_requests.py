"""What a Subscribe may ask, and what is refused before anything is sent."""

from collections.abc import Callable

import grpc
import pytest

from conformance.follower import Follower, changed
from conformance.refusal import of
from conformance.target import Target
from conformance.wire import Client, path, pb, subscription_list
from twinplane_wire.value import python

LAN = "/virtual-switches/virtual-switch[name=lan]"
INVALID = grpc.StatusCode.INVALID_ARGUMENT
UNIMPLEMENTED = grpc.StatusCode.UNIMPLEMENTED
MODES = (pb.SubscriptionList.STREAM, pb.SubscriptionList.ONCE, pb.SubscriptionList.POLL)

POLL = pb.SubscribeRequest(poll=pb.Poll())


def listed(*paths: str, **fields: object) -> pb.SubscribeRequest:
    return pb.SubscribeRequest(subscribe=subscription_list(*paths, **fields))


async def refusal(client: Client, *messages: pb.SubscribeRequest) -> tuple[grpc.StatusCode, str, int]:
    """Code, message and number of answers before it, of a stream that says all this at once."""
    count = 0
    async with client.stream() as stream:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            for message in messages:
                await stream.send(message)
            while await stream.read() is not None:
                count += 1
    refused = of(caught.value)
    return refused.code, refused.message, count


@pytest.mark.row("SUB-01")
@pytest.mark.parametrize("first", [POLL, pb.SubscribeRequest()], ids=["poll", "empty"])
async def test_the_first_message_has_to_subscribe(client: Client, first: pb.SubscribeRequest) -> None:
    assert (await refusal(client, first))[::2] == (INVALID, 0)


@pytest.mark.row("SUB-02")
@pytest.mark.parametrize("mode", MODES)
async def test_a_second_list_is_refused_and_others_do_not_notice(client: Client, mode: int) -> None:
    async with client.subscribe(LAN, mode=pb.SubscriptionList.STREAM) as other:
        follower = await Follower(other, LAN).sync()
        # ONCE may be over before the second message is there: much to send, so that it is not.
        code, message, _ = await refusal(client, listed("/", mode=mode), listed(LAN, mode=mode))
        assert code is INVALID
        assert "once" in message
        await client.set(update={f"{LAN}/config/mtu": 1400})
        await follower.until(lambda: follower.leaves.get(f"{LAN}/config/mtu") == 1400)


@pytest.mark.row("SUB-03")
async def test_polls_and_modes_that_do_not_fit(client: Client) -> None:
    for mode in (pb.SubscriptionList.STREAM, pb.SubscriptionList.ONCE):
        code, message, _ = await refusal(client, listed("/", mode=mode), POLL)
        assert code is INVALID, mode
        assert "poll" in message
    for mode in MODES:
        assert (await refusal(client, listed(mode=mode)))[::2] == (INVALID, 0)
    assert (await refusal(client, listed(LAN, mode=7)))[::2] == (INVALID, 0)
    unknown = pb.Subscription(path=path(LAN))
    unknown.mode = 9  # type: ignore[assignment]
    request = pb.SubscribeRequest(subscribe=pb.SubscriptionList(subscription=[unknown]))
    assert (await refusal(client, request))[::2] == (INVALID, 0)


@pytest.mark.row("SUB-04", "ENC-01")
async def test_a_bare_path_is_a_stream_of_target_defined_json(client: Client, target: Target) -> None:
    port = "/interfaces/interface[name=eth7]/state"
    await client.set(update={f"{LAN}/config/mtu": 1400})
    async with client.stream() as stream:
        bare = pb.SubscriptionList(
            subscription=[pb.Subscription(path=path(LAN)), pb.Subscription(path=path(port))]
        )
        assert bare == pb.SubscriptionList.FromString(bare.SerializeToString())
        await stream.send(pb.SubscribeRequest(subscribe=bare))
        follower = await Follower(stream, LAN, port).sync()
        assert {update.val.WhichOneof("value") for one in follower.seen for update in one.update} == {
            "json_val"
        }
        # STREAM: it goes on; TARGET_DEFINED: events as they come, counters by themselves
        await client.set(update={f"{LAN}/config/mtu": 1450})
        await follower.until(lambda: follower.leaves[f"{LAN}/config/mtu"] == 1450)
        counter = f"{port}/counters/in-octets"
        before = follower.times[counter]
        await follower.until(lambda: follower.times[counter] > before)


@pytest.mark.row("SUB-05")
@pytest.mark.parametrize("mode", MODES)
async def test_one_bad_path_and_nothing_is_sent(client: Client, mode: int) -> None:
    await client.set(update={f"{LAN}/config/mtu": 1400})
    for bad in ("/virtual-switches/nope", f"{LAN}/config/mtu/below", "/images[name=x]"):
        for paths in ((LAN, bad), (bad, LAN)):
            code, message, answers = await refusal(client, listed(*paths, mode=mode))
            assert (code, answers) == (INVALID, 0), bad
            assert "below" in message or "no" in message
    assert (await refusal(client, listed(LAN, mode=mode, encoding=pb.ASCII)))[::2] == (UNIMPLEMENTED, 0)


@pytest.mark.row("SUB-05")
async def test_all_that_is_wrong_is_told_at_once(client: Client) -> None:
    async with client.stream() as stream:
        await stream.send(listed(LAN, "/nope", "/images/nada"))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await stream.read()
    fields = [field for field, _ in of(caught.value).violations]
    assert fields == ["/nope", "/images/nada"]


@pytest.mark.row("SUB-05", "SUB-20")
async def test_one_bad_interval_and_nothing_is_sent(client: Client) -> None:
    good = pb.Subscription(path=path(LAN), mode=pb.ON_CHANGE)
    for bad in (
        pb.Subscription(path=path(LAN), mode=pb.SAMPLE, sample_interval=1),
        pb.Subscription(path=path(LAN), mode=pb.ON_CHANGE, heartbeat_interval=1),
        pb.Subscription(path=path(LAN), mode=pb.TARGET_DEFINED, sample_interval=10**10),
    ):
        request = pb.SubscribeRequest(subscribe=pb.SubscriptionList(subscription=[good, bad]))
        code, message, answers = await refusal(client, request)
        assert (code, answers) == (INVALID, 0)
        assert "interval" in message


@pytest.mark.row("SUB-06")
@pytest.mark.parametrize("mode", MODES)
async def test_invalid_and_not_implemented_paths(client: Client, mode: int) -> None:
    for bad, code in (
        ("/intrfaces", INVALID),
        ("/interfaces/interface[nme=a]", INVALID),
        ("/interfaces/interface/state[name=a]", INVALID),
        ("/samples/settings/config/hidden", UNIMPLEMENTED),
        ("elsewhere:/samples", UNIMPLEMENTED),
    ):
        answer = await refusal(client, listed(bad, mode=mode))
        assert answer[::2] == (code, 0), bad


@pytest.mark.row("SUB-45")
async def test_use_models_restricts_the_tree(client: Client) -> None:
    await client.set(
        update={
            "/samples/sample[name=a]": {"config": {"string": "x"}, "more": {"friend": "a"}},
            f"{LAN}/config/mtu": 1400,
        }
    )
    both = (pb.ModelData(name="twinplane-fixture"), pb.ModelData(name="twinplane-fixture-more"))
    for models, wanted in (
        (both[:1], {"name", "config/name", "config/string"}),
        (both[1:], {"more/friend"}),
        (both, {"name", "config/name", "config/string", "more/friend"}),
    ):
        for mode in MODES:
            async with client.subscribe("/", mode=mode, use_models=models) as stream:
                follower = await Follower(stream).sync()
                sample = "/samples/sample[name=a]/"
                got = {one.removeprefix(sample) for one in follower.leaves if one.startswith(sample)}
                assert got == wanted
                assert not any(one.startswith("/virtual-switches") for one in follower.leaves)
    async with client.subscribe("/", use_models=both[1:]) as stream:
        follower = await Follower(stream).sync()
        await client.set(update={"/samples/sample[name=a]/config/string": "y"})
        await client.set(update={"/samples/sample[name=b]/more/friend": "b"})
        assert changed(await follower.next()) == {"/samples/sample[name=b]/more/friend": "b"}
        await client.set(delete=["/samples"])
        await follower.until(lambda: not follower.leaves)
    unknown = (pb.ModelData(name="openconfig-nothing"),)
    for mode in MODES:
        code, message, answers = await refusal(client, listed("/", mode=mode, use_models=unknown))
        assert (code, answers) == (INVALID, 0)
        assert "openconfig-nothing" in message


@pytest.mark.row("SUB-45")
async def test_qos_is_judged(client: Client) -> None:
    """The marking itself is documented as not honoured: gRPC cannot mark the packets of one stream."""
    assert await client.once(LAN, qos=pb.QOSMarking(marking=63))
    assert (await refusal(client, listed(LAN, qos=pb.QOSMarking(marking=64))))[::2] == (INVALID, 0)


def _same(left: list[pb.Notification]) -> dict[tuple[str, ...], object]:
    return {
        tuple(elem.name for elem in (*one.prefix.elem, *update.path.elem)): python(update.val)
        for one in left
        for update in one.update
    }


@pytest.mark.row("SUB-44", "PATH-03")
@pytest.mark.parametrize("mode", MODES)
async def test_prefix_and_path_are_one_path(client: Client, mode: int) -> None:
    await client.set(update={f"{LAN}/config/mtu": 1400})
    whole = path(f"{LAN}/config").elem
    expected: dict[tuple[str, ...], object] | None = None
    for cut in range(len(whole) + 1):
        prefix = pb.Path(elem=whole[:cut], target="x7", origin="openconfig")
        entry = pb.Subscription(path=pb.Path(elem=whole[cut:]))
        async with client.subscribe(entry, mode=mode, prefix=prefix) as stream:
            values = await stream.until_sync()
            assert values
            for one in values:
                assert one.prefix.target == "x7"
                assert one.prefix.origin == "openconfig"
                assert not any(update.path.origin or update.path.target for update in one.update)
            expected = expected or _same(values)
            assert _same(values) == expected
    async with client.subscribe("fixture:/samples", LAN, mode=mode) as stream:
        await client.set(update={"fixture:/samples/settings/config/plain": "x"})
        if mode == pb.SubscriptionList.STREAM:
            notifications = await stream.until_sync()
            if not any(one.prefix.origin == "fixture" for one in notifications):
                notifications.append(await stream.notification())
            origins = {
                (*one.prefix.elem, *update.path.elem)[0].name: one.prefix.origin
                for one in notifications
                for update in one.update
            }
            assert origins == {"virtual-switches": "", "samples": "fixture"}
            assert not any(one.prefix.target for one in notifications)


@pytest.mark.row("SUB-44", "PATH-19", "PATH-20")
async def test_targets_are_private_to_their_streams(client: Client) -> None:
    async with (
        client.subscribe(LAN, prefix=pb.Path(target="A")) as one,
        client.subscribe(LAN, prefix=pb.Path(target="B")) as two,
        client.subscribe(LAN) as three,
    ):
        for stream in (one, two, three):
            await stream.until_sync()
        await client.set(update={f"{LAN}/config/mtu": 1400})
        got = [(await stream.notification()).prefix.target for stream in (one, two, three)]
    assert got == ["A", "B", ""]


@pytest.mark.row("PATH-10")
@pytest.mark.parametrize(
    ("build", "code"),
    [
        (lambda: path("/" + "/".join(["..."] * 128)), None),
        (lambda: path("/" + "/".join(["..."] * 129)), INVALID),
        (lambda: path("/" + "/".join(["...", "*"] * 60)), INVALID),
        (lambda: pb.Path(elem=[pb.PathElem(name="x")] * 100_000), INVALID),
    ],
    ids=["many-deep", "too-long", "deep-and-wide", "endless"],
)
async def test_wildcards_cannot_be_made_expensive(
    client: Client, build: Callable[[], pb.Path], code: grpc.StatusCode | None
) -> None:
    request = pb.SubscribeRequest(
        subscribe=pb.SubscriptionList(
            mode=pb.SubscriptionList.ONCE, subscription=[pb.Subscription(path=build())]
        )
    )
    async with client.stream() as stream:
        await stream.send(request)
        assert await stream.status() is (code or grpc.StatusCode.OK)
