"""Violations as RFC 6241 tells errors (section 4.3 and appendix A; app-tags of RFC 7950 section 15)."""

from twinplane.errors import Fault, Violation
from twinplane.services.config.wire import wire_path
from twinplane.services.status import cut
from twinplane_wire.v1 import config_pb2

# Which layer an error belongs to, and its tag.
_TAGS = {
    Fault.SYNTAX: ("rpc", "malformed-message"),
    Fault.UNKNOWN_PATH: ("protocol", "unknown-element"),
    Fault.UNKNOWN_TARGET: ("protocol", "unknown-element"),
    Fault.NO_DATA: ("application", "data-missing"),
    Fault.DATA_EXISTS: ("application", "data-exists"),
    Fault.NOT_SERVED: ("protocol", "operation-not-supported"),
    Fault.READ_ONLY: ("protocol", "bad-element"),
    Fault.VALUE: ("protocol", "invalid-value"),
    Fault.CONSTRAINT: ("application", "operation-failed"),
    Fault.REFERENCE: ("application", "data-missing"),
    Fault.CAPACITY: ("application", "resource-denied"),
    Fault.STATE: ("application", "operation-failed"),
    Fault.EXISTS: ("application", "in-use"),
    Fault.CAPABILITY: ("application", "operation-not-supported"),
    Fault.DENIED: ("protocol", "access-denied"),
    Fault.UNAUTHENTICATED: ("protocol", "access-denied"),
    Fault.TOO_LARGE: ("rpc", "too-big"),
    Fault.LOCKED: ("protocol", "lock-denied"),
    Fault.CONFLICT: ("application", "in-use"),
}
_APP_TAGS = {Fault.REFERENCE: "instance-required"}
_REMEDY_LIMIT = 200
_PATH_LIMIT = 300
_TAG_OF_APP_TAG = {"missing-choice": "data-missing"}  # RFC 7950 section 15.6


def error(violation: Violation) -> config_pb2.Error:
    """The message for one violation; text and path are those that gNMI gives."""
    kind, tag = _TAGS[violation.fault]
    return config_pb2.Error(
        error_type=kind,
        error_tag=_TAG_OF_APP_TAG.get(violation.app_tag, tag),
        error_path=str(violation.path),
        error_app_tag=violation.app_tag or _APP_TAGS.get(violation.fault, ""),
        error_message=violation.constraint,
        remedy=violation.remedy,
        path=wire_path(violation.path),
        operation=0 if violation.operation is None else violation.operation + 1,
    )


def brief(violation: Violation) -> config_pb2.Error:
    """The message for one violation, short enough for trailers whatever the caller sent: long texts are cut,
    and a long path is only there as text."""
    full = error(violation)
    return config_pb2.Error(
        error_type=full.error_type,
        error_tag=full.error_tag,
        error_path=cut(full.error_path),
        error_app_tag=full.error_app_tag,
        error_message=cut(full.error_message),
        remedy=cut(full.remedy, _REMEDY_LIMIT),
        path=full.path if full.path.ByteSize() <= _PATH_LIMIT else None,
        operation=full.operation,
    )
