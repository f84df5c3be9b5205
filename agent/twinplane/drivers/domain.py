"""Domains: defined, started paused, resumed, put aside, ended, forgotten.

A guest whose QEMU does not answer is in nobody's way. To put it aside asks nothing more of it than not to be
used, so that it counts as paused; to end it needs no answer, for its process is ended.
"""

import asyncio
import logging
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from twinplane.errors import DriverError
from twinplane.hypervisor import process
from twinplane.hypervisor.domain import DomainRecord, DomainState
from twinplane.hypervisor.embedded import Embedded
from twinplane.hypervisor.guest_user import GuestUsers
from twinplane.image.store import Store
from twinplane.model.names import domain_owner
from twinplane.plan.appliance.seed import console_files, seed_file
from twinplane.plan.resource import Domain, Found, Key, Noun, Ownership, Resource, Run

log = logging.getLogger(__name__)

LOOKS = 10  # at a process that should be gone, 0.1 s apart


class DomainDriver:
    """Brings domains to a run state. An active guest with another definition is left alone: an error."""

    nouns = frozenset({Noun.DOMAIN})

    def __init__(self, hypervisor: Embedded, instance: UUID, store: Store) -> None:
        self._connection = hypervisor.connection
        self._instance = instance
        self._left_overs = hypervisor.left_overs
        self._weight = hypervisor.weight
        self._store = store
        self._users = GuestUsers(hypervisor.root, hypervisor.connection, store.owners)
        self._asked: set[str] = set()
        self._held: dict[str, Domain] = {}  # put aside without an answer

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Bring a domain to the wanted definition and run state, or make it absent.

        STOPPED of a running guest sends the shutdown request once and returns the domain as it is (unless
        `stop_timeout` is 0: then, and where the guest is paused, it is ended at once).
        """
        if wanted is not None and not isinstance(wanted, Domain):
            raise DriverError(f"{key} is no domain")
        try:
            return await self._ensure(key, wanted)
        except DriverError as error:
            # Nobody has to ask a guest that is to end at once, so one that does not answer ends all the same.
            if not error.unknown or not _ends_at_once(wanted):
                raise
            await self._kill(key.name)
            return await self._ensure(key, wanted)

    async def _ensure(self, key: Key, wanted: Domain | None) -> Resource | None:
        if wanted is None:
            await self._remove(key.name)
            return None
        failure: DriverError | None = None
        try:
            await self._bring(wanted)
        except DriverError as error:
            if error.unknown:
                raise
            failure = error
        there = await self._read(key.name)
        if there == wanted:
            return there
        if failure is not None:
            raise failure
        if there is not None and wanted.run is Run.STOPPED and key.name in self._asked:
            return there
        raise DriverError(f"{key}: wanted {wanted.run.value}, found {there.run.value if there else 'none'}")

    async def force_stop(self, name: str) -> Resource | None:
        """End a guest that did not follow its shutdown request; the domain stays defined."""
        record = await self._own(name)
        if record is not None and record.active:
            await self._end(name)
        return self._resource(await self._connection.domain(name))

    async def find(self, key: Key) -> Found:
        """Whose domain stands under this name."""
        try:
            record = await self._connection.domain(key.name)
        except DriverError:
            if key.name in self._held:
                return Found(Ownership.OWN, self._held[key.name])
            raise
        if record is None:
            return Found(Ownership.ABSENT)
        resource = self._resource(record)
        if resource is None:
            return Found(Ownership.FOREIGN, description=f"domain {record.name} ({record.uuid})")
        return Found(Ownership.OWN, self._as_held(resource))

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:  # noqa: ARG002
        """All own domains that answer. One that does not is left out: what then wants it meets its error."""
        listing = await self._connection.domains()
        resources = (self._resource(record) for record in listing.records)
        held = [self._held[name] for name in listing.silent if name in self._held]
        return (*(self._as_held(resource) for resource in resources if resource is not None), *held)

    async def _bring(self, wanted: Domain) -> None:
        name = wanted.name
        try:
            record = await self._own(name)
        except DriverError as error:
            if wanted.run is Run.PAUSED and error.unknown and await self._pid(name) is not None:
                self._hold(wanted, error)
                return
            raise
        active = record is not None and record.active
        other = record is None or (record.mark is not None and record.mark.digest != wanted.digest)
        if other and active:
            raise DriverError(
                f"{name} is active with another definition", remedy="set its admin-state to STOPPED first"
            )
        starting = wanted.run is not Run.STOPPED and not active
        label = kept = "" if record is None else record.label
        if starting:
            await self._refuse_lost(name)
        if other or starting:
            label = await self._users.label(name, kept, starting=starting)
        if other or label != kept:
            await self._connection.define(name, wanted.xml(label))
        if wanted.run is Run.STOPPED:
            if record is not None and active:
                await self._stop(record, wanted.stop_timeout)
            else:
                await self._end_lost(name)
            return
        self._asked.discard(name)
        if wanted.run is Run.RUNNING:
            self._held.pop(name, None)
        paused = not active or (record is not None and record.state is DomainState.PAUSED)
        if starting:
            await self._users.hand_over(self._store.path(seed_file(wanted.uuid)), label)
            await self._connection.start_paused(name)
            await asyncio.to_thread(self._weight.settle)
        if wanted.run is Run.RUNNING and paused:
            await self._connection.resume(name)
        elif wanted.run is Run.PAUSED and not paused:
            await self._suspend(wanted)

    async def _suspend(self, wanted: Domain) -> None:
        """Pause a guest. One that does not answer is taken for paused, until it is to run."""
        try:
            await self._connection.suspend(wanted.name)
        except DriverError as error:
            if not error.unknown:
                raise
            self._hold(wanted, error)

    def _hold(self, wanted: Domain, error: DriverError) -> None:
        if wanted.name not in self._held:
            log.warning("put aside without an answer: %s", error)
        self._held[wanted.name] = wanted

    async def _pid(self, name: str) -> int | None:
        return await asyncio.to_thread(process.pid_of, self._connection.root, name)

    async def _read(self, name: str) -> Domain | None:
        found = (await self.find(Key(Noun.DOMAIN, name))).resource
        return found if isinstance(found, Domain) else None

    def _as_held(self, domain: Domain) -> Domain:
        held = domain.name in self._held and domain.run is Run.RUNNING
        return replace(domain, run=Run.PAUSED) if held else domain

    async def _refuse_lost(self, name: str) -> None:
        """Raise where a QEMU runs that libvirt knows nothing of (its record of the guest was spoilt): a
        second one would take over its disks. One that is just ending is waited for."""
        for _ in range(LOOKS):
            if (pid := await self._pid(name)) is None:
                return
            await asyncio.sleep(0.1)
        raise DriverError(
            f"{name}: its QEMU (process {pid}) runs, but libvirt has lost its record of it",
            remedy="set admin-state STOPPED, which ends it, and then RUNNING",
        )

    async def _end_lost(self, name: str) -> None:
        """End a QEMU that libvirt knows nothing of, if there is one."""
        await asyncio.to_thread(process.end, self._connection.root, name)
        await asyncio.to_thread(self._left_overs.clean, name)

    async def _stop(self, record: DomainRecord, patience: int) -> None:
        """A paused guest cannot answer a request: it was put aside, or has never run."""
        if patience == 0 or record.state is DomainState.PAUSED:
            await self._end(record.name)
        elif record.name not in self._asked:
            await self._connection.shutdown(record.name)
            self._asked.add(record.name)

    async def _remove(self, name: str) -> None:
        record = await self._own(name)
        await (self._end(name) if record is not None and record.active else self._end_lost(name))
        if record is not None:
            # Before the definition goes: it alone knows where the log is.
            try:
                for file in console_files(record.uuid):
                    await asyncio.to_thread(self._store.discard, file)
            except OSError as error:
                raise DriverError(f"the console log of {name} cannot be removed: {error}") from error
            await self._connection.undefine(name)
        self._users.forget(name)
        self._asked.discard(name)
        self._held.pop(name, None)
        if await self._connection.domain(name) is not None:
            raise DriverError(f"{name} is still defined")

    async def _end(self, name: str) -> None:
        """End a guest. libvirt gives QEMU time to end by itself, which one that was stopped cannot use; and
        it may hold its own lock of a guest for good, when it was killed during the start: that ends with the
        guest's process."""
        if await asyncio.to_thread(process.frozen, self._connection.root, name) is not None:
            await self._kill(name)
        try:
            await self._connection.destroy(name)
        except DriverError:
            await self._kill(name)
            if await self._lives_on(name):
                raise
        self._asked.discard(name)
        self._held.pop(name, None)
        await asyncio.to_thread(self._weight.settle)
        await asyncio.to_thread(self._left_overs.clean, name)

    async def _kill(self, name: str) -> None:
        """End the process of a guest; libvirt's calls that wait for its answer then return."""
        if await asyncio.to_thread(process.end, self._connection.root, name):
            await self._connection.returned(name)

    async def _lives_on(self, name: str) -> bool:
        """Whether libvirt takes the guest for active, also after it had the time to see its end."""
        for _ in range(LOOKS):
            record = await self._connection.domain(name)
            if record is None or not record.active:
                return False
            await asyncio.sleep(0.1)
        return True

    async def _own(self, name: str) -> DomainRecord | None:
        record = await self._connection.domain(name)
        if record is not None and self._resource(record) is None:
            raise DriverError(f"domain {name} belongs to somebody else")
        return record

    def _resource(self, record: DomainRecord | None) -> Domain | None:
        if record is None or record.mark is None or record.mark.instance != self._instance:
            return None
        owner = domain_owner(self._instance, record.name, record.mark.path)
        if owner is None:
            return None
        return Domain(
            name=record.name,
            uuid=record.uuid,
            owner=owner,
            digest=record.mark.digest,
            run=_run(record),
            title=record.title,
        )


def _ends_at_once(wanted: Domain | None) -> bool:
    return wanted is None or (wanted.run is Run.STOPPED and wanted.stop_timeout == 0)


def _run(record: DomainRecord) -> Run:
    if not record.active:
        return Run.STOPPED
    return Run.PAUSED if record.state is DomainState.PAUSED else Run.RUNNING
