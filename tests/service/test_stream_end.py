"""A stream ends with the status it is given, whatever was under way."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest

from twinplane.errors import Fault, RequestError, Violation
from twinplane.identity.directory import Directory
from twinplane.identity.role import Access
from twinplane.identity.user import ensure_users
from twinplane.services.auth import Caller
from twinplane.services.rpc import Door, Limits, Write, stream
from twinplane.services.server import Server, local_sockets
from twinplane.services.standard import Standard
from twinplane.services.usage import Usage
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT


async def _refused_amid_a_message(folder: Path, written: int) -> grpc.aio.AioRpcError:
    """The end of a stream that is refused while one more message is on its way."""

    async def serve(_: Caller, requests: AsyncIterator[gnmi_pb2.SubscribeRequest], write: Write) -> None:
        for _message in range(written):
            await write(b"")
        sending = asyncio.ensure_future(write(b"\0" * 1_000_000))
        await asyncio.sleep(0)
        sending.cancel()
        await asyncio.gather(sending, return_exceptions=True)
        raise RequestError(Violation(ROOT, Fault.SYNTAX, "enough"))

    ensure_users(folder / "users.toml")
    users = Directory(folder / "users.toml")
    limits = Limits()

    class Service:
        def behind(self, door: Door) -> grpc.GenericRpcHandler:
            handler = stream(door, "Stream", Access.READ, gnmi_pb2.SubscribeRequest, serve)
            return grpc.method_handlers_generic_handler("test", {"Stream": handler})

    usage = Usage(limits.streams_per_user, limits.requests_per_second)
    server = Server(
        local_sockets(folder),
        lambda gate: (Service().behind(Door(gate, users, limits, usage)),),
        Standard(()),
        limits,
    )
    try:
        address, *_ = await server.start()
        async with grpc.aio.insecure_channel(address) as channel:
            call = channel.stream_stream("/test/Stream")(timeout=10)
            with pytest.raises(grpc.aio.AioRpcError) as ended:
                while await call.read() is not grpc.aio.EOF:
                    pass
                await call.read()
                raise AssertionError(await call.code())
            return ended.value
    finally:
        await server.stop(0.0)


@pytest.mark.parametrize("written", [0, 1])
def test_a_stream_that_is_refused_amid_a_message_ends(tmp_path: Path, written: int) -> None:
    error = asyncio.run(_refused_amid_a_message(tmp_path, written))
    assert (error.code(), error.details()) == (grpc.StatusCode.INVALID_ARGUMENT, "/: enough")
