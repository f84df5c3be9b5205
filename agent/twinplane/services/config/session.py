"""OpenSession, ListSessions, KillSession, Lock and Unlock (RFC 6022; RFC 6241 sections 7.5, 7.6 and 7.9)."""

import asyncio
import logging
from collections.abc import AsyncIterator

from twinplane.errors import Fault
from twinplane.identity.role import Role
from twinplane.services.auth import Caller
from twinplane.services.config.target import Target
from twinplane.services.config.wire import datastore_of, only, refused, seconds, wire_datastore
from twinplane.services.rpc import Write
from twinplane.session.lock import Datastore, Lock
from twinplane.session.registry import Ended, Event, LockLost, Session
from twinplane_wire.v1 import config_pb2 as pb

LOCKABLE = (Datastore.RUNNING, Datastore.CANDIDATE)

log = logging.getLogger(__name__)


class SessionMethods:
    """Sessions and locks as calls."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._sessions = target.sessions

    async def open(
        self, caller: Caller, requests: AsyncIterator[pb.OpenSessionRequest], write: Write
    ) -> None:
        """A session for as long as the stream is open, and as it lingers. Raises RequestError."""
        request = await only(requests)
        events: asyncio.Queue[Event] = asyncio.Queue()
        opened = pb.SessionEvent.Opened(session_id=request.session_id, resumed=bool(request.session_id))
        if request.session_id:
            session = self._sessions.resume(
                request.session_id, request.secret, caller.name, caller.peer, events.put_nowait
            )
        else:
            linger = seconds(request.linger)
            session, secret = self._sessions.open(caller.name, caller.peer, linger, events.put_nowait)
            opened = pb.SessionEvent.Opened(session_id=session.number, secret=secret)
        try:
            await write(pb.SessionEvent(opened=opened).SerializeToString())
            while True:
                event = await events.get()
                await write(_event(event).SerializeToString())
                if isinstance(event, Ended):
                    return
        finally:
            self._sessions.disconnected(session)

    async def list(self, caller: Caller, request: pb.ListSessionsRequest) -> bytes:
        """All sessions with the locks they hold."""
        self._target.session(request.session_id, caller.name)
        listed = [self._session(session) for session in self._sessions]
        return pb.ListSessionsResponse(session=listed).SerializeToString()

    async def kill(self, caller: Caller, request: pb.KillSessionRequest) -> bytes:
        """End a session with all it holds. Raises RequestError."""
        self._target.session(request.session_id, caller.name)
        owner = next((one.user for one in self._sessions if one.number == request.target), caller.name)
        if owner != caller.name and caller.role is not Role.ADMIN:
            raise refused(Fault.DENIED, f"session {request.target} belongs to {owner}")
        self._sessions.kill(request.target, caller.name)
        log.warning("audit: %s (%s) killed session %d of %s", caller.name, caller.peer, request.target, owner)
        return pb.KillSessionResponse().SerializeToString()

    async def lock(self, caller: Caller, request: pb.LockRequest) -> bytes:
        """Keep all others from changing a datastore. Raises RequestError."""
        session, datastore = self._named(caller, request.session_id, request.target)
        if request.break_held and caller.role is not Role.ADMIN:
            raise refused(Fault.DENIED, f"only an administrator breaks locks; user {caller.name} is none")
        if caller.is_narrowed:
            text = f"user {caller.name} may change a part only, and a lock keeps others from the whole"
            raise refused(Fault.DENIED, text, "edit a private candidate and commit with expected_revision")
        held = self._sessions.locked.get(datastore)
        if held is None:
            self._check_lockable(datastore, session)
        lock = self._sessions.locks.take(
            datastore,
            session.number,
            caller.name,
            reason=request.reason,
            seconds=seconds(request.expires_after),
            break_held=request.break_held,
        )
        if held is not None and held.session != session.number:
            log.warning(
                "audit: %s (%s) broke the lock on %s of %s, session %d",
                caller.name, caller.peer, datastore.value, held.user, held.session,
            )  # fmt: skip
        return pb.LockResponse(lock=_lock(lock)).SerializeToString()

    async def unlock(self, caller: Caller, request: pb.UnlockRequest) -> bytes:
        """Give a lock up. Raises RequestError."""
        session, datastore = self._named(caller, request.session_id, request.target)
        self._sessions.unlock(datastore, session.number)
        return pb.UnlockResponse().SerializeToString()

    def _named(self, caller: Caller, number: int, datastore: int) -> tuple[Session, Datastore]:
        session = self._target.session(number, caller.name)
        if session is None:
            raise refused(Fault.STATE, "a call without a session cannot lock", "open a session")
        return session, datastore_of(datastore, *LOCKABLE)

    def _check_lockable(self, datastore: Datastore, session: Session) -> None:
        """RFC 6241 section 7.5: not while others have something under way."""
        shared = self._sessions.shared
        if datastore is Datastore.CANDIDATE and shared is not None and shared.is_changed:
            raise refused(Fault.LOCKED, "the shared candidate holds changes", "commit or discard them first")
        waiting = self._target.transactor.waiting
        if datastore is Datastore.RUNNING and waiting and waiting != session.commit:
            raise refused(
                Fault.LOCKED,
                f"commit {self._target.transactor.running.revision} waits for its confirmation",
                "confirm or cancel it first",
            )

    def _session(self, session: Session) -> pb.Session:
        held = [lock for lock in self._sessions.locked.values() if lock.session == session.number]
        candidate = session.candidate
        return pb.Session(
            session_id=session.number,
            user=session.user,
            peer=session.peer,
            since=session.since,
            connected=session.connected,
            expires=session.expires,
            lock=map(_lock, held),
            private_candidate=candidate is not None and candidate.is_changed,
            base_revision=0 if candidate is None else candidate.base,
        )


def _event(event: Event) -> pb.SessionEvent:
    match event:
        case LockLost(datastore, reason):
            lost = pb.SessionEvent.LockLost(datastore=wire_datastore(datastore), reason=reason)
            return pb.SessionEvent(lock_lost=lost)
        case Ended(reason):
            return pb.SessionEvent(ended=pb.SessionEvent.Ended(reason=reason))


def _lock(lock: Lock) -> pb.LockInfo:
    return pb.LockInfo(
        datastore=wire_datastore(lock.datastore),
        session_id=lock.session,
        user=lock.user,
        reason=lock.reason,
        since=lock.since,
        expires=lock.expires,
    )
