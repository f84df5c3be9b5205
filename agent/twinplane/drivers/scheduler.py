"""CPU tuning of domains: set live and in the definition, read back from what is in force."""

from collections.abc import Iterable
from uuid import UUID

from twinplane.errors import DriverError
from twinplane.hypervisor.connection import Connection
from twinplane.hypervisor.domain import SchedulerRecord, SchedulerValues
from twinplane.model.names import domain_owner
from twinplane.plan.resource import Found, Key, Noun, Ownership, Resource, Scheduler
from twinplane.plan.text import unlike


class SchedulerDriver:
    """The scheduler of a domain is ours where the domain is. It has no life of its own: it goes with it."""

    nouns = frozenset({Noun.SCHEDULER})

    def __init__(self, connection: Connection, instance: UUID) -> None:
        self._connection = connection
        self._instance = instance

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Bring quota, period and shares to what is wanted; a scheduler ends with its domain only."""
        there = await self._read(key.name)
        if wanted is None or there == wanted:
            return there
        if not isinstance(wanted, Scheduler):
            raise DriverError(f"{key} is no scheduler")
        if there is None:
            raise DriverError(f"{key}: there is no such domain of ours")
        failure: DriverError | None = None
        try:
            await self._connection.set_scheduler(
                key.name, SchedulerValues(wanted.quota, wanted.period, wanted.shares)
            )
        except DriverError as error:
            if error.unknown:
                raise
            failure = error
        there = await self._read(key.name)
        if there != wanted:
            raise failure or DriverError(f"{key}: {unlike(there, wanted)} after it was set")
        return there

    async def find(self, key: Key) -> Found:
        """Own where the domain is ours."""
        there = await self._read(key.name)
        return Found(Ownership.ABSENT) if there is None else Found(Ownership.OWN, there)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:  # noqa: ARG002
        """The schedulers of all own domains that answer."""
        found = [self._resource(record) for record in await self._connection.schedulers()]
        return tuple([each for each in found if each is not None])

    async def _read(self, name: str) -> Scheduler | None:
        return self._resource(await self._connection.scheduler(name))

    def _resource(self, record: SchedulerRecord | None) -> Scheduler | None:
        if record is None or record.mark is None or record.mark.instance != self._instance:
            return None
        owner = domain_owner(self._instance, record.name, record.mark.path)
        if owner is None:
            return None
        values = record.values
        return Scheduler(record.name, owner, values.quota, values.period, values.shares)
