"""Arguments to request messages. Pure: the only place that knows how the requests look."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, TypeAlias, overload

from google.protobuf.duration_pb2 import Duration

from twinplane_client._build import PathLike, wire_path
from twinplane_client.config._result import TextEncoding
from twinplane_wire.v1 import config_pb2 as pb
from twinplane_wire.value import Value

Operation: TypeAlias = Literal["merge", "replace", "create", "delete", "remove", "insert", "move"]
Where: TypeAlias = Literal["last", "first", "before", "after"]
Content: TypeAlias = Literal["all", "config", "state"]
WithDefaults: TypeAlias = Literal["explicit", "report-all", "trim"]
TestOption: TypeAlias = Literal["test-then-set", "set", "test-only"]
SchemaFormat: TypeAlias = Literal["yang", "yin"]


@dataclass(frozen=True, slots=True)
class Edit:
    """One edit of YANG Patch (RFC 8072). `value` is what `json.dumps` takes, or bytes that are in the
    encoding of the request already; `insert` and `point` say where insert and move put the entry."""

    operation: Operation
    path: PathLike
    value: Value = None
    insert: Where = "last"
    point: PathLike | None = None


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A commit is taken back unless it is confirmed within `timeout` seconds (None: 600). Whoever knows
    `persist_id` may confirm; without one only the session may."""

    timeout: float | None = None
    persist_id: str = ""


@overload
def constant(name: str) -> str: ...
@overload
def constant(name: str | None) -> str | None: ...
def constant(name: str | None) -> str | None:
    """The name of an enumeration's member on the wire; None leaves the choice to the service."""
    return name.upper().replace("-", "_") if name else None


def encoding(name: TextEncoding) -> str:
    """The name of an encoding on the wire."""
    return "XML" if name == "xml" else "JSON_IETF"


def duration(seconds: float | None) -> Duration | None:
    """Seconds as a message."""
    if seconds is None:
        return None
    nanos = round(seconds * 1e9)
    return Duration(seconds=nanos // 10**9, nanos=nanos % 10**9)


def edits(wanted: Iterable[Edit]) -> list[pb.Edit]:
    """The messages of edits.

    Raises:
        PathSyntaxError: a text that is no path.
        ValueError: a value that is no JSON.
    """
    return [_edit(one) for one in wanted]


def _edit(wanted: Edit) -> pb.Edit:
    return pb.Edit(
        operation=constant(wanted.operation),
        path=wire_path(wanted.path),
        value=_text(wanted.value),
        insert=constant(wanted.insert),
        point=None if wanted.point is None else wire_path(wanted.point),
    )


def _text(value: Value) -> bytes:
    if value is None or isinstance(value, bytes):
        return value or b""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, separators=(",", ":")).encode()


def confirmed(wanted: Confirmed | None) -> pb.Confirmed | None:
    """The message that asks for a confirmed commit."""
    if wanted is None:
        return None
    return pb.Confirmed(timeout=duration(wanted.timeout), persist_id=wanted.persist_id)
