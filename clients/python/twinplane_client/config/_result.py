"""What the calls of the configuration service give back. Times are ns since the epoch."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Literal, TypeAlias

from twinplane_client.errors import ErrorEntry
from twinplane_wire.path import Path
from twinplane_wire.value import Value, parse_json

Datastore: TypeAlias = Literal["running", "candidate", "private", "operational"]
TextEncoding: TypeAlias = Literal["json", "xml"]  # RFC 7951, RFC 7950
Effect: TypeAlias = Literal["none", "live", "link-flap", "guest-reboot", "recreate"]
ChangeKind: TypeAlias = Literal["created", "changed", "deleted"]
Confirmation: TypeAlias = Literal["not-asked", "waiting", "confirmed", "taken-back"]


@dataclass(frozen=True, slots=True)
class Text:
    """One node of a datastore, as text; `revision` is that of running when it was read."""

    path: Path
    text: bytes
    encoding: TextEncoding
    revision: int

    @property
    def value(self) -> Value:
        """The JSON of the text.

        Raises:
            ValueFormError: it is XML.
        """
        return parse_json(self.text)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that is open now; `secret` resumes it once its stream has ended, while it lingers."""

    number: int
    secret: str = field(repr=False)
    resumed: bool


@dataclass(frozen=True, slots=True)
class LockLost:
    """A lock is gone otherwise than by the session's own wish."""

    datastore: str
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over, with all it held."""

    reason: str


SessionEvent: TypeAlias = LockLost | Ended


@dataclass(frozen=True, slots=True)
class Lock:
    """Who holds a datastore, and why; `expires` 0: with the session."""

    datastore: str
    session: int
    user: str
    reason: str
    since: int
    expires: int


@dataclass(frozen=True, slots=True)
class SessionInfo:
    """A session as everybody sees it; `expires` is 0 while it is connected, `base_revision` 0 while it has no
    private candidate."""

    number: int
    user: str
    peer: str
    since: int
    connected: bool
    expires: int
    locks: tuple[Lock, ...]
    private_candidate: bool
    base_revision: int


@dataclass(frozen=True, slots=True)
class Rebased:
    """The commit a candidate stands on now; with conflicts it is as it was."""

    base_revision: int
    conflicts: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One leaf; what it was and is (None where it is not there). Or a list whose order is the user's and is
    another now: the keys of its entries."""

    path: Path
    kind: ChangeKind
    before: Value
    after: Value


@dataclass(frozen=True, slots=True)
class Step:
    """One step of a plan; `text` tells it in one line."""

    phase: str
    action: str
    object: str
    owner: Path
    effect: Effect
    text: str


@dataclass(frozen=True, slots=True)
class ObjectEffect:
    """The worst that happens to one object."""

    path: Path
    effect: Effect


@dataclass(frozen=True, slots=True)
class Capacity:
    """What would be left of a resource: cpu in millicores, memory in bytes."""

    resource: str
    total: int
    reserved: int
    committed: int
    free: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a commit would do; `refused` is what the host's present state forbids."""

    revision: int
    steps: tuple[Step, ...]
    effects: tuple[ObjectEffect, ...]
    changes: tuple[Change, ...]
    capacity: tuple[Capacity, ...]
    refused: tuple[ErrorEntry, ...]


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was done, or would be, to bring the host to what is configured; what could not be done, and what
    was not tried."""

    revision: int
    steps: tuple[Step, ...]
    effects: tuple[ObjectEffect, ...]
    failed: tuple[ErrorEntry, ...]
    waiting: tuple[ErrorEntry, ...]


@dataclass(frozen=True, slots=True)
class Committed:
    """A commit that was carried out, or was not needed (`changed` is False). `persist_id` names one that
    waits for its confirmation."""

    revision: int
    time: int
    changed: bool
    changes: tuple[Change, ...]
    persist_id: str


@dataclass(frozen=True, slots=True)
class CommitRecord:
    """Who committed what, when, and from where."""

    number: int
    time: int
    author: str
    source: str
    peer: str
    comment: str
    confirmation: Confirmation


@dataclass(frozen=True, slots=True)
class Commits:
    """Records, newest first; `waiting` is the persist-id of the commit that waits, "" where none does."""

    records: tuple[CommitRecord, ...]
    oldest: int
    waiting: str


@dataclass(frozen=True, slots=True)
class Schema:
    """A module that the box speaks; one that is not implemented is only imported by others."""

    name: str
    revision: str
    namespace: str
    organization: str
    version: str
    implemented: bool


@dataclass(frozen=True, slots=True)
class Schemas:
    """All modules, and an id that changes whenever one of them does."""

    schemas: tuple[Schema, ...]
    content_id: str


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to the object at `path`; `body` is the YANG notification."""

    sequence: int
    time: int
    kind: str
    path: Path
    body: Mapping[str, Value]


@dataclass(frozen=True, slots=True)
class Gap:
    """Events that are gone for ever, first and last included."""

    first: int
    last: int


class Replayed(Enum):
    """The end of what was stored: what follows is new."""

    REPLAYED = "replay-complete"


EventItem: TypeAlias = Event | Gap | Replayed
