"""The one writer: how a request becomes configuration, effects and telemetry. Read `_transact` first.

Everything that changes the host or the configuration takes its turn here, one at a time: requests of both
faces, confirmations and their ends, forced stops, repairs. Trees, rules and plans are pure collaborators;
effects are drivers'.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace

from twinplane.aside import MANY, aside
from twinplane.errors import DegradedError, RequestError, TwinplaneError, UnavailableError, Violation
from twinplane.plan.resource import Key
from twinplane.transaction import revert
from twinplane.transaction.confirm import Confirmations, Waiting, held
from twinplane.transaction.datastore import Running
from twinplane.transaction.demand import Demand, Demands, Report
from twinplane.transaction.drift import Drifts
from twinplane.transaction.ground import Surveyor
from twinplane.transaction.leftover import Change, as_left
from twinplane.transaction.repair import Repairs
from twinplane.transaction.request import Act, Confirm, Outcome, Request
from twinplane.transaction.stages import Stages
from twinplane.transaction.standing import Parts, Standing
from twinplane.transaction.turn import Turns
from twinplane.transaction.work import Work
from twinplane.tree.diff import ObjectChange
from twinplane.tree.forest import NOTHING, Forest, changes
from twinplane_wire.path import Path

log = logging.getLogger(__name__)


class Transactor:
    """Owns the running tree. `start`, then `serve` as the one task; `submit` from anywhere."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turns = Turns()
        self._standing = Standing(parts)
        self._confirmations = Confirmations(self._turns, self._expired)
        self._drifts = Drifts(parts, self._standing, self._confirmations, self._turns)
        self._repairs = Repairs(parts, self._standing, self._confirmations, self._turns, self._drifts)
        self._demands = Demands(parts, self._standing, self._repairs)
        self._surveyor = Surveyor(parts, self._standing)
        self._stages = Stages(parts, self._standing, self._repairs)

    @property
    def running(self) -> Running:
        """What is configured now; a snapshot that never changes."""
        return self._standing.running

    @property
    def annotation(self) -> str:
        """The text that clients keep with the configuration."""
        return self._standing.running.forest.annotation

    @property
    def waiting(self) -> str:
        """The name of the commit that waits for its confirmation; empty where none does."""
        waiting = self._confirmations.waiting
        return "" if waiting is None else waiting.name

    @property
    def waiting_author(self) -> str:
        """Whose commit waits for its confirmation; empty where none does."""
        waiting = self._confirmations.waiting
        return "" if waiting is None else waiting.author

    @property
    def surveyed(self) -> asyncio.Event:
        """Set when the first facts are in: reads can be served."""
        return self._repairs.surveyed

    @property
    def recovered(self) -> asyncio.Event:
        """Set when the host was brought to what is configured for the first time: writes can be served."""
        return self._repairs.recovered

    async def start(self) -> Running:
        """Open the datastore and publish what it holds, without a commit that was not confirmed; writes wait
        until `serve` has recovered.

        Raises:
            StartError: the file cannot be used.
        """
        parts, standing = self._parts, self._standing
        stored = await parts.store.open()
        standing.load(stored)
        if stored.pending is not None:
            await revert.stored(parts, standing, stored.pending, stored)
        everything = changes(NOTHING, standing.running.forest)
        if stored.modules not in ("", parts.modules):
            self._judge_again(everything)
        parts.publisher.committed(everything, (), standing.running.time, standing.running.revision)
        self._turns.post(self._repairs.recover)
        return standing.running

    async def serve(self) -> None:
        """Recover, then take requests until closed. One task runs this, for as long as the agent lives."""
        await self._turns.serve()

    async def submit(self, request: Request) -> Outcome:
        """Make the request's edits the configuration and its effects real, or change nothing; or confirm,
        cancel or prolong a commit that waits.

        Cancelling the caller does not cancel a transaction that has begun.

        Raises:
            RequestError: refused; every violation of the earliest stage that found one.
            ApplyError: a step failed; everything was undone, or what is left is named and repaired later.
            DegradedError: what an earlier undo left over is in the way.
            UnavailableError: starting, stopping, or the datastore cannot be written.
        """
        if self._standing.not_ready:
            raise UnavailableError(self._standing.not_ready)
        return await self._turns.take(lambda: self._admit(request))

    def abandon(self, request: Request) -> None:
        """The session that alone could confirm a commit has gone (`request` cancels it, and says who that
        was): it is taken back in its turn as if its time were up, whatever is locked or fails; if it waits at
        all."""
        self._turns.post(lambda: self._abandoned(request))

    async def repair(self, objects: frozenset[Path] | None = None) -> None:
        """Bring the host (these objects, where given) to what is configured, in turn: a host port appeared.

        Raises:
            DriverError: the host cannot be read; it is tried again later.
        """
        await self._turns.take(lambda: self._repairs.asked(objects))

    async def reconcile(self, demand: Demand) -> Report:
        """Bring the host to what is configured, for somebody who asks for it, in turn.

        Raises:
            RequestError, UnavailableError: as `Demands.meet`.
        """
        if self._standing.not_ready:
            raise UnavailableError(self._standing.not_ready)
        return await self._turns.take(lambda: self._demands.meet(demand))

    async def inspect(self, objects: frozenset[Path]) -> None:
        """Compare the host with what is wanted of these objects, in turn, and tell what differs.

        Raises:
            DriverError: the host cannot be read.
        """
        await self._turns.take(lambda: self._drifts.look(objects))

    async def close(self, grace: float = 3.0) -> None:
        """Refuse requests at once, give the one under way `grace` seconds, then leave its row as it is."""
        self._standing.not_ready = "the agent is shutting down"
        await self._turns.close(grace)
        await self._parts.store.close()

    async def _admit(self, request: Request) -> Outcome:
        """Who may, and whether now; then what."""
        if not request.dry_run:
            self._parts.gate(request)
        self._standing.check_election(request.election)
        if self._standing.degraded:
            raise DegradedError(self._standing.degraded)
        self._confirmations.check(request)
        waiting = self._confirmations.waiting
        if waiting is not None and request.confirm is not None:
            return await self._decide(request, request.confirm, waiting)
        return await self._transact(request)

    async def _transact(self, request: Request) -> Outcome:
        parts, running, mark = self._parts, self._standing.running, self._parts.mark

        mark("begin")
        large = request.large
        candidate = await aside(lambda: self._candidate(request), large=large)
        changed = await aside(lambda: changes(running.forest, candidate), large=large)
        mark("candidate")
        large = large or len(changed) > MANY
        request.permit(changed)
        await self._standing.elect(request.election)
        await aside(lambda: self._judge(request, candidate, changed), large=large)
        mark("judged")
        same = not changed and candidate.annotation == running.forest.annotation
        if same and (request.confirm is None or request.dry_run):
            return Outcome(running.revision, parts.clock.now_ns(), False, ())

        before, after = await aside(
            lambda: parts.model.resources(running.forest, candidate, changed), large=large
        )
        ground = await self._surveyor.ground(candidate, before, after, self._drifts.doubtful)
        before, steps = ground.before, ground.steps
        mends: frozenset[Key] = frozenset()
        if left := tuple(self._standing.left.values()):
            change = Change(frozenset(one.path for one in changed), before, ground.after, steps)
            before, mends = await as_left(left, change, parts.executor, self._standing.foreign)
            steps = parts.planner(before, ground.after, self._standing.foreign).steps
        work = Work(
            request,
            candidate,
            changed,
            before,
            ground.after,
            steps,
            believed=ground.believed,
            mends=mends,
        )
        mark("planned")
        if request.dry_run:
            refused = (*self._hindrances(request), *await self._stages.objections(work))
            return Outcome(running.revision, parts.clock.now_ns(), True, steps, changed, refused)
        await self._stages.refuse(work)
        outcome = await self._carry_out(work)
        self._repairs.mend(ground.differing, request.most_effect)
        return outcome

    def _hindrances(self, request: Request) -> tuple[Violation, ...]:
        """What is in the way of a plan now, whatever it does: somebody's lock, a commit that waits."""
        found: list[Violation] = []
        for check in (self._parts.gate, self._confirmations.check):
            try:
                check(replace(request, dry_run=False))
            except RequestError as error:
                found += error.violations
        return tuple(found)

    async def _carry_out(self, work: Work) -> Outcome:
        stages, mark, back = self._stages, self._parts.mark, self._standing.running.forest

        await stages.announce(work)
        mark("journalled")
        read_back = await stages.make(work)
        mark("executed")
        await stages.commit(work)
        mark("committed")
        self._confirmations.close()
        if work.opens is not None:
            now = held(work.before, work.reversible)
            opens, author = work.opens, work.request.author
            number = self._standing.running.revision
            waiting = Waiting(opens.name, author, opens.session, back, work, now, number)
            self._confirmations.open(waiting, opens.seconds)
            self._repairs.stops.watch(work.reversible, read_back)
        else:
            read_back |= await stages.finish(work)
        await stages.publish(work, read_back)
        self._drifts.later()
        mark("published")
        running = self._standing.running
        return Outcome(running.revision, running.time, True, work.steps, work.changes)

    def _candidate(self, request: Request) -> Forest:
        running = self._standing.running
        if request.transform is not None:
            # What is copied or rolled back is configuration; the text that clients keep with it is not.
            return replace(request.transform(running), annotation=running.forest.annotation)
        candidate = self._parts.model.apply(running.forest, request.edits)
        return candidate if request.annotation is None else replace(candidate, annotation=request.annotation)

    async def _decide(self, request: Request, asked: Confirm, waiting: Waiting) -> Outcome:
        """The end of a commit that waits, or more time for it."""
        parts, running = self._parts, self._standing.running
        request.permit(changes(running.forest, waiting.back))
        await self._standing.elect(request.election)
        match asked.act:
            case Act.CANCEL:
                return await self._take_back(waiting, request)
            case Act.CONFIRM:
                await parts.store.confirm(request.author, parts.clock.now_ns())
                self._confirmations.close()
                await self._stages.complete(waiting.work)
            case _:
                self._confirmations.restart(asked.seconds)
        return Outcome(running.revision, parts.clock.now_ns(), False, ())

    async def _take_back(self, waiting: Waiting, request: Request) -> Outcome:
        """A transaction of its own, from what the host holds now to what was before the commit."""
        now, after = await self._stages.left(waiting.held, waiting.work.believed)
        changed = changes(self._standing.running.forest, waiting.back)
        planner, foreign = self._parts.planner, self._standing.foreign
        steps = await aside(lambda: planner(now, after, foreign).steps, large=len(now) + len(after) > MANY)
        asked = revert.request(request, waiting.number)
        name, author = waiting.name, waiting.author
        work = Work(asked, waiting.back, changed, now, after, steps, name, now, owner=author)
        entry = self._standing.entry
        try:
            await self._stages.refuse(work)
            return await self._carry_out(work)
        except Exception:
            if not self._standing.degraded and self._confirmations.waiting is waiting:
                self._standing.entry = entry
            raise

    async def _expired(self) -> None:
        waiting = self._confirmations.waiting
        if waiting is not None:
            await self._end(waiting, revert.timeout(waiting.number, waiting.author))

    async def _abandoned(self, request: Request) -> None:
        waiting = self._confirmations.waiting
        if waiting is not None and waiting.session and waiting.session == request.session:
            await self._end(waiting, request)

    async def _end(self, waiting: Waiting, request: Request) -> None:
        """Nobody confirms the commit any more: its end does not depend on anything that may fail."""
        try:
            if not self._standing.degraded:
                await self._take_back(waiting, request)
                return
        except Exception as error:
            # Also a fault of our own: whoever confirms a commit does it to be safe from those.
            unforeseen = not isinstance(error, TwinplaneError)
            if self._confirmations.waiting is not waiting:
                log.error(
                    "commit %s is taken back, and then failed: %s", waiting.number, error, exc_info=True
                )
                return
            log.warning(
                "commit %s is taken back step by step: %s", waiting.number, error, exc_info=unforeseen
            )
        changed = changes(self._standing.running.forest, waiting.back)
        try:
            await revert.record(self._parts, self._standing, request, waiting.back, changed)
        except Exception as error:
            unforeseen = not isinstance(error, TwinplaneError)
            log.error("commit %s cannot be taken back yet: %s", waiting.number, error, exc_info=unforeseen)
            self._confirmations.restart(self._parts.repair_pauses[-1])
            return
        self._confirmations.close()
        running = self._standing.running
        await self._parts.publisher.publish(
            changed, (), running.time, running.revision, waiting.name, waiting.author
        )
        await self._repairs.recover()

    def _judge(self, request: Request, candidate: Forest, changed: Sequence[ObjectChange]) -> None:
        before, waiting = self._standing.running.forest, self._confirmations.waiting
        if self._standing.misfit:
            # A tree that other modules wrote and that does not fit has to be made to fit as a whole.
            before, changed = NOTHING, changes(NOTHING, candidate)
        elif waiting is not None:
            # What the commit that waits gave up is not free yet.
            before, changed = waiting.back, changes(waiting.back, candidate)
        revocable = waiting is not None or request.confirm is not None
        self._parts.model.judge(before, candidate, changed, revocable=revocable)

    def _judge_again(self, everything: Sequence[ObjectChange]) -> None:
        try:
            self._parts.model.judge(NOTHING, self._standing.running.forest, everything)
        except RequestError as error:
            self._standing.misfit = True
            self._standing.alarms.set(
                "misfit", "MODEL_MISMATCH", "CRITICAL", f"running does not fit the models: {error}"
            )
        else:
            self._standing.fits()
