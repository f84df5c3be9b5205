"""The configuration service of a whole target, spoken to with the generated messages and nothing else."""

import asyncio
import atexit
import datetime
import functools
import json
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import asynccontextmanager, contextmanager
from ipaddress import ip_address
from pathlib import Path as File
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from conformance.target import USERS, Target
from conformance.wire import Client
from twinplane.identity import upkeep
from twinplane.identity.host_name import Names
from twinplane.identity.role import Role
from twinplane.identity.user import set_user
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Elem, Path, parse
from twinplane_wire.v1 import config_pb2 as pb

SAMPLE = "/samples/sample[name=a]"
M = TypeVar("M", bound=Message)


@functools.cache
def _credentials() -> File:
    folder, now = File(tempfile.mkdtemp(prefix="tpc")), datetime.datetime.now(datetime.UTC)
    atexit.register(shutil.rmtree, folder)
    names = Names(("localhost",), (ip_address("127.0.0.1"),))
    upkeep.ensure(folder / "tls", names, now, clients=USERS)
    for user, role in zip(USERS, (Role.ADMIN, Role.OPERATOR, Role.READ_ONLY), strict=True):
        set_user(folder / "users.toml", user, role, f"{user}-secret")
    return folder


class Caller:
    """All methods over one channel, as one user."""

    def __init__(self, channel: grpc.aio.Channel, user: str = "") -> None:
        self._channel = channel
        self._metadata: tuple[tuple[str, str], ...] = ()
        if user:
            self._metadata = (("username", user), ("password", f"{user}-secret"))

    @classmethod
    def of(cls, client: Client) -> "Caller":
        """One that calls as a gNMI client does: over its channel, with its metadata."""
        caller = cls(client.channel)
        caller._metadata = client.metadata
        return caller

    async def call(self, request: Message) -> Any:
        """The answer to a request; its method is what the message is called."""
        name = type(request).DESCRIPTOR.name.removesuffix("Request")
        output = pb.DESCRIPTOR.services_by_name["Config"].methods_by_name[name].output_type.name
        answer = getattr(pb, output)
        multi = self._channel.unary_unary(
            f"/twinplane.config.v1.Config/{name}", type(request).SerializeToString, answer.FromString
        )
        return await multi(request, timeout=20, metadata=self._metadata)

    def stream(self, request: Message) -> Any:
        """A call that answers with a stream."""
        name = type(request).DESCRIPTOR.name.removesuffix("Request")
        output = pb.DESCRIPTOR.services_by_name["Config"].methods_by_name[name].output_type.name
        return self._channel.unary_stream(
            f"/twinplane.config.v1.Config/{name}",
            type(request).SerializeToString,
            getattr(pb, output).FromString,
        )(request, metadata=self._metadata)

    async def text(self, request: Message) -> dict[str, bytes]:
        """Path → text of a reading call."""
        paths: dict[int, str] = {}
        found: dict[int, bytes] = {}
        async for piece in self.stream(request):
            paths.setdefault(piece.index, text(piece.path))
            found[piece.index] = found.get(piece.index, b"") + piece.text
        return {paths[index]: content for index, content in found.items()}

    @asynccontextmanager
    async def session(self, **fields: Any) -> AsyncIterator["Opened"]:
        """A session for as long as the block lasts."""
        call = self.stream(pb.OpenSessionRequest(**fields))
        opened = (await call.read()).opened
        try:
            yield Opened(opened.session_id, opened.secret, call)
        finally:
            call.cancel()


class Opened:
    """An open session."""

    def __init__(self, number: int, secret: str, call: Any) -> None:
        self.number = number
        self.secret = secret
        self.call = call

    async def event(self) -> pb.SessionEvent:
        """The next event."""
        async with asyncio.timeout(20):
            event: pb.SessionEvent = await self.call.read()
            return event


class Box:
    """The target, a caller as administrator, one as anybody, and a gNMI client."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.gnmi: Client = target.client()
        self.admin = Caller(self.gnmi.channel)

    def user(self, name: str) -> Caller:
        """A caller with a name and a password, over the administrator's socket."""
        return Caller(self.gnmi.channel, name)


def run(scenario: Callable[[Box], Awaitable[None]]) -> None:
    """A scenario on a target of its own."""

    async def body() -> None:
        with tempfile.TemporaryDirectory(prefix="tpc") as name:
            shutil.copytree(_credentials(), name, dirs_exist_ok=True)
            async with Target(File(name)) as target, asyncio.timeout(60):
                await scenario(Box(target))

    asyncio.run(body())


@contextmanager
def served() -> Iterator[Target]:
    """A target that serves from a thread of its own, for blocking clients."""
    ready: Future[tuple[Target, asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def body() -> None:
        with tempfile.TemporaryDirectory(prefix="tpc") as name:
            shutil.copytree(_credentials(), name, dirs_exist_ok=True)
            async with Target(File(name)) as target:
                over = asyncio.Event()
                ready.set_result((target, asyncio.get_running_loop(), over))
                await over.wait()

    with ThreadPoolExecutor(1) as pool:
        done = pool.submit(asyncio.run, body())
        wait((done, ready), timeout=60, return_when=FIRST_COMPLETED)
        if done.done():
            done.result()
        target, loop, over = ready.result(0)
        try:
            yield target
        finally:
            loop.call_soon_threadsafe(over.set)
            done.result(60)


def path(where: str) -> gnmi_pb2.Path:
    """A Path from its text."""
    parsed = parse(where)
    return gnmi_pb2.Path(
        origin=parsed.origin,
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in parsed.elems],
    )


def text(wire: gnmi_pb2.Path) -> str:
    """A Path as text."""
    elems = tuple(Elem(elem.name, tuple(sorted(elem.key.items()))) for elem in wire.elem)
    return str(Path(elems, wire.origin))


def edit(operation: "pb.Edit.Operation", where: str, value: Any = None, **fields: Any) -> pb.Edit:
    """One edit, its value as JSON."""
    body = b"" if value is None else json.dumps(value).encode()
    return pb.Edit(operation=operation, path=path(where), value=body, **fields)


async def refusal(call: Awaitable[Any]) -> tuple[grpc.StatusCode, str, list[pb.Error]]:
    """Code, message and errors of a call that has to be refused."""
    try:
        answer = await call
    except grpc.aio.AioRpcError as error:
        found: list[pb.Error] = []
        for key, value in error.trailing_metadata() or ():
            if key == "grpc-status-details-bin":
                assert isinstance(value, bytes)
                details = status_pb2.Status.FromString(value).details
                assert details[0].Is(error_details_pb2.BadRequest.DESCRIPTOR)
                for detail in details[1:]:
                    one = pb.Error()
                    if detail.Unpack(one):
                        found.append(one)
        return error.code(), error.details() or "", found
    raise AssertionError(f"not refused: {answer}")
