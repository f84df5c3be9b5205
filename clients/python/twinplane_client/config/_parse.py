"""Response messages to results. Pure."""

from collections.abc import Iterable, Iterator
from typing import Any, cast, get_args

from twinplane_client._parse import join
from twinplane_client.config._result import (
    Capacity,
    Change,
    ChangeKind,
    CommitRecord,
    Commits,
    Committed,
    Confirmation,
    Effect,
    Ended,
    Event,
    EventItem,
    Gap,
    Lock,
    LockLost,
    ObjectEffect,
    Plan,
    Repaired,
    Replayed,
    Schema,
    Schemas,
    SessionEvent,
    SessionInfo,
    Step,
    Text,
    TextEncoding,
)
from twinplane_client.errors import error_entry
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import Path
from twinplane_wire.v1 import config_pb2 as pb
from twinplane_wire.value import Value, parse_json

_HERE = gnmi_pb2.Path()
_ENCODINGS: dict[int, TextEncoding] = {pb.JSON_IETF: "json", pb.XML: "xml"}
# In the order of the numbers on the wire.
_EFFECTS: tuple[Effect, ...] = get_args(Effect)
_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
_CONFIRMATIONS: tuple[Confirmation, ...] = get_args(Confirmation)


def path(message: gnmi_pb2.Path) -> Path:
    """A path from its message."""
    return join(_HERE, message)


def texts(pieces: Iterable[pb.DatastoreText]) -> Iterator[Text]:
    """Nodes from the pieces they come in."""
    head: pb.DatastoreText | None = None
    parts: list[bytes] = []
    for piece in pieces:
        if head is not None and piece.index == head.index:
            parts.append(piece.text)
            continue
        if head is not None:
            yield _text(head, parts)
        head, parts = piece, [piece.text]
    if head is not None:
        yield _text(head, parts)


def _text(head: pb.DatastoreText, parts: Iterable[bytes]) -> Text:
    return Text(path(head.path), b"".join(parts), _ENCODINGS[head.encoding], head.revision)


def lock(message: pb.LockInfo) -> Lock:
    """A lock."""
    name = pb.Datastore.Name(message.datastore).lower()
    return Lock(name, message.session_id, message.user, message.reason, message.since, message.expires)


def session(message: pb.Session) -> SessionInfo:
    """A session in a list."""
    return SessionInfo(
        number=message.session_id,
        user=message.user,
        peer=message.peer,
        since=message.since,
        connected=message.connected,
        expires=message.expires,
        locks=tuple(map(lock, message.lock)),
        private_candidate=message.private_candidate,
        base_revision=message.base_revision,
    )


def session_event(message: pb.SessionEvent) -> SessionEvent:
    """What a session is told after it was opened."""
    if message.HasField("ended"):
        return Ended(message.ended.reason)
    lost = message.lock_lost
    return LockLost(pb.Datastore.Name(lost.datastore).lower(), lost.reason)


def changes(messages: Iterable[pb.Change]) -> tuple[Change, ...]:
    """Leaves that differ."""
    return tuple(
        Change(path(one.path), _KINDS[one.kind], _value(one.before), _value(one.after)) for one in messages
    )


def _value(text: bytes) -> Value:
    return parse_json(text) if text else None


def plan(message: pb.PlanResponse) -> Plan:
    """A plan."""
    return Plan(
        revision=message.revision,
        steps=_steps(message.step),
        effects=tuple(ObjectEffect(path(one.path), _EFFECTS[one.effect]) for one in message.effect),
        changes=changes(message.change),
        capacity=tuple(
            Capacity(one.resource, one.total, one.reserved, one.committed, one.free)
            for one in message.capacity
        ),
        refused=tuple(map(error_entry, message.refused)),
    )


def _steps(messages: Iterable[pb.Step]) -> tuple[Step, ...]:
    return tuple(
        Step(one.phase, one.action, one.object, path(one.owner), _EFFECTS[one.effect], one.text)
        for one in messages
    )


def repaired(message: pb.ReconcileResponse) -> Repaired:
    """What became of a repair."""
    return Repaired(
        revision=message.revision,
        steps=_steps(message.step),
        effects=tuple(ObjectEffect(path(one.path), _EFFECTS[one.effect]) for one in message.effect),
        failed=tuple(map(error_entry, message.failed)),
        waiting=tuple(map(error_entry, message.waiting)),
    )


def committed(message: pb.CommitResponse) -> Committed:
    """What became of a commit."""
    return Committed(
        message.revision, message.time, message.changed, changes(message.change), message.persist_id
    )


def record(message: pb.CommitRecord) -> CommitRecord:
    """One commit of the history."""
    return CommitRecord(
        message.number,
        message.time,
        message.author,
        message.source,
        message.peer,
        message.comment,
        _CONFIRMATIONS[message.confirmation],
    )


def commits(message: pb.ListCommitsResponse) -> Commits:
    """A part of the history."""
    return Commits(tuple(map(record, message.commit)), message.oldest, message.persist_id)


def schemas(message: pb.ListSchemasResponse) -> Schemas:
    """The modules."""
    found = (
        Schema(one.name, one.revision, one.namespace, one.organization, one.version, one.implemented)
        for one in message.schema
    )
    return Schemas(tuple(found), message.content_id)


def event(message: pb.Notification) -> EventItem:
    """One message of the stream of events."""
    if message.replay_complete:
        return Replayed.REPLAYED
    if message.HasField("gap"):
        return Gap(getattr(message.gap, "from"), message.gap.to)
    body = cast(dict[str, Any], parse_json(message.data))
    return Event(message.sequence, message.time, message.kind, path(message.path), body)
