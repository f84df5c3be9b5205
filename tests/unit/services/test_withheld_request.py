"""Who is let in and then sends nothing for a while is judged again when the request comes."""

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from doubles.loop import in_loop
from twinplane.identity.directory import Directory
from twinplane.identity.role import Access, Role
from twinplane.identity.user import put_user, remove_user, set_user
from twinplane.services.auth import Caller, Gate, Mode
from twinplane.services.rpc import Door, Limits, unary
from twinplane.services.usage import Usage
from twinplane_wire.gnmi import gnmi_pb2


class AbortedError(Exception):
    """Stands for what ends a handler of gRPC."""


class Call:
    """One call of a Unix socket, whose request comes when the test sends it."""

    def __init__(self) -> None:
        self.admitted, self.sent = asyncio.Event(), asyncio.Event()
        self.code = ""

    def peer(self) -> str:
        return "unix:"

    def auth_context(self) -> dict[str, list[bytes]]:
        return {}

    def invocation_metadata(self) -> tuple[tuple[str, str], ...]:
        return (("username", "ann"), ("password", "right"))

    async def read(self) -> bytes:
        self.admitted.set()
        await self.sent.wait()
        return b""

    async def abort(self, code: object, message: str, trailer: object) -> None:
        self.code = f"{code} {message}"
        raise AbortedError


@in_loop
async def test_a_request_of_a_user_who_is_gone_meanwhile_is_refused(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    path: Path = tmp_path_factory.mktemp("users") / "users.toml"
    set_user(path, "ann", Role.ADMIN, "right")
    users, served = Directory(path), []

    async def answer(caller: Caller, _: gnmi_pb2.CapabilityRequest) -> bytes:
        served.append(caller.name)
        return b"answer"

    limits = Limits()
    usage = Usage(limits.streams_per_user, limits.requests_per_second)
    door = Door(Gate(Mode.SOCKET, Role.ADMIN), users, limits, usage)
    handler = unary(door, "Capabilities", Access.READ, gnmi_pb2.CapabilityRequest, answer)

    async def called(call: Call) -> asyncio.Task[bytes]:
        task = asyncio.ensure_future(handler.stream_unary(None, call))
        async with asyncio.timeout(60):
            await call.admitted.wait()
        return task

    call = Call()
    task = await called(call)
    call.sent.set()
    assert await task == b"answer"
    reader = replace(users.users["ann"], role=Role.READ_ONLY)
    for change in (lambda: put_user(path, reader), lambda: remove_user(path, "ann")):
        call = Call()
        task = await called(call)
        change()
        users.reload()
        call.sent.set()
        with pytest.raises(AbortedError):
            await task
        assert "UNAUTHENTICATED" in call.code
        assert "have changed" in call.code
    assert served == ["ann"]
