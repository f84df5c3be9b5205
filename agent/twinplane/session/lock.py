"""Locks on whole datastores (RFC 6241 section 7.5): one holder each, named to whoever is refused."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from twinplane.clock import Clock
from twinplane.errors import Fault, RequestError, Violation
from twinplane_wire.path import ROOT

SECOND = 1_000_000_000
LONGEST_LOCK = 31_536_000.0  # s, a year


class Datastore(Enum):
    """What can be edited or locked. RUNNING is durable; there is no startup datastore."""

    RUNNING = "running"
    CANDIDATE = "candidate"
    PRIVATE = "private"


@dataclass(frozen=True, slots=True)
class Lock:
    """Who holds a datastore and why; times in ns since the epoch, `expires` 0: with the session."""

    datastore: Datastore
    session: int
    user: str
    reason: str
    since: int
    expires: int


class Timer(Protocol):
    """What a scheduled call gives back (asyncio.TimerHandle)."""

    def cancel(self) -> None:
        """Do not make the call."""


Later = Callable[[float, Callable[[], None]], Timer]
"""Make a call in so many seconds (loop.call_later)."""

Lost = Callable[[Lock, str], None]
"""Told when a lock is lost otherwise than by its holder's own wish: the lock and the reason."""


class Locks:
    """At most one lock per datastore. Synchronous, on the event loop."""

    def __init__(self, clock: Clock, later: Later, lost: Lost) -> None:
        self._clock = clock
        self._later = later
        self._lost = lost
        self._held: dict[Datastore, Lock] = {}
        self._timers: dict[Datastore, Timer] = {}

    @property
    def held(self) -> Mapping[Datastore, Lock]:
        """The locks now."""
        return self._held

    def check(self, datastore: Datastore, session: int | None) -> None:
        """Refuse work on a datastore that another session holds.

        Raises:
            RequestError: LOCKED, naming the holder.
        """
        lock = self._held.get(datastore)
        if lock is not None and lock.session != session:
            raise RequestError(_denied(lock))

    def take(
        self,
        datastore: Datastore,
        session: int,
        user: str,
        *,
        reason: str = "",
        seconds: float = 0,
        break_held: bool = False,
    ) -> Lock:
        """Lock a datastore, for `seconds` or (0) as long as the session lives. Taking one's own lock again
        renews reason and time. `break_held` ends another's first.

        Raises:
            RequestError: LOCKED, naming the holder; VALUE, `seconds` out of range.
        """
        if not 0 <= seconds <= LONGEST_LOCK:
            text = f"a lock lasts 0 (with the session) to {LONGEST_LOCK:.0f} s, not {seconds:g}"
            raise RequestError(Violation(ROOT, Fault.VALUE, text))
        held = self._held.get(datastore)
        if held is not None and held.session != session:
            if not break_held:
                raise RequestError(_denied(held))
            self._drop(datastore)
            self._lost(held, f"broken by {user}")
        elif held is not None:
            self._drop(datastore)
        now = self._clock.now_ns()
        expires = now + int(seconds * SECOND) if seconds else 0
        lock = self._held[datastore] = Lock(datastore, session, user, reason, now, expires)
        if seconds:
            self._timers[datastore] = self._later(seconds, lambda: self._expire(lock))
        return lock

    def release(self, datastore: Datastore, session: int) -> None:
        """Give one's own lock up.

        Raises:
            RequestError: LOCKED by somebody else, or STATE where there is none.
        """
        held = self._held.get(datastore)
        if held is None:
            raise RequestError(Violation(ROOT, Fault.STATE, f"{datastore.value} is not locked"))
        if held.session != session:
            raise RequestError(_denied(held))
        self._drop(datastore)

    def release_all(self, session: int) -> tuple[Datastore, ...]:
        """Give up what a session that has ended holds, and say what that was."""
        mine = tuple(lock.datastore for lock in self._held.values() if lock.session == session)
        for datastore in mine:
            self._drop(datastore)
        return mine

    def _expire(self, lock: Lock) -> None:
        if self._held.get(lock.datastore) is lock:
            self._drop(lock.datastore)
            self._lost(lock, "expired")

    def _drop(self, datastore: Datastore) -> None:
        del self._held[datastore]
        timer = self._timers.pop(datastore, None)
        if timer is not None:
            timer.cancel()


def _denied(lock: Lock) -> Violation:
    why = f" ({lock.reason})" if lock.reason else ""
    return Violation(
        ROOT,
        Fault.LOCKED,
        f"{lock.datastore.value} is locked by {lock.user}, session {lock.session}{why}",
        "wait for the holder, or have an administrator break the lock",
    )
