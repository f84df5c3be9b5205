"""Edit, CopyConfig, Validate, Discard and Rebase: work on candidates (RFC 6241 section 8.3, RFC 8072)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import NoReturn

from twinplane.aside import LARGE, aside, check_wanted
from twinplane.errors import MOST_VIOLATIONS, Fault, RequestError, Violation
from twinplane.schema.compile import Schemas
from twinplane.schema.resolve import expand, resolve
from twinplane.schema.table import NodeKind, SchemaTable
from twinplane.schema.write import JsonPayload, edits
from twinplane.services import codec
from twinplane.services.auth import Caller
from twinplane.services.blame import blamed
from twinplane.services.config.error import error
from twinplane.services.config.revision import conflicts, expect
from twinplane.services.config.store import Held, Stores
from twinplane.services.config.target import Target
from twinplane.services.config.text import Encoding, encoding, json, whole
from twinplane.services.config.wire import datastore_of, refused, wire_path
from twinplane.services.permit import Permits
from twinplane.services.view import Views
from twinplane.session.candidate import Candidate
from twinplane.session.lock import Datastore
from twinplane.tree import forest as trees
from twinplane.tree.edit import Edit, Operation, Place, Presence, Where
from twinplane.tree.forest import NOTHING, Forest
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Path
from twinplane_wire.v1 import config_pb2 as pb

_OPERATIONS = {
    pb.Edit.MERGE: (Operation.UPDATE, None),
    pb.Edit.REPLACE: (Operation.REPLACE, None),
    pb.Edit.CREATE: (Operation.REPLACE, Presence.ABSENT),
    pb.Edit.DELETE: (Operation.DELETE, Presence.PRESENT),
    pb.Edit.REMOVE: (Operation.DELETE, None),
    pb.Edit.INSERT: (Operation.REPLACE, Presence.ABSENT),
    pb.Edit.MOVE: (Operation.UPDATE, Presence.PRESENT),
}
MOST_EDITS = 100_000  # that a candidate keeps, for a rebase makes them again
_PLACED = (pb.Edit.INSERT, pb.Edit.MOVE)
_WHERE = {
    pb.Edit.LAST: Where.LAST,
    pb.Edit.FIRST: Where.FIRST,
    pb.Edit.BEFORE: Where.BEFORE,
    pb.Edit.AFTER: Where.AFTER,
}


class EditMethods:
    """Candidates as calls change them."""

    def __init__(self, target: Target, views: Views) -> None:
        self._target = target
        self._views = views
        self._stores = Stores(target)
        self._permits = Permits(target.schemas)

    async def edit(self, caller: Caller, request: pb.EditRequest) -> bytes:
        """Apply all edits of a request, or none. Raises RequestError."""
        if request.test_option not in pb.EditRequest.TestOption.values():
            raise refused(Fault.VALUE, f"test_option {request.test_option} is none of EditRequest")
        held = self._held(caller, request.session_id, request.target)
        held.check()
        large, form = request.ByteSize() > LARGE, encoding(request.encoding)
        wanted = await aside(lambda: _edits(self._target.schemas, request.edit, form), large=large)
        self._permits.of(caller).check_seen(wanted)
        while True:
            before, kept = held.now, held.kept
            candidate = await aside(lambda: before.edited(wanted, self._target.model.apply), large=large)  # noqa: B023
            if not large or held.kept is kept:  # else somebody edited meanwhile: both edits count
                break
        if len(candidate.edits) > MOST_EDITS:
            text = f"the candidate has more than {MOST_EDITS} edits"
            raise refused(Fault.TOO_LARGE, text, "commit or discard it, or send larger ones")
        held.check()
        self._permit(caller, held, candidate.forest)
        if request.expected_revision not in (0, self._target.transactor.running.revision):
            await self._refuse(request.expected_revision, before.forest, candidate.forest)
        if request.test_option != pb.EditRequest.SET:
            try:
                await self._judge(candidate.forest, large=large)
            except RequestError as found:
                raise RequestError(*(blamed(one, wanted) for one in found.violations)) from found
        if request.test_option != pb.EditRequest.TEST_ONLY:
            if large and held.kept is not kept:
                raise refused(Fault.CONFLICT, "the candidate was changed meanwhile", "send the edits again")
            held.put(candidate)
        return pb.EditResponse(base_revision=candidate.base).SerializeToString()

    async def copy(self, caller: Caller, request: pb.CopyConfigRequest) -> bytes:
        """Replace a candidate as a whole. Raises RequestError."""
        session = self._target.session(request.session_id, caller.name)
        held = self._stores.candidate(session, request.target)
        held.check()
        if sum((bool(request.source), bool(request.commit), bool(request.text))) != 1:
            raise refused(Fault.SYNTAX, "a copy is of exactly one of source, commit and text")
        if request.source:
            if datastore_of(request.source, *Datastore) is held.datastore:
                raise refused(Fault.VALUE, "source and target are the same")  # RFC 6241 section 7.3
            forest = self._stores.read(session, request.source)
        elif request.commit:
            running = self._target.transactor.running
            forest = await self._target.history.forest(request.commit, running, whole=True)
        else:
            present = self._target.transactor.running.forest
            form = encoding(request.encoding)
            forest = await aside(
                lambda: whole(self._target.schemas, request.text, form, present),
                large=len(request.text) > LARGE,
            )
        held.check()  # the history was read meanwhile
        running = self._target.transactor.running
        made = await aside(
            lambda: self._target.model.difference(running.forest, forest), large=len(request.text) > LARGE
        )
        held.check()
        candidate = Candidate.of(running.revision, running.forest).replaced(forest, made)
        self._permit(caller, held, candidate.forest)
        held.put(candidate)
        return pb.CopyConfigResponse(base_revision=candidate.base).SerializeToString()

    async def validate(self, caller: Caller, request: pb.ValidateRequest) -> bytes:
        """Whether a configuration is valid, and if not, everything that is wrong with it."""
        session = self._target.session(request.session_id, caller.name)
        form, running = encoding(request.encoding), self._target.transactor.running.forest
        held = None if request.text else self._stores.read(session, request.source)
        try:
            if held is running:
                await aside(
                    lambda: self._target.model.judge(NOTHING, running, trees.changes(NOTHING, running))
                )
            else:
                large = len(request.text) > LARGE
                if held is None:
                    held = await aside(
                        lambda: whole(self._target.schemas, request.text, form, running), large=large
                    )
                await self._judge(held, large=large or not request.text)
        except RequestError as found:
            told = self._views.told(caller, found)
            assert isinstance(told, RequestError)
            listed = [error(violation) for violation in told.violations]
            return pb.ValidateResponse(valid=False, error=listed).SerializeToString()
        return pb.ValidateResponse(valid=True).SerializeToString()

    async def discard(self, caller: Caller, request: pb.DiscardRequest) -> bytes:
        """A candidate becomes a copy of running again. Raises RequestError."""
        held = self._held(caller, request.session_id, request.target)
        held.check()
        self._permit_all(caller, held)
        held.put(None)
        return pb.DiscardResponse().SerializeToString()

    async def rebase(self, caller: Caller, request: pb.RebaseRequest) -> bytes:
        """Carry a candidate over to the newest commit. Raises RequestError."""
        held = self._held(caller, request.session_id, request.target)
        held.check()
        self._permit_all(caller, held)
        running = self._target.transactor.running
        candidate, conflicts = held.now.rebased(running.revision, running.forest, self._target.model.apply)
        if not conflicts:
            held.put(candidate)
        if (view := self._views.of(caller)) is not None:
            conflicts = tuple(dict.fromkeys(map(view.nearest, conflicts)))
        listed = [wire_path(path) for path in conflicts]
        return pb.RebaseResponse(base_revision=candidate.base, conflict=listed).SerializeToString()

    def _held(self, caller: Caller, number: int, datastore: int) -> Held:
        return self._stores.candidate(self._target.session(number, caller.name), datastore)

    def _permit(self, caller: Caller, held: Held, after: Forest) -> None:
        """Refuse in the shared candidate what the caller may not write: somebody who may commits it. Raises
        RequestError (DENIED)."""
        if held.datastore is Datastore.CANDIDATE:
            self._permits.of(caller)(trees.changes(held.now.forest, after))

    def _permit_all(self, caller: Caller, held: Held) -> None:
        """Refuse what undoes or moves everything in the shared candidate where it holds something that the
        caller may not write. Raises RequestError (DENIED)."""
        if held.datastore is Datastore.CANDIDATE:
            now = held.now
            self._permits.of(caller)(trees.changes(now.base_forest, now.forest))

    async def _judge(self, forest: Forest, *, large: bool) -> None:
        before = self._target.transactor.running.forest
        await aside(
            lambda: self._target.model.judge(before, forest, trees.changes(before, forest)), large=large
        )

    async def _refuse(self, revision: int, before: Forest, after: Forest) -> NoReturn:
        """Raises RequestError (CONFLICT): running is at another revision."""
        running = self._target.transactor.running
        expect(revision, running, await conflicts(self._target, revision, before, after))
        raise AssertionError("it is")


def _edits(schemas: Schemas, wanted: Sequence[pb.Edit], form: Encoding) -> tuple[Edit, ...]:
    """The edits of the tree; raises every violation at once."""
    found: list[Edit] = []
    violations: list[Violation] = []
    for index, one in enumerate(wanted):
        check_wanted()
        if len(violations) > MOST_VIOLATIONS:
            break
        try:
            found += _edit(schemas, one, form, index)
        except RequestError as refusal:
            violations += [
                violation if violation.operation is not None else replace(violation, operation=index)
                for violation in refusal.violations
            ]
    if violations:
        raise RequestError(*violations)
    return tuple(found)


def _edit(schemas: Schemas, wanted: pb.Edit, form: Encoding, index: int) -> tuple[Edit, ...]:
    if wanted.operation not in _OPERATIONS:
        raise refused(Fault.SYNTAX, f"operation {wanted.operation} is none of Edit")
    operation, needs = _OPERATIONS[wanted.operation]
    path = codec.absolute(gnmi_pb2.Path(), wanted.path)
    table = schemas.table(path.origin)
    payload: JsonPayload | None = None
    if wanted.operation in (pb.Edit.DELETE, pb.Edit.REMOVE, pb.Edit.MOVE) and wanted.value:
        raise RequestError(Violation(path, Fault.SYNTAX, "this operation carries no value"))
    if wanted.operation not in _PLACED and (wanted.insert or wanted.HasField("point")):
        raise RequestError(Violation(path, Fault.SYNTAX, "only insert and move say where to"))
    if operation is not Operation.DELETE:
        target = resolve(table, path, write=True, operation=index)
        empty = b"{}" if wanted.operation == pb.Edit.MOVE else b""
        payload = JsonPayload(empty or json(table, wanted.value, form, index=index)(target))
    made = edits(table, operation, path, payload, index=index)
    if needs is not None and operation is Operation.DELETE:
        made = _of_one(table, path, made, index)
    elif needs is not None:
        made = (*made[:-1], replace(made[-1], needs=needs))
    if wanted.operation in _PLACED:
        made = (*made[:-1], replace(made[-1], place=_place(schemas, wanted, made[-1].path)))
    return made


def _of_one(table: SchemaTable, path: Path, made: tuple[Edit, ...], index: int) -> tuple[Edit, ...]:
    """The edits of a deletion, refused where the node that it names is not there. They may delete less than
    that node: what repeats the key of its entry stays. Raises RequestError."""
    targets = expand(table, path, operation=index)
    if len(targets) > 1:
        several = Violation(path, Fault.SYNTAX, "names several nodes", "remove, which takes wildcards")
        raise RequestError(several)
    if not made:
        text = "holds nothing but the key of its entry, which keeps it for as long as it exists"
        raise RequestError(Violation(targets[0].path, Fault.CONSTRAINT, text, "delete the entry"))
    return (replace(made[0], needs=Presence.PRESENT, whole=targets[0].path), *made[1:])


def _place(schemas: Schemas, wanted: pb.Edit, path: Path) -> Place:
    table = schemas.table(path.origin)
    node = table.at(path)
    if node.kind is not NodeKind.LIST or not node.user_ordered or not path.elems[-1].keys:
        constraint = "is no entry of a list whose order is the user's"
        raise RequestError(Violation(path, Fault.VALUE, constraint))
    where = _WHERE.get(wanted.insert)
    if where is None:
        raise RequestError(Violation(path, Fault.SYNTAX, f"insert {wanted.insert} is none of Edit"))
    if wanted.HasField("point") is (where in (Where.FIRST, Where.LAST)):
        needs = "has no" if wanted.HasField("point") else "needs a"
        raise RequestError(Violation(path, Fault.SYNTAX, f"{where.value} {needs} point"))
    if not wanted.HasField("point"):
        return Place(where)
    point = resolve(table, codec.absolute(gnmi_pb2.Path(), wanted.point), write=True).path
    return Place(where, point)
