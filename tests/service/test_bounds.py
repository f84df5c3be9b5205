"""The bounds at the door: who is not let in is not listened to, too much is refused before any work."""

import asyncio
from pathlib import Path as File

import grpc
import pytest

from service.configuring import Box, run
from service.double import memory, raw, serving
from twinplane.services.bounds import Bounds
from twinplane.services.rpc import Limits
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.v1 import config_pb2 as pb

CODE = grpc.StatusCode
SIZE = (("grpc.max_send_message_length", -1),)


async def refused(address: str, method: str, request: bytes) -> tuple[grpc.StatusCode, str]:
    async with grpc.aio.insecure_channel(address, options=SIZE) as channel:
        with pytest.raises(grpc.aio.AioRpcError) as raised:
            await raw(channel, method, request)
    return raised.value.code(), raised.value.details() or ""


def test_nothing_is_received_of_who_is_not_let_in(tmp_path: File) -> None:
    """The refusal comes though the request never does."""

    async def body() -> None:
        async with (
            serving(tmp_path, memory()) as (admin, _),
            grpc.aio.insecure_channel(admin) as channel,
        ):
            wrong = (("username", "nobody"), ("password", "wrong"))
            call = channel.stream_unary("/gnmi.gNMI/Set")(metadata=wrong, timeout=20)
            assert await call.code() is CODE.UNAUTHENTICATED
            silent = channel.stream_unary("/gnmi.gNMI/Get")(timeout=20)
            await silent.done_writing()
            assert await silent.code() is CODE.INVALID_ARGUMENT

    asyncio.run(body())


def test_who_does_not_send_the_request_is_not_waited_for(tmp_path: File) -> None:
    async def body() -> None:
        async with (
            serving(tmp_path, memory(), limits=Limits(write_seconds=0.2)) as (admin, _),
            grpc.aio.insecure_channel(admin) as channel,
        ):
            call = channel.stream_unary("/gnmi.gNMI/Get")(timeout=20)
            assert await call.code() is CODE.RESOURCE_EXHAUSTED

    asyncio.run(body())


def test_each_method_has_its_size(tmp_path: File) -> None:
    async def body() -> None:
        limits = Limits(write_bytes=100_000, request_bytes=1000)
        big = gnmi_pb2.Path(origin="x" * 5000).SerializeToString()
        async with serving(tmp_path, memory(), limits=limits) as (admin, _):
            code, text = await refused(admin, "Get", gnmi_pb2.GetRequest(path=[gnmi_pb2.Path()] * 900)
                                       .SerializeToString())  # fmt: skip
            assert code is CODE.RESOURCE_EXHAUSTED
            assert "at most 1000" in text and "limits.request_bytes" in text
            wanted = gnmi_pb2.SetRequest(delete=[gnmi_pb2.Path.FromString(big)]).SerializeToString()
            assert (await refused(admin, "Set", wanted))[0] is not CODE.RESOURCE_EXHAUSTED
            code, _ = await refused(admin, "Set", wanted * 30)
            assert code is CODE.RESOURCE_EXHAUSTED

    asyncio.run(body())


def test_a_request_of_too_many_parts_is_refused_before_the_writer_hears_of_it(tmp_path: File) -> None:
    async def body() -> None:
        target = memory()
        async with serving(tmp_path, target, limits=Limits(bounds=Bounds(10, 10, 10))) as (admin, _):
            many = gnmi_pb2.SetRequest(delete=[gnmi_pb2.Path()] * 11).SerializeToString()
            code, text = await refused(admin, "Set", many)
            assert code is CODE.RESOURCE_EXHAUSTED
            assert "limits.operations" in text
            keys = gnmi_pb2.PathElem(name="x", key={str(number): "" for number in range(100)})
            deletes = gnmi_pb2.SetRequest(delete=[gnmi_pb2.Path(elem=[keys])]).SerializeToString()
            assert (await refused(admin, "Set", deletes))[0] is CODE.INVALID_ARGUMENT
        assert target.requests == []

    asyncio.run(body())


def test_of_many_violations_the_first_hundred_are_listed() -> None:
    async def scenario(box: Box) -> None:
        text = b"{" + b",".join(b'"u%d":0' % number for number in range(5000)) + b"}"
        answer = await box.admin.call(pb.ValidateRequest(text=text))
        assert not answer.valid
        assert len(answer.error) == 101
        assert "more than 100" in answer.error[-1].error_message

    run(scenario)
