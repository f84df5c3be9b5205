"""Sends anything to a target and holds the answers against what must be true of all of them.

No answer is UNKNOWN, INTERNAL or late; what is refused changes nothing; and when all calls are over nothing
of them is left: no task, no stream, no descriptor.
"""

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from conformance.target import Target
from conformance.wire import ext
from twinplane.subscribe.live import Live

PATIENCE = 30.0  # seconds after which an answer that does not come is a hang
MADE_UP = "Internal error from Core"
METHODS = ("Capabilities", "Get", "Set", "Subscribe")
LAN = "/virtual-switches/virtual-switch[name=lan]"
SAMPLE = "/samples/sample[name=a]"

EXPECTED = frozenset(
    {
        grpc.StatusCode.OK,
        grpc.StatusCode.INVALID_ARGUMENT,
        grpc.StatusCode.NOT_FOUND,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.FAILED_PRECONDITION,
        grpc.StatusCode.RESOURCE_EXHAUSTED,
        grpc.StatusCode.PERMISSION_DENIED,
        grpc.StatusCode.ALREADY_EXISTS,
    }
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call: a method and the messages sent, the first of them only where the method takes one."""

    method: str
    messages: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"{self.method}({', '.join(message.hex() for message in self.messages)})"


class Attack:
    """A client of one target that counts what became of its calls."""

    def __init__(self, target: Target, run: Callable[[Coroutine[Any, Any, Any]], Any]) -> None:
        self.target = target
        self.run = run
        self.outcomes: Counter[tuple[str, str]] = Counter()
        self._client = target.client()
        self._before = (0, 0)

    async def furnish(self) -> None:
        """Something to ask for, and the counts to come back to."""
        value = {"config": {"string": "x", "int8": 1, "words": ["one"]}, "bundle": {"left": 1}}
        await self._client.set(update={LAN: {"config": {"mtu": 1400}}, SAMPLE: value})
        self.target.report(f"{SAMPLE}/state", {"ticks": 1})
        await self.make(Call("Subscribe", (b"",)))
        self._before = (len(asyncio.all_tasks()), _descriptors())

    async def all(self, calls: Sequence[Call], at_once: int = 8) -> None:
        """Make all the calls, some at a time; Sets one after the other, so that each can be judged."""
        turn = asyncio.Semaphore(at_once)

        async def one(call: Call) -> None:
            async with turn:
                await self.make(call)

        reads = [call for call in calls if call.method != "Set"]
        running = self.target.transactor.running
        await asyncio.gather(*map(one, reads))
        assert self.target.transactor.running is running, "a read changed the configuration"
        for call in calls:
            if call.method == "Set":
                await self.make(call)

    async def make(self, call: Call) -> None:
        """Make one call and judge what comes of it."""
        before = self.target.transactor.running
        try:
            async with asyncio.timeout(PATIENCE):
                code, message = await self._made(call)
        except TimeoutError:
            raise AssertionError(f"no answer to {call}") from None
        self.outcomes[call.method, code.name] += 1
        assert code in EXPECTED, f"{code.name} {message!r} is the answer to {call}"
        if call.method == "Set":
            if code is not grpc.StatusCode.OK:
                assert self.target.transactor.running is before, f"refused, and yet changed: {call}"
            elif waiting := self.target.transactor.waiting:
                # A commit that waits would be taken back at some time, and lock everybody out until then.
                cancel = ext.Commit(id=waiting, cancel=ext.CommitCancel())
                await self._client.set(extension=[ext.Extension(commit=cancel)])

    async def nothing_is_left(self) -> None:
        """No stream, no task, no descriptor of all the calls; and the target still works."""
        await self._until(lambda: len(asyncio.all_tasks()) <= self._before[0], "tasks")
        await self._until(lambda: _descriptors() <= self._before[1], "descriptors")
        await self._until(lambda: not _streams(), "streams")
        assert all(tree.top.bare for tree in self.target.subscriber._watched.values())
        await self._client.set(update={f"{LAN}/config/mtu": 1500})
        assert await self._client.value(f"{LAN}/config/mtu") == 1500

    async def _until(self, met: Callable[[], bool], what: str) -> None:
        end = asyncio.get_running_loop().time() + PATIENCE
        while not met():
            assert asyncio.get_running_loop().time() < end, f"{what} are left of calls that are over"
            await asyncio.sleep(0.05)

    async def _made(self, call: Call) -> tuple[grpc.StatusCode, str]:
        try:
            if call.method == "Subscribe":
                said = await self._streamed(call.messages)
                # Where the call is over before all was written, the client makes up a status of its own.
                return said if said[1] != MADE_UP else await self._streamed(call.messages[:1])
            await self._client.raw(call.method, call.messages[0])
        except grpc.aio.AioRpcError as error:
            return error.code(), error.details() or ""
        return grpc.StatusCode.OK, ""

    async def _streamed(self, messages: Sequence[bytes]) -> tuple[grpc.StatusCode, str]:
        """Say it all, listen to the first sync or the end."""
        async with self._client.stream() as stream:
            with suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):  # over before all was said
                for message in messages:
                    await stream.send(message)
                await stream.half_close()
            try:
                while (answer := await stream.read(PATIENCE)) is not None:
                    if answer.WhichOneof("response") == "sync_response":
                        break
            except grpc.aio.AioRpcError as error:
                return error.code(), error.details() or ""
            return grpc.StatusCode.OK, ""


def _streams() -> int:
    gc.collect()
    return sum(isinstance(one, Live) for one in gc.get_objects())


def _descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())
