"""What a caller may have to handle.

::

    TwinplaneError              has code, message, violations; from the configuration service also errors
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
from typing import NamedTuple

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from twinplane_wire.v1 import config_pb2

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


@dataclass(frozen=True, slots=True)
class ErrorEntry:
    """One error as RFC 6241 section 4.3 has it, with what would help. `operation` is the edit of the request
    it concerns, from 1; 0: the result as a whole."""

    type: str
    tag: str
    path: str
    app_tag: str
    message: str
    remedy: str = ""
    operation: int = 0

    def __str__(self) -> str:
        return f"{self.path}: {self.message}" + (f" ({self.remedy})" if self.remedy else "")


class TwinplaneError(Exception):
    """Base of all errors of this package. `violation_count` may exceed what is in `violations` and `errors`:
    the target sends those that fit."""

    def __init__(
        self,
        code: str,
        message: str,
        violations: tuple[Violation, ...] = (),
        violation_count: int = 0,
        errors: tuple[ErrorEntry, ...] = (),
    ) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message
        self.violations = violations
        self.violation_count = max(violation_count, len(violations))
        self.errors = errors


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
    """The error of a call that did not end with OK, with what its google.rpc.Status details say."""
    found = _Details((), 0, ())
    for key, value in metadata:
        if key == DETAILS_KEY and isinstance(value, bytes):
            found = _details(value)
    kind = _KINDS.get(code, AgentError)
    return kind(code.name, message, *found)


def error_entry(message: config_pb2.Error) -> ErrorEntry:
    """An error of the configuration service from its message."""
    return ErrorEntry(
        type=message.error_type,
        tag=message.error_tag,
        path=message.error_path,
        app_tag=message.error_app_tag,
        message=message.error_message,
        remedy=message.remedy,
        operation=message.operation,
    )


class _Details(NamedTuple):
    violations: tuple[Violation, ...]
    total: int
    errors: tuple[ErrorEntry, ...]


def _details(encoded: bytes) -> _Details:
    try:
        status = status_pb2.Status.FromString(encoded)
    except DecodeError:
        return _Details((), 0, ())  # of another target, in a form of its own: the message remains
    violations: list[Violation] = []
    errors: list[ErrorEntry] = []
    count = 0
    for detail in status.details:
        bad, info, entry = error_details_pb2.BadRequest(), error_details_pb2.ErrorInfo(), config_pb2.Error()
        if detail.Is(bad.DESCRIPTOR) and detail.Unpack(bad):
            violations += [_violation(one) for one in bad.field_violations]
        elif detail.Is(info.DESCRIPTOR) and detail.Unpack(info):
            text = info.metadata.get("violations", "0")
            count = int(text) if text.isdecimal() else 0
        elif detail.Is(entry.DESCRIPTOR) and detail.Unpack(entry):
            errors.append(error_entry(entry))
    return _Details(tuple(violations), count, tuple(errors))


def _violation(one: error_details_pb2.BadRequest.FieldViolation) -> Violation:
    match = _OPERATION.search(one.description)
    return Violation(
        path=one.field,
        constraint=one.description[: match.start()] if match else one.description,
        fault=one.reason,
        operation=int(match[1]) if match else None,
    )
