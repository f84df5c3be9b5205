"""The connection to libvirt's embedded QEMU driver: blocking calls in threads, with deadlines, per domain.

Calls about one domain go one after the other. A call past its deadline is *unknown*, not failed: its thread
goes on, and further work on that domain waits for it. After an open, libvirt finds running guests again in
threads of its own; the first call about each domain waits for that, the others are not delayed.

What asks a running QEMU something (to pause, to go on, to press the power button) is answered in milliseconds
by one that is well. It is given `ANSWER` seconds, and one that is frozen is not asked at all: whoever waits
for the answer holds up all others.
"""

import asyncio
import concurrent.futures
import contextlib
import functools
import logging
import threading
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import libvirt

from twinplane.errors import DriverError
from twinplane.hypervisor import opening, process
from twinplane.hypervisor.domain import (
    DomainEvent,
    DomainEventKind,
    DomainRecord,
    Reconnected,
    SchedulerRecord,
    SchedulerValues,
)
from twinplane.hypervisor.events import run_event_loop
from twinplane.hypervisor.record import record, scheduler, version
from twinplane.hypervisor.root import EmbeddedRoot
from twinplane.hypervisor.workers import Workers

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")
Listener = Callable[[DomainEvent | Reconnected], None]

THREADS = 32  # one that hangs keeps one; made when they are needed
DEADLINE = 30.0  # seconds; a start beside busy guests takes 1.5 s, the first of all some more
ANSWER = 3.0  # seconds; a busy guest that is limited to 50 millicores needs 0.8 s, destroying one 2 s
BRIEFLY = 0.1  # seconds, for a call that hangs and has been waited for
QUIET = 5.0  # seconds in which none of many domains has answered
RECONNECT_LIMIT = 20.0
RECONNECT_PAUSE = 0.05
ABSENT = (libvirt.VIR_ERR_NO_DOMAIN,)


@dataclass(frozen=True, slots=True)
class Listing:
    """All domains of the connection, and the names of those that gave no answer in time."""

    records: tuple[DomainRecord, ...]
    silent: tuple[str, ...]


class Connection:
    """One open root. All methods are for the event loop it was opened in; all raise `DriverError`."""

    def __init__(
        self,
        root: EmbeddedRoot,
        *,
        deadline: float = DEADLINE,
        answer: float = ANSWER,
        reconnect_limit: float = RECONNECT_LIMIT,
        quiet: float = QUIET,
    ) -> None:
        self._root = root
        self._deadline = deadline
        self._answer = answer
        self._reconnect_limit = reconnect_limit
        self._quiet = quiet
        self._connect: Any = None
        self._callback: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._pool = Workers(THREADS, "libvirt")
        self._lanes: dict[str, asyncio.Lock] = {}
        self._settled: set[str] = set()
        self._stuck: set[str] = set()  # domains that somebody has waited for in vain
        self._listeners: list[Listener] = []
        self._warming: asyncio.Future[None] | None = None
        self._first = asyncio.Lock()
        self._validates = False  # a definition was validated in this process
        self._writes = 0

    @property
    def writes(self) -> int:
        """How many calls that change something were made since the process started."""
        return self._writes

    @property
    def root(self) -> Path:
        """The folder libvirt lives in."""
        return self._root.path

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` in the event loop for each event; returns what ends that."""
        self._listeners.append(listener)
        return functools.partial(self._listeners.remove, listener)

    async def open(self) -> None:
        """Open (or, after `close`, re-open) the root and ask for lifecycle events."""
        run_event_loop()
        self._loop = asyncio.get_running_loop()
        self._settled.clear()
        self._connect = await self._opened()
        self._callback = await self._run(
            "events",
            lambda: self._connect.domainEventRegisterAny(
                None, libvirt.VIR_DOMAIN_EVENT_ID_LIFECYCLE, self._event, None
            ),
        )
        self._warming = asyncio.ensure_future(self._warm_up())
        self._deliver(Reconnected())

    async def _opened(self) -> Any:
        thread: list[int] = []

        def work() -> Any:
            thread.append(threading.get_native_id())
            return libvirt.open(self._root.uri)

        try:
            submitted = self._pool.submit(work)
            return await opening.finish(submitted, self.root, lambda: next(iter(thread), None))
        except libvirt.libvirtError as error:
            message = error.get_error_message() or str(error)
            raise DriverError(message, remedy=opening.remedy(message)) from error

    async def close(self) -> None:
        """Let go of libvirt; guests go on running. Does nothing when closed already."""
        connect, self._connect = self._connect, None
        if connect is None:
            return
        callback, self._callback = self._callback, None
        try:
            if callback is not None:
                await self._run("events", lambda: connect.domainEventDeregisterAny(callback))
        finally:
            await self._run("close", connect.close)

    async def reopen(self) -> None:
        """Close and open again; listeners are told to read everything anew."""
        await self.close()
        await self.open()

    def dismiss(self) -> None:
        """Give up the threads; calls that hang are left to the end of the process."""
        self._pool.dismiss()

    async def version(self) -> tuple[str, str]:
        """Versions of the libvirt library and of the QEMU it runs."""
        numbers = await self._run("version", lambda: (libvirt.getVersion(), self._open_handle().getVersion()))
        return version(numbers[0]), version(numbers[1])

    async def domains(self) -> Listing:
        """Every domain there is, each read as `domain` does, all at once."""
        records, silent = await self._each(self.domain)
        return Listing(tuple(sorted(records, key=lambda record: record.name)), silent)

    async def domain(self, name: str) -> DomainRecord | None:
        """One domain as it is now, or None where none of that name is defined."""
        return await self._read(name, functools.partial(record, self.root))

    async def define(self, name: str, xml: str) -> None:
        """Define the domain, or give the one of the same name and UUID a new definition."""
        await self._warmed()
        flags = libvirt.VIR_DOMAIN_DEFINE_VALIDATE
        # libxml2 makes the types of schemas at their first use, and not safely for two threads at once.
        async with contextlib.nullcontext() if self._validates else self._first:
            await self._change(name, lambda: self._open_handle().defineXMLFlags(xml, flags))
        self._validates = True
        self._settled.add(name)

    async def start_paused(self, name: str) -> None:
        """Start the guest with its vCPUs stopped, so that what its start replaced can be put back first."""
        await self._warmed()
        await self._act(name, lambda domain: domain.createWithFlags(libvirt.VIR_DOMAIN_START_PAUSED))

    async def resume(self, name: str) -> None:
        """Let the vCPUs of a paused guest run."""
        await self._ask(name, lambda domain: domain.resume())

    async def suspend(self, name: str) -> None:
        """Stop the vCPUs of a guest; its memory and process stay."""
        await self._ask(name, lambda domain: domain.suspend())

    async def shutdown(self, name: str) -> None:
        """Press the guest's power button; returns at once, the guest may take its time or ignore it."""
        await self._ask(name, lambda domain: domain.shutdownFlags(libvirt.VIR_DOMAIN_SHUTDOWN_ACPI_POWER_BTN))

    async def destroy(self, name: str) -> None:
        """End the guest at once; the domain stays defined. libvirt first asks the process politely, for 10 s:
        one that does not answer within `ANSWER` is for the caller to end."""
        await self._act(
            name, lambda domain: domain.destroyFlags(libvirt.VIR_DOMAIN_DESTROY_DEFAULT), self._answer
        )

    async def returned(self, name: str, limit: float = ANSWER) -> None:
        """Wait until no call about the domain is under way, at most `limit` seconds."""
        lane = self._lanes.setdefault(name, asyncio.Lock())
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(limit):
                async with lane:
                    self._stuck.discard(name)

    async def undefine(self, name: str) -> None:
        """Forget the definition of a domain that is not active."""
        await self._act(name, lambda domain: domain.undefineFlags(libvirt.VIR_DOMAIN_UNDEFINE_MANAGED_SAVE))

    async def scheduler(self, name: str) -> SchedulerRecord | None:
        """CPU tuning in force (of the definition where the domain is not active); None: no such domain."""
        return await self._read(name, scheduler)

    async def schedulers(self) -> tuple[SchedulerRecord, ...]:
        """That of every domain that answers."""
        return (await self._each(self.scheduler))[0]

    async def set_scheduler(self, name: str, values: SchedulerValues) -> None:
        """Set CPU tuning in the definition and, where it is active, in the guest."""
        parameters = {
            libvirt.VIR_DOMAIN_SCHEDULER_GLOBAL_PERIOD: values.period,
            libvirt.VIR_DOMAIN_SCHEDULER_GLOBAL_QUOTA: values.quota,
            libvirt.VIR_DOMAIN_SCHEDULER_CPU_SHARES: values.shares,
        }

        def change(domain: Any) -> None:
            # One after the other: the Python binding first reads with the same flags, which takes only one.
            domain.setSchedulerParametersFlags(parameters, libvirt.VIR_DOMAIN_AFFECT_CONFIG)
            if domain.isActive():
                domain.setSchedulerParametersFlags(parameters, libvirt.VIR_DOMAIN_AFFECT_LIVE)

        await self._act(name, change)

    async def _each(
        self, read: Callable[[str], Awaitable[Result | None]]
    ) -> tuple[tuple[Result, ...], tuple[str, ...]]:
        """What is read of every domain there is, and the names of those that gave no answer in time."""
        names: list[str] = await self._run(
            "list", lambda: [each.name() for each in self._open_handle().listAllDomains(0)]
        )
        answers = await self._answers({name: asyncio.ensure_future(read(name)) for name in names})
        records: list[Result] = []
        silent: list[str] = []
        for name, answer in zip(names, answers, strict=True):
            if isinstance(answer, DriverError):
                LOG.warning("%s: %s", name, answer)
                silent.append(name)
            elif isinstance(answer, BaseException):
                raise answer
            elif answer is not None:
                records.append(answer)
        return tuple(records), tuple(silent)

    async def _answers(self, asked: dict[str, "asyncio.Future[Any]"]) -> list[Any]:
        """The answer or the exception of each. Once nobody has answered for a while, who is left is hung."""
        pending = set(asked.values())
        try:
            while pending:
                done, pending = await asyncio.wait(
                    pending, timeout=self._quiet, return_when=asyncio.FIRST_COMPLETED
                )
                if not done:
                    break
        finally:
            for late in pending:
                late.cancel()
        self._stuck |= {name for name, answer in asked.items() if answer in pending}
        await asyncio.gather(*pending, return_exceptions=True)
        silent = DriverError(f"no answer within {self._quiet:g} s", unknown=True)
        return [
            silent if answer in pending else answer.exception() or answer.result()
            for answer in asked.values()
        ]

    async def _warm_up(self) -> None:
        """Let libvirt ask QEMU what it can do. It does so once for each build of QEMU and keeps the answer
        below its root, but that once takes seconds, which the first guest would have to wait for."""
        with contextlib.suppress(DriverError):  # what needs the answer asks again and reports what is wrong
            await self._run(
                "capabilities",
                lambda: self._open_handle().getDomainCapabilities(None, "x86_64", "q35", "qemu"),
            )

    async def _warmed(self) -> None:
        if self._warming is not None:
            await asyncio.shield(self._warming)

    async def _ask(self, name: str, operation: Callable[[Any], object]) -> None:
        """Run a call that the guest's QEMU has to answer."""
        pid = await asyncio.to_thread(process.frozen, self.root, name)
        if pid is not None:
            raise DriverError(
                f"{name}: its QEMU (process {pid}) was stopped by somebody and does not answer",
                remedy=f"let it go on (kill -CONT {pid}), or end it (kill -9 {pid})",
                unknown=True,
            )
        await self._act(name, operation, self._answer)

    async def _act(
        self, name: str, operation: Callable[[Any], object], deadline: float | None = None
    ) -> None:
        await self._change(name, lambda: operation(self._open_handle().lookupByName(name)), deadline)

    async def _change(
        self, name: str, operation: Callable[[], object], deadline: float | None = None
    ) -> None:
        self._writes += 1
        await self._call(name, operation, deadline)

    async def _read(self, name: str, read: Callable[[Any], Result]) -> Result | None:
        def look_up() -> Result | None:
            try:
                return read(self._open_handle().lookupByName(name))
            except libvirt.libvirtError as error:
                if error.get_error_code() in ABSENT:
                    return None
                raise

        return await self._call(name, look_up)

    async def _call(
        self, name: str, operation: Callable[[], Result], deadline: float | None = None
    ) -> Result:
        """Run a call about one domain in a thread, after those before it."""
        lane = self._lanes.setdefault(name, asyncio.Lock())
        if not await self._enter(name, lane):
            self._stuck.add(name)
            raise await self._hanging(name, "an earlier libvirt call has not returned")
        try:
            if name not in self._settled:
                await self._settle(name)
            self._stuck.discard(name)
            pending = self._pool.submit(operation)
        except BaseException:
            lane.release()
            raise
        future = asyncio.wrap_future(pending)
        future.add_done_callback(functools.partial(_release, lane))
        try:
            return await self._finish(name, pending, future, deadline)
        except DriverError as error:
            if error.unknown:
                self._stuck.add(name)
            raise

    async def _enter(self, name: str, lane: asyncio.Lock) -> bool:
        """Wait for the calls before; not any longer once one of them hangs, for whoever waits holds up others
        than this guest."""
        end = time.monotonic() + self._deadline
        while True:
            try:
                async with asyncio.timeout(BRIEFLY):
                    await lane.acquire()
                    return True
            except TimeoutError:
                if name in self._stuck or time.monotonic() > end:
                    return False

    async def _run(self, what: str, operation: Callable[[], Result]) -> Result:
        """Run a call about no domain in particular in a thread."""
        pending = self._pool.submit(operation)
        future = asyncio.wrap_future(pending)
        return await self._finish(what, pending, future)

    async def _finish(
        self,
        what: str,
        pending: "concurrent.futures.Future[Result]",
        future: "asyncio.Future[Result]",
        deadline: float | None = None,
    ) -> Result:
        limit = self._deadline if deadline is None else min(deadline, self._deadline)
        try:
            return await asyncio.wait_for(asyncio.shield(future), limit)
        except TimeoutError:
            started = not pending.cancel()
            raise DriverError(f"{what}: libvirt did not answer within {limit:g} s", unknown=started) from None
        except libvirt.libvirtError as error:
            raise DriverError(f"{what}: {error.get_error_message() or error}") from error

    async def _settle(self, name: str) -> None:
        """Wait until libvirt has found a running guest again: state known, monitor free."""

        def busy() -> bool:
            try:
                domain = self._open_handle().lookupByName(name)
                if not domain.isActive():
                    return False
                return bool(domain.controlInfo(0)[0] != libvirt.VIR_DOMAIN_CONTROL_OK)
            except libvirt.libvirtError as error:
                # Absent, or ended between two of the calls: nothing to wait for.
                if error.get_error_code() in (*ABSENT, libvirt.VIR_ERR_OPERATION_INVALID):
                    return False
                raise

        end = time.monotonic() + self._patience(name, self._reconnect_limit)
        while await self._run(name, busy):
            frozen = await asyncio.to_thread(process.frozen, self.root, name) is not None
            if frozen or time.monotonic() > end:
                self._stuck.add(name)
                limit = f" within {self._reconnect_limit:g} s" if not frozen else ": its process is stopped"
                raise await self._hanging(name, f"libvirt has not found the guest again{limit}")
            await asyncio.sleep(RECONNECT_PAUSE)
        self._settled.add(name)

    async def _hanging(self, name: str, what: str) -> DriverError:
        pid = await asyncio.to_thread(process.pid_of, self.root, name)
        remedy = f"if the guest does not come back: kill -9 {pid}" if pid is not None else ""
        return DriverError(f"{name}: {what}", remedy=remedy, unknown=True)

    def _patience(self, name: str, limit: float) -> float:
        return min(BRIEFLY, limit) if name in self._stuck else limit

    def _open_handle(self) -> Any:
        if self._connect is None:
            raise DriverError("the connection to libvirt is closed")
        return self._connect

    def _event(self, _connect: Any, domain: Any, kind: int, detail: int, _opaque: object) -> None:
        """Called in libvirt's event thread: copies plain values and hands them over."""
        try:
            event = DomainEvent(
                domain.name(),
                UUID(domain.UUIDString()),
                DomainEventKind(kind),
                detail,
                time.monotonic_ns(),
            )
        except ValueError:
            return  # a kind of event that this libvirt knows and the table does not
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._deliver, event)

    def _deliver(self, event: DomainEvent | Reconnected) -> None:
        for listener in tuple(self._listeners):
            listener(event)


def _release(lane: asyncio.Lock, future: "asyncio.Future[Any]") -> None:
    lane.release()
    if not future.cancelled():
        future.exception()  # a call past its deadline has nobody left who would ask for its error
