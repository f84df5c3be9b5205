"""What a caller may have to handle.

::

    TwinplaneError              has code, message, violations
    ├── InvalidError            the request is wrong: path, value, reference
    ├── NotFoundError           the path is valid, nothing is there; or a write names no node of the models
    ├── AlreadyExistsError      an object of that name belongs to somebody else
    ├── RefusedError            right, but not now or not here: capacity, state, capability of the host
    ├── AbortedError            tried and undone; another try may work
    ├── NotServedError          the target does not offer it
    ├── UnauthenticatedError    wrong or missing user name and password
    ├── PermissionDeniedError   known, but not allowed
    ├── ExhaustedError          too large or too many
    ├── UnavailableError        no connection, no common trust, or the agent is starting or stopping
    ├── DeadlineError           no answer in time; what was asked may have happened
    ├── CallCancelledError      the call was ended on this side
    └── AgentError              the target failed
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

DETAILS_KEY = "grpc-status-details-bin"
_OPERATION = re.compile(r" \[operation (\d+)\]$")


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong. `fault` is the kind as the agent names it; `operation` the index of the operation
    within a Set, counted over deletes, replaces and updates, where one is to blame."""

    path: str
    constraint: str
    fault: str = ""
    operation: int | None = None

    def __str__(self) -> str:
        return f"{self.path}: {self.constraint}"


class TwinplaneError(Exception):
    """Base of all errors of this package. `violation_count` may exceed what is in `violations`: the target
    sends those that fit."""

    def __init__(
        self, code: str, message: str, violations: tuple[Violation, ...] = (), violation_count: int = 0
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.violations = violations
        self.violation_count = max(violation_count, len(violations))


class InvalidError(TwinplaneError):
    """INVALID_ARGUMENT, OUT_OF_RANGE."""


class NotFoundError(TwinplaneError):
    """NOT_FOUND."""


class AlreadyExistsError(TwinplaneError):
    """ALREADY_EXISTS."""


class RefusedError(TwinplaneError):
    """FAILED_PRECONDITION."""


class AbortedError(TwinplaneError):
    """ABORTED."""


class NotServedError(TwinplaneError):
    """UNIMPLEMENTED."""


class UnauthenticatedError(TwinplaneError):
    """UNAUTHENTICATED."""


class PermissionDeniedError(TwinplaneError):
    """PERMISSION_DENIED."""


class ExhaustedError(TwinplaneError):
    """RESOURCE_EXHAUSTED."""


class UnavailableError(TwinplaneError):
    """UNAVAILABLE."""


class DeadlineError(TwinplaneError):
    """DEADLINE_EXCEEDED."""


class CallCancelledError(TwinplaneError):
    """CANCELLED."""


class AgentError(TwinplaneError):
    """INTERNAL, UNKNOWN, DATA_LOSS."""


_KINDS: dict[grpc.StatusCode, type[TwinplaneError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: InvalidError,
    grpc.StatusCode.OUT_OF_RANGE: InvalidError,
    grpc.StatusCode.NOT_FOUND: NotFoundError,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExistsError,
    grpc.StatusCode.FAILED_PRECONDITION: RefusedError,
    grpc.StatusCode.ABORTED: AbortedError,
    grpc.StatusCode.UNIMPLEMENTED: NotServedError,
    grpc.StatusCode.UNAUTHENTICATED: UnauthenticatedError,
    grpc.StatusCode.PERMISSION_DENIED: PermissionDeniedError,
    grpc.StatusCode.RESOURCE_EXHAUSTED: ExhaustedError,
    grpc.StatusCode.UNAVAILABLE: UnavailableError,
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineError,
    grpc.StatusCode.CANCELLED: CallCancelledError,
}


def from_status(
    code: grpc.StatusCode, message: str, metadata: Iterable[tuple[str, str | bytes]]
) -> TwinplaneError:
    """The error of a call that did not end with OK, with the violations of its google.rpc.Status details."""
    violations: tuple[Violation, ...] = ()
    count = 0
    for key, value in metadata:
        if key == DETAILS_KEY and isinstance(value, bytes):
            violations, count = _violations(value)
    kind = _KINDS.get(code, AgentError)
    return kind(code.name, message, violations, count)


def _violations(details: bytes) -> tuple[tuple[Violation, ...], int]:
    try:
        status = status_pb2.Status.FromString(details)
    except DecodeError:
        return (), 0  # of another target, in a form of its own: the message remains
    found: list[Violation] = []
    count = 0
    for detail in status.details:
        bad, info = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo()
        if detail.Is(bad.DESCRIPTOR) and detail.Unpack(bad):
            found += [_violation(one) for one in bad.field_violations]
        elif detail.Is(info.DESCRIPTOR) and detail.Unpack(info):
            text = info.metadata.get("violations", "0")
            count = int(text) if text.isdecimal() else 0
    return tuple(found), count


def _violation(one: error_details_pb2.BadRequest.FieldViolation) -> Violation:
    match = _OPERATION.search(one.description)
    return Violation(
        path=one.field,
        constraint=one.description[: match.start()] if match else one.description,
        fault=one.reason,
        operation=int(match[1]) if match else None,
    )
