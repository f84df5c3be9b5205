"""How much one request may ask for, counted before any work is done on it.

Each bound is a setting (section [limits]), which the refusal names. Counting costs a look at the bytes.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from google.protobuf.message import Message

from twinplane.errors import Fault, RequestError, Violation
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT
from twinplane_wire.v1 import config_pb2 as pb

_ESCAPED = re.compile(rb"\\.", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one request may have: `operations` of a Set or Edit, `paths` of a read, and `members`, which are
    members of objects, items of arrays and elements of XML, in all its payloads together."""

    operations: int = 10_000
    paths: int = 10_000
    members: int = 100_000


def check(message: Message, bounds: Bounds) -> None:
    """Refuse a request that asks for too much.

    Raises:
        RequestError: TOO_LARGE, with the number and the setting.
    """
    match message:
        case gnmi_pb2.SetRequest():
            updates = (*message.replace, *message.update, *message.union_replace)
            _within(len(message.delete) + len(updates), bounds.operations, "operations")
            _check_members((_json(update.val) for update in updates), bounds)
        case gnmi_pb2.GetRequest():
            _within(len(message.path), bounds.paths, "paths")
        case pb.EditRequest():
            _within(len(message.edit), bounds.operations, "operations")
            _check_members((edit.value for edit in message.edit), bounds, xml=message.encoding == pb.XML)
        case pb.CopyConfigRequest() | pb.ValidateRequest():
            _check_members((message.text,), bounds, xml=message.encoding == pb.XML)
        case pb.GetConfigRequest() | pb.GetDataRequest():
            _within(len(message.path), bounds.paths, "paths")
        case _:
            return


def _json(value: gnmi_pb2.TypedValue) -> bytes:
    # an oneof: what is not set is empty
    return value.json_ietf_val or value.json_val


def _check_members(texts: Iterable[bytes], bounds: Bounds, *, xml: bool = False) -> None:
    most, found = bounds.members, 0
    for text in texts:
        # what separates members is also in texts, which are left out only where that may make the difference
        found += _elements(text) if xml else _members(text, most - found)
        _within(found, most, "members")


def _members(text: bytes, room: int) -> int:
    roughly = _separators(text)
    if roughly <= room:
        return roughly
    return sum(map(_separators, _ESCAPED.sub(b"", text).split(b'"')[::2])) if b'"' in text else roughly


def _separators(text: bytes) -> int:
    return text.count(b",") + text.count(b"{") + text.count(b"[")


def _elements(text: bytes) -> int:
    # tags that end something have no elements of their own; attributes count like elements
    return text.count(b"<") - text.count(b"</") + text.count(b"=")


def _within(found: int, most: int, name: str) -> None:
    if found > most:
        text = f"the request has more than {most} {name}"
        remedy = f"send less at a time, or raise limits.{name} in the agent's settings"
        raise RequestError(Violation(ROOT, Fault.TOO_LARGE, text, remedy))
