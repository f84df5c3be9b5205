"""The one door of every RPC: who calls, may they, what do they want, and how a failure is told.

Handlers are registered with raw bytes. With a generated servicer a request that does not parse ends as
UNKNOWN before any handler runs, and answers that are bytes already would be built twice.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol, TypeAlias, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message

from twinplane.errors import Fault, RequestError, Violation
from twinplane.heap import give_back_later
from twinplane.identity.directory import Directory
from twinplane.identity.role import Access
from twinplane.services import bounds
from twinplane.services.auth import Caller, Gate, authenticate, authorize
from twinplane.services.bounds import Bounds
from twinplane.services.status import DETAILS_KEY, Detail, status_of
from twinplane.services.usage import Usage
from twinplane_wire.path import ROOT

MessageT = TypeVar("MessageT", bound=Message)
Context: TypeAlias = "grpc.aio.ServicerContext[bytes, bytes]"
Handler: TypeAlias = "grpc.RpcMethodHandler[bytes, bytes]"
Service: TypeAlias = "grpc.GenericRpcHandler[bytes, bytes]"

LARGE = 256 * 1024  # bytes of a request that take their time to be read
STATUS_SECONDS = 5.0  # how long the end of a stream waits for its reader

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What one client may take. Sizes in bytes, `write_seconds` is how long a reader may stall."""

    write_bytes: int = 8 << 20  # of Set, Edit, CopyConfig and Validate; gRPC itself receives no more
    request_bytes: int = 1 << 20  # of all others
    stream_request_bytes: int = 1 << 20  # held as long as the stream lasts
    bounds: Bounds = field(default_factory=Bounds)
    held_bytes: int = 64 << 20  # of all requests of one user that are being worked on
    answer_bytes: int = 256 << 20
    connections: int = 1000  # of one listener
    streams_per_connection: int = 1000
    streams_per_user: int = 200
    requests_per_second: float = 2000.0  # of one user, who may save up those of a second
    subscriptions_per_stream: int = 1000
    write_seconds: float = 60.0


Told: TypeAlias = Callable[[Caller, Exception], Exception]


def everything(_: Caller, error: Exception) -> Exception:
    """Where nothing is kept from anybody."""
    return error


@dataclass(frozen=True, slots=True)
class Door:
    """What every RPC of one listener passes; `usage` is the same for all listeners, `detail` is what its
    service adds to a refusal, `told` gives what of a failure its caller may know."""

    gate: Gate
    users: Directory
    limits: Limits
    usage: Usage
    detail: Detail | None = None
    told: Told = everything


class Write(Protocol):
    """Sends one encoded message.

    Raises:
        RequestError: TOO_LARGE, when the reader took nothing for too long.
    """

    async def __call__(self, message: bytes) -> None: ...


def unary(
    door: Door,
    method: str,
    access: Access,
    kind: type[MessageT],
    answer: Callable[[Caller, MessageT], Awaitable[bytes]],
    *,
    large: bool = False,
) -> Handler:
    """The gRPC handler of a method with one request and one answer, encoded by `answer` itself. With `large`
    the request may have `write_bytes`.

    To gRPC it is a stream of requests of which one is read: so nothing is received of who is not let in yet,
    beyond what the flow control of HTTP/2 lets through unasked (64 KiB).
    """
    most = door.limits.write_bytes if large else door.limits.request_bytes

    async def handle(_: AsyncIterator[bytes], context: Context) -> bytes:
        caller: Caller | None = None
        try:
            caller = await _admit(door, context, access, method)
            raw = await _received(door, context, most)
            if not door.users.is_still(caller.user, caller.serial):  # it may have been long on its way
                raise _changed(caller)
            if len(raw) > LARGE:  # one after the other, with a turn for all others in between
                async with door.usage.reading:
                    await asyncio.sleep(0)
                    request = parse(kind, raw)
                    bounds.check(request, door.limits.bounds)
            else:
                request = parse(kind, raw)
                bounds.check(request, door.limits.bounds)
            give_back_later(len(raw))
            with door.usage.holding(caller.name, len(raw)):
                del raw
                encoded = await answer(caller, request)
            if len(encoded) > door.limits.answer_bytes:
                raise _too_large(
                    f"the answer has {len(encoded)} bytes, at most {door.limits.answer_bytes} are sent",
                    "ask for less, or use Subscribe ONCE",
                )
        except Exception as error:
            return await _abort(context, _told(door, caller, error), method, door.detail)
        return encoded

    return grpc.stream_unary_rpc_method_handler(handle)


def stream(
    door: Door,
    method: str,
    access: Access,
    kind: type[MessageT],
    serve: Callable[[Caller, AsyncIterator[MessageT], Write], Awaitable[None]],
) -> Handler:
    """The gRPC handler of a method with streams in both directions; it ends with OK when `serve` returns."""

    async def handle(raw: AsyncIterator[bytes], context: Context) -> None:
        async def write(message: bytes) -> None:
            try:
                async with asyncio.timeout(door.limits.write_seconds):
                    await context.write(message)
            except TimeoutError as error:
                raise _too_large(
                    f"nothing was read for {door.limits.write_seconds:.0f} s", "read faster or ask for less"
                ) from error

        async def requests() -> AsyncIterator[MessageT]:
            most = door.limits.stream_request_bytes
            async for message in raw:
                if len(message) > most:
                    raise _too_large(
                        f"the request has {len(message)} bytes, those of a stream at most {most}",
                        "ask for less",
                    )
                request = parse(kind, message)
                bounds.check(request, door.limits.bounds)
                yield request

        caller: Caller | None = None
        try:
            caller = await _admit(door, context, access, method)
            # Else they go with the first message; cancelled amid that, a call could not be ended any more.
            await context.send_initial_metadata(())
            with door.usage.stream(caller.name):
                async with _authorised(door.users, caller):
                    await serve(caller, requests(), write)
        except Exception as error:
            # The status goes out behind what was written before: a reader that took nothing so far may never
            # take it. Once it is on its way nobody has to wait for it; it arrives if the reader comes back.
            with suppress(TimeoutError):
                async with asyncio.timeout(STATUS_SECONDS):
                    await _abort(context, _told(door, caller, error), method, door.detail)

    return grpc.stream_stream_rpc_method_handler(handle)


def parse(kind: type[MessageT], raw: bytes) -> MessageT:
    """Decode one message.

    Raises:
        RequestError: SYNTAX, the bytes are no such message.
    """
    try:
        return kind.FromString(raw)
    except DecodeError as error:
        raise RequestError(
            Violation(ROOT, Fault.SYNTAX, f"the bytes are no {kind.DESCRIPTOR.full_name}")
        ) from error


async def _received(door: Door, context: Context, most: int) -> bytes:
    """The one request of a call. Raises RequestError: TOO_LARGE (too long, too late), SYNTAX (none)."""
    try:
        async with asyncio.timeout(door.limits.write_seconds):
            raw = await context.read()
    except TimeoutError:
        text = f"the request was not sent within {door.limits.write_seconds:.0f} s"
        raise _too_large(text, "send it at once") from None
    if not isinstance(raw, bytes):
        raise RequestError(Violation(ROOT, Fault.SYNTAX, "the call has no request"))
    if len(raw) > most:
        name = "write_bytes" if most == door.limits.write_bytes else "request_bytes"
        remedy = f"ask for less at a time, or raise limits.{name} in the agent's settings"
        raise _too_large(f"the request has {len(raw)} bytes, at most {most} are taken", remedy)
    return raw


async def _admit(door: Door, context: Context, access: Access, method: str) -> Caller:
    caller = await authenticate(
        door.gate,
        door.users,
        context.peer(),
        context.auth_context(),
        context.invocation_metadata() or (),
    )
    door.usage.request(caller.name)
    authorize(caller, access, method)
    return caller


@asynccontextmanager
async def _authorised(users: Directory, caller: Caller) -> AsyncIterator[None]:
    """Ends what goes on inside when the caller is not any more who was let in. A stream is authenticated when
    it starts; this is what ends it later (gNMI authentication).

    Raises:
        RequestError: UNAUTHENTICATED: to call again is to be judged anew.
    """
    try:
        async with asyncio.timeout(None) as limit:
            lost = partial(limit.reschedule, 0.0)
            with users.watching(caller.user, caller.serial, lost):
                yield
    except TimeoutError:
        if not limit.expired():
            raise
        raise _changed(caller) from None


def _changed(caller: Caller) -> RequestError:
    text = f"the credentials of user {caller.name} have changed; call again"
    return RequestError(Violation(ROOT, Fault.UNAUTHENTICATED, text))


def _told(door: Door, caller: Caller | None, error: Exception) -> Exception:
    return error if caller is None else door.told(caller, error)


async def _abort(context: Context, error: Exception, method: str, detail: Detail | None) -> bytes:
    status = status_of(error, method, detail)
    log.info("%s from %s: %s %s", method, context.peer(), status.code.name, status.message)
    trailer = ((DETAILS_KEY, status.details),) if status.details else ()
    await context.abort(status.code, status.message, trailer)
    raise AssertionError("abort returned")


def _too_large(text: str, remedy: str) -> RequestError:
    return RequestError(Violation(ROOT, Fault.TOO_LARGE, text, remedy))
