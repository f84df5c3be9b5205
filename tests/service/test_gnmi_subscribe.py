"""Subscribe over a Unix socket. Names in brackets are rows of the conformance matrix."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from pathlib import Path as File
from typing import Any

import grpc
import pytest

from service.double import Memory, memory, serving
from twinplane.services.rpc import Limits
from twinplane.subscribe.encode import Notice
from twinplane.subscribe.subscription import Mode
from twinplane_client import AsyncClient, Notification, Sync, Target
from twinplane_client import errors as client_errors
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Path, parse

LAN = "/virtual-switches/virtual-switch[name=lan]"
LIST = gnmi_pb2.SubscriptionList
Scenario = Callable[[AsyncClient, grpc.aio.Channel, Memory], Awaitable[None]]


def run(folder: File, scenario: Scenario, limits: Limits | None = None) -> None:
    async def body() -> None:
        target = memory()
        async with (
            serving(folder, target, limits=limits) as (admin, _),
            AsyncClient(Target(admin)) as client,
            grpc.aio.insecure_channel(admin) as channel,
            asyncio.timeout(60),
        ):
            await client.set(update={f"{LAN}/config/mtu": 1400})
            await scenario(client, channel, target)

    asyncio.run(body())


def wire(path: str) -> gnmi_pb2.Path:
    return gnmi_pb2.Path(
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parse(path).elems]
    )


def listed(*paths: str, **fields: Any) -> gnmi_pb2.SubscribeRequest:
    subscriptions = [gnmi_pb2.Subscription(path=wire(path)) for path in paths]
    return gnmi_pb2.SubscribeRequest(subscribe=LIST(subscription=subscriptions, **fields))


POLL = gnmi_pb2.SubscribeRequest(poll=gnmi_pb2.Poll())


def subscribe(channel: grpc.aio.Channel, requests: Iterable[gnmi_pb2.SubscribeRequest] | None = None) -> Any:
    method = channel.stream_stream(
        "/gnmi.gNMI/Subscribe",
        request_serializer=gnmi_pb2.SubscribeRequest.SerializeToString,
        response_deserializer=gnmi_pb2.SubscribeResponse.FromString,
    )
    return method(iter(requests)) if requests is not None else method()


async def refusal(channel: grpc.aio.Channel, *requests: gnmi_pb2.SubscribeRequest) -> tuple[str, str, int]:
    """Code, message and number of answers before the refusal."""
    count = 0
    call = subscribe(channel, requests)
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        async for _ in call:
            count += 1
    return caught.value.code().name, caught.value.details() or "", count


def test_once_ends_with_one_sync(tmp_path: File) -> None:
    """[SUB-07..11, SUB-27]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        items = [item async for item in client.subscribe(LAN, "/images", mode="once", target="x7")]
        assert items[-1] is Sync.SYNC
        updates = [update for item in items[:-1] for update in item.updates]  # type: ignore[union-attr]
        assert {(str(update.path), update.value) for update in updates} == {
            (f"{LAN}/name", "lan"),
            (f"{LAN}/config/name", "lan"),
            (f"{LAN}/config/mtu", 1400),
        }
        assert all(item.target == "x7" for item in items[:-1])  # type: ignore[union-attr]
        only_sync = [item async for item in client.subscribe(LAN, mode="once", updates_only=True)]
        assert only_sync == [Sync.SYNC]

    run(tmp_path, scenario)


@pytest.mark.parametrize(("encoding", "wanted"), [(0, "json_val"), (2, "uint_val"), (4, "json_ietf_val")])
def test_values_have_the_encoding_asked_for(tmp_path: File, encoding: int, wanted: str) -> None:
    """[ENC-03, SUB-04]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        request = listed(f"{LAN}/config/mtu", mode=LIST.ONCE, encoding=encoding)
        first, sync = [item async for item in subscribe(channel, [request])]
        assert first.update.update[0].val.WhichOneof("value") == wanted
        assert not first.update.prefix.origin
        assert sync.sync_response

    run(tmp_path, scenario)


def test_a_stream_outlives_the_half_close(tmp_path: File) -> None:
    """[SUB-10, SUB-32, SUB-42, SUB-43]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        call = subscribe(channel, [listed(LAN)])  # the iterator ends: half-closed
        received = aiter(call)
        while not (await anext(received)).sync_response:
            pass
        container = parse(f"{LAN}/config")
        (piece,) = target.encode(container, [("mtu", 1450)], target.wanted[0].encoding)
        prefix = Path()
        target.pending.put_nowait(Notice(prefix, 5, (piece,), (), ((0, 3),)))
        target.pending.put_nowait(Notice(prefix, 6, (), (parse(LAN).elems,)))
        changed, gone = await anext(received), await anext(received)
        assert changed.update.timestamp == 5
        assert changed.update.update[0].duplicates == 3
        assert changed.update.update[0].val.json_val == b"1450"
        assert [*changed.update.prefix.elem, *changed.update.update[0].path.elem] == list(
            wire(f"{LAN}/config/mtu").elem
        )
        assert gone.update.delete == [wire(LAN)]
        assert target.streams == 1
        call.cancel()
        while target.streams:
            await asyncio.sleep(0.01)

    run(tmp_path, scenario)


def test_the_client_drops_a_stream(tmp_path: File) -> None:
    """[SUB-43]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        for _ in range(20):
            stream: AsyncIterator[Notification | Sync] = client.subscribe(LAN)
            async for item in stream:
                if item is Sync.SYNC:
                    break
            await stream.aclose()  # type: ignore[attr-defined]
        while target.streams:
            await asyncio.sleep(0.01)

    run(tmp_path, scenario)


def test_poll_answers_each_poll_in_full(tmp_path: File) -> None:
    """[SUB-12..14]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        request = listed(f"{LAN}/config/mtu", mode=LIST.POLL, updates_only=True)
        items = [item async for item in subscribe(channel, [request, POLL, POLL])]
        assert [item.sync_response for item in items] == [True, False, True, False, True]

    run(tmp_path, scenario)


def test_requests_are_judged_before_anything_is_sent(tmp_path: File) -> None:
    """[SUB-01..03, SUB-05, SUB-06, SUB-45, ERR-20]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        good = listed(LAN)
        bad_mode = listed(LAN)
        bad_mode.subscribe.subscription[0].mode = 9  # type: ignore[assignment]
        for requests in (
            (POLL,),
            (gnmi_pb2.SubscribeRequest(),),
            (listed(),),
            (listed(LAN, mode=7),),
            (bad_mode,),
            (listed(LAN, "/virtual-switches/nope"),),
            (listed(LAN, qos=gnmi_pb2.QOSMarking(marking=64)),),
            (listed(LAN, use_models=[gnmi_pb2.ModelData(name="x")]),),
        ):
            assert (await refusal(channel, *requests))[::2] == ("INVALID_ARGUMENT", 0), requests
        assert (await refusal(channel, listed(LAN, encoding=1)))[::2] == ("UNIMPLEMENTED", 0)
        for second in (good, POLL, gnmi_pb2.SubscribeRequest()):
            assert (await refusal(channel, good, second))[0] == "INVALID_ARGUMENT"
        poll_twice = listed(LAN, mode=LIST.POLL)
        assert (await refusal(channel, poll_twice, good))[0] == "INVALID_ARGUMENT"
        assert target.streams == 0

    run(tmp_path, scenario)


def test_bytes_that_are_no_protobuf(tmp_path: File) -> None:
    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        call = channel.stream_stream("/gnmi.gNMI/Subscribe")(iter((b"\xff\xff",)))
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in call:
                pass
        assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT

    run(tmp_path, scenario)


def test_what_is_asked_reaches_the_room_resolved(tmp_path: File) -> None:
    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        request = gnmi_pb2.SubscribeRequest(
            subscribe=LIST(
                prefix=wire("/twinplane-virtual-switch:virtual-switches"),
                mode=LIST.ONCE,
                subscription=[
                    gnmi_pb2.Subscription(
                        path=wire("virtual-switch[name=*]/*/mtu"),
                        mode=gnmi_pb2.SAMPLE,
                        sample_interval=10**9,
                        heartbeat_interval=5 * 10**9,
                        suppress_redundant=True,
                    )
                ],
            )
        )
        _ = [item async for item in subscribe(channel, [request])]
        (wanted,) = target.wanted
        assert {str(one.path) for one in wanted.subscriptions} == {
            f"/virtual-switches/virtual-switch/{name}/mtu" for name in ("config", "state")
        }
        assert {(one.mode, one.sample_interval, one.heartbeat_interval) for one in wanted.subscriptions} == {
            (Mode.SAMPLE, 10**9, 5 * 10**9)
        }
        assert all(one.suppress_redundant for one in wanted.subscriptions)

    run(tmp_path, scenario)


def test_streams_and_paths_are_limited(tmp_path: File) -> None:
    """[ERR-22]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        assert (await refusal(channel, listed(*[LAN] * 4)))[0] == "RESOURCE_EXHAUSTED"
        held = [subscribe(channel, [listed(LAN)]) for _ in range(2)]
        for call in held:
            await anext(aiter(call))
        assert (await refusal(channel, listed(LAN)))[0] == "RESOURCE_EXHAUSTED"
        held[0].cancel()
        while target.streams > 1:
            await asyncio.sleep(0.01)
        again = subscribe(channel, [listed(LAN)])
        await anext(aiter(again))

    run(tmp_path, scenario, Limits(streams_per_user=2, subscriptions_per_stream=3))


@pytest.mark.parametrize("target", ["x" * 1000, ""])
def test_what_a_stream_holds_is_limited(tmp_path: File, target: str) -> None:
    """[ERR-22] Also in later messages, and whatever it is that makes the message long."""
    first, more = listed(LAN), gnmi_pb2.SubscribeRequest(poll=gnmi_pb2.Poll())
    first.subscribe.mode = gnmi_pb2.SubscriptionList.POLL
    first.subscribe.prefix.target = target
    if not target:
        more.MergeFromString(b"\xfa\x3f\xe8\x07" + b"x" * 1000)  # a field that nobody has defined

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, _: Memory) -> None:
        code, message, answers = await refusal(channel, first, more)
        assert (code, answers > 0) == ("RESOURCE_EXHAUSTED", not target)
        assert "500" in message

    run(tmp_path, scenario, Limits(stream_request_bytes=500))


def test_a_target_that_each_message_would_repeat_is_short(tmp_path: File) -> None:
    """[ERR-22]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, _: Memory) -> None:
        for length, wanted in ((4096, "OK"), (4097, "RESOURCE_EXHAUSTED")):
            first = listed(LAN)
            first.subscribe.mode = gnmi_pb2.SubscriptionList.ONCE
            first.subscribe.prefix.target = "t" * length
            if wanted == "OK":
                await anext(aiter(subscribe(channel, [first])))
            else:
                assert (await refusal(channel, first))[0] == wanted

    run(tmp_path, scenario)


def test_a_reader_that_stalls_is_dropped(tmp_path: File) -> None:
    """[SUB-42]"""

    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        stalled = subscribe(channel, [listed(LAN)])
        while not target.streams:
            await asyncio.sleep(0.01)
        piece = target.encode(
            parse(f"{LAN}/config"), [("description", "x" * 1_000_000)], target.wanted[0].encoding
        )
        for number in range(64):
            target.pending.put_nowait(Notice(Path(), number, tuple(piece)))
        while target.streams:  # nobody reads
            await asyncio.sleep(0.05)
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            async for _ in stalled:
                pass
        assert caught.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED

    run(tmp_path, scenario, Limits(write_seconds=0.5))


def test_an_error_of_a_stream_has_its_kind(tmp_path: File) -> None:
    async def scenario(client: AsyncClient, channel: grpc.aio.Channel, target: Memory) -> None:
        with pytest.raises(client_errors.InvalidError) as caught:
            async for _ in client.subscribe("/virtual-switches/nope"):
                pass
        assert caught.value.violations[0].fault == "UNKNOWN_PATH"

    run(tmp_path, scenario)
