"""Clients of any gNMI target, `Client` and `AsyncClient` with the same verbs, and of Twinplane's
configuration service, `ConfigClient`.

Speaks the wire only; must not know the agent. Importing it has no effect but defining names. Those of gNMI's
messages can be defined once in a process: other packages that bring gNMI along (pygnmi) need another one.
"""

from twinplane_client._assignment import split_assignment
from twinplane_client._async import AsyncClient
from twinplane_client._build import DataType, EncodingName, Mode, PathLike
from twinplane_client._channel import Target
from twinplane_client._parse import Capabilities, Model, Notification, SetResult, StreamItem, Sync, Update
from twinplane_client._sync import Client
from twinplane_client.config import ConfigClient, Confirmed, Edit
from twinplane_client.errors import (
    AbortedError,
    AgentError,
    AlreadyExistsError,
    CallCancelledError,
    DeadlineError,
    ErrorEntry,
    ExhaustedError,
    InvalidError,
    NotFoundError,
    NotServedError,
    PermissionDeniedError,
    RefusedError,
    TwinplaneError,
    UnauthenticatedError,
    UnavailableError,
    Violation,
)
from twinplane_wire.path import Path, PathSyntaxError
from twinplane_wire.path import parse as parse_path
from twinplane_wire.value import Value

__all__ = [
    "AbortedError",
    "AgentError",
    "AlreadyExistsError",
    "AsyncClient",
    "CallCancelledError",
    "Capabilities",
    "Client",
    "ConfigClient",
    "Confirmed",
    "DataType",
    "DeadlineError",
    "Edit",
    "EncodingName",
    "ErrorEntry",
    "ExhaustedError",
    "InvalidError",
    "Mode",
    "Model",
    "NotFoundError",
    "NotServedError",
    "Notification",
    "Path",
    "PathLike",
    "PathSyntaxError",
    "PermissionDeniedError",
    "RefusedError",
    "SetResult",
    "StreamItem",
    "Sync",
    "Target",
    "TwinplaneError",
    "UnauthenticatedError",
    "UnavailableError",
    "Update",
    "Value",
    "Violation",
    "parse_path",
    "split_assignment",
]
