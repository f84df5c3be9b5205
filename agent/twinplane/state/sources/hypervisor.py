"""Our domains as a source of facts: their states by lifecycle events, what they use by reading cgroup
and process files.

An event only says which domain to read again: what is reported is what libvirt then answers. Changes nothing.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import UUID

from twinplane.errors import DriverError
from twinplane.hypervisor.cgroup import CpuClock
from twinplane.hypervisor.connection import Connection
from twinplane.hypervisor.domain import DomainEvent, DomainRecord, Reconnected
from twinplane.hypervisor.process import resident
from twinplane.model.names import domain_owner
from twinplane.state.facts import Batch, DomainFact, DomainGone, DomainUsage, DomainVnic, Fact

SOURCE = "hypervisor"
FIRST_PAUSE, LONGEST_PAUSE = 2.0, 60.0  # seconds until guests that gave no answer are asked again


class HypervisorSource:
    """Facts about the domains of this instance; one reader of `batches` at a time."""

    def __init__(self, instance: UUID, connection: Connection) -> None:
        self._instance = instance
        self._connection = connection
        self._clock = CpuClock()
        self._facts: dict[str, DomainFact] = {}
        self._silent: tuple[str, ...] = ()

    async def batches(self) -> AsyncIterator[Batch]:
        """A complete batch, then one for each burst of events that changed a fact; complete again after a
        reconnect. Never ends; raises DriverError where libvirt cannot be asked."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()  # names to read again; None: everything
        ignore = self._connection.listen(lambda event: queue.put_nowait(_subject(event)))
        try:
            yield await self.everything()
            pause = FIRST_PAUSE
            while True:
                try:
                    # Who gave no answer is asked again: it may have no event to bring it back.
                    async with asyncio.timeout(pause if self._silent else None):
                        names = {await queue.get()}
                except TimeoutError:
                    pause = min(2 * pause, LONGEST_PAUSE)
                    yield await self.everything()
                    continue
                while not queue.empty():
                    names.add(queue.get_nowait())
                if None in names:
                    yield await self.everything()
                    continue
                pause = pause if self._silent else FIRST_PAUSE
                batch = await self.reread(*sorted(name for name in names if name is not None))
                if batch.facts:
                    yield batch
        finally:
            ignore()

    async def everything(self) -> Batch:
        """All own domains, read now. Not complete where one gave no answer: nothing is gone for that."""
        listing = await self._connection.domains()
        read = {fact.name: fact for record in listing.records if (fact := self._fact(record))}
        kept = {name: fact for name, fact in self._facts.items() if name in listing.silent}
        self._facts = kept | read
        self._silent = listing.silent
        complete = not listing.silent
        return Batch(SOURCE, tuple(read.values()), complete=complete)

    async def reread(self, *names: str) -> Batch:
        """These domains, read now; only what differs from what was reported before."""
        changes: list[Fact] = []
        for name in names:
            try:
                record = await self._connection.domain(name)
            except DriverError:
                # It hangs in a call of its own: the others must not wait, and it may have no further event.
                self._silent = (*self._silent, name)
                continue
            fact = self._fact(record) if record is not None else None
            before = self._facts.get(name)
            if fact is None:
                if before is not None:
                    del self._facts[name]
                    changes.append(DomainGone(name, before.owner))
            elif fact != before:
                self._facts[name] = fact
                changes.append(fact)
        return Batch(SOURCE, tuple(changes))

    async def poll(self) -> Batch:
        """CPU time and resident memory of all guests; a file each, no call to libvirt."""
        return await asyncio.to_thread(self._poll, tuple(self._facts.values()))

    def _poll(self, facts: tuple[DomainFact, ...]) -> Batch:
        now = time.monotonic_ns()  # what is used in between counts, whatever is done to the wall clock
        found: list[Fact] = []
        for fact in facts:
            spent = self._clock.cpu_time(fact.pid) if fact.pid is not None else None
            if fact.pid is not None and spent is not None:
                held = resident(fact.pid) or 0
                found.append(DomainUsage(fact.name, fact.owner, spent, now, held))
        return Batch(SOURCE, tuple(found))

    def _fact(self, record: DomainRecord) -> DomainFact | None:
        mark = record.mark
        if mark is None or mark.instance != self._instance:
            return None
        owner = domain_owner(self._instance, record.name, mark.path)
        if owner is None:
            return None
        return DomainFact(
            name=record.name,
            uuid=str(record.uuid),
            owner=owner,
            state=record.state.name.lower(),
            reason=record.reason,
            vcpus=record.vcpus,
            memory=record.memory,
            image_digest=mark.image_digest,
            start_time=record.start_time,
            pid=record.pid,
            vnics=tuple(DomainVnic(each.device, each.mac, each.index) for each in record.interfaces),
        )


def _subject(event: DomainEvent | Reconnected) -> str | None:
    return event.name if isinstance(event, DomainEvent) else None
