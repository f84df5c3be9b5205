"""When reconciling happens and what follows: at start, on demand, and again while something failed."""

import asyncio
import logging
from collections.abc import Sequence

from twinplane.errors import TwinplaneError
from twinplane.plan.resource import Noun
from twinplane.plan.step import Effect, Phase, Step
from twinplane.transaction import reconcile as reconciling
from twinplane.transaction.alarm import object_of
from twinplane.transaction.confirm import Confirmations
from twinplane.transaction.drift import Drifts
from twinplane.transaction.execute import Failure, facts, leftovers
from twinplane.transaction.foreign import by_attribute
from twinplane.transaction.journal import names
from twinplane.transaction.reconcile import UNBOUNDED, Bounds
from twinplane.transaction.spare import Spare
from twinplane.transaction.standing import Parts, Standing
from twinplane.transaction.stop import StopDeadlines
from twinplane.transaction.turn import Turns
from twinplane_wire.path import Path

log = logging.getLogger(__name__)


class Repairs:
    """Runs in the writer's turns. `surveyed` is set once facts are in: reads can be served; `recovered` once
    the host is what is configured, or what could not be done is alarmed: writes are served."""

    def __init__(
        self, parts: Parts, standing: Standing, confirmations: Confirmations, turns: Turns, drifts: Drifts
    ) -> None:
        self._parts = parts
        self._drifts = drifts
        self._standing = standing
        self._confirmations = confirmations
        self._turns = turns
        self.stops = StopDeadlines(parts.executor, parts.publisher, turns, self.note)
        self._spare = Spare(parts.store, parts.publisher)
        self._tries = 0
        self._due = False
        self._whole = False  # the next repair has to be of everything
        self.surveyed = asyncio.Event()
        self.recovered = asyncio.Event()

    def note(self, steps: Sequence[Step], failures: Sequence[Failure]) -> None:
        """The outcome of steps that nothing undoes: what failed is alarmed and tried again later."""
        self._standing.alarms.report(failures, names(steps))
        if failures:
            self.later()

    def renewed(self, steps: Sequence[Step], failures: Sequence[Failure]) -> None:
        """After a commit that is for good: what waited for the guests that it started anew, or took away, is
        over; what waited for itself is repaired."""
        self._started(steps, failures)
        self._spare.settle()
        if self._whole:
            self.later()

    def _started(self, steps: Sequence[Step], failures: Sequence[Failure]) -> None:
        failed = {object_of(failure.step) for failure in failures}
        self._standing.alarms.started(frozenset(object_of(step) for step in steps if _renews(step)) - failed)

    def later(self, *, whole: bool = False) -> None:
        """Repair what failed, or everything, after a pause that grows with each try."""
        self._whole |= whole
        if not self._due:
            pauses = self._parts.repair_pauses
            self._due = True
            self._turns.post_later(pauses[min(self._tries, len(pauses) - 1)], self._again)
            self._tries += 1

    async def recover(self) -> None:
        """The first turn: bring the host to what is configured; then writes are served."""
        await self._tolerant(None)

    async def asked(self) -> None:
        """Reconcile because somebody asked for it, who may not ask again. Raises as `reconcile`."""
        try:
            await self.reconcile()
        except Exception:
            self.later(whole=True)
            raise

    def mend(self, objects: frozenset[Path], most: Effect) -> None:
        """In a turn of its own, after a change: put right what differs of these objects beside it, guests
        excepted, and what disturbs more than `most`."""
        if objects:
            self._turns.post(lambda: self._tolerant(objects, Bounds(most, guests=False)))

    async def reconcile(self, only: frozenset[Path] | None = None, bounds: Bounds = UNBOUNDED) -> None:
        """Bring the host to what is configured (only the objects at these paths, where given, and within
        these bounds).

        Raises:
            DriverError: the host cannot be read.
            UnavailableError: a foreign value, or what is left alone, cannot be made durable.
        """
        parts, standing = self._parts, self._standing
        desired = {} if standing.misfit else parts.model.everything(standing.running.forest)
        if (waiting := self._confirmations.waiting) is not None:
            desired = waiting.desired(desired)
        named = standing.entry.names if standing.entry is not None else frozenset()
        found = await reconciling.survey(parts.executor, desired, standing.foreign, named)
        if not self.surveyed.is_set():
            parts.publisher.observed(tuple(found.values()))
            self.surveyed.set()
        if standing.misfit:
            return  # without a configuration that these modules accept, everything is left alone
        found = await self._spare.without(found, named, standing.running.forest)
        repair = await reconciling.prepare(
            parts.executor,
            parts.planner,
            found,
            desired,
            standing.foreign,
            undoing=standing.undoing,
            only=only,
            bounds=bounds,
            unfinished=standing.alarms.unfinished,
        )
        taken = await reconciling.read_foreign(repair.steps, standing.foreign, parts.read_foreign)
        if taken:
            await parts.store.keep_foreign(taken)
            standing.foreign |= by_attribute(taken)
        parts.publisher.hold(names(repair.steps), frozenset(step.owner for step in repair.steps))
        done = await reconciling.execute(parts.executor, repair)
        parts.publisher.observed(facts(repair.steps, done.read_back))
        parts.publisher.release()
        self._whole &= only is not None
        self.stops.watch(repair.steps, done.read_back)
        self._conclude(repair, done, only)
        await self._clean(done)
        self._drifts.later()

    def _conclude(
        self, repair: reconciling.Repair, done: reconciling.Repaired, only: frozenset[Path] | None
    ) -> None:
        alarms, undoing = self._standing.alarms, self._standing.undoing
        alarms.report_all(done.failures, only)
        if only is None:
            self._started(repair.steps, done.failures)
            lost = {object_of(step) for step in repair.waiting if step.key.noun is Noun.TAP}
            alarms.waiting({object_of(step): str(step.key) for step in repair.waiting}, lost)
        left = [failure for failure in done.failures if failure.step.key in undoing]
        if left:
            self._standing.degrade(leftovers(left))
        else:
            self._standing.mend()
        if done.failures:
            self.later()
        else:
            self._tries = 0

    async def _clean(self, done: reconciling.Repaired) -> None:
        if self._standing.degraded or self._confirmations.waiting is not None:
            # What was put aside may be wanted again; what was given back is forgotten after that.
            self._whole |= bool(done.returned)
            return
        if not done.failures:
            await self._standing.sweep()
        await self._standing.drop_row(done.returned)

    async def _again(self) -> None:
        self._due = False
        whole = self._whole or self._standing.degraded or self._standing.not_ready
        await self._tolerant(None if whole else self._standing.alarms.unfinished)

    async def _tolerant(self, only: frozenset[Path] | None, bounds: Bounds = UNBOUNDED) -> None:
        standing = self._standing
        try:
            await self.reconcile(only, bounds)
        except Exception as error:
            # A fault of our own must not leave the box without a writer for good: tried again like any other.
            log.warning("reconciling failed: %s", error, exc_info=not isinstance(error, TwinplaneError))
            standing.alarms.set("reconcile", "OBJECT_FAILED", "MAJOR", str(error))
            if standing.not_ready:
                standing.not_ready = f"the agent is recovering: {error}"
            self.later(whole=only is None or bounds is not UNBOUNDED)
        else:
            standing.alarms.clear("reconcile")
            standing.not_ready = ""
            self.recovered.set()


def _renews(step: Step) -> bool:
    """Whether the step makes an end of the guest that runs, or starts one."""
    return step.key.noun is Noun.DOMAIN and (step.phase is Phase.GUEST or step.after is None)
