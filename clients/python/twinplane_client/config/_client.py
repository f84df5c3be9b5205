"""The blocking client. A thin driver: requests come from `_build`, results from `_parse`."""

import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

import grpc
from google.protobuf.message import Message

from twinplane_client._build import PathLike, wire_path
from twinplane_client._channel import Target, connect, translated
from twinplane_client.config import _build, _parse
from twinplane_client.config._build import (
    Confirmed,
    Content,
    Edit,
    SchemaFormat,
    TestOption,
    WithDefaults,
    constant,
)
from twinplane_client.config._result import (
    Change,
    CommitRecord,
    Commits,
    Committed,
    Datastore,
    Effect,
    EventItem,
    Lock,
    Opened,
    Plan,
    Rebased,
    Repaired,
    Schemas,
    SessionEvent,
    SessionInfo,
    Text,
    TextEncoding,
)
from twinplane_client.errors import DeadlineError, ErrorEntry, NotFoundError, RefusedError, error_entry
from twinplane_wire.v1 import config_pb2 as pb

SERVICE = "/twinplane.config.v1.Config/"


class ConfigClient:
    """The configuration service of one target. Use it as a context manager.

    It has at most one session, which every call made while it is open belongs to: `open_session` or
    `resume_session`, then `close_session` to end it with all it holds. Leaving the context only ends the
    session's stream: the session lingers as long as was asked for. Without a session a call works on running
    and on the shared candidate. Every call that the target does not answer well raises a `TwinplaneError` of
    the kind that fits; an argument that is none, or a client that was closed, is a ValueError. Making one
    raises OSError where a file of the target cannot be read.
    """

    def __init__(self, target: Target) -> None:
        self._target = target
        self._channel = connect(target)
        self._session = 0
        self._events: Any = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def session(self) -> int:
        """The number of the open session; 0: none."""
        return self._session

    def close(self) -> None:
        """End the connection and every call on it; the session lingers."""
        if self._events is not None:
            self._events.cancel()
        self._channel.close()

    # Sessions and locks.

    def open_session(self, linger: float = 0.0) -> Opened:
        """Begin a session, which outlives its stream by `linger` seconds (at most 86,400).
        Raises RefusedError while this client has one."""
        return self._open(pb.OpenSessionRequest(linger=_build.duration(linger)))

    def resume_session(self, number: int, secret: str) -> Opened:
        """Go on with a session that lingers. Raises NotFoundError where there is none any more,
        PermissionDeniedError for a wrong secret, RefusedError while its stream is open."""
        return self._open(pb.OpenSessionRequest(session_id=number, secret=secret))

    def close_session(self) -> None:
        """End the session with its locks, its private candidate and its commit that waits; one that has ended
        already is forgotten. Another may be opened then."""
        if self._session:
            with suppress(NotFoundError):
                self.kill_session(self._session)
            self._session = 0

    def session_events(self) -> Iterator[SessionEvent]:
        """What happens to the open session, until it ends.

        Raises:
            RefusedError: no session is open.
        """
        if self._events is None or not self._session:
            raise RefusedError("FAILED_PRECONDITION", "this client has no session")
        try:
            for message in self._events:
                yield _parse.session_event(message)
        except grpc.RpcError as error:
            raise translated(error) from None

    def list_sessions(self) -> tuple[SessionInfo, ...]:
        """All sessions of the box, with the locks they hold."""
        answer = self._call(pb.ListSessionsRequest(), pb.ListSessionsResponse)
        return tuple(map(_parse.session, answer.session))

    def kill_session(self, number: int) -> None:
        """End a session of one's own; administrators: of anybody."""
        self._call(pb.KillSessionRequest(target=number), pb.KillSessionResponse)

    def lock(
        self,
        datastore: Datastore,
        reason: str = "",
        *,
        expires_after: float | None = None,
        break_held: bool = False,
    ) -> Lock:
        """Keep others from changing running or the shared candidate. RefusedError names who holds it."""
        request = pb.LockRequest(
            target=constant(datastore),
            reason=reason,
            expires_after=_build.duration(expires_after),
            break_held=break_held,
        )
        return _parse.lock(self._call(request, pb.LockResponse).lock)

    def unlock(self, datastore: Datastore) -> None:
        """Give the session's own lock up."""
        self._call(pb.UnlockRequest(target=constant(datastore)), pb.UnlockResponse)

    # Reading.

    def get_config(
        self,
        *paths: PathLike,
        source: Datastore = "running",
        commit: int = 0,
        depth: int = 0,
        with_defaults: WithDefaults | None = None,
        encoding: TextEncoding = "json",
    ) -> tuple[Text, ...]:
        """Configuration below paths (none: the whole; wildcards allowed) of a datastore, or (`commit`) as it
        was after a numbered commit. Nodes that are not there are left out. `depth` 0: all levels."""
        request = pb.GetConfigRequest(
            source=None if commit else constant(source),
            commit=commit,
            path=map(wire_path, paths),
            depth=depth,
            with_defaults=constant(with_defaults),
            encoding=_build.encoding(encoding),
        )
        return tuple(_parse.texts(self._stream(request, pb.DatastoreText, self._target.timeout)))

    def get_data(
        self,
        *paths: PathLike,
        source: Datastore = "operational",
        content: Content = "all",
        depth: int = 0,
        with_defaults: WithDefaults | None = None,
        encoding: TextEncoding = "json",
    ) -> tuple[Text, ...]:
        """Configuration, state or both below paths of a datastore, as `get_config`."""
        request = pb.GetDataRequest(
            source=constant(source),
            path=map(wire_path, paths),
            content=constant(content),
            depth=depth,
            with_defaults=constant(with_defaults),
            encoding=_build.encoding(encoding),
        )
        return tuple(_parse.texts(self._stream(request, pb.DatastoreText, self._target.timeout)))

    # Candidates. A datastore of None is the session's private candidate; without a session, the shared one.

    def edit(
        self,
        *edits: Edit,
        target: Datastore | None = None,
        test_option: TestOption = "test-then-set",
        encoding: TextEncoding = "json",
        expected_revision: int = 0,
    ) -> int:
        """All edits or none; the commit that the candidate stands on."""
        request = pb.EditRequest(
            target=constant(target),
            edit=_build.edits(edits),
            test_option=constant(test_option),
            encoding=_build.encoding(encoding),
            expected_revision=expected_revision,
        )
        return int(self._call(request, pb.EditResponse).base_revision)

    def copy_config(
        self,
        *,
        source: Datastore | None = None,
        commit: int = 0,
        text: bytes = b"",
        target: Datastore | None = None,
        encoding: TextEncoding = "json",
    ) -> int:
        """Replace a candidate by exactly one of a datastore, a numbered commit, a text."""
        request = pb.CopyConfigRequest(
            target=constant(target),
            source=constant(source),
            commit=commit,
            text=text,
            encoding=_build.encoding(encoding),
        )
        return int(self._call(request, pb.CopyConfigResponse).base_revision)

    def validate(
        self, source: Datastore | None = None, *, text: bytes = b"", encoding: TextEncoding = "json"
    ) -> tuple[ErrorEntry, ...]:
        """Everything that is wrong with a datastore or a text: nothing, if it is valid."""
        request = pb.ValidateRequest(source=constant(source), text=text, encoding=_build.encoding(encoding))
        return tuple(map(error_entry, self._call(request, pb.ValidateResponse).error))

    def discard(self, target: Datastore | None = None) -> None:
        """A candidate becomes a copy of running again."""
        self._call(pb.DiscardRequest(target=constant(target)), pb.DiscardResponse)

    def rebase(self, target: Datastore | None = None) -> Rebased:
        """Carry a candidate over to the newest commit, unless there are conflicts."""
        answer = self._call(pb.RebaseRequest(target=constant(target)), pb.RebaseResponse)
        return Rebased(answer.base_revision, tuple(map(_parse.path, answer.conflict)))

    # Commits and their history.

    def plan(self, source: Datastore | None = None) -> Plan:
        """What a commit would do now; nothing is done."""
        return _parse.plan(self._call(pb.PlanRequest(source=constant(source)), pb.PlanResponse))

    def commit(
        self,
        source: Datastore | None = None,
        *,
        comment: str = "",
        expected_revision: int = 0,
        max_disruption: Effect | None = None,
        confirmed: Confirmed | None = None,
    ) -> Committed:
        """Make a candidate running: all of it happened, or the error says why nothing did."""
        request = pb.CommitRequest(
            source=constant(source),
            comment=comment,
            expected_revision=expected_revision,
            max_disruption=constant(max_disruption),
            confirmed=_build.confirmed(confirmed),
        )
        return _parse.committed(self._call(request, pb.CommitResponse))

    def confirm(self, persist_id: str = "") -> int:
        """The commit that waits (of this session, or the named one) is for good; the number of the newest."""
        return int(self._call(pb.ConfirmRequest(persist_id=persist_id), pb.ConfirmResponse).revision)

    def cancel(self, persist_id: str = "") -> int:
        """The commit that waits is taken back, by a commit; its number."""
        return int(self._call(pb.CancelRequest(persist_id=persist_id), pb.CancelResponse).revision)

    def rollback(
        self,
        number: int,
        *,
        comment: str = "",
        expected_revision: int = 0,
        max_disruption: Effect | None = None,
        confirmed: Confirmed | None = None,
    ) -> Committed:
        """A commit that makes running what it was after commit `number`."""
        request = pb.RollbackRequest(
            number=number,
            comment=comment,
            expected_revision=expected_revision,
            max_disruption=constant(max_disruption),
            confirmed=_build.confirmed(confirmed),
        )
        return _parse.committed(self._call(request, pb.CommitResponse))

    def reconcile(
        self, *paths: PathLike, dry_run: bool = False, max_disruption: Effect | None = None
    ) -> Repaired:
        """Bring the host to what is configured: the objects at or below these paths, or everything. Running
        guests are disturbed by no more than `max_disruption` (None: live)."""
        request = pb.ReconcileRequest(
            path=map(wire_path, paths), dry_run=dry_run, max_disruption=constant(max_disruption)
        )
        return _parse.repaired(self._call(request, pb.ReconcileResponse))

    def list_commits(self, *, before: int = 0, limit: int = 0) -> Commits:
        """Commits, newest first: older than `before` (0: all), at most `limit` (0: 100)."""
        request = pb.ListCommitsRequest(before=before, limit=limit)
        return _parse.commits(self._call(request, pb.ListCommitsResponse))

    def get_commit(self, number: int) -> tuple[CommitRecord, tuple[Change, ...]]:
        """A commit and what it changed."""
        answer = self._call(pb.GetCommitRequest(number=number), pb.GetCommitResponse)
        return _parse.record(answer.commit), _parse.changes(answer.change)

    def compare(
        self, before: int = 0, after: int = 0, *, candidate: Datastore | None = None
    ) -> tuple[Change, ...]:
        """What leads from one commit (0: running) to another, or to a candidate."""
        request = pb.CompareRequest(**{"from": before}, to=after, candidate=constant(candidate))
        return _parse.changes(self._call(request, pb.CompareResponse).change)

    # Schemas and events.

    def list_schemas(self) -> Schemas:
        """All modules that the box speaks."""
        return _parse.schemas(self._call(pb.ListSchemasRequest(), pb.ListSchemasResponse))

    def get_schema(self, name: str, *, revision: str = "", form: SchemaFormat = "yang") -> str:
        """The text of one module."""
        request = pb.GetSchemaRequest(name=name, revision=revision, format=constant(form))
        return str(self._call(request, pb.GetSchemaResponse).text)

    def notifications(
        self,
        *,
        kinds: Iterable[str] = (),
        below: Iterable[PathLike] = (),
        after_sequence: int | None = None,
        since: int | None = None,
        stop_at_now: bool = False,
    ) -> Iterator[EventItem]:
        """Events as they come; with `after_sequence` or `since` (ns since the epoch) after a replay of those
        that are stored. Ends by itself with `stop_at_now`."""
        request = pb.NotificationsRequest(
            kind=kinds,
            below=map(wire_path, below),
            after_sequence=after_sequence,
            since=since,
            stop_at_now=stop_at_now,
        )
        return map(_parse.event, self._stream(request, pb.Notification, None))

    def _open(self, request: pb.OpenSessionRequest) -> Opened:
        if self._session:
            raise RefusedError("FAILED_PRECONDITION", "this client has a session already")
        call: Any = self._method(self._channel.unary_stream, request, pb.SessionEvent)(
            request, metadata=self._target.metadata()
        )
        # The stream itself has no deadline; its first message has.
        late = threading.Timer(self._target.timeout, call.cancel)
        late.start()
        try:
            opened = next(call).opened
        except grpc.RpcError as error:
            refusal = translated(error)
            if refusal.code == "CANCELLED":
                refusal = DeadlineError("DEADLINE_EXCEEDED", "no session was opened in time")
            raise refusal from None
        finally:
            late.cancel()
        self._events, self._session = call, opened.session_id
        return Opened(opened.session_id, opened.secret or request.secret, opened.resumed)

    def _call(self, request: Any, answer: type[Message]) -> Any:
        request.session_id = request.session_id or self._session
        method = self._method(self._channel.unary_unary, request, answer)
        try:
            return method(request, timeout=self._target.timeout, metadata=self._target.metadata())
        except grpc.RpcError as error:
            raise translated(error) from None

    def _stream(self, request: Any, answer: type[Message], timeout: float | None) -> Iterator[Any]:
        request.session_id = self._session
        method = self._method(self._channel.unary_stream, request, answer)
        call = method(request, timeout=timeout, metadata=self._target.metadata())
        try:
            yield from call
        except grpc.RpcError as error:
            raise translated(error) from None
        finally:
            call.cancel()

    def _method(self, kind: Any, request: Message, answer: type[Message]) -> Any:
        # A request is named after its method.
        name = type(request).DESCRIPTOR.name.removesuffix("Request")
        return kind(
            SERVICE + name,
            request_serializer=type(request).SerializeToString,
            response_deserializer=answer.FromString,
        )
