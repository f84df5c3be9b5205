"""When reconciling happens and what follows: at start, on demand, and again while something failed."""

import asyncio
import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from twinplane.errors import TwinplaneError
from twinplane.plan.resource import Noun
from twinplane.plan.step import Effect, Phase, Step
from twinplane.transaction import reconcile as reconciling
from twinplane.transaction.alarm import object_of
from twinplane.transaction.confirm import Confirmations
from twinplane.transaction.drift import Drifts
from twinplane.transaction.execute import Failure, facts
from twinplane.transaction.foreign import by_attribute, taken_for
from twinplane.transaction.journal import Status, names
from twinplane.transaction.leftover import deleted, owned, undone, unread
from twinplane.transaction.reconcile import UNBOUNDED, Bounds
from twinplane.transaction.spare import Spare
from twinplane.transaction.standing import Parts, Standing
from twinplane.transaction.stop import StopDeadlines
from twinplane.transaction.table import End
from twinplane.transaction.turn import Turns
from twinplane_wire.path import Path

log = logging.getLogger(__name__)

TOGETHER = 0.1  # seconds between repairs that are one


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What was done, or would be; what failed, what waits for a restart of its guest, and what was beyond the
    bounds."""

    steps: tuple[Step, ...] = ()
    failures: tuple[Failure, ...] = ()
    waiting: tuple[Step, ...] = ()
    beyond: tuple[Step, ...] = ()


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
        self._tries: dict[Path | None, int] = {}  # by object; None: everything
        self._due: dict[Path | None, float] = {}  # times of the event loop
        self._bounds: dict[Path | None, Bounds] = {}  # how far each that is due may go
        self._timer: asyncio.TimerHandle | None = None
        self._whole = False  # the next repair has to be of everything
        self._returned: set[Path] = set()  # whose values were given back while a commit waits
        self.surveyed = asyncio.Event()
        self.recovered = asyncio.Event()

    def note(self, steps: Sequence[Step], failures: Sequence[Failure]) -> None:
        """The outcome of steps that nothing undoes: what failed is alarmed and tried again later."""
        self._standing.alarms.report(failures, names(steps))
        self.later(object_of(failure.step) for failure in failures)

    def renewed(self, steps: Sequence[Step], failures: Sequence[Failure]) -> None:
        """After a commit that is for good: what waited for the guests that it started anew, or took away, is
        over; what waited for itself is repaired."""
        self._started(steps, failures)
        self._spare.settle()
        returned, self._returned = self._returned, set()
        self.later(returned, whole=self._whole)

    def _started(self, steps: Sequence[Step], failures: Sequence[Failure]) -> None:
        failed = {object_of(failure.step) for failure in failures}
        self._standing.alarms.started(frozenset(object_of(step) for step in steps if _renews(step)) - failed)

    def later(self, objects: Iterable[Path] = (), *, whole: bool = False, bounds: Bounds = UNBOUNDED) -> None:
        """Repair these objects within bounds, or everything, each after a pause that grows with its tries."""
        self._whole |= whole
        pauses, now = self._parts.repair_pauses, asyncio.get_running_loop().time()
        for path in (*objects, *([None] if whole else [])):
            self._bounds[path] = bounds | self._bounds.get(path, bounds)
            if path not in self._due:
                tries = self._tries.get(path, 0)
                self._tries[path] = tries + 1
                self._due[path] = now + pauses[min(tries, len(pauses) - 1)]
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._due:
            pause = max(0.0, min(self._due.values()) - asyncio.get_running_loop().time())
            self._timer = self._turns.post_later(pause, self._again)

    async def recover(self) -> None:
        """The first turn: bring the host to what is configured; then writes are served."""
        await self._tolerant(None)

    async def asked(self, only: frozenset[Path] | None = None) -> None:
        """Reconcile because somebody asked for it, who may not ask again. Raises as `reconcile`."""
        try:
            await self.reconcile(only)
        except Exception:
            self.later(only or (), whole=only is None)
            raise

    def mend(self, objects: frozenset[Path], most: Effect) -> None:
        """In a turn of its own, after a change: put right what differs of these objects beside it, guests
        excepted, and what disturbs more than `most`."""
        if objects:
            self._turns.post(lambda: self._tolerant(objects, Bounds(most, guests=False)))

    async def reconcile(
        self, only: frozenset[Path] | None = None, bounds: Bounds = UNBOUNDED, *, dry_run: bool = False
    ) -> Reconciled:
        """Bring the host to what is configured (only the objects at these paths, where given, and within
        these bounds). With `dry_run` nothing is done.

        Raises:
            DriverError: the host cannot be read.
            UnavailableError: a foreign value, or what is left alone, cannot be made durable.
        """
        parts, standing = self._parts, self._standing
        await standing.follow()
        desired = {} if standing.misfit else parts.model.everything(standing.running.forest)
        if (waiting := self._confirmations.waiting) is not None:
            desired = waiting.desired(desired)
        named = standing.named
        found = await reconciling.survey(parts.executor, desired, standing.foreign, named)
        if not self.surveyed.is_set():
            parts.publisher.observed(tuple(found.values()))
            self.surveyed.set()
        if standing.misfit:
            return Reconciled()  # without a configuration that these modules accept, everything is left alone
        found = await self._spare.without(found, named, standing.running.forest)
        gone = {key: owner for key, owner in named.items() if key not in desired}
        found = {**owned(found, gone), **await unread(parts.executor, gone.items(), found)}
        repair = await reconciling.prepare(
            parts.executor,
            parts.planner,
            found,
            desired,
            standing.foreign,
            undoing=standing.undoing,
            only=only,
            bounds=bounds,
            unfinished=standing.alarms.failed,
        )
        if dry_run:
            return _reconciled(repair, repair.blocked)
        taken = await reconciling.read_foreign(repair.steps, standing.foreign, parts.read_foreign)
        if taken:
            await parts.store.keep_foreign(taken)
            standing.foreign |= by_attribute(taken)
        parts.publisher.hold(names(repair.steps), frozenset(step.owner for step in repair.steps))
        done = await reconciling.execute(parts.executor, repair)
        parts.publisher.observed(facts(repair.steps, done.read_back))
        parts.publisher.release()
        settles = bounds == UNBOUNDED
        self._whole &= only is not None or not settles
        self.stops.watch(repair.steps, done.read_back)
        self._tell(repair, done, only, bounds)
        await self._conclude(done, only, settles=settles)
        self._drifts.later()
        return _reconciled(repair, done.failures)

    def _tell(
        self,
        repair: reconciling.Repair,
        done: reconciling.Repaired,
        only: frozenset[Path] | None,
        bounds: Bounds,
    ) -> None:
        alarms = self._standing.alarms
        alarms.report_all(done.failures, only, {step.key for step in repair.beyond})
        if only is None:
            self._started(repair.steps, done.failures)
            lost = {object_of(step) for step in repair.waiting if step.key.noun is Noun.TAP}
            alarms.waiting({object_of(step): str(step.key) for step in repair.waiting}, lost)
        failed = frozenset(object_of(failure.step) for failure in done.failures)
        over = {path for path in self._tries if (only is None or path in only) and path not in failed}
        # What is due may go further than this repair did.
        over = {path for path in over if bounds | self._bounds.get(path, bounds) == bounds}
        for path in over:
            del self._tries[path]
            self._due.pop(path, None)
            self._bounds.pop(path, None)
        if over:
            # Who waits may have waited for what is there now.
            soon = asyncio.get_running_loop().time() + self._parts.repair_pauses[0]
            self._due = {path: min(due, soon) for path, due in self._due.items()}
        self.later(failed, bounds=bounds)

    async def _conclude(
        self, done: reconciling.Repaired, only: frozenset[Path] | None, *, settles: bool
    ) -> None:
        """Write down what is left over now; with `settles` nothing was left out. While a commit waits, what
        was put aside may be wanted again, and what was given back is forgotten after that."""
        standing, waits = self._standing, self._confirmations.waiting is not None
        failed = {failure.step.key: failure for failure in done.failures}
        mine = [one for one in standing.left.values() if only is None or one.object in only]
        left = [replace(one, cause=failed[one.key].cause) for one in mine if one.key in failed]
        settled = tuple(one.key for one in mine if settles and one.key not in failed)
        row = standing.entry if only is None and not waits else None
        if row is not None:
            fresh = [failed[key] for key in row.names if key in failed and key not in standing.left]
            left += undone(fresh) if row.status is Status.PENDING else deleted(fresh)
        self._returned |= {taken_for(value) for value in done.returned} if waits else set()
        await standing.conclude(
            End(() if waits else done.returned, tuple(left), settled, row=row is not None)
        )
        if not done.failures and not waits:
            await standing.sweep()

    async def _again(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time() + TOGETHER
        ready: dict[Bounds, set[Path]] = {}
        whole = bool(self._whole or self._standing.degraded or self._standing.not_ready)
        for path in [path for path, due in self._due.items() if due <= now]:
            del self._due[path]
            bounds = self._bounds.pop(path)
            whole |= path is None
            ready.setdefault(bounds, set()).update(() if path is None else (path,))
        if ready and whole:
            await self._tolerant(None)
        else:
            for bounds, paths in ready.items():
                await self._tolerant(frozenset(paths), bounds)
        self._arm()

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
            self.later(only or (), whole=only is None, bounds=bounds)
        else:
            standing.alarms.clear("reconcile")
            standing.not_ready = ""
            self.recovered.set()


def _reconciled(repair: reconciling.Repair, failures: Sequence[Failure]) -> Reconciled:
    left_out = {failure.step.key for failure in failures} | repair.absent
    steps = tuple(step for step in repair.steps if step.key not in left_out)
    return Reconciled(steps, tuple(failures), repair.waiting, repair.beyond)


def _renews(step: Step) -> bool:
    """Whether the step makes an end of the guest that runs, or starts one."""
    return step.key.noun is Noun.DOMAIN and (step.phase is Phase.GUEST or step.after is None)
