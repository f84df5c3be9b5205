"""The one writer: how a request becomes configuration, effects and telemetry. Read `_transact` first.

Everything that changes the host or the configuration takes its turn here, one at a time: requests of both
faces, forced stops, repairs. Trees, rules and plans are pure collaborators; effects are drivers'.
"""

import asyncio
from collections.abc import Sequence

from twinplane.errors import (
    ApplyError,
    DegradedError,
    DriverError,
    RequestError,
    UnavailableError,
)
from twinplane.plan.step import Phase, Step
from twinplane.transaction import reconcile
from twinplane.transaction.collaborator import Resources
from twinplane.transaction.datastore import Commit, Running
from twinplane.transaction.execute import ReadBack, facts, leftovers
from twinplane.transaction.foreign import by_attribute, unclaimed
from twinplane.transaction.journal import Entry, intent
from twinplane.transaction.refusal import refuse
from twinplane.transaction.repair import Repairs
from twinplane.transaction.request import Outcome, Request
from twinplane.transaction.standing import Parts, Standing
from twinplane.transaction.turn import Turns
from twinplane.tree.diff import ObjectChange, diff
from twinplane.tree.node import EMPTY_ROOT, Container

# With these phases something is left to do after the commit: then the row stays for a while.
UNFINISHED = frozenset({Phase.ASIDE, Phase.FINAL})


class Transactor:
    """Owns the running tree. `start`, then `serve` as the one task; `submit` from anywhere."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._turns = Turns()
        self._standing = Standing(parts)
        self._repairs = Repairs(parts, self._standing, self._turns)

    @property
    def running(self) -> Running:
        """What is configured now; a snapshot that never changes."""
        return self._standing.running

    @property
    def surveyed(self) -> asyncio.Event:
        """Set when the first facts are in: reads can be served."""
        return self._repairs.surveyed

    @property
    def recovered(self) -> asyncio.Event:
        """Set when the host was brought to what is configured for the first time: writes can be served."""
        return self._repairs.recovered

    async def start(self) -> Running:
        """Open the datastore and publish what it holds; writes wait until `serve` has recovered.

        Raises:
            StartError: the file cannot be used.
        """
        parts, standing = self._parts, self._standing
        stored = await parts.store.open()
        standing.load(stored)
        everything = diff(EMPTY_ROOT, standing.running.root).objects
        if stored.modules not in ("", parts.modules):
            self._judge_again(everything)
        parts.publisher.committed(everything, (), standing.running.time, standing.running.revision)
        self._turns.post(self._repairs.recover)
        return standing.running

    async def serve(self) -> None:
        """Recover, then take requests until closed. One task runs this, for as long as the agent lives."""
        await self._turns.serve()

    async def submit(self, request: Request) -> Outcome:
        """Make the request's edits the configuration and its effects real, or change nothing.

        Cancelling the caller does not cancel a transaction that has begun.

        Raises:
            RequestError: refused; every violation of the earliest stage that found one.
            ApplyError: a step failed; everything was undone, or the box is degraded.
            DegradedError: an earlier undo failed and has not been repaired yet.
            UnavailableError: starting, stopping, or the datastore cannot be written.
        """
        if self._standing.not_ready:
            raise UnavailableError(self._standing.not_ready)
        return await self._turns.take(lambda: self._transact(request))

    async def repair(self) -> None:
        """Bring the host to what is configured, in turn (drift, a host port that appeared).

        Raises:
            DriverError: the host cannot be read.
        """
        await self._turns.take(self._repairs.reconcile)

    async def close(self, grace: float = 3.0) -> None:
        """Refuse requests at once, give the one under way `grace` seconds, then leave its row as it is."""
        self._standing.not_ready = "the agent is shutting down"
        await self._turns.close(grace)
        await self._parts.store.close()

    async def _transact(self, request: Request) -> Outcome:
        parts, standing, mark = self._parts, self._standing, self._parts.mark
        if standing.degraded:
            raise DegradedError(standing.degraded)
        running = standing.running

        mark("begin")
        candidate = parts.model.apply(running.root, request.edits)
        changes = diff(running.root, candidate).objects
        mark("candidate")
        self._judge(candidate, changes)
        mark("judged")
        if not changes:
            return Outcome(running.revision, parts.clock.now_ns(), False, ())

        before, after = parts.model.resources(running.root, candidate, changes)
        steps = parts.planner(before, after, self._standing.foreign).steps
        reversible = [step for step in steps if step.phase < Phase.FINAL]
        final = [step for step in steps if step.phase == Phase.FINAL]
        mark("planned")
        await self._refuse(steps)
        if request.dry_run:
            return Outcome(running.revision, parts.clock.now_ns(), True, steps)

        entry = await self._announce(changes, steps)
        mark("journalled")
        read_back = await self._make(entry, reversible)
        mark("executed")
        await self._commit(request, candidate, changes, entry, steps)
        mark("committed")
        read_back |= await self._finish(steps, final, after)
        self._publish(changes, steps, read_back)
        mark("published")
        return Outcome(self._standing.running.revision, self._standing.running.time, True, steps)

    def _judge(self, candidate: Container, changes: Sequence[ObjectChange]) -> None:
        before = self._standing.running.root
        if self._standing.misfit:
            # A tree that other modules wrote and that does not fit has to be made to fit as a whole.
            before, changes = EMPTY_ROOT, diff(EMPTY_ROOT, candidate).objects
        self._parts.model.judge(before, candidate, changes)

    async def _refuse(self, steps: Sequence[Step]) -> None:
        """Reasons that only the host knows, before anything is written."""
        try:
            await refuse(steps, self._parts.executor)
            for precheck in self._parts.prechecks:
                await precheck(steps)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error

    async def _announce(self, changes: Sequence[ObjectChange], steps: Sequence[Step]) -> Entry | None:
        """The journal row, durable before the first effect; a plan without steps needs none."""
        parts = self._parts
        if not steps:
            return None
        try:
            taken = await reconcile.read_foreign(steps, self._standing.foreign, parts.read_foreign)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error
        entry = intent(
            number=self._standing.running.revision + 1,
            base=self._standing.running.revision,
            changes=changes,
            steps=steps,
            foreign=taken,
            encode=parts.store.encode,
        )
        await parts.store.begin(entry)
        self._standing.entry = entry
        self._standing.foreign |= by_attribute(taken)
        parts.publisher.hold(entry.names, frozenset(step.owner for step in steps))
        return entry

    async def _make(self, entry: Entry | None, steps: Sequence[Step]) -> ReadBack:
        """The effects that can be undone; they are, where one of them fails."""
        try:
            return await self._parts.executor.apply(steps, self._standing.foreign)
        except ApplyError as error:
            await self._after_undo(entry, steps, error.left)
            raise

    async def _commit(
        self,
        request: Request,
        candidate: Container,
        changes: Sequence[ObjectChange],
        entry: Entry | None,
        steps: Sequence[Step],
    ) -> None:
        """The commit point. Before it, running is the old tree on disk and here; after it, the new one."""
        parts = self._parts
        number, time = self._standing.running.revision + 1, parts.clock.now_ns()
        commit = Commit(number, time, request.author, request.source, request.peer, request.comment)
        unfinished = any(step.phase in UNFINISHED for step in steps)
        row = entry.committed() if entry is not None and unfinished else None
        try:
            await parts.store.commit(commit, changes, row, parts.modules)
        except Exception as error:
            begun = [step for step in steps if step.phase < Phase.FINAL]
            left = leftovers(await parts.executor.undo(begun, self._standing.foreign))
            await self._after_undo(entry, begun, left)
            if left:
                raise ApplyError(changes[0].path, "commit", str(error), undone=False, left=left) from error
            raise
        self._standing.running, self._standing.entry = Running(candidate, number, time), row
        if self._standing.misfit:
            self._standing.misfit = False
            self._standing.alarms.clear("misfit")
            self._repairs.later()

    async def _finish(self, steps: Sequence[Step], final: Sequence[Step], after: Resources) -> ReadBack:
        """What cannot be undone. It cannot fail the request either: tried again, alarmed, then repaired."""
        standing, executor = self._standing, self._parts.executor
        read_back, failures = await executor.attempt(final)
        for pause in self._parts.final_pauses:
            if not failures:
                break
            await asyncio.sleep(pause)
            again, failures = await executor.attempt([failure.step for failure in failures])
            read_back |= again
        self._repairs.note(steps, failures)
        self._repairs.stops.watch(steps, read_back)
        if standing.entry is not None and not failures:
            await standing.sweep()
        ports = [step.key for step in steps if step.key.noun in reconcile.HOST_PORT]
        kept = {failure.step.key.name for failure in failures}
        devices = frozenset(key.name for key in ports) - kept
        await standing.drop_row(unclaimed(standing.foreign, after, devices).values())
        return read_back

    def _publish(self, changes: Sequence[ObjectChange], steps: Sequence[Step], read_back: ReadBack) -> None:
        running = self._standing.running
        self._parts.publisher.committed(changes, facts(steps, read_back), running.time, running.revision)
        if steps:
            self._parts.publisher.release()

    async def _after_undo(self, entry: Entry | None, steps: Sequence[Step], left: tuple[str, ...]) -> None:
        """Say what the host is like after an undo; with something left, the row stays and writes wait."""
        if entry is None:
            return
        seen = await self._parts.executor.look(steps)
        self._parts.publisher.observed(facts(steps, seen))
        self._parts.publisher.release()
        if left:
            self._standing.degrade(left)
            self._repairs.later()
        else:
            await self._standing.sweep()
            await self._standing.drop_row(entry.foreign)

    def _judge_again(self, everything: Sequence[ObjectChange]) -> None:
        try:
            self._parts.model.judge(EMPTY_ROOT, self._standing.running.root, everything)
        except RequestError as error:
            self._standing.misfit = True
            self._standing.alarms.set(
                "misfit", "MODEL_MISMATCH", "CRITICAL", f"running does not fit the models: {error}"
            )
