"""Sessions and locks: who may, how long, and what goes with a session that ends."""

from collections.abc import Callable

import pytest

from twinplane.clock import Clock
from twinplane.errors import Fault, RequestError
from twinplane.session.candidate import Candidate
from twinplane.session.lock import Datastore
from twinplane.session.registry import MOST_LINGERING, Ended, Event, LockLost, Sessions
from twinplane.tree.node import Container


class Timers:
    """Calls that are due when the test says so."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, Callable[[], None], Timers.Handle]] = []

    class Handle:
        def __init__(self) -> None:
            self.cancelled = False

        def cancel(self) -> None:
            self.cancelled = True

    def later(self, seconds: float, call: Callable[[], None]) -> "Timers.Handle":
        handle = Timers.Handle()
        self.waiting.append((seconds, call, handle))
        return handle

    def fire(self) -> None:
        due, self.waiting = self.waiting, []
        for _, call, handle in due:
            if not handle.cancelled:
                call()


@pytest.fixture
def timers() -> Timers:
    return Timers()


@pytest.fixture
def sessions(timers: Timers) -> Sessions:
    return Sessions(Clock(), timers.later)


def refused(caught: "pytest.ExceptionInfo[RequestError]") -> Fault:
    return caught.value.violations[0].fault


def test_a_session_ends_with_its_stream(sessions: Sessions) -> None:
    events: list[Event] = []
    session, _ = sessions.open("ann", "peer", 0, events.append)
    sessions.locks.take(Datastore.RUNNING, session.number, "ann")
    sessions.disconnected(session)
    assert list(sessions) == []
    assert sessions.locked == {}
    with pytest.raises(RequestError) as caught:
        sessions.use(session.number, "ann")
    assert refused(caught) is Fault.NO_DATA


def test_a_lingering_session_is_resumed_with_its_secret(sessions: Sessions, timers: Timers) -> None:
    session, secret = sessions.open("ann", "a", 60, lambda _: None)
    session.candidate = Candidate.of(3, Container())
    sessions.disconnected(session)
    assert session.expires
    with pytest.raises(RequestError) as caught:
        sessions.resume(session.number, "wrong", "ann", "b", lambda _: None)
    assert refused(caught) is Fault.DENIED
    with pytest.raises(RequestError) as caught:
        sessions.resume(session.number, secret, "bob", "b", lambda _: None)
    assert refused(caught) is Fault.DENIED
    again = sessions.resume(session.number, secret, "ann", "b", lambda _: None)
    assert again.candidate is session.candidate
    timers.fire()
    assert list(sessions) == [session]


def test_an_open_stream_is_not_taken_over(sessions: Sessions) -> None:
    session, secret = sessions.open("ann", "a", 60, lambda _: None)
    with pytest.raises(RequestError) as caught:
        sessions.resume(session.number, secret, "ann", "b", lambda _: None)
    assert refused(caught) is Fault.STATE


def test_each_call_restarts_the_linger_time(sessions: Sessions, timers: Timers) -> None:
    session, _ = sessions.open("ann", "a", 60, lambda _: None)
    sessions.disconnected(session)
    first = timers.waiting[0][2]
    sessions.use(session.number, "ann")
    assert first.cancelled
    timers.fire()
    assert list(sessions) == []


def test_linger_has_a_bound(sessions: Sessions) -> None:
    for linger in (-1, 86_401):
        with pytest.raises(RequestError) as caught:
            sessions.open("ann", "a", linger, lambda _: None)
        assert refused(caught) is Fault.VALUE


def test_sessions_that_linger_are_counted(sessions: Sessions, timers: Timers) -> None:
    for _ in range(MOST_LINGERING):
        sessions.disconnected(sessions.open("ann", "a", 60, lambda _: None)[0])
    with pytest.raises(RequestError, match="linger without a stream") as caught:
        sessions.open("ann", "a", 0, lambda _: None)
    assert refused(caught) is Fault.TOO_LARGE
    sessions.open("bob", "b", 0, lambda _: None)
    timers.fire()
    sessions.open("ann", "a", 0, lambda _: None)


def test_a_lock_names_its_holder_to_whoever_is_refused(sessions: Sessions) -> None:
    ann, _ = sessions.open("ann", "a", 0, lambda _: None)
    bob, _ = sessions.open("bob", "b", 0, lambda _: None)
    sessions.locks.take(Datastore.RUNNING, ann.number, "ann", reason="upgrade")
    sessions.locks.check(Datastore.RUNNING, ann.number)
    sessions.locks.check(Datastore.CANDIDATE, bob.number)
    for work in (
        lambda: sessions.locks.take(Datastore.RUNNING, bob.number, "bob"),
        lambda: sessions.locks.check(Datastore.RUNNING, None),
        lambda: sessions.locks.release(Datastore.RUNNING, bob.number),
    ):
        with pytest.raises(RequestError, match=r"locked by ann, session 1 \(upgrade\)") as caught:
            work()
        assert refused(caught) is Fault.LOCKED


def test_a_lock_expires_and_its_holder_hears_of_it(sessions: Sessions, timers: Timers) -> None:
    events: list[Event] = []
    session, _ = sessions.open("ann", "a", 0, events.append)
    sessions.locks.take(Datastore.RUNNING, session.number, "ann", seconds=5)
    timers.fire()
    assert sessions.locked == {}
    assert events == [LockLost(Datastore.RUNNING, "expired")]


def test_a_renewed_lock_does_not_expire_at_its_first_time(sessions: Sessions, timers: Timers) -> None:
    session, _ = sessions.open("ann", "a", 0, lambda _: None)
    sessions.locks.take(Datastore.RUNNING, session.number, "ann", seconds=5)
    sessions.locks.take(Datastore.RUNNING, session.number, "ann")
    timers.fire()
    assert Datastore.RUNNING in sessions.locked


def test_a_broken_lock_changes_hands(sessions: Sessions) -> None:
    events: list[Event] = []
    ann, _ = sessions.open("ann", "a", 0, events.append)
    root, _ = sessions.open("root", "b", 0, lambda _: None)
    sessions.locks.take(Datastore.RUNNING, ann.number, "ann")
    sessions.locks.take(Datastore.RUNNING, root.number, "root", break_held=True)
    assert sessions.locked[Datastore.RUNNING].user == "root"
    assert events == [LockLost(Datastore.RUNNING, "broken by root")]


def test_what_a_lock_on_the_candidate_protected_goes_with_it(sessions: Sessions, timers: Timers) -> None:
    ann, _ = sessions.open("ann", "a", 0, lambda _: None)
    root, _ = sessions.open("root", "b", 0, lambda _: None)
    for end in (
        lambda: sessions.unlock(Datastore.CANDIDATE, ann.number),
        timers.fire,
        lambda: sessions.locks.take(Datastore.CANDIDATE, root.number, "root", break_held=True),
    ):
        sessions.locks.take(Datastore.CANDIDATE, ann.number, "ann", seconds=5)
        sessions.locks.take(Datastore.CANDIDATE, ann.number, "ann", seconds=9)
        sessions.shared = Candidate.of(1, Container())
        sessions.locks.take(Datastore.RUNNING, ann.number, "ann")
        sessions.unlock(Datastore.RUNNING, ann.number)
        assert sessions.shared is not None
        end()
        assert sessions.shared is None


@pytest.mark.parametrize("seconds", [-1, 31_536_001, 1e12])
def test_a_lock_that_would_last_too_long_is_none(sessions: Sessions, seconds: float) -> None:
    session, _ = sessions.open("ann", "a", 0, lambda _: None)
    with pytest.raises(RequestError) as caught:
        sessions.locks.take(Datastore.RUNNING, session.number, "ann", seconds=seconds)
    assert refused(caught) is Fault.VALUE
    assert not sessions.locked


def test_a_killed_session_hears_why_and_leaves_nothing(sessions: Sessions) -> None:
    events: list[Event] = []
    session, _ = sessions.open("ann", "a", 60, events.append)
    sessions.shared = Candidate.of(1, Container())
    sessions.locks.take(Datastore.CANDIDATE, session.number, "ann")
    sessions.kill(session.number, "root")
    assert events == [Ended("killed by root")]
    assert sessions.shared is None
    assert sessions.locked == {}
    sessions.disconnected(session)
    assert list(sessions) == []


def test_a_number_is_never_used_again(sessions: Sessions) -> None:
    first, _ = sessions.open("ann", "a", 0, lambda _: None)
    sessions.disconnected(first)
    second, _ = sessions.open("ann", "a", 0, lambda _: None)
    assert second.number > first.number


def test_numbers_go_on_after_a_start(timers: Timers) -> None:
    session, _ = Sessions(Clock(), timers.later, last=41).open("ann", "a", 0, lambda _: None)
    assert session.number == 42
