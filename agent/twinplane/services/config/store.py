"""Which datastore a call means, and what is in it: running, candidates, numbered commits."""

from twinplane.errors import Fault
from twinplane.services.config.target import Target
from twinplane.services.config.wire import datastore_of, refused
from twinplane.session.candidate import Candidate
from twinplane.session.lock import Datastore
from twinplane.session.registry import Session
from twinplane.tree.forest import Forest

CANDIDATES = (Datastore.CANDIDATE, Datastore.PRIVATE)


class Stores:
    """Candidates as sessions see them."""

    def __init__(self, target: Target) -> None:
        self._target = target

    def candidate(self, session: Session | None, number: int) -> "Held":
        """The candidate a call means: unspecified, the session's own or else the shared one.

        Raises:
            RequestError: NOT_SERVED; STATE, a private candidate without a session.
        """
        if number == 0:
            datastore = Datastore.CANDIDATE if session is None else Datastore.PRIVATE
        else:
            datastore = datastore_of(number, *CANDIDATES)
        if datastore is Datastore.PRIVATE and session is None:
            raise refused(Fault.STATE, "a private candidate belongs to a session", "open a session")
        return Held(self._target, datastore, session)

    def read(self, session: Session | None, number: int) -> Forest:
        """What running or a candidate (unspecified: as `candidate` has it) holds now. Raises RequestError."""
        if number == 0:
            return self.candidate(session, number).now.forest
        if datastore_of(number, Datastore.RUNNING, *CANDIDATES) is Datastore.RUNNING:
            return self._target.transactor.running.forest
        return self.candidate(session, number).now.forest


class Held:
    """One candidate, as one session sees it."""

    def __init__(self, target: Target, datastore: Datastore, session: Session | None) -> None:
        self._target = target
        self.datastore = datastore
        self.session = session

    @property
    def kept(self) -> Candidate | None:
        """The candidate as somebody left it; None: nobody has touched it."""
        private = self.datastore is Datastore.PRIVATE
        return self.session.candidate if private and self.session else self._target.sessions.shared

    @property
    def now(self) -> Candidate:
        """The candidate; one that nobody has touched yet is running as it is."""
        held, running = self.kept, self._target.transactor.running
        if held is None or (held.base != running.revision and not held.is_changed):
            return Candidate.of(running.revision, running.forest)
        return held

    def check(self) -> None:
        """Refuse to change it while another session holds its lock. Raises RequestError (LOCKED)."""
        if self.datastore is Datastore.CANDIDATE:
            number = None if self.session is None else self.session.number
            self._target.sessions.locks.check(self.datastore, number)

    def put(self, candidate: Candidate | None) -> None:
        """Keep what it has become; None: it begins anew with its next use."""
        if self.datastore is Datastore.CANDIDATE:
            self._target.sessions.shared = candidate
        elif self.session is not None:
            self.session.candidate = candidate
