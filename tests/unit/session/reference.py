"""What sessions, locks, candidates and confirmed commits are, in the plainest words: plain values, no tasks.

A configuration is a mapping from the names of a few objects to the number of the variant that each is in.
Calls answer with the fault that the product has to answer with, or None, and then have done their work.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from twinplane.errors import Fault

RUNNING, SHARED, PRIVATE = "running", "candidate", "private"

Box = Mapping[str, int]


def with_edits(box: Box, edits: Mapping[str, int | None]) -> Box:
    """The configuration after edits, None being a deletion."""
    return {name: value for name, value in {**box, **edits}.items() if value is not None}


@dataclass
class Draft:
    """A candidate: what it is based on, and the last edit of each object."""

    base: int
    start: Box
    edits: dict[str, int | None] = field(default_factory=dict)

    @property
    def content(self) -> Box:
        """What it has become."""
        return with_edits(self.start, self.edits)

    @property
    def changed(self) -> bool:
        """Whether it differs from what it began with."""
        return self.content != self.start

    def conflicts(self, running: Box) -> frozenset[str]:
        """What both sides changed, and to something else."""
        return frozenset(
            name
            for name, value in self.edits.items()
            if running.get(name) != self.start.get(name) and running.get(name) != value
        )


@dataclass
class Visit:
    """A session. `ends` while it lingers; `commit` names the commit that it alone confirms."""

    user: str
    linger: float
    connected: bool = True
    ends: float | None = None
    draft: Draft | None = None
    commit: str = ""


@dataclass
class Waits:
    """A commit that waits: its name, what was before, until when; the session it is for to decide, if any."""

    name: str
    back: Box
    ends: float
    session: int = 0


@dataclass
class Lock:
    """Who holds a datastore, and until when."""

    session: int
    ends: float | None


@dataclass
class Reference:
    """One box and everybody who works on it. `history` is what was configured after each commit."""

    history: list[Box]
    now: float = 0.0
    sessions: dict[int, Visit] = field(default_factory=dict)
    shared: Draft | None = None
    locks: dict[str, Lock] = field(default_factory=dict)
    waits: Waits | None = None

    @property
    def running(self) -> Box:
        """What is configured."""
        return self.history[-1]

    @property
    def revision(self) -> int:
        """The number of the newest commit."""
        return len(self.history)

    # time and ends

    def restart(self) -> None:
        """The agent ends, in whatever way, and starts again."""
        self.sessions, self.shared, self.locks = {}, None, {}
        self._take_back()

    def pass_time(self, seconds: float) -> None:
        """Whatever falls due happens, the earliest first."""
        until = self.now + seconds
        while (due := min(self._due(), default=until + 1)) <= until:
            self.now = due
            for name in [name for name, lock in self.locks.items() if lock.ends == due]:
                self._free(name)
            for number in [number for number, visit in self.sessions.items() if visit.ends == due]:
                self.end(number)
            if self.waits is not None and self.waits.ends == due:
                self._take_back()
        self.now = until

    def _due(self) -> list[float]:
        ends = [visit.ends for visit in self.sessions.values()]
        ends += [lock.ends for lock in self.locks.values()]
        ends += [self.waits.ends] if self.waits is not None else []
        return [end for end in ends if end is not None]

    def _take_back(self) -> None:
        if self.waits is not None:
            self.history.append(self.waits.back)
            self.waits = None

    def end(self, number: int) -> None:
        """A session ends with all it holds."""
        visit = self.sessions.pop(number)
        if self.waits is not None and visit.commit == self.waits.name:
            self._take_back()
        for name in [name for name, lock in self.locks.items() if lock.session == number]:
            self._free(name)

    def disconnect(self, number: int) -> None:
        """Its stream is gone."""
        visit = self.sessions[number]
        visit.connected = False
        if visit.linger:
            visit.ends = self.now + visit.linger
        else:
            self.end(number)

    def use(self, number: int, user: str) -> Fault | None:
        """A call that carries a session's number."""
        if not number:
            return None
        if number not in self.sessions:
            return Fault.NO_DATA
        visit = self.sessions[number]
        if visit.user != user:
            return Fault.DENIED
        if not visit.connected:
            visit.ends = self.now + visit.linger
        return None

    # locks

    def lock(self, number: int, name: str, seconds: float, *, breaks: bool) -> Fault | None:
        """Take a lock."""
        visit = self.sessions[number]
        if breaks and visit.user != "ann":
            return Fault.DENIED
        held = self.locks.get(name)
        if held is None:
            if name == SHARED and self.shared is not None and self.shared.changed:
                return Fault.LOCKED
            if name == RUNNING and self.waits is not None and self.waits.name != visit.commit:
                return Fault.LOCKED
        elif held.session != number and not breaks:
            return Fault.LOCKED
        elif held.session != number:
            self._free(name)
        self.locks[name] = Lock(number, self.now + seconds if seconds else None)
        return None

    def unlock(self, number: int, name: str) -> Fault | None:
        """Give a lock up."""
        if name not in self.locks:
            return Fault.STATE
        if self.locks[name].session != number:
            return Fault.LOCKED
        self._free(name)
        return None

    def _free(self, name: str) -> None:
        """A lock goes, and unfinished edits that it protected."""
        del self.locks[name]
        if name == SHARED:
            self.shared = None

    def locked(self, name: str, number: int) -> Fault | None:
        """Whether somebody else holds a lock."""
        held = self.locks.get(name)
        return Fault.LOCKED if held is not None and held.session != number else None

    # candidates

    def draft(self, number: int, name: str) -> Draft:
        """A candidate as it is now."""
        held = self.shared if name == SHARED else self.sessions[number].draft
        if held is None or (not held.changed and held.base != self.revision):
            return Draft(self.revision, self.running)
        return held

    def keep(self, number: int, name: str, draft: Draft | None) -> None:
        """What a candidate has become."""
        if name == SHARED:
            self.shared = draft
        else:
            self.sessions[number].draft = draft

    def may_touch(self, number: int, name: str) -> Fault | None:
        """Whether a call may work on a candidate."""
        if name == PRIVATE:
            return None if number else Fault.STATE
        return self.locked(SHARED, number)

    def edit(self, number: int, name: str, edits: Mapping[str, int | None]) -> Fault | None:
        """Change a candidate."""
        if (fault := self.may_touch(number, name)) is None:
            draft = self.draft(number, name)
            draft.edits = {**draft.edits, **edits}
            self.keep(number, name, draft)
        return fault

    def copy(self, number: int, name: str, content: Box) -> Fault | None:
        """Make a candidate equal to something else."""
        if (fault := self.may_touch(number, name)) is None:
            draft = Draft(self.revision, self.running)
            names = {*content, *self.running}
            draft.edits = {
                one: content.get(one) for one in names if content.get(one) != self.running.get(one)
            }
            self.keep(number, name, draft)
        return fault

    def rebase(self, number: int, name: str) -> Fault | None:
        """Carry a candidate over to what is configured now; nothing happens where there is a conflict."""
        if (fault := self.may_touch(number, name)) is None:
            draft = self.draft(number, name)
            if not draft.conflicts(self.running):
                self.keep(number, name, Draft(self.revision, self.running, draft.edits))
        return fault

    # commits

    def change(self, number: int, content: Box, confirm: tuple[str, float] | None) -> Fault | None:
        """Make something the configuration, or refuse because of a lock or of a commit that waits."""
        if (fault := self.busy(number)) is not None:
            return fault
        if content == self.running and confirm is None:
            return None
        if confirm is not None:
            self.waits = Waits(confirm[0], self.running, self.now + confirm[1])
        self.history.append(content)
        return None

    def busy(self, number: int) -> Fault | None:
        """Why nothing can be committed now."""
        return self.locked(RUNNING, number) or (None if self.waits is None else Fault.STATE)

    def commit(
        self, number: int, name: str, confirm: tuple[str, float] | None, expected: int
    ) -> Fault | None:
        """Make a candidate the configuration, or prolong the commit that waits."""
        if (fault := self.may_touch(number, name)) is not None:
            return fault
        draft = self.draft(number, name)
        if confirm and self.waits is not None and self.waits.name == confirm[0] and not draft.changed:
            if (fault := self.locked(RUNNING, number)) is None:
                self.waits.ends = self.now + confirm[1]
            return fault
        if (fault := self.busy(number)) is not None:
            return fault
        if (expected and expected != self.revision) or draft.conflicts(self.running):
            return Fault.CONFLICT
        fault = self.change(number, with_edits(self.running, draft.edits), confirm)
        self.keep(number, name, None)
        return fault

    def decide(self, number: int, name: str, *, confirmed: bool) -> Fault | None:
        """Confirm or cancel the commit that waits."""
        if (fault := self.locked(RUNNING, number)) is not None:
            return fault
        if self.waits is None:
            return Fault.STATE
        if self.waits.name != name:
            return Fault.VALUE
        if self.waits.session not in (0, number):
            return Fault.DENIED
        if confirmed:
            self.waits = None
        else:
            self._take_back()
        return None
