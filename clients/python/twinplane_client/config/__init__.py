"""A client of `twinplane.config.v1.Config`: what NETCONF users know, as Python calls.

Speaks the wire only, like the rest of the package; must not know the agent, nor the command line that stands
on it.
"""

from twinplane_client.config._build import Confirmed, Edit
from twinplane_client.config._client import ConfigClient
from twinplane_client.config._result import (
    Capacity,
    Change,
    CommitRecord,
    Commits,
    Committed,
    Ended,
    Event,
    EventItem,
    Gap,
    Lock,
    LockLost,
    ObjectEffect,
    Opened,
    Plan,
    Rebased,
    Replayed,
    Schema,
    Schemas,
    SessionEvent,
    SessionInfo,
    Step,
    Text,
)

__all__ = [
    "Capacity",
    "Change",
    "CommitRecord",
    "Commits",
    "Committed",
    "ConfigClient",
    "Confirmed",
    "Edit",
    "Ended",
    "Event",
    "EventItem",
    "Gap",
    "Lock",
    "LockLost",
    "ObjectEffect",
    "Opened",
    "Plan",
    "Rebased",
    "Replayed",
    "Schema",
    "Schemas",
    "SessionEvent",
    "SessionInfo",
    "Step",
    "Text",
]
