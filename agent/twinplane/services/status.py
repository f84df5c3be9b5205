"""Which status code an error becomes, and what of it a client sees: the one table.

The details are a google.rpc.Status with a BadRequest (field = path, description = constraint and remedy,
reason = the fault), what else the service says of each violation, and, where not all violations fit, an
ErrorInfo with their number. The codes follow the error tables of gNMI 3.3.4, 3.4.7 and 3.5.2.4.
"""

import logging
import uuid
from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias
from urllib.parse import quote

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

from twinplane.errors import (
    MOST_VIOLATIONS,
    ApplyError,
    DegradedError,
    Fault,
    RequestError,
    UnavailableError,
    Violation,
)

CODES = {
    Fault.SYNTAX: grpc.StatusCode.INVALID_ARGUMENT,
    Fault.UNKNOWN_PATH: grpc.StatusCode.INVALID_ARGUMENT,
    Fault.UNKNOWN_TARGET: grpc.StatusCode.NOT_FOUND,
    Fault.NO_DATA: grpc.StatusCode.NOT_FOUND,
    Fault.DATA_EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Fault.NOT_SERVED: grpc.StatusCode.UNIMPLEMENTED,
    Fault.READ_ONLY: grpc.StatusCode.INVALID_ARGUMENT,
    Fault.VALUE: grpc.StatusCode.INVALID_ARGUMENT,
    Fault.CONSTRAINT: grpc.StatusCode.INVALID_ARGUMENT,
    Fault.REFERENCE: grpc.StatusCode.INVALID_ARGUMENT,
    Fault.CAPACITY: grpc.StatusCode.FAILED_PRECONDITION,
    Fault.STATE: grpc.StatusCode.FAILED_PRECONDITION,
    Fault.EXISTS: grpc.StatusCode.ALREADY_EXISTS,
    Fault.CAPABILITY: grpc.StatusCode.FAILED_PRECONDITION,
    Fault.DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Fault.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Fault.TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Fault.LOCKED: grpc.StatusCode.FAILED_PRECONDITION,
    Fault.CONFLICT: grpc.StatusCode.ABORTED,
}

DETAILS_KEY = "grpc-status-details-bin"
DOMAIN = "twinplane"
# Above 8 KiB of trailers a client may see RESOURCE_EXHAUSTED in place of the error.
LIMIT = 6 * 1024
MESSAGE_LIMIT = 900
FIELD_LIMIT = 500

# A message of the service's own for a violation.
Detail: TypeAlias = Callable[[Violation], Message]

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Status:
    """What is sent: the code, a message for people, an encoded google.rpc.Status for programs."""

    code: grpc.StatusCode
    message: str
    details: bytes = b""


def status_of(error: Exception, method: str, detail: Detail | None = None) -> Status:
    """The status of any exception; what is nobody's fault but ours is logged under an incident id."""
    match error:
        case RequestError():
            return _request(error, detail)
        case ApplyError(undone=True, retry=True):
            return _plain(grpc.StatusCode.ABORTED, str(error), error, detail)
        case ApplyError():
            log.error("%s: %s", method, error)
            return _plain(grpc.StatusCode.INTERNAL, str(error), error, detail)
        case DegradedError():
            return _degraded(error, detail)
        case UnavailableError():
            return _plain(grpc.StatusCode.UNAVAILABLE, str(error), error)
        case _:
            incident = uuid.uuid4().hex[:12]
            log.error("incident %s in %s", incident, method, exc_info=error)
            return Status(grpc.StatusCode.INTERNAL, f"internal error, incident {incident} in the agent's log")


def _request(error: RequestError, detail: Detail | None) -> Status:
    violations = error.violations
    code = CODES[violations[0].fault]
    message = cut(str(violations[0]), MESSAGE_LIMIT)
    if error.found > 1:
        least = "at least " if error.found > MOST_VIOLATIONS else ""
        message += f"; and {least}{error.found - 1} more"
    return Status(code, message, _details(code, message, violations, detail, error.found))


def _degraded(error: DegradedError, detail: Detail | None) -> Status:
    code, message = grpc.StatusCode.FAILED_PRECONDITION, cut(str(error), MESSAGE_LIMIT)
    violations = tuple(Violation(path, Fault.STATE, str(error)) for path in error.objects)
    return Status(code, message, _details(code, message, violations, detail) if violations else b"")


def _plain(code: grpc.StatusCode, text: str, error: Exception, detail: Detail | None = None) -> Status:
    message = cut(text, MESSAGE_LIMIT)
    if isinstance(error, ApplyError):
        violation = Violation(error.path, Fault.STATE, f"{error.step}: {error.cause}")
        return Status(code, message, _details(code, message, (violation,), detail))
    return Status(code, message)


def _details(
    code: grpc.StatusCode,
    message: str,
    violations: tuple[Violation, ...],
    detail: Detail | None,
    found: int = 1,
) -> bytes:
    """The encoded details: as many violations, from the first, as fit beside the message, of those found."""
    room = LIMIT - len(quote(message)) - 100
    bad = error_details_pb2.BadRequest()
    more: list[Message] = []
    encoded = b""
    for violation in violations:
        bad.field_violations.append(_field(violation))
        if detail is not None:
            more.append(detail(violation))
        trial = _encode(code, message, bad, more, max(found, len(violations)))
        if encoded and _on_the_wire(trial) > room:
            break
        encoded = trial
    return encoded


def _encode(
    code: grpc.StatusCode,
    message: str,
    bad: error_details_pb2.BadRequest,
    more: Sequence[Message],
    total: int,
) -> bytes:
    status = status_pb2.Status(code=code.value[0], message=message)
    status.details.add().Pack(bad)
    for one in more:
        status.details.add().Pack(one)
    if len(bad.field_violations) < total:
        info = error_details_pb2.ErrorInfo(reason="MORE_VIOLATIONS", domain=DOMAIN)
        info.metadata["violations"] = str(total)
        status.details.add().Pack(info)
    encoded: bytes = status.SerializeToString()
    return encoded


def _field(violation: Violation) -> error_details_pb2.BadRequest.FieldViolation:
    description = violation.constraint + (f" ({violation.remedy})" if violation.remedy else "")
    if violation.operation is not None:
        description += f" [operation {violation.operation}]"
    return error_details_pb2.BadRequest.FieldViolation(
        field=cut(str(violation.path)),
        description=cut(description),
        reason=violation.fault.name,
    )


def _on_the_wire(details: bytes) -> int:
    return len(b64encode(details))  # a -bin trailer travels as base64 (gRPC over HTTP/2, custom metadata)


def cut(text: str, limit: int = FIELD_LIMIT) -> str:
    """The text within `limit` bytes of percent encoding, which a status message travels in."""
    if len(text) <= limit and len(quote(text)) <= limit:
        return text
    text = text[:limit]  # a character is a byte at least, and what a client wrote may be megabytes
    while len(quote(text)) > limit - 9:
        text = text[: max(1, min(len(text) - 1, len(text) * limit // len(quote(text))))]
    return text + "…"
