"""Sessions, locks, candidates, confirmed commits of both faces, crashes and restarts, beside a reference.

Real are the sessions, the methods of both faces, the writer and its SQLite file; time is virtual, the drivers
record. After every step box and reference are the same in all that they know of, whatever happened.
"""

import asyncio
import copy
import json
import logging
import os
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from twinplane.errors import Fault, RequestError
from twinplane.services.config.wire import wire_path
from twinplane_wire.gnmi import gnmi_ext_pb2 as ext
from twinplane_wire.gnmi import gnmi_pb2
from twinplane_wire.path import parse
from twinplane_wire.v1 import config_pb2 as pb
from unit.session.reference import PRIVATE, RUNNING, SHARED, Reference, Visit
from unit.session.world import CALLERS, PATHS, VARIANTS, CrashError, World, document, variants

DATASTORES = {RUNNING: pb.RUNNING, SHARED: pb.CANDIDATE, PRIVATE: pb.PRIVATE}
# Times that no sum of others meets.
LINGERS, LOCKED, WAITS = (0.0, 10.013, 100.071), (0.0, 7.029, 60.043), (5.057, 50.089)
PASSES = (0.5, 4.0, 8.0, 30.0, 150.0)

WHO = st.integers(0, 8)  # a session, or (0) none of them
STORE = st.sampled_from([SHARED, PRIVATE])
EDITS = st.dictionaries(
    st.sampled_from(sorted(PATHS)), st.sampled_from([*VARIANTS, None]), min_size=1, max_size=2
)
PERSIST = st.sampled_from(["", "p1", "p2"])
FUSE = st.none() | st.integers(0, 40)  # effects and stages after which the process ends
CONFIRMED = st.none() | st.tuples(PERSIST, st.sampled_from(WAITS))


@pytest.fixture(autouse=True)
def _silence() -> Iterator[None]:
    """Nothing is logged of what a process that is gone would not have said."""
    loggers = [logging.getLogger(name) for name in ("twinplane", "asyncio")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    yield
    for logger, level in zip(loggers, before, strict=True):
        logger.setLevel(level)


class Work(RuleBasedStateMachine):
    """What two users do to one box. `steps` counts all that were judged."""

    steps = 0

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.model = Reference([{}])

    def teardown(self) -> None:
        try:
            self.agree()
            assert self.world.numbers() == list(range(1, self.model.revision + 1))
        finally:
            self.world.close()

    # how a step is judged

    def act(self, call: Coroutine[Any, Any, Any], told: Callable[[Reference], Fault | None]) -> Any:
        """Make a call. The box and the reference have to say the same; where the process ends in it, the box
        is afterwards as it was before, or as the reference is after it."""
        before, answer = copy.deepcopy(self.model), None
        expected = told(self.model)
        try:
            answer = self.world.run(call)
            found = None
        except RequestError as error:
            found = error.violations[0].fault
        except CrashError:
            call.close()
            self.world.crash()
            ends = (before, self.model)
            for end in ends:
                end.restart()
            now = (len(self.world.numbers()), self.world.configured)
            assert now in [(end.revision, dict(end.running)) for end in ends]
            self.model = next(end for end in ends if now == (end.revision, dict(end.running)))
            self.agree()
            return None
        self.world.fuse = None
        assert found is expected
        self.agree()
        return answer

    def outlive(self, work: Callable[[], Any]) -> Any:
        """Do what makes nothing but what is due anyway; where the process ends meanwhile, it is done by the
        next start, if it concerns a commit, and else gone with the sessions."""
        try:
            return work()
        except CrashError:
            self.world.crash()
            self.model.restart()
            self.model.now = self.world.loop.time()
            return None

    def agree(self) -> None:
        """Box and reference are the same."""
        Work.steps += 1
        self.outlive(self.world.settle)
        model, world = self.model, self.world
        sessions, transactor = world.sessions, world.box.transactor
        assert transactor.running.revision == model.revision == len(world.numbers())
        assert world.configured == dict(model.running)
        assert transactor.waiting == ("" if model.waits is None else model.waits.name)
        assert {store.value: lock.session for store, lock in sessions.locked.items()} == {
            name: lock.session for name, lock in model.locks.items()
        }
        assert {one.number: (one.user, one.connected, one.commit) for one in sessions} == {
            number: (visit.user, visit.connected, visit.commit) for number, visit in model.sessions.items()
        }
        for one in sessions:
            draft = model.sessions[one.number].draft
            assert (one.candidate is None) == (draft is None)
            if one.candidate is not None and draft is not None:
                assert variants(one.candidate.forest.tree()) == dict(draft.content)
        assert (sessions.shared is None) == (model.shared is None)
        if sessions.shared is not None and model.shared is not None:
            assert variants(sessions.shared.forest.tree()) == dict(model.shared.content)
        publisher = world.box.publisher
        assert not publisher.alarms and not publisher.broken and not publisher.held
        if model.waits is None:
            assert not world.differs()
        assert abs(world.loop.time() - model.now) < 1e-3
        model.now = world.loop.time()

    def who(self, index: int) -> tuple[int, str]:
        """A session and its user; 0: none."""
        numbers = sorted(self.model.sessions)
        number = numbers[index % len(numbers)] if index and numbers else 0
        return number, self.model.sessions[number].user if number else "ann"

    def used(
        self, number: int, user: str, then: Callable[[Reference], Fault | None]
    ) -> Callable[..., Fault | None]:
        """What a call with a session's number answers."""

        def told(model: Reference) -> Fault | None:
            return model.use(number, user) or then(model)

        return told

    # sessions and locks

    @initialize()
    def begin(self) -> None:
        self.model.now = self.world.loop.time()
        self.open("ann", LINGERS[2])
        self.open("bob", LINGERS[1])

    @precondition(lambda self: len(self.model.sessions) < 4)
    @rule(user=st.sampled_from(sorted(CALLERS)), linger=st.sampled_from(LINGERS))
    def open(self, user: str, linger: float) -> None:
        number = self.world.open(user, linger)
        assert number not in self.model.sessions
        self.model.sessions[number] = Visit(user, linger)
        self.agree()

    @rule(who=WHO)
    def disconnect(self, who: int) -> None:
        number, _ = self.who(who)
        if number and self.model.sessions[number].connected:
            self.model.disconnect(number)
            self.outlive(lambda: self.world.disconnect(number))
            self.agree()

    @rule(who=WHO, user=st.sampled_from(sorted(CALLERS)), knows=st.sampled_from([True, True, False]))
    def resume(self, who: int, user: str, knows: bool) -> None:
        number, _ = self.who(who)
        if not number:
            return
        visit = self.model.sessions[number]
        refused = None if user == visit.user and knows else Fault.DENIED
        if refused is None and visit.connected:
            refused = Fault.STATE
        try:
            self.world.resume(number, user, self.world.secrets[number] if knows else "guessed")
        except RequestError as error:
            assert error.violations[0].fault is refused
        else:
            assert refused is None
            visit.connected, visit.ends = True, None
        self.agree()

    @rule(who=st.integers(0, 2), by=st.sampled_from(sorted(CALLERS)))
    def kill(self, who: int, by: str) -> None:
        number, user = self.who(who)

        def told(model: Reference) -> Fault | None:
            if not number:
                return Fault.NO_DATA
            if by not in (user, "ann"):
                return Fault.DENIED
            model.end(number)
            return None

        self.act(self.world.opening.kill(CALLERS[by], pb.KillSessionRequest(target=number)), told)

    @rule(
        who=WHO,
        name=st.sampled_from([RUNNING, SHARED]),
        seconds=st.sampled_from(LOCKED),
        breaks=st.sampled_from([False, False, True]),
    )
    def lock(self, who: int, name: str, seconds: float, breaks: bool) -> None:
        number, user = self.who(who)
        request = pb.LockRequest(session_id=number, target=DATASTORES[name], break_held=breaks)
        request.expires_after.FromNanoseconds(int(seconds * 1e9))

        def told(model: Reference) -> Fault | None:
            return model.lock(number, name, seconds, breaks=breaks) if number else Fault.STATE

        self.act(self.world.opening.lock(CALLERS[user], request), self.used(number, user, told))

    @rule(who=WHO, name=st.sampled_from([RUNNING, SHARED]))
    def unlock(self, who: int, name: str) -> None:
        number, user = self.who(who)
        request = pb.UnlockRequest(session_id=number, target=DATASTORES[name])

        def told(model: Reference) -> Fault | None:
            return model.unlock(number, name) if number else Fault.STATE

        self.act(self.world.opening.unlock(CALLERS[user], request), self.used(number, user, told))

    # candidates

    @rule(who=WHO, name=STORE, edits=EDITS, thief=st.sampled_from([False] * 7 + [True]))
    def edit(self, who: int, name: str, edits: dict[str, int | None], thief: bool) -> None:
        number, user = self.who(who)
        if thief:
            user = next(other for other in CALLERS if other != user)
        request = pb.EditRequest(
            session_id=number,
            target=DATASTORES[name],
            edit=[
                pb.Edit(
                    operation=pb.Edit.REMOVE if variant is None else pb.Edit.REPLACE,
                    path=wire_path(parse(PATHS[one])),
                    value=b"" if variant is None else json.dumps(document(one, variant)).encode(),
                )
                for one, variant in edits.items()
            ],
        )
        told = self.used(number, user, lambda model: model.edit(number, name, edits))
        self.act(self.world.edits.edit(CALLERS[user], request), told)

    @rule(who=WHO, name=STORE)
    def discard(self, who: int, name: str) -> None:
        number, user = self.who(who)

        def told(model: Reference) -> Fault | None:
            if (fault := model.may_touch(number, name)) is None:
                model.keep(number, name, None)
            return fault

        request = pb.DiscardRequest(session_id=number, target=DATASTORES[name])
        self.act(self.world.edits.discard(CALLERS[user], request), self.used(number, user, told))

    @rule(who=WHO, name=STORE, commit=st.integers(0, 6))
    def copy(self, who: int, name: str, commit: int) -> None:
        number, user = self.who(who)
        commit = min(commit, self.model.revision)
        request = pb.CopyConfigRequest(session_id=number, target=DATASTORES[name], commit=commit)
        if not commit:
            request.source = pb.RUNNING

        def told(model: Reference) -> Fault | None:
            return model.copy(number, name, model.history[commit - 1])

        self.act(self.world.edits.copy(CALLERS[user], request), self.used(number, user, told))

    @rule(who=WHO, name=STORE)
    def rebase(self, who: int, name: str) -> None:
        number, user = self.who(who)
        request = pb.RebaseRequest(session_id=number, target=DATASTORES[name])
        told = self.used(number, user, lambda model: model.rebase(number, name))
        self.act(self.world.edits.rebase(CALLERS[user], request), told)

    # commits

    @rule(who=WHO, name=STORE, confirmed=CONFIRMED, behind=st.sampled_from([None, None, 0, 1]), fuse=FUSE)
    def commit(
        self, who: int, name: str, confirmed: tuple[str, float] | None, behind: int | None, fuse: int | None
    ) -> None:
        self.world.fuse = fuse
        number, user = self.who(who)
        expected = 0 if behind is None else self.model.revision - behind
        request = pb.CommitRequest(session_id=number, source=DATASTORES[name], expected_revision=expected)
        confirm = None
        if confirmed is not None:
            request.confirmed.persist_id = confirmed[0]
            request.confirmed.timeout.FromNanoseconds(int(confirmed[1] * 1e9))
            confirm = (confirmed[0] or f"session {number}", confirmed[1])

        def told(model: Reference) -> Fault | None:
            if (fault := model.may_touch(number, name)) is not None:
                return fault
            if confirmed is not None and not confirmed[0] and not number:
                return Fault.STATE
            fault = model.commit(number, name, confirm, expected)
            if fault is None and confirm is not None and not confirmed[0]:
                model.sessions[number].commit = confirm[0]
                assert model.waits is not None
                model.waits.session = number
            return fault

        self.act(self.world.commits.commit(CALLERS[user], request), self.used(number, user, told))

    @rule(
        who=WHO,
        name=st.sampled_from(["", "", "right", "right", "p1", "other"]),
        confirmed=st.booleans(),
        fuse=FUSE,
    )
    def decide(self, who: int, name: str, confirmed: bool, fuse: int | None) -> None:
        self.world.fuse = fuse
        number, user = self.who(who)
        others = [one for one in self.model.sessions if one != number]
        waits = "" if self.model.waits is None else self.model.waits.name
        other = f"session {others[0] if others else 99}"
        asked = {"right": waits, "other": other}.get(name, name)
        request = (pb.ConfirmRequest if confirmed else pb.CancelRequest)(session_id=number, persist_id=asked)
        method = self.world.commits.confirm if confirmed else self.world.commits.cancel

        def told(model: Reference) -> Fault | None:
            visit = model.sessions.get(number)
            if not asked and (visit is None or not visit.commit):
                return Fault.STATE
            meant = asked or (visit.commit if visit is not None else "")
            fault = model.decide(number, meant, confirmed=confirmed)
            if fault is None and visit is not None and visit.commit == meant:
                visit.commit = ""
            return fault

        self.act(method(CALLERS[user], request), self.used(number, user, told))

    @precondition(lambda self: self.model.waits is not None)
    @rule(confirmed=st.booleans(), fuse=FUSE)
    def decide_rightly(self, confirmed: bool, fuse: int | None) -> None:
        """As whoever may."""
        assert self.model.waits is not None
        name = self.model.waits.name
        number = int(name.removeprefix("session ")) if name.startswith("session ") else 0
        user = self.model.sessions[number].user if number else "ann"
        request = (pb.ConfirmRequest if confirmed else pb.CancelRequest)(session_id=number, persist_id=name)
        method = self.world.commits.confirm if confirmed else self.world.commits.cancel

        def told(model: Reference) -> Fault | None:
            fault = model.decide(number, name, confirmed=confirmed)
            if fault is None and number:
                model.sessions[number].commit = ""
            return fault

        self.world.fuse = fuse
        self.act(method(CALLERS[user], request), self.used(number, user, told))

    @rule(
        edits=EDITS,
        confirmed=st.none() | st.tuples(st.sampled_from(["p1", "g1"]), st.sampled_from(WAITS)),
        fuse=FUSE,
    )
    def set(
        self, edits: dict[str, int | None], confirmed: tuple[str, float] | None, fuse: int | None
    ) -> None:
        self.world.fuse = fuse
        request = gnmi_pb2.SetRequest()
        for name, variant in edits.items():
            path = wire_path(parse(PATHS[name]))
            if variant is None:
                request.delete.append(path)
            else:
                value = gnmi_pb2.TypedValue(json_ietf_val=json.dumps(document(name, variant)).encode())
                request.replace.append(gnmi_pb2.Update(path=path, val=value))
        if confirmed is not None:
            commit = ext.Commit(id=confirmed[0], commit=ext.CommitRequest())
            commit.commit.rollback_duration.FromNanoseconds(int(confirmed[1] * 1e9))
            request.extension.append(ext.Extension(commit=commit))

        def told(model: Reference) -> Fault | None:
            content = {**model.running, **edits}
            return model.change(0, {one: v for one, v in content.items() if v is not None}, confirmed)

        self.act(self.world.set(CALLERS["bob"], request), told)

    @rule(name=st.sampled_from(["p1", "p2", "g1", "right"]), confirmed=st.booleans(), fuse=FUSE)
    def decide_by_gnmi(self, name: str, confirmed: bool, fuse: int | None) -> None:
        self.world.fuse = fuse
        if name == "right":
            name = "p1" if self.model.waits is None else self.model.waits.name
        end = {"confirm": ext.CommitConfirm()} if confirmed else {"cancel": ext.CommitCancel()}
        extension = ext.Extension(commit=ext.Commit(id=name, **end))
        request = gnmi_pb2.SetRequest(extension=[extension])
        self.act(
            self.world.set(CALLERS["ann"], request), lambda model: model.decide(0, name, confirmed=confirmed)
        )

    @rule(
        who=WHO,
        number=st.integers(0, 8),
        confirmed=st.none() | st.tuples(st.just("p1"), st.sampled_from(WAITS)),
        fuse=FUSE,
    )
    def roll_back(self, who: int, number: int, confirmed: tuple[str, float] | None, fuse: int | None) -> None:
        self.world.fuse = fuse
        session, user = self.who(who)
        request = pb.RollbackRequest(session_id=session, number=number)
        if confirmed is not None:
            request.confirmed.persist_id = confirmed[0]
            request.confirmed.timeout.FromNanoseconds(int(confirmed[1] * 1e9))

        def told(model: Reference) -> Fault | None:
            if not 1 <= number <= model.revision:
                return Fault.NO_DATA
            return model.change(session, model.history[number - 1], confirmed)

        self.act(self.world.commits.roll_back(CALLERS[user], request), self.used(session, user, told))

    # time, ends and beginnings

    @rule(seconds=st.sampled_from(PASSES))
    def pass_time(self, seconds: float) -> None:
        self.model.pass_time(seconds)
        self.outlive(lambda: self.world.run(asyncio.sleep(seconds)))
        self.agree()

    @rule(orderly=st.booleans())
    def restart(self, orderly: bool) -> None:
        waits = self.model.waits is not None
        self.model.restart()
        self.world.fuse = None
        self.world.host.effects.clear()
        if orderly:
            self.world.restart()
        else:
            self.world.crash()
        assert waits or not self.world.host.effects
        self.agree()


def run(examples: int, steps: int) -> None:
    """Play so many times with up to so many steps each."""
    run_state_machine_as_test(
        Work,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[phase for phase in Phase if phase is not Phase.shrink or os.environ.get("SHRINK")],
            derandomize=examples < 50,
        ),
    )


def test_a_sample() -> None:
    run(15, 30)


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_ten_thousand_steps_and_more() -> None:
    before = Work.steps
    run(350, 50)
    assert Work.steps - before >= 10_000
