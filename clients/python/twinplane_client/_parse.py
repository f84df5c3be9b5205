"""Response messages to results. Pure."""

from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Elem, Path
from twinplane_wire.value import Value, python


@dataclass(frozen=True, slots=True)
class Model:
    """A YANG module that the target serves."""

    name: str
    organization: str
    version: str


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What the target speaks."""

    version: str
    models: tuple[Model, ...]
    encodings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Update:
    """A value at an absolute path; `duplicates` counts older values that were dropped on the way."""

    path: Path
    value: Value
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Notification:
    """Deletes (applied first) and updates that were true at `timestamp`, in ns since the epoch."""

    timestamp: int
    updates: tuple[Update, ...] = ()
    deletes: tuple[Path, ...] = ()
    target: str = ""
    atomic: bool = False


class Sync(Enum):
    """The end of the initial values of a subscription."""

    SYNC = "sync"


StreamItem: TypeAlias = Notification | Sync


@dataclass(frozen=True, slots=True)
class SetResult:
    """A Set that was carried out: when, and each operation as (DELETE, REPLACE or UPDATE, path)."""

    timestamp: int
    operations: tuple[tuple[str, Path], ...]


def capabilities(message: gnmi_pb2.CapabilityResponse) -> Capabilities:
    """The answer to Capabilities."""
    return Capabilities(
        version=message.gNMI_version,
        models=tuple(Model(one.name, one.organization, one.version) for one in message.supported_models),
        encodings=tuple(gnmi_pb2.Encoding.Name(one) for one in message.supported_encodings),
    )


def get(message: gnmi_pb2.GetResponse) -> tuple[Notification, ...]:
    """The answer to Get: one notification for each path asked for."""
    return tuple(notification(one) for one in message.notification)


def set_(message: gnmi_pb2.SetResponse) -> SetResult:
    """The answer to Set."""
    operation = gnmi_pb2.UpdateResult.Operation
    return SetResult(
        message.timestamp,
        tuple((operation.Name(one.op), join(message.prefix, one.path)) for one in message.response),
    )


def stream_item(message: gnmi_pb2.SubscribeResponse) -> StreamItem:
    """One message of a subscription."""
    return notification(message.update) if message.HasField("update") else Sync.SYNC


def notification(message: gnmi_pb2.Notification) -> Notification:
    """A notification with absolute paths and Python values."""
    return Notification(
        timestamp=message.timestamp,
        updates=tuple(
            Update(join(message.prefix, one.path), python(one.val), one.duplicates) for one in message.update
        ),
        deletes=tuple(join(message.prefix, one) for one in message.delete),
        target=message.prefix.target,
        atomic=message.atomic,
    )


def join(prefix: gnmi_pb2.Path, path: gnmi_pb2.Path) -> Path:
    """The absolute path of prefix and path (gNMI 2.4.1)."""
    elems = (*prefix.elem, *path.elem)
    return Path(
        tuple(Elem(elem.name, tuple(sorted(elem.key.items()))) for elem in elems),
        prefix.origin or path.origin,
    )
