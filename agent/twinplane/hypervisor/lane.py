"""Blocking calls in threads, each about one guest: one after the other, with deadlines, beside other guests'.

A call past its deadline is *unknown*, not failed: its thread goes on, and further calls about that guest wait
for it. The first who waits in vain waits for a whole deadline; the guest is *stuck* from then on, and later
callers wait only briefly, for whoever waits for one guest holds up others. It no longer is once a call gets
through. One whose process was seen stopped and goes on has the time of a whole answer again.

What is asked, and by which library, is not known here.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from twinplane.errors import DriverError
from twinplane.hypervisor.workers import Workers

Result = TypeVar("Result")

THREADS = 32  # one that hangs keeps one; made when they are needed
BRIEFLY = 0.1  # seconds, for a call that hangs and has been waited for
PAUSE = 0.05  # seconds between two looks at a guest that is busy


@dataclass(frozen=True, slots=True)
class Limits:
    """How long is waited, in seconds."""

    deadline: float = 30.0  # a start beside busy guests takes 1.5 s, the first of all some more
    answer: float = 3.0  # a busy guest that is limited to 50 millicores needs 0.8 s, destroying one 2 s
    reconnect: float = 20.0  # until a guest that ran before is found again
    quiet: float = 5.0  # in which none of many guests has answered


LIMITS = Limits()


class Guests(Protocol):
    """What has to be known of a guest beside its calls. All may block and run in threads."""

    def busy(self, name: str) -> bool:
        """Whether a guest that ran before is still being found again; asked before the first call."""

    def pid(self, name: str) -> int | None:
        """Its process, or None where it has none."""

    def stopped(self, name: str) -> int | None:
        """The same, only where the process is stopped (SIGSTOP, a debugger) and can answer nothing."""


class Lanes:
    """The calls under way. All methods are for one event loop; all raise `DriverError` past a deadline, and
    what the call itself raises."""

    def __init__(self, guests: Guests, name: str, limits: Limits) -> None:
        self.limits = limits
        self._guests = guests
        self._pool = Workers(THREADS, name)
        self._name = name
        self._locks: dict[str, asyncio.Lock] = {}
        self._settled: set[str] = set()
        self._stuck: dict[str, bool] = {}  # waited for in vain; whether its process was stopped then

    @property
    def stuck(self) -> frozenset[str]:
        """The guests that somebody has waited for in vain, and about which no call has got through since."""
        return frozenset(self._stuck)

    def find_again(self) -> None:
        """Ask of each guest again whether it is busy, before the next call about it."""
        self._settled.clear()

    def dismiss(self) -> None:
        """Give up the threads; calls that hang are left to the end of the process."""
        self._pool.dismiss()

    def submit(self, operation: Callable[[], Result]) -> "concurrent.futures.Future[Result]":
        """Run a call in a thread, without a deadline."""
        return self._pool.submit(operation)

    async def run(self, what: str, operation: Callable[[], Result]) -> Result:
        """Run a call about no guest in particular in a thread."""
        pending = self._pool.submit(operation)
        return await self._finish(what, pending, asyncio.wrap_future(pending), self.limits.deadline)

    async def call(self, name: str, operation: Callable[[], Result], deadline: float | None = None) -> Result:
        """Run a call about one guest in a thread, after those before it."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        if not await self._enter(name, lock):
            raise await self._hanging(name, f"an earlier {self._name} call has not returned")
        try:
            if name not in self._settled:
                await self._settle(name)
            self._stuck.pop(name, None)
            pending = self._pool.submit(operation)
        except BaseException:
            lock.release()
            raise
        future = asyncio.wrap_future(pending)
        future.add_done_callback(functools.partial(_release, lock))
        limit = self.limits.deadline if deadline is None else min(deadline, self.limits.deadline)
        try:
            return await self._finish(name, pending, future, limit)
        except DriverError as error:
            if error.unknown:
                await self._mark(name)
            raise

    async def returned(self, name: str, limit: float) -> None:
        """Wait until no call about the guest is under way, at most `limit` seconds."""
        lock = self._locks.setdefault(name, asyncio.Lock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                async with lock:
                    self._stuck.pop(name, None)

    async def each(self, asked: Mapping[str, Coroutine[Any, Any, Result]]) -> dict[str, Result | DriverError]:
        """The answer of each guest, or what says that there is none. Once none of them has answered for a
        while, whoever is left is stuck. What else is raised is raised."""
        tasks = {name: asyncio.ensure_future(each) for name, each in asked.items()}
        pending = set(tasks.values())
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=self.limits.quiet, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
        finally:
            for late in pending:
                late.cancel()
        await asyncio.gather(*pending, return_exceptions=True)
        answers: dict[str, Result | DriverError] = {}
        for name, task in tasks.items():
            if task in pending:
                await self._mark(name)
                answers[name] = DriverError(f"{name}: no answer within {self.limits.quiet:g} s", unknown=True)
            elif isinstance(error := task.exception(), DriverError):
                answers[name] = error
            else:
                answers[name] = task.result()
        return answers

    async def _enter(self, name: str, lock: asyncio.Lock) -> bool:
        """Wait for the calls before; no longer once one of them hangs."""
        end = time.monotonic() + self.limits.deadline
        while True:
            try:
                async with asyncio.timeout(BRIEFLY):
                    await lock.acquire()
                    return True
            except TimeoutError:
                if await self._goes_on(name):
                    end = min(end, time.monotonic() + self.limits.answer)
                if name in self._stuck or time.monotonic() > end:
                    return False

    async def _goes_on(self, name: str) -> bool:
        """Whether a guest that was stopped no longer is: then it is not stuck for that reason any more."""
        if not self._stuck.get(name) or await asyncio.to_thread(self._guests.stopped, name) is not None:
            return False
        return self._stuck.pop(name, None) is not None

    async def _settle(self, name: str) -> None:
        """Wait until a guest that ran before has been found again: state known, monitor free."""
        limit = self.limits.reconnect
        if await self._goes_on(name):
            limit = min(self.limits.answer, limit)
        elif name in self._stuck:
            limit = min(BRIEFLY, limit)
        end = time.monotonic() + limit
        while await self.run(name, functools.partial(self._guests.busy, name)):
            if await asyncio.to_thread(self._guests.stopped, name) is not None:
                raise await self._hanging(
                    name, f"{self._name} has not found the guest again: its process is stopped"
                )
            if time.monotonic() > end:
                raise await self._hanging(
                    name, f"{self._name} has not found the guest again within {self.limits.reconnect:g} s"
                )
            await asyncio.sleep(PAUSE)
        self._settled.add(name)

    async def _mark(self, name: str) -> None:
        """Note that a guest was waited for in vain."""
        self._stuck.setdefault(name, False)  # at once: others are waiting
        stopped = await asyncio.to_thread(self._guests.stopped, name) is not None
        if name in self._stuck:
            self._stuck[name] = stopped

    async def _hanging(self, name: str, what: str) -> DriverError:
        await self._mark(name)
        pid = await asyncio.to_thread(self._guests.pid, name)
        remedy = f"if the guest does not come back: kill -9 {pid}" if pid is not None else ""
        return DriverError(f"{name}: {what}", remedy=remedy, unknown=True)

    async def _finish(
        self,
        what: str,
        pending: "concurrent.futures.Future[Result]",
        future: "asyncio.Future[Result]",
        limit: float,
    ) -> Result:
        try:
            return await asyncio.wait_for(asyncio.shield(future), limit)
        except TimeoutError:
            started = not pending.cancel()
            raise DriverError(
                f"{what}: {self._name} did not answer within {limit:g} s", unknown=started
            ) from None


def _release(lock: asyncio.Lock, future: "asyncio.Future[Any]") -> None:
    lock.release()
    if not future.cancelled():
        future.exception()  # a call past its deadline has nobody left who would ask for its error
