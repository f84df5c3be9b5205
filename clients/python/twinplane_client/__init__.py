"""A client of Twinplane and of any gNMI target: a blocking `Client`, an `AsyncClient` with the same verbs.

Speaks the wire only; must not know the agent. Importing it has no effect but defining names.
"""

from twinplane_client._async import AsyncClient
from twinplane_client._channel import Target
from twinplane_client._parse import Capabilities, Model, Notification, SetResult, Sync, Update
from twinplane_client._sync import Client
from twinplane_client.errors import (
    AbortedError,
    AgentError,
    AlreadyExistsError,
    CallCancelledError,
    DeadlineError,
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

__all__ = [
    "AbortedError",
    "AgentError",
    "AlreadyExistsError",
    "AsyncClient",
    "CallCancelledError",
    "Capabilities",
    "Client",
    "DeadlineError",
    "ExhaustedError",
    "InvalidError",
    "Model",
    "NotFoundError",
    "NotServedError",
    "Notification",
    "PermissionDeniedError",
    "RefusedError",
    "SetResult",
    "Sync",
    "Target",
    "TwinplaneError",
    "UnauthenticatedError",
    "UnavailableError",
    "Update",
    "Violation",
]
