"""The connection to libvirt's embedded QEMU driver: what is asked, with which calls. `lane` says when, and
how long an answer is waited for.

After an open, libvirt finds running guests again in threads of its own; the first call about each domain
waits for that, the others are not delayed.

What asks a running QEMU something (to pause, to go on, to press the power button) is answered in milliseconds
by one that is well. It is given `Limits.answer`, and one that is frozen is not asked at all: whoever waits
for the answer holds up all others.
"""

import asyncio
import contextlib
import functools
import logging
import threading
import time
from collections.abc import Callable, Coroutine
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
from twinplane.hypervisor.lane import LIMITS, Lanes, Limits
from twinplane.hypervisor.record import record, scheduler, version
from twinplane.hypervisor.root import EmbeddedRoot

LOG = logging.getLogger(__name__)
Result = TypeVar("Result")
Listener = Callable[[DomainEvent | Reconnected], None]

ABSENT = (libvirt.VIR_ERR_NO_DOMAIN,)


@dataclass(frozen=True, slots=True)
class Listing:
    """All domains of the connection, and the names of those that gave no answer in time."""

    records: tuple[DomainRecord, ...]
    silent: tuple[str, ...]


class Connection:
    """One open root. All methods are for the event loop it was opened in; all raise `DriverError`."""

    def __init__(self, root: EmbeddedRoot, limits: Limits = LIMITS) -> None:
        self._root = root
        self._lanes = Lanes(_Guests(self), "libvirt", limits)
        self._connect: Any = None
        self._callback: int | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._listeners: list[Listener] = []
        self._warming: asyncio.Future[None] | None = None
        self._first = asyncio.Lock()
        self._silent: set[str] = set()  # domains without an answer, which was logged
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
        self._lanes.find_again()
        self._connect = await self._opened()
        self._callback = await self._run(
            "events",
            lambda: self.handle().domainEventRegisterAny(
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
            submitted = self._lanes.submit(work)
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
        self._lanes.dismiss()

    async def version(self) -> tuple[str, str]:
        """Versions of the libvirt library and of the QEMU it runs."""
        numbers = await self._run("version", lambda: (libvirt.getVersion(), self.handle().getVersion()))
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
            await self._change(name, lambda: self.handle().defineXMLFlags(xml, flags))
        self._validates = True

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
        one that does not answer within `Limits.answer` is for the caller to end."""
        await self._act(
            name,
            lambda domain: domain.destroyFlags(libvirt.VIR_DOMAIN_DESTROY_DEFAULT),
            self._lanes.limits.answer,
        )

    async def returned(self, name: str) -> None:
        """Wait until no call about the domain is under way, at most for `Limits.answer`."""
        await self._lanes.returned(name, self._lanes.limits.answer)

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
        self, read: Callable[[str], Coroutine[Any, Any, Result | None]]
    ) -> tuple[tuple[Result, ...], tuple[str, ...]]:
        """What is read of every domain there is, and the names of those that gave no answer in time."""
        names: list[str] = await self._run(
            "list", lambda: [each.name() for each in self.handle().listAllDomains(0)]
        )
        answers = await self._lanes.each({name: read(name) for name in names})
        silent = {name: answer for name, answer in answers.items() if isinstance(answer, DriverError)}
        self._report(silent)
        records = [
            answer
            for answer in answers.values()
            if answer is not None and not isinstance(answer, DriverError)
        ]
        return tuple(records), tuple(silent)

    def _report(self, silent: dict[str, DriverError]) -> None:
        """Log who gives no answer, once until they do."""
        for name, error in silent.items():
            if name not in self._silent:
                LOG.warning("%s", error)
        for name in sorted(self._silent.difference(silent)):
            LOG.info("%s: answers again", name)
        self._silent = set(silent)

    async def _warm_up(self) -> None:
        """Let libvirt ask QEMU what it can do. It does so once for each build of QEMU and keeps the answer
        below its root, but that once takes seconds, which the first guest would have to wait for."""
        with contextlib.suppress(DriverError):  # what needs the answer asks again and reports what is wrong
            await self._run(
                "capabilities",
                lambda: self.handle().getDomainCapabilities(None, "x86_64", "q35", "qemu"),
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
        await self._act(name, operation, self._lanes.limits.answer)

    async def _act(
        self, name: str, operation: Callable[[Any], object], deadline: float | None = None
    ) -> None:
        await self._change(name, lambda: operation(self.handle().lookupByName(name)), deadline)

    async def _change(
        self, name: str, operation: Callable[[], object], deadline: float | None = None
    ) -> None:
        self._writes += 1
        await self._call(name, operation, deadline)

    async def _read(self, name: str, read: Callable[[Any], Result]) -> Result | None:
        def look_up() -> Result | None:
            try:
                return read(self.handle().lookupByName(name))
            except libvirt.libvirtError as error:
                if error.get_error_code() in ABSENT:
                    return None
                raise

        return await self._call(name, look_up)

    async def _call(
        self, name: str, operation: Callable[[], Result], deadline: float | None = None
    ) -> Result:
        return await self._lanes.call(name, _said(name, operation), deadline)

    async def _run(self, what: str, operation: Callable[[], Result]) -> Result:
        return await self._lanes.run(what, _said(what, operation))

    def handle(self) -> Any:
        """libvirt's own connection, for calls in threads; raises `DriverError` when closed."""
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


class _Guests:
    """What the lanes have to know of the domains of a connection; see `lane.Guests`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def busy(self, name: str) -> bool:
        try:
            domain = self._connection.handle().lookupByName(name)
            return bool(domain.isActive() and domain.controlInfo(0)[0] != libvirt.VIR_DOMAIN_CONTROL_OK)
        except libvirt.libvirtError as error:
            # Absent, or ended between two of the calls: nothing to wait for.
            if error.get_error_code() in (*ABSENT, libvirt.VIR_ERR_OPERATION_INVALID):
                return False
            raise _as_driver_error(name, error) from error

    def pid(self, name: str) -> int | None:
        return process.pid_of(self._connection.root, name)

    def stopped(self, name: str) -> int | None:
        return process.frozen(self._connection.root, name)


def _said(what: str, operation: Callable[[], Result]) -> Callable[[], Result]:
    """The same call, with what libvirt says against it as an error of ours."""

    def work() -> Result:
        try:
            return operation()
        except libvirt.libvirtError as error:
            raise _as_driver_error(what, error) from error

    return work


def _as_driver_error(what: str, error: libvirt.libvirtError) -> DriverError:
    return DriverError(f"{what}: {error.get_error_message() or error}")
