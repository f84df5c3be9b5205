"""Set: deletes, replaces and updates as one transaction, or a union of parts (gNMI 3.4)."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import NamedTuple

from twinplane.aside import LARGE, aside, check_wanted
from twinplane.errors import MOST_VIOLATIONS, ApplyError, Fault, RequestError, Violation
from twinplane.schema.annotation import MEMBER, annotation
from twinplane.schema.write import JsonPayload, Payload, edits
from twinplane.services import codec
from twinplane.services.auth import Caller
from twinplane.services.blame import blamed
from twinplane.services.gnmi.extension import SetOptions, of_set
from twinplane.services.gnmi.target import Target
from twinplane.services.gnmi.union import Union
from twinplane.services.permit import Permits
from twinplane.transaction.request import Act, Outcome, Request
from twinplane.tree.diff import ObjectChange
from twinplane.tree.edit import Edit, Operation
from twinplane.tree.node import Container
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT, Path

SOURCE = "gnmi"

_WIRE = gnmi_pb2.UpdateResult
_READ_AS = {
    _WIRE.DELETE: Operation.DELETE,
    _WIRE.REPLACE: Operation.REPLACE,
    _WIRE.UPDATE: Operation.UPDATE,
    _WIRE.UNION_REPLACE: Operation.UPDATE,
}


class _Wanted(NamedTuple):
    """One operation of the request, with its number on the wire."""

    operation: gnmi_pb2.UpdateResult.Operation
    path: gnmi_pb2.Path
    value: gnmi_pb2.TypedValue | None = None


class Set:
    """Turns a request into edits and submits them; knows nothing of how they come true.

    With `require_arbitration` a request without the Master Arbitration extension is denied.
    """

    def __init__(self, target: Target, *, require_arbitration: bool = False) -> None:
        self._target = target
        self._permits = Permits(target.schemas)
        self._require_arbitration = require_arbitration

    async def __call__(self, caller: Caller, request: gnmi_pb2.SetRequest) -> bytes:
        """The encoded SetResponse.

        Raises:
            RequestError: every operation that cannot be read, or what the transactor refuses.
            TwinplaneError: whatever else the transactor raises.
        """
        options = of_set(request.extension)
        wanted = tuple(_in_order(request))
        self._check(request, wanted, options)
        large = request.ByteSize() > LARGE
        edited, kept = await aside(lambda: self._edits(request.prefix, wanted), large=large)
        permit = self._permits.of(caller)
        permit.check_seen(edited)
        if options.election is not None and not permit.writes:
            raise _refused(Fault.DENIED, f"user {caller.name} may write nothing, and so is no master")
        if kept == self._target.transactor.annotation:
            kept = None  # as it is, whatever becomes of it until the writer's turn
        if kept is not None:
            permit((ObjectChange(ROOT, None, Container({MEMBER: kept})),))
        submitted = Request(
            edits=edited,
            author=caller.name,
            source=SOURCE,
            peer=caller.peer,
            confirm=options.confirm,
            election=options.election,
            permit=permit,
            annotation=kept,
            large=large,
        )
        outcome = await self._submit(submitted, union=bool(request.union_replace))

        def answer() -> bytes:
            return gnmi_pb2.SetResponse(
                prefix=request.prefix if request.HasField("prefix") else None,
                response=[gnmi_pb2.UpdateResult(path=one.path, op=one.operation) for one in wanted],
                timestamp=outcome.timestamp,
            ).SerializeToString()

        return await aside(answer, large=large)

    def _check(self, request: gnmi_pb2.SetRequest, wanted: tuple[_Wanted, ...], options: SetOptions) -> None:
        """Refuse what is wrong with the request as a whole."""
        if self._require_arbitration and options.election is None:
            raise _refused(Fault.DENIED, "the extension master_arbitration is required")
        if wanted and options.confirm is not None and options.confirm.act is not Act.COMMIT:
            raise _refused(Fault.SYNTAX, f"{options.confirm.act.value} of a commit carries no operations")
        if request.union_replace and len(wanted) > len(request.union_replace):
            raise _refused(Fault.SYNTAX, "union_replace stands alone: no delete, replace or update with it")

    async def _submit(self, request: Request, *, union: bool) -> Outcome:
        try:
            return await self._target.transactor.submit(request)
        except RequestError as error:
            raise RequestError(*(blamed(one, request.edits) for one in error.violations)) from error
        except ApplyError as error:
            if union:
                error.retry = False  # union_replace 5.2.2: INTERNAL, whatever the reason
            raise

    def _edits(
        self, prefix: gnmi_pb2.Path, wanted: tuple[_Wanted, ...]
    ) -> tuple[tuple[Edit, ...], str | None]:
        """The edits of all operations, and the annotation of the whole (None: as it is); raises every
        violation at once, those of the first operation first."""
        found: list[Edit] = []
        union = Union()
        kept: str | None = None
        violations: list[Violation] = []
        _collect(violations, None, lambda: codec.check_prefix(prefix))
        for index, one in enumerate(wanted):

            def read(one: _Wanted = one, index: int = index) -> None:
                nonlocal kept
                path = codec.absolute(prefix, one.path)
                table = self._target.schemas.table(path.origin)
                carried = codec.payload(one.value, path) if one.value is not None else None
                part = edits(table, _READ_AS[one.operation], path, carried, index=index)
                if not path.origin:
                    kept = _annotation(one, path, carried, kept, index)
                if one.operation == _WIRE.UNION_REPLACE:
                    union.add(table, path.origin, part, index)
                else:
                    found.extend(part)

            check_wanted()
            _collect(violations, index, read)
            if len(violations) > MOST_VIOLATIONS:
                break
        if violations:
            raise RequestError(*violations)
        return (*found, *union.edits()), kept


def _in_order(request: gnmi_pb2.SetRequest) -> Iterator[_Wanted]:
    """The operations in the order of work, whatever their order on the wire (gNMI 3.4.3)."""
    for path in request.delete:
        yield _Wanted(_WIRE.DELETE, path)
    for update in request.replace:
        yield _Wanted(_WIRE.REPLACE, update.path, update.val)
    for update in request.update:
        yield _Wanted(_WIRE.UPDATE, update.path, update.val)
    for update in request.union_replace:
        yield _Wanted(_WIRE.UNION_REPLACE, update.path, update.val)


def _annotation(
    one: _Wanted, path: Path, carried: Payload | None, kept: str | None, index: int
) -> str | None:
    """What becomes of the annotation by one operation on the default origin: it goes with the root."""
    given = None
    if not path.elems and isinstance(carried, JsonPayload):
        given = annotation(carried.data, index)
    if given is not None or one.operation == _WIRE.UPDATE:
        return kept if given is None else given
    if one.operation == _WIRE.UNION_REPLACE:
        return kept or ""
    return kept if path.elems else ""


def _collect(violations: list[Violation], index: int | None, read: Callable[[], None]) -> None:
    try:
        read()
    except RequestError as error:
        violations += [
            violation if violation.operation is not None else replace(violation, operation=index)
            for violation in error.violations
        ]


def _refused(fault: Fault, text: str) -> RequestError:
    return RequestError(Violation(ROOT, fault, text))
