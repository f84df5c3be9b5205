"""Set: deletes, replaces and updates as one transaction (gNMI 3.4)."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from twinplane.errors import Fault, RequestError, Violation
from twinplane.schema.write import edits
from twinplane.services import codec
from twinplane.services.auth import Caller
from twinplane.services.gnmi.extension import check
from twinplane.services.gnmi.target import Target
from twinplane.transaction.request import Request
from twinplane.tree.edit import Edit, Operation
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT

SOURCE = "gnmi"

RESULT = {
    Operation.DELETE: gnmi_pb2.UpdateResult.DELETE,
    Operation.REPLACE: gnmi_pb2.UpdateResult.REPLACE,
    Operation.UPDATE: gnmi_pb2.UpdateResult.UPDATE,
}


class _Wanted(NamedTuple):
    """One operation of the request."""

    operation: Operation
    path: gnmi_pb2.Path
    value: gnmi_pb2.TypedValue | None = None


class Set:
    """Turns a request into edits and submits them; knows nothing of how they come true."""

    def __init__(self, target: Target) -> None:
        self._target = target

    async def __call__(self, caller: Caller, request: gnmi_pb2.SetRequest) -> bytes:
        """The encoded SetResponse.

        Raises:
            RequestError: every operation that cannot be read, or what the transactor refuses.
            TwinplaneError: whatever else the transactor raises.
        """
        check(request.extension, reads=False)
        if request.union_replace:
            raise RequestError(Violation(ROOT, Fault.NOT_SERVED, "union_replace is not offered"))
        wanted = tuple(_in_order(request))
        outcome = await self._target.transactor.submit(
            Request(
                edits=self._edits(request.prefix, wanted),
                author=caller.name,
                source=SOURCE,
                peer=caller.peer,
            )
        )
        return gnmi_pb2.SetResponse(
            prefix=request.prefix if request.HasField("prefix") else None,
            response=[gnmi_pb2.UpdateResult(path=one.path, op=RESULT[one.operation]) for one in wanted],
            timestamp=outcome.timestamp,
        ).SerializeToString()

    def _edits(self, prefix: gnmi_pb2.Path, wanted: tuple[_Wanted, ...]) -> tuple[Edit, ...]:
        """The edits of all operations; raises every violation at once, those of the first operation first."""
        found: list[Edit] = []
        violations: list[Violation] = []
        _collect(violations, None, lambda: codec.check_prefix(prefix))
        for index, one in enumerate(wanted):

            def read(one: _Wanted = one, index: int = index) -> None:
                path = codec.absolute(prefix, one.path)
                table = self._target.schemas.table(path.origin)
                carried = codec.payload(one.value) if one.value is not None else None
                found.extend(edits(table, one.operation, path, carried, index=index))

            _collect(violations, index, read)
        if violations:
            raise RequestError(*violations)
        return tuple(found)


def _in_order(request: gnmi_pb2.SetRequest) -> Iterator[_Wanted]:
    """The operations in the order of work, whatever their order on the wire (gNMI 3.4.3)."""
    for path in request.delete:
        yield _Wanted(Operation.DELETE, path)
    for update in request.replace:
        yield _Wanted(Operation.REPLACE, update.path, update.val)
    for update in request.update:
        yield _Wanted(Operation.UPDATE, update.path, update.val)


def _collect(violations: list[Violation], index: int | None, read: Callable[[], None]) -> None:
    try:
        read()
    except RequestError as error:
        violations += [
            violation
            if violation.operation is not None or index is None
            else Violation(violation.path, violation.fault, violation.constraint, violation.remedy, index)
            for violation in error.violations
        ]
