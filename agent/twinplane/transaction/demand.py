"""Repair on demand: the host is brought to what is configured because somebody asks for it."""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from twinplane.errors import DriverError, Fault, RequestError, UnavailableError, Violation
from twinplane.plan.step import Effect, Step
from twinplane.transaction.journal import printed
from twinplane.transaction.notice import of_repair
from twinplane.transaction.reconcile import Bounds
from twinplane.transaction.repair import Reconciled, Repairs
from twinplane.transaction.request import Permit, Request, unrestricted
from twinplane.transaction.standing import Parts, Standing
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane_wire.path import ROOT, Path

log = logging.getLogger(__name__)

# The objects of a configuration that are asked for; None: all that there is.
Select = Callable[[Forest], frozenset[Path] | None]


def everything(_: Forest) -> None:
    """All that there is."""


@dataclass(frozen=True, slots=True)
class Demand:
    """Who asks, where from, for which objects, and what may happen to running guests at most. `permit` is
    asked about the objects as if they were created; `session` is the number of the author's session, 0: none.
    """

    author: str
    source: str
    peer: str = ""
    select: Select = everything
    most: Effect = Effect.LIVE
    dry_run: bool = False
    permit: Permit = unrestricted
    session: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, or with `dry_run` would be; what could not be done, and what was not tried."""

    revision: int
    steps: tuple[Step, ...]
    failed: tuple[Violation, ...]
    waiting: tuple[Violation, ...]


class Demands:
    """Takes demands, in the writer's turns. A box that is degraded serves them: they are what ends that."""

    def __init__(self, parts: Parts, standing: Standing, repairs: Repairs) -> None:
        self._parts = parts
        self._standing = standing
        self._repairs = repairs

    async def meet(self, demand: Demand) -> Report:
        """Repair what is asked for.

        Raises:
            RequestError: LOCKED; DENIED, with the objects; NO_DATA, nothing of it is configured; STATE, the
                configuration does not fit the models.
            UnavailableError: the host cannot be read, or the datastore not written.
        """
        standing = self._standing
        if not demand.dry_run:
            asked = Request((), demand.author, demand.source, demand.peer, session=demand.session)
            self._parts.gate(asked)
        if standing.misfit:
            text = "the configuration does not fit the models of this program: nothing is repaired"
            raise RequestError(Violation(ROOT, Fault.STATE, text, "commit one that does"))
        forest = standing.running.forest
        only = demand.select(forest)
        if only is not None and not only:
            raise RequestError(Violation(ROOT, Fault.NO_DATA, "nothing of it is configured"))
        demand.permit(_as_created(forest, only))
        try:
            found = await self._repairs.reconcile(only, Bounds(demand.most), dry_run=demand.dry_run)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error
        report = _reported(standing.running.revision, found, demand.most)
        if not demand.dry_run:
            await self._record(demand, found)
        return report

    async def _record(self, demand: Demand, found: Reconciled) -> None:
        failed = [f"{printed(one.step)}: {one.cause}" for one in found.failures]
        event = of_repair(
            (demand.author, demand.source, demand.peer),
            [printed(step) for step in found.steps],
            failed,
            self._parts.clock.now_ns(),
        )
        log.info(
            "repair for %s from %s: %d steps, %d failed",
            demand.author,
            demand.peer,
            len(found.steps),
            len(failed),
        )
        try:
            await self._parts.store.note([event])
        except UnavailableError as error:
            log.warning("the event of a repair is lost: %s", error)


def _as_created(forest: Forest, only: Iterable[Path] | None) -> tuple[ObjectChange, ...]:
    wanted = None if only is None else frozenset(only)
    return tuple(one for one in changes(NOTHING, forest) if wanted is None or one.path in wanted)


def _reported(revision: int, found: Reconciled, most: Effect) -> Report:
    failed = tuple(
        Violation(
            one.step.owner,
            Fault.STATE,
            f"{printed(one.step)}: {one.cause}",
            "see to the cause; it is tried again by itself",
        )
        for one in found.failures
    )
    beyond = [
        Violation(
            step.owner,
            Fault.STATE,
            f"{printed(step)} is {step.disturbance.name}, at most {most.name} was agreed to",
            "agree to more",
        )
        for step in found.beyond
    ]
    waiting = [
        Violation(
            step.owner,
            Fault.STATE,
            f"{printed(step)} needs a restart of the guest",
            "set admin-state STOPPED, and RUNNING again",
        )
        for step in found.waiting
    ]
    return Report(revision, found.steps, failed, (*beyond, *waiting))
