"""Small parts of messages to and from what the rooms inside speak of."""

from collections.abc import AsyncIterator
from typing import TypeVar

from google.protobuf.duration_pb2 import Duration

from twinplane.errors import Fault, RequestError, Violation
from twinplane.session.lock import Datastore
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import ROOT, Path
from twinplane_wire.v1 import config_pb2

T = TypeVar("T")

_NUMBERS = {
    Datastore.RUNNING: config_pb2.RUNNING,
    Datastore.CANDIDATE: config_pb2.CANDIDATE,
    Datastore.PRIVATE: config_pb2.PRIVATE,
}
_DATASTORES: dict[int, Datastore] = {number: datastore for datastore, number in _NUMBERS.items()}


def wire_path(path: Path) -> gnmi_pb2.Path:
    """A path as a message."""
    return gnmi_pb2.Path(
        origin=path.origin,
        elem=[gnmi_pb2.PathElem(name=elem.name, key=dict(elem.keys)) for elem in path.elems],
    )


def wire_datastore(datastore: Datastore) -> config_pb2.Datastore:
    """A datastore as its number."""
    return _NUMBERS[datastore]


def datastore_of(number: int, *served: Datastore) -> Datastore:
    """The datastore that a request names, which has to be among those that the call serves.

    Raises:
        RequestError: NOT_SERVED.
    """
    found = _DATASTORES.get(number)
    if found is None or found not in served:
        known = config_pb2.Datastore.values()
        name = config_pb2.Datastore.Name(number) if number in known else str(number)
        names = ", ".join(one.name for one in served)
        raise refused(Fault.NOT_SERVED, f"datastore {name} is not served here", f"use one of {names}")
    return found


def seconds(duration: Duration) -> float:
    """A duration in seconds."""
    return duration.seconds + duration.nanos / 1e9


async def only(requests: AsyncIterator[T]) -> T:
    """The one request of a call that answers with a stream.

    Raises:
        RequestError: SYNTAX, there is none.
    """
    async for request in requests:
        return request
    raise refused(Fault.SYNTAX, "the call has no request")


def refused(fault: Fault, text: str, remedy: str = "") -> RequestError:
    """A refusal that concerns no path."""
    return RequestError(Violation(ROOT, fault, text, remedy))
