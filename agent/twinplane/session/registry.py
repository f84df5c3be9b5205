"""Sessions (RFC 6022): opened by a stream, resumed with a secret, ended with everything they hold."""

import hashlib
import hmac
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from twinplane.clock import Clock
from twinplane.errors import Fault, RequestError, Violation
from twinplane.session.candidate import Candidate
from twinplane.session.lock import SECOND, Datastore, Later, Lock, Locks, Timer
from twinplane.transaction.request import Request
from twinplane_wire.path import ROOT

LONGEST_LINGER = 86_400.0
MOST_LINGERING = 200  # sessions of one user without a stream; those with one are counted as streams


@dataclass(frozen=True, slots=True)
class LockLost:
    """A lock went otherwise than by its holder's wish."""

    datastore: Datastore
    reason: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The session is over; nothing follows."""

    reason: str


Event = LockLost | Ended
Listener = Callable[[Event], None]


@dataclass(slots=True, eq=False)
class Session:
    """One session. `expires` (ns since the epoch) while it lingers without a stream, else 0; `commit` names
    the commit that waits for its confirmation, where no other session may give it."""

    number: int
    user: str
    peer: str
    since: int
    linger: float
    digest: bytes
    candidate: Candidate | None = None
    expires: int = 0
    commit: str = ""
    listener: Listener | None = None
    timer: Timer | None = field(default=None, repr=False)

    @property
    def connected(self) -> bool:
        """Whether its stream is open."""
        return self.listener is not None


def _unheard(_: Session) -> None:
    """Nobody wants to know."""


class Sessions:
    """All sessions, the locks and the shared candidate. Synchronous, on the event loop. `ended` is told of
    each session that is over, before its locks are free. Numbers begin after `last`: where that grows with
    each start of the agent, nobody who kept a number from before meets somebody else's session."""

    def __init__(
        self, clock: Clock, later: Later, ended: Callable[[Session], None] = _unheard, *, last: int = 0
    ) -> None:
        self._clock = clock
        self._later = later
        self.ended = ended
        self._sessions: dict[int, Session] = {}
        self._last = last
        self.shared: Candidate | None = None
        self.locks = Locks(clock, later, self._lost)

    def __iter__(self) -> Iterator[Session]:
        return iter(tuple(self._sessions.values()))

    def gate(self, request: Request) -> None:
        """Refuse what changes running while another session holds its lock. Raises RequestError (LOCKED)."""
        self.locks.check(Datastore.RUNNING, request.session)

    @property
    def locked(self) -> Mapping[Datastore, Lock]:
        """The locks now."""
        return self.locks.held

    def unlock(self, datastore: Datastore, session: int) -> None:
        """Give a session's lock up, and what it protected. Raises RequestError as `Locks.release`."""
        self.locks.release(datastore, session)
        self._freed(datastore)

    def open(self, user: str, peer: str, linger: float, listener: Listener) -> tuple[Session, str]:
        """A new session and the secret that resumes it; `listener` hears its events while it is connected.

        Raises:
            RequestError: VALUE, linger out of range; TOO_LARGE, too many sessions of the user linger.
        """
        if sum(one.user == user and not one.connected for one in self) >= MOST_LINGERING:
            text = f"{MOST_LINGERING} sessions of user {user} linger without a stream"
            raise _refused(Fault.TOO_LARGE, text, "resume or kill one")
        if not 0 <= linger <= LONGEST_LINGER:
            raise _refused(Fault.VALUE, f"linger is 0 to {LONGEST_LINGER:.0f} s, not {linger:g}")
        self._last += 1
        secret = secrets.token_urlsafe(24)
        session = Session(self._last, user, peer, self._clock.now_ns(), linger, _digest(secret))
        session.listener = listener
        self._sessions[session.number] = session
        return session, secret

    def resume(self, number: int, secret: str, user: str, peer: str, listener: Listener) -> Session:
        """A lingering session, connected again.

        Raises:
            RequestError: NO_DATA where there is none, DENIED for the wrong secret or user, STATE where its
                stream is still open.
        """
        session = self._owned(number, user)
        if not hmac.compare_digest(session.digest, _digest(secret)):
            raise _refused(Fault.DENIED, f"the secret is not that of session {number}")
        if session.connected:
            raise _refused(Fault.STATE, f"session {number} has its stream open", "close that stream first")
        self._stop_timer(session)
        session.peer, session.listener = peer, listener
        return session

    def disconnected(self, session: Session) -> None:
        """Its stream is gone: it lingers, or ends at once."""
        session.listener = None
        if session.number not in self._sessions:
            return
        if session.linger:
            self._start_timer(session)
        else:
            self._end(session, "its stream ended")

    def use(self, number: int, user: str) -> Session:
        """The session of a call that carries its number; its linger time starts anew.

        Raises:
            RequestError: NO_DATA where there is none, DENIED where it is another user's.
        """
        session = self._owned(number, user)
        if not session.connected:
            self._start_timer(session)
        return session

    def kill(self, number: int, by: str) -> None:
        """End a session. Raises RequestError (NO_DATA) where there is none."""
        session = self._sessions.get(number)
        if session is None:
            raise _refused(Fault.NO_DATA, f"there is no session {number}")
        self._end(session, f"killed by {by}")

    def expel(self, user: str) -> None:
        """End all sessions of somebody who is not any more who opened them; nobody inherits them."""
        for session in self:
            if session.user == user:
                self._end(session, f"user {user} was removed or has another role")

    def close(self) -> None:
        """End all: the agent stops."""
        for session in self:
            self._end(session, "the agent stops")

    def _owned(self, number: int, user: str) -> Session:
        session = self._sessions.get(number)
        if session is None:
            raise _refused(Fault.NO_DATA, f"there is no session {number}", "open one")
        if session.user != user:
            raise _refused(Fault.DENIED, f"session {number} belongs to {session.user}")
        return session

    def _start_timer(self, session: Session) -> None:
        self._stop_timer(session)
        session.expires = self._clock.now_ns() + int(session.linger * SECOND)
        session.timer = self._later(session.linger, lambda: self._end(session, "it lingered too long"))

    def _stop_timer(self, session: Session) -> None:
        session.expires = 0
        if session.timer is not None:
            session.timer.cancel()
            session.timer = None

    def _end(self, session: Session, reason: str) -> None:
        if self._sessions.pop(session.number, None) is None:
            return
        self._stop_timer(session)
        self.ended(session)
        for datastore in self.locks.release_all(session.number):
            self._freed(datastore)
        session.candidate = None
        if session.listener is not None:
            session.listener(Ended(reason))

    def _freed(self, datastore: Datastore) -> None:
        """What a lock protected goes with it: nobody inherits half an edit (RFC 6241 section 8.3.5.2)."""
        if datastore is Datastore.CANDIDATE:
            self.shared = None

    def _lost(self, lock: Lock, reason: str) -> None:
        self._freed(lock.datastore)
        session = self._sessions.get(lock.session)
        if session is not None and session.listener is not None:
            session.listener(LockLost(lock.datastore, reason))


def _digest(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()


def _refused(fault: Fault, text: str, remedy: str = "") -> RequestError:
    return RequestError(Violation(ROOT, fault, text, remedy))
