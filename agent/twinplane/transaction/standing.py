"""Where things stand: what is in force, which row is open, what is wrong. Belongs to whoever has the turn."""

import logging
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeAlias

from twinplane.clock import Clock
from twinplane.errors import DriverError, Fault, RequestError, UnavailableError, Violation
from twinplane.plan.resource import ForeignValue, HostDevice, Key
from twinplane.transaction.alarm import Alarms
from twinplane.transaction.collaborator import (
    DeviceReader,
    ForeignReader,
    Mark,
    Model,
    NoOccasions,
    Occasions,
    Planner,
    Precheck,
    Publisher,
    Sweep,
)
from twinplane.transaction.datastore import Datastore, Running, Stored
from twinplane.transaction.execute import Executor
from twinplane.transaction.foreign import by_attribute, followed
from twinplane.transaction.journal import Entry, Status
from twinplane.transaction.leftover import Leftover
from twinplane.transaction.request import Election, Request
from twinplane.transaction.table import End
from twinplane.transaction.work import Work
from twinplane_wire.path import ROOT, Path

log = logging.getLogger(__name__)

MOST_ROLES = 1000  # that elections are remembered of, for good


# Raises RequestError (LOCKED) for a request that has to wait for somebody else's lock.
Gate: TypeAlias = Callable[[Request], None]

# Raises RequestError with what a change must not do by this author, from where he calls.
Guard: TypeAlias = Callable[[Work], Awaitable[None]]


def unmeasured(_: str) -> None:
    """The mark of a product that nobody measures."""


async def nameless() -> Sequence[HostDevice]:
    """The devices of a host whose devices keep their names."""
    return ()


def unlocked(_: Request) -> None:
    """The gate of a box that nobody can lock."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What the writer is built from. `modules` is the hash of the loaded module set; pauses are in seconds:
    before each further try of a final step, and before each repair (the last one repeats)."""

    store: Datastore
    executor: Executor
    model: Model
    planner: Planner
    publisher: Publisher
    clock: Clock
    read_foreign: ForeignReader
    sweep: Sweep
    modules: str
    prechecks: tuple[Precheck, ...] = ()
    guards: tuple[Guard, ...] = ()
    gate: Gate = unlocked
    occasions: Occasions = field(default_factory=NoOccasions)
    final_pauses: tuple[float, ...] = (0.2,)
    repair_pauses: tuple[float, ...] = (1, 2, 5, 10, 30, 60)
    mark: Mark = unmeasured
    read_devices: DeviceReader = nameless


class Standing:
    """Running, the open journal row, what earlier ones left over, foreign values, and whether writes
    have to wait."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.alarms = Alarms(parts.publisher)
        self.running = Running()
        self.entry: Entry | None = None
        self.foreign: dict[tuple[str, str], ForeignValue] = {}
        self.elections: dict[str, int] = {}  # the highest number seen, by role
        self.left: dict[Key, Leftover] = {}  # what could not be undone or taken away
        self.degraded: tuple[str, ...] = ()  # the same, where it could not be written down
        self.modules = parts.modules  # the hash of those that accepted running
        self.misfit = False  # running was written with other modules and these do not accept it
        self.not_ready = "the agent is starting"  # why writes are UNAVAILABLE; "" when they are not

    def load(self, stored: Stored) -> None:
        """Take over what the file held."""
        self.running, self.entry = stored.running, stored.entry
        self.modules = stored.modules or self.modules
        self.elections = dict(stored.elections)
        self.left = {one.key: one for one in stored.left}
        self._tell()
        self.foreign = dict(by_attribute(stored.foreign))
        self._parts.clock.not_before(stored.running.time)

    @property
    def undoing(self) -> frozenset[Key]:
        """The names that an unfinished transaction touched, and those that an undo did not bring back."""
        left = frozenset(key for key, one in self.left.items() if one.status is Status.PENDING)
        pending = self.entry is not None and self.entry.status is Status.PENDING
        return left | (self.entry.names if pending and self.entry is not None else frozenset())

    @property
    def named(self) -> Mapping[Key, Path]:
        """The names under which something may stand that is not marked as ours, with its owner."""
        row = {} if self.entry is None else self.entry.owners
        return {**row, **{key: one.owner for key, one in self.left.items()}}

    def check_election(self, election: Election | None) -> None:
        """Let only a master of its role go on (gNMI master arbitration, 3.2).

        Raises:
            RequestError: DENIED, a higher number was seen; TOO_LARGE, one role too many.
        """
        if election is None:
            return
        if election.role not in self.elections and len(self.elections) >= MOST_ROLES:
            text = f"elections of {MOST_ROLES} roles are remembered, {election.role!r} is none of them"
            raise RequestError(Violation(ROOT, Fault.TOO_LARGE, text, "use one of the roles there are"))
        highest = self.elections.get(election.role, -1)
        if election.number < highest:
            high, low = divmod(highest, 1 << 64)
            raise RequestError(
                Violation(
                    ROOT,
                    Fault.DENIED,
                    f"role {election.role!r} has another master: its election id is (high {high}, low {low})",
                )
            )

    async def elect(self, election: Election | None) -> None:
        """Remember the newest master of a role; only of who may make the change that is asked for.

        Raises:
            UnavailableError: the number cannot be made durable.
        """
        if election is not None and election.number > self.elections.get(election.role, -1):
            await self._parts.store.keep_election(election.role, election.number)
            self.elections[election.role] = election.number

    def fits(self) -> bool:
        """The modules accept running, for good; whether they did not before."""
        ended, self.misfit, self.modules = self.misfit, False, self._parts.modules
        self.alarms.clear("misfit")
        return ended

    async def conclude(self, end: End) -> None:
        """Write down what a transaction or a repair leaves, and forget the journal's row if it has ended.
        Where what an undo left over cannot be written down, the row stays, and all writes wait."""
        for value in end.returned:
            self.foreign.pop((value.device, value.attribute), None)
        end = replace(
            end,
            left=tuple(one for one in end.left if self.left.get(one.key) != one),
            settled=tuple(key for key in end.settled if key in self.left),
            row=end.row and self.entry is not None,
        )
        self.left |= {one.key: one for one in end.left}
        if end == End(row=False):
            return
        try:
            await self._parts.store.conclude(end)
        except Exception as error:
            unforeseen = not isinstance(error, UnavailableError)
            log.warning("what a change has left cannot be written: %s", error, exc_info=unforeseen)
            if end.row and any(one.status is Status.PENDING for one in end.left):
                self.left = {key: one for key, one in self.left.items() if one not in end.left}
                self._degrade(tuple(map(str, end.left)), error)
            elif end.row:
                # Harmless: whoever finds the row finds nothing left to do, and the next takes its place.
                self.entry = None
        else:
            self.entry = None if end.row else self.entry
            self.settle(end.settled)
            if end.row and self.degraded:
                self.degraded = ()
                self.alarms.clear("degraded")
        self._tell()

    def settle(self, keys: Iterable[Key]) -> None:
        """Nothing is left over under these."""
        for key in keys:
            self.left.pop(key, None)
        self._tell()

    def _tell(self) -> None:
        undone: dict[Path, list[str]] = {}
        for one in self.left.values():
            if one.status is Status.PENDING:
                undone.setdefault(one.object, []).append(str(one))
        self.alarms.undone({path: ", ".join(texts) for path, texts in undone.items()})

    def _degrade(self, left: tuple[str, ...], error: Exception) -> None:
        self.degraded = left
        text = f"an undo failed, left over: {', '.join(left)}; no write is served, for: {error}"
        self.alarms.set("degraded", "UNDO_FAILED", "CRITICAL", text)

    async def follow(self) -> bool:
        """Remember foreign values by the names that their devices have now; whether any moved.

        Raises:
            DriverError: the devices cannot be read.
            UnavailableError: it cannot be made durable.
        """
        if not self.foreign:
            return False
        gone, come = followed(self.foreign, await self._parts.read_devices())
        if not gone:
            return False
        left = {key: value for key, value in self.foreign.items() if value not in gone}
        come = tuple(value for value in come if (value.device, value.attribute) not in left)
        await self._parts.store.move_foreign(gone, come)
        self.foreign = {**left, **by_attribute(come)}
        return True

    async def sweep(self) -> None:
        """Remove what finished steps leave behind; not while something of it may be wanted back."""
        if any(one.status is Status.PENDING for one in self.left.values()):
            return
        try:
            await self._parts.sweep()
        except Exception as error:
            # Whatever it is, it must not fail a request that is committed, nor hold up its answer.
            if not isinstance(error, DriverError):
                log.exception("sweeping failed unexpectedly")
            text = f"could not be removed: {error}"
            self.alarms.set("left-behind", "FINAL_STEP_FAILED", "MINOR", text)
        else:
            self.alarms.clear("left-behind")
