"""Plan, Commit, Confirm and Cancel (RFC 6241 sections 8.3.4 and 8.4)."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from twinplane.errors import Fault, RequestError, TwinplaneError, Violation
from twinplane.plan.step import Effect
from twinplane.services.auth import Caller
from twinplane.services.config import change
from twinplane.services.config.error import error
from twinplane.services.config.revision import conflicts, expect
from twinplane.services.config.store import Stores
from twinplane.services.config.target import Model, Target, Writer
from twinplane.services.config.wire import refused, seconds
from twinplane.services.permit import Permits
from twinplane.services.view import Views
from twinplane.session.candidate import Candidate
from twinplane.session.registry import Session
from twinplane.transaction.datastore import Running
from twinplane.transaction.request import LONGEST_ROLLBACK, ROLLBACK_SECONDS, Act, Confirm, Outcome, Request
from twinplane.tree.forest import Forest, changes
from twinplane_wire.v1 import config_pb2 as pb

SOURCE = "config"
MANY = 20  # objects that differ: what is done with them is done beside the event loop
LONGEST_NAME = 256
LONGEST_COMMENT = 4096  # a page of the history has to fit into a message

OWN = "session "  # in front of a session's number: the name of a commit that only this session confirms


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a commit asks for besides its content."""

    comment: str
    expected: int
    most: Effect
    confirm: Confirm | None


class CommitMethods:
    """Candidates made real."""

    def __init__(self, target: Target, views: Views) -> None:
        self._target = target
        self._views = views
        self._stores = Stores(target)
        self._permits = Permits(target.schemas)

    async def plan(self, caller: Caller, request: pb.PlanRequest) -> bytes:
        """What a commit of the candidate would do now; nothing is done. Raises RequestError."""
        session = self._target.session(request.session_id, caller.name)
        candidate = self._stores.candidate(session, request.source).now
        made: list[Forest] = []

        def carry(running: Running) -> Forest:
            made.append(carried(candidate, running, self._target.model))
            return made[0]

        asked = self._request(caller, session, Wanted("", 0, Effect.RECREATE, None))
        large = _many(candidate.base_forest, candidate.forest)
        dry = replace(asked, transform=carry, dry_run=True, large=large)
        outcome = await self._target.transactor.submit(dry)
        view, steps, refused = self._views.of(caller), outcome.steps, outcome.refused
        if view is not None:
            steps = tuple(step for step in steps if view.reaches(step.owner))
            refused = tuple(dict.fromkeys(map(view.told, refused)))
        return pb.PlanResponse(
            revision=outcome.revision,
            step=change.steps(steps),
            effect=change.effects(steps, outcome.changes),
            change=change.changed(self._target.schemas, outcome.changes),
            capacity=change.capacity(self._target.model.capacity(made[0])),
            refused=map(error, refused),
        ).SerializeToString()

    async def commit(self, caller: Caller, request: pb.CommitRequest) -> bytes:
        """Make the candidate running. Raises what the transactor raises."""
        session = self._target.session(request.session_id, caller.name)
        held = self._stores.candidate(session, request.source)
        held.check()
        kept, candidate = held.kept, held.now
        wanted = self.wanted(request, session)
        asked = self._request(caller, session, wanted)
        if wanted.confirm is not None and self._prolongs(candidate, wanted.confirm):
            prolonged = replace(wanted.confirm, act=Act.EXTEND)
            outcome = await self._target.transactor.submit(replace(asked, confirm=prolonged))
            return self.answer(outcome, wanted.confirm)

        known = await conflicts(self._target, wanted.expected, candidate.base_forest, candidate.forest)

        def carry(running: Running) -> Forest:
            expect(wanted.expected, running, known)
            return carried(candidate, running, self._target.model)

        large = _many(candidate.base_forest, candidate.forest)
        outcome = await self._submit(replace(asked, transform=carry, large=large), session)
        if held.kept is kept:  # else somebody went on editing meanwhile
            held.put(None)
        return self.answer(outcome, wanted.confirm)

    async def confirm(self, caller: Caller, request: pb.ConfirmRequest) -> bytes:
        """The commit that waits is for good. Raises RequestError."""
        outcome = await self._decide(caller, request, Act.CONFIRM)
        return pb.ConfirmResponse(revision=outcome.revision).SerializeToString()

    async def cancel(self, caller: Caller, request: pb.CancelRequest) -> bytes:
        """The commit that waits is taken back. Raises RequestError."""
        outcome = await self._decide(caller, request, Act.CANCEL)
        return pb.CancelResponse(revision=outcome.revision).SerializeToString()

    def wanted(self, request: pb.CommitRequest | pb.RollbackRequest, session: Session | None) -> Wanted:
        """What a request asks for. Raises RequestError."""
        if len(request.comment) > LONGEST_COMMENT:
            raise refused(Fault.VALUE, f"a comment has up to {LONGEST_COMMENT} characters")
        most = Effect.RECREATE
        if request.HasField("max_disruption"):
            if request.max_disruption not in pb.Effect.values():
                raise refused(Fault.VALUE, f"max_disruption {request.max_disruption} is none of Effect")
            most = Effect(request.max_disruption)
        confirm = _confirm(request.confirmed, session) if request.HasField("confirmed") else None
        return Wanted(request.comment, request.expected_revision, most, confirm)

    def _request(self, caller: Caller, session: Session | None, wanted: Wanted) -> Request:
        return Request(
            edits=(),
            author=caller.name,
            source=SOURCE,
            peer=caller.peer,
            comment=wanted.comment,
            confirm=wanted.confirm,
            permit=self._permits.of(caller),
            session=0 if session is None else session.number,
            most_effect=wanted.most,
        )

    async def roll_back(self, caller: Caller, request: pb.RollbackRequest) -> bytes:
        """Running becomes what it was after a commit, by a commit. Raises what the transactor raises."""
        session = self._target.session(request.session_id, caller.name)
        wanted = self.wanted(request, session)
        wanted = replace(wanted, comment=wanted.comment or f"roll back to commit {request.number}")
        present = self._target.transactor.running
        forest = await self._target.history.forest(request.number, present, whole=True)
        known = await conflicts(self._target, wanted.expected, present.forest, forest)

        def back(running: Running) -> Forest:
            expect(wanted.expected, running, known)
            return forest

        large = _many(present.forest, forest)
        asked = replace(self._request(caller, session, wanted), transform=back, large=large)
        outcome = await self._submit(asked, session)
        return self.answer(outcome, wanted.confirm)

    async def _submit(self, asked: Request, session: Session | None) -> Outcome:
        """A commit that its session alone confirms is known as such before it begins: the session may end, or
        the call be cut off, while the writer is at it. Raises what the transactor raises."""
        if session is None or asked.confirm is None or not asked.confirm.session:
            return await self._target.transactor.submit(asked)
        before, session.commit = session.commit, asked.confirm.name
        try:
            return await self._target.transactor.submit(asked)
        except TwinplaneError:
            session.commit = before
            raise

    def answer(self, outcome: Outcome, confirm: Confirm | None) -> bytes:
        """What became of a commit."""
        name = "" if confirm is None or not self._target.transactor.waiting else confirm.name
        return pb.CommitResponse(
            revision=outcome.revision,
            time=outcome.timestamp,
            changed=outcome.changed,
            change=change.changed(self._target.schemas, outcome.changes),
            persist_id=name,
        ).SerializeToString()

    async def _decide(
        self, caller: Caller, request: pb.ConfirmRequest | pb.CancelRequest, act: Act
    ) -> Outcome:
        session = self._target.session(request.session_id, caller.name)
        name = request.persist_id
        if not name:
            if session is None or not session.commit:
                raise refused(Fault.STATE, "no commit of this session waits", "give the persist_id")
            name = session.commit
        asked = self._request(caller, session, Wanted("", 0, Effect.RECREATE, Confirm(act, name)))
        outcome = await self._target.transactor.submit(asked)
        if session is not None and session.commit == name:
            session.commit = ""
        return outcome

    def _prolongs(self, candidate: Candidate, confirm: Confirm) -> bool:
        return self._target.transactor.waiting == confirm.name and not candidate.is_changed


def orphaned(writer: Writer) -> Callable[[Session], None]:
    """What the end of a session does to its commit that nobody else can confirm: it is taken back."""

    def ended(session: Session) -> None:
        if session.commit:
            comment = f"session {session.number} ended without confirming"
            cancel = Confirm(Act.CANCEL, session.commit)
            asked = Request((), session.user, SOURCE, session.peer, comment, confirm=cancel)
            writer.abandon(replace(asked, session=session.number))

    return ended


def own(session: Session) -> str:
    """The name of a commit that its session alone confirms."""
    return f"{OWN}{session.number}"


def carried(candidate: Candidate, running: Running, model: Model) -> Forest:
    """The candidate on top of running as it is now. Raises RequestError (CONFLICT) with the paths."""
    rebased, clashing = candidate.rebased(running.revision, running.forest, model.apply)
    if clashing:
        text = f"changed here and since revision {candidate.base}, on which the candidate is based"
        remedy = "discard, or edit anew on top of running"
        raise RequestError(*(Violation(path, Fault.CONFLICT, text, remedy) for path in clashing))
    return rebased.forest


def _many(before: Forest, after: Forest) -> bool:
    return len(changes(before, after)) > MANY


def _confirm(confirmed: pb.Confirmed, session: Session | None) -> Confirm:
    name, number = confirmed.persist_id, 0
    if not name:
        if session is None:
            raise refused(
                Fault.STATE, "without a session a confirmed commit needs a persist_id", "choose one"
            )
        name, number = own(session), session.number
    elif name.startswith(OWN) or len(name) > LONGEST_NAME:
        raise refused(Fault.VALUE, f"a persist_id has up to {LONGEST_NAME} characters, not {OWN!r} in front")
    lasts = seconds(confirmed.timeout) if confirmed.HasField("timeout") else ROLLBACK_SECONDS
    if not 0 < lasts <= LONGEST_ROLLBACK:
        text = f"the timeout is longer than 0 s and at most {LONGEST_ROLLBACK:.0f} s, not {lasts:g} s"
        raise refused(Fault.VALUE, text)
    return Confirm(Act.COMMIT, name, lasts, number)
