"""The stages of one transaction, in the order in which `transactor.py` takes them.

Before the commit point everything can be undone, and is where a stage fails; after it nothing can fail.
"""

import asyncio
import logging
from collections.abc import Sequence, Set
from dataclasses import replace

from twinplane.aside import MANY, aside
from twinplane.errors import ApplyError, DriverError, RequestError, UnavailableError, Violation
from twinplane.plan.resource import Domain, Key, Noun, Run
from twinplane.plan.step import Step
from twinplane.transaction import reconcile
from twinplane.transaction.alarm import object_of
from twinplane.transaction.collaborator import Resources
from twinplane.transaction.datastore import Pending, Running
from twinplane.transaction.execute import Failure, ReadBack, UndoError, facts, leftovers
from twinplane.transaction.foreign import by_attribute, held_by, taken_for, unclaimed
from twinplane.transaction.journal import intent, names
from twinplane.transaction.leftover import deleted, undone
from twinplane.transaction.match import ended
from twinplane.transaction.record import Commit, Confirmation
from twinplane.transaction.refusal import disturbing, refuse
from twinplane.transaction.repair import Repairs
from twinplane.transaction.standing import Parts, Standing
from twinplane.transaction.table import End
from twinplane.transaction.work import Work

log = logging.getLogger(__name__)


class Stages:
    """Takes one transaction at a time through its stages."""

    def __init__(self, parts: Parts, standing: Standing, repairs: Repairs) -> None:
        self._parts = parts
        self._standing = standing
        self._repairs = repairs

    async def refuse(self, work: Work) -> None:
        """Reasons that only the host knows, before anything is written. What is taken back may disturb."""
        try:
            large = len(work.steps) > MANY
            await aside(lambda: disturbing(work.steps, work.request.most_effect), large=large)
            await refuse(work.steps, self._parts.executor, disturbing=bool(work.reverts))
            for precheck in () if work.reverts else self._parts.prechecks:
                await precheck(work.steps)
            for guard in () if work.reverts else self._parts.guards:
                await guard(work)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error

    async def left(self, held: Resources, back: Resources) -> tuple[Resources, Resources]:
        """What a commit that waits made, and what it is taken back to. A guest that ended by itself stays so
        in both: that is drift, which is told; nobody starts it unasked.

        Raises:
            UnavailableError: the host cannot be read.
        """
        guests = [key for key in held if key.noun is Noun.DOMAIN]
        try:
            found = await self._parts.executor.find_all(guests)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error
        stopped = {key for key, one in zip(guests, found, strict=True) if ended(held[key], one.resource)}
        return _stopped(held, stopped), _stopped(back, stopped)

    async def objections(self, work: Work) -> tuple[Violation, ...]:
        """What `refuse` would raise."""
        try:
            await self.refuse(work)
        except RequestError as error:
            return error.violations
        return ()

    async def announce(self, work: Work) -> None:
        """The journal row, written before the first effect; a plan without steps needs none."""
        parts, standing = self._parts, self._standing
        if not work.steps:
            return
        try:
            taken = await reconcile.read_foreign(work.steps, standing.foreign, parts.read_foreign)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error
        running = standing.running
        entry = await aside(
            lambda: intent(
                number=running.revision + 1,
                base=running.revision,
                changes=work.changes,
                steps=work.steps,
                foreign=taken,
            ),
            large=len(work.steps) > MANY,
        )
        await parts.store.begin(entry)
        standing.entry = entry
        standing.foreign |= by_attribute(taken)
        parts.publisher.hold(entry.names, frozenset(step.owner for step in work.steps))

    async def make(self, work: Work) -> ReadBack:
        """The effects that can be undone; they are, where one of them fails."""
        try:
            return await self._parts.executor.apply(work.reversible, self._standing.foreign)
        except ApplyError as error:
            await self._after_undo(work, error.failures if isinstance(error, UndoError) else ())
            raise

    async def commit(self, work: Work) -> None:
        """The commit point. Before it, running is the old tree on disk and here; after it, the new one."""
        parts, standing, asked = self._parts, self._standing, work.request
        number, time = standing.running.revision + 1, parts.clock.now_ns()
        confirmation = Confirmation.NOT_ASKED if work.opens is None else Confirmation.WAITING
        record = Commit(number, time, asked.author, asked.source, asked.peer, asked.comment, confirmation)
        row = standing.entry.committed() if standing.entry is not None and work.unfinished else None
        pending = None if work.opens is None else Pending(work.opens.name, asked.author, number)
        # What may be taken back, or is, has not made an unfit configuration fit.
        provisional = standing.misfit and (work.opens is not None or bool(work.reverts))
        modules = standing.modules if provisional else parts.modules
        try:
            caused = parts.occasions.caused(work.reversible, time)
            await parts.store.commit(
                record,
                work.changes,
                row,
                modules,
                pending,
                annotation=work.forest.annotation,
                caused=caused,
                settled=work.mends,
            )
        except Exception as error:
            left = await parts.executor.undo(work.reversible, standing.foreign)
            await self._after_undo(work, left)
            if left:
                path = work.steps[0].owner
                raise ApplyError(path, "commit", str(error), undone=False, left=leftovers(left)) from error
            raise
        standing.settle(work.mends)
        parts.occasions.stored(caused)
        standing.running, standing.entry = Running(work.forest, number, time), row
        if not provisional and standing.fits():
            self._repairs.later(whole=True)

    async def finish(self, work: Work) -> ReadBack:
        """What cannot be undone. It cannot fail the request either: tried again, alarmed, then repaired."""
        standing, executor = self._standing, self._parts.executor
        read_back, failures = await executor.attempt(work.final)
        for pause in self._parts.final_pauses:
            # What hangs is not waited for again, for all others would wait too: a repair sees to it.
            hanging = tuple(failure for failure in failures if failure.unknown)
            if len(hanging) == len(failures):
                break
            await asyncio.sleep(pause)
            tried = [failure.step for failure in failures if not failure.unknown]
            again, failed = await executor.attempt(tried)
            failures = (*hanging, *failed)
            read_back |= again
        # What came before the commit of one that waited was done then; it may have failed since.
        self._repairs.note(work.steps if work.opens is None else work.final, failures)
        self._repairs.renewed(work.steps, failures)
        self._repairs.stops.watch(work.steps, read_back)
        if (standing.entry is not None or work.reverts or work.mends) and not failures:
            await standing.sweep()
        # Also where no step was needed: what a port has is then what it had before it was taken.
        ports = {
            key for key in (*work.believed, *work.before, *work.after) if key.noun in reconcile.HOST_PORT
        }
        done = frozenset(ports - {failure.step.key for failure in failures})
        if any(step.key in ports and read_back.get(step.key) is None for step in work.steps):
            await self._look_for_renamed()
        returned = tuple(unclaimed(standing.foreign, work.after, done).values())
        await standing.conclude(End(returned, deleted(failures)))
        return read_back

    async def _look_for_renamed(self) -> None:
        """A host port that was let go is not there: it may go by another name, and gets its values under
        that."""
        try:
            if await self._standing.follow():
                self._repairs.later(map(taken_for, self._standing.foreign.values()))
        except (DriverError, UnavailableError) as error:
            log.warning("whether a host port was renamed could not be seen: %s", error)

    async def publish(self, work: Work, read_back: ReadBack) -> None:
        """The commit and what was read back, to whoever reads and follows."""
        running = self._standing.running
        await self._parts.publisher.publish(
            work.changes,
            facts(work.steps, read_back),
            running.time,
            running.revision,
            work.confirm,
            work.confirms_for,
        )
        if work.steps:
            self._parts.publisher.release()

    async def complete(self, work: Work) -> None:
        """The final steps of a commit that waited for its confirmation and has it."""
        publisher = self._parts.publisher
        if self._standing.fits():
            self._repairs.later(whole=True)
        publisher.hold(names(work.final), frozenset(step.owner for step in work.final))
        read_back = await self.finish(work)
        publisher.observed(facts(work.final, read_back))
        publisher.release()

    async def _after_undo(self, work: Work, left: Sequence[Failure]) -> None:
        """Say what the host is like after an undo; what is left is kept beside the row, which ends."""
        entry = self._standing.entry
        if entry is None or not work.steps:
            return
        steps: Sequence[Step] = work.reversible
        seen = await self._parts.executor.look(steps)
        self._parts.publisher.observed(facts(steps, seen))
        self._parts.publisher.release()
        if left:
            kept = {failure.step.key for failure in left}
            returned = [value for value in entry.foreign if held_by(value) not in kept]
            # A commit that is taken back goes on waiting, and the row with it.
            end = End(() if work.reverts else tuple(returned), undone(left), row=not work.reverts)
            await self._standing.conclude(end)
            self._repairs.later(object_of(failure.step) for failure in left)
        elif work.reverts:
            # A guest may have been started again, and lost what hung on its taps.
            self._repairs.later(whole=True)
        else:
            await self._standing.sweep()
            await self._standing.conclude(End(entry.foreign))


def _stopped(resources: Resources, guests: Set[Key]) -> Resources:
    return {
        key: replace(one, run=Run.STOPPED) if isinstance(one, Domain) and key in guests else one
        for key, one in resources.items()
    }
