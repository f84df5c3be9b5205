"""ListCommits, GetCommit and Compare: who changed what, when and from where."""

from twinplane.errors import Fault
from twinplane.services.auth import Caller, knows
from twinplane.services.config import change
from twinplane.services.config.store import Stores
from twinplane.services.config.target import Target
from twinplane.services.config.wire import refused
from twinplane.services.view import Views
from twinplane.transaction.record import Commit, Confirmation
from twinplane.tree.forest import Forest
from twinplane_wire.v1 import config_pb2 as pb

LISTED = 100
MOST_LISTED = 10_000

_CONFIRMATIONS = {
    Confirmation.NOT_ASKED: pb.CommitRecord.NOT_ASKED,
    Confirmation.WAITING: pb.CommitRecord.WAITING,
    Confirmation.CONFIRMED: pb.CommitRecord.CONFIRMED,
    Confirmation.TAKEN_BACK: pb.CommitRecord.TAKEN_BACK,
}


class HistoryMethods:
    """Numbered commits."""

    def __init__(self, target: Target, views: Views) -> None:
        self._target = target
        self._views = views
        self._stores = Stores(target)

    async def list(self, caller: Caller, request: pb.ListCommitsRequest) -> bytes:
        """Records, newest first."""
        self._target.session(request.session_id, caller.name)
        writer = self._target.transactor
        limit = min(request.limit or LISTED, MOST_LISTED)
        listed = await self._target.history.commits(request.before, limit)
        return pb.ListCommitsResponse(
            commit=map(_record, listed),
            oldest=await self._target.history.oldest(),
            persist_id=writer.waiting if knows(caller, writer.waiting_author) else "",
        ).SerializeToString()

    async def get(self, caller: Caller, request: pb.GetCommitRequest) -> bytes:
        """One record and what it changed. Raises RequestError."""
        self._target.session(request.session_id, caller.name)
        record, objects = await self._target.history.commit(request.number)
        view = self._views.of(caller)
        changes = change.changed(self._target.schemas, objects if view is None else view.objects(objects))
        return pb.GetCommitResponse(commit=_record(record), change=changes).SerializeToString()

    async def compare(self, caller: Caller, request: pb.CompareRequest) -> bytes:
        """What leads from one configuration to another. Raises RequestError."""
        session = self._target.session(request.session_id, caller.name)
        if request.candidate and request.to:
            raise refused(Fault.SYNTAX, "compare with a commit or with a candidate, not with both")
        before = await self._at(getattr(request, "from"))
        if request.candidate:
            after = self._stores.candidate(session, request.candidate).now.forest
        else:
            after = await self._at(request.to)
        if (view := self._views.of(caller)) is not None:
            before, after = view.forest(before), view.forest(after)
        changes = change.difference(self._target.schemas, before, after)
        return pb.CompareResponse(change=changes).SerializeToString()

    async def _at(self, number: int) -> Forest:
        running = self._target.transactor.running
        return await self._target.history.forest(number, running) if number else running.forest


def _record(commit: Commit) -> pb.CommitRecord:
    return pb.CommitRecord(
        number=commit.number,
        time=commit.time,
        author=commit.author,
        source=commit.source,
        peer=commit.peer,
        comment=commit.comment,
        confirmation=_CONFIRMATIONS[commit.confirmation],
    )
