"""Commits that wait for their confirmation: every end there is, whatever fails or crashes on the way."""

import asyncio
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from doubles import demo
from doubles.box import Box, furnish, replaced, started
from doubles.host import Device, Host, Kernel
from doubles.loop import in_loop
from twinplane.errors import ApplyError, DriverError, Fault, RequestError, StartError, UnavailableError
from twinplane.plan.resource import Domain, Key, Resource, Run
from twinplane.transaction import standing
from twinplane.transaction.request import Act, Confirm, Election, Outcome, Request

DOMAIN = "vmcj2zgj6z5h5"
FOREVER = 3600.0

CHANGES: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "create": ((), demo.everything()),
    "live": (demo.everything(), demo.appliance(limit=250, rate=20_000_000)),
    "start another definition": (
        demo.everything(state="STOPPED"),
        demo.appliance(memory=512 << 20, rules="table inet other { }\n", stop_timeout=0),
    ),
    "start": (demo.everything(state="STOPPED", stop_timeout=0), demo.appliance(stop_timeout=0)),
    "stop": (demo.everything(), demo.appliance(state="STOPPED", stop_timeout=0)),
    "change ports": (demo.everything(), (*demo.switch(demo.LAN), *demo.switch(demo.WAN, "eth7"))),
    "delete": (demo.everything(), demo.nothing()),
}


class Crash(BaseException):
    """The process ends here, and nothing of it runs any more."""


async def ask(
    box: Box, *changes: tuple[Any, ...], act: Act | None = None, name: str = "c1", seconds: float = FOREVER
) -> Outcome:
    """A request with or without a word about a confirmed commit."""
    edits = tuple(edit for change in changes for edit in change)
    confirm = None if act is None else Confirm(act, name, seconds)
    return await box.transactor.submit(Request(edits, "anna", "test", "unix:", confirm=confirm))


async def told(call: Any) -> Fault:
    """The fault of a refused request."""
    with pytest.raises(RequestError) as caught:
        await call
    (violation,) = caught.value.violations
    return violation.fault


async def prepared(folder: FilePath, base: tuple[Any, ...], **settings: Any) -> Box:
    """A box with the base configured, as of its next start."""
    folder.mkdir(parents=True, exist_ok=True)
    first = Box(folder)
    furnish(first.host)
    async with started(first):
        if base:
            await first.submit(base)
    return Box(folder, host=first.host, **settings)


async def over(box: Box) -> None:
    """Wait for the end of a commit whose time is up, and of all that is done for it."""
    await box.until(lambda: not box.transactor.waiting)
    await box.transactor.repair()


def seen(box: Box) -> tuple[Kernel, dict[str, Any]]:
    """Host and configuration, to compare with."""
    return box.host.without_idle_queues(), box.configured


@pytest.mark.parametrize("name", CHANGES)
def test_each_end_is_what_it_says(name: str, tmp_path: FilePath) -> None:
    @in_loop
    async def scenario() -> None:
        base, change = CHANGES[name]
        async with started(await prepared(tmp_path / "plain", base)) as plain:
            old = seen(plain)
            await plain.submit(change)
            new = seen(plain)
        for end in (Act.CONFIRM, Act.CANCEL, None):
            async with started(await prepared(tmp_path / str(end), base)) as box:
                outcome = await ask(box, change, act=Act.COMMIT, seconds=FOREVER if end else 0.02)
                assert outcome.changed and box.configured == new[1]
                if end is None:
                    await over(box)
                else:
                    assert box.transactor.waiting == "c1"
                    await ask(box, act=end)
                assert seen(box) == (new if end is Act.CONFIRM else old)
                assert not box.publisher.alarms and not box.publisher.broken and not box.publisher.held
                assert (await box.submit(change)).changed == (end is not Act.CONFIRM)

    scenario()


@in_loop
async def test_a_deleted_appliance_is_paused_until_the_confirmation(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        before = box.host.snapshot()
        box.host.effects.clear()
        await ask(box, demo.nothing(), act=Act.COMMIT)
        kernel = box.host.kernel
        assert kernel.domains[DOMAIN].run is Run.PAUSED and box.configured == {}
        assert kernel.devices.keys() == before.devices.keys() and kernel.trash.keys() == before.files.keys()
        await ask(box, act=Act.CANCEL)
        assert box.host.kernel == before
        # The very guest goes on: it was neither started nor ended.
        assert not any(label.endswith((" start", " destroy", " define")) for label in box.host.effects)


@in_loop
async def test_a_guest_is_asked_to_stop_only_after_the_confirmation(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything(stop_timeout=60))) as box:
        await ask(box, demo.appliance(state="STOPPED", stop_timeout=60), act=Act.COMMIT)
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING and not box.host.kernel.asked
        await ask(box, act=Act.CANCEL)
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        await ask(box, demo.appliance(state="STOPPED", stop_timeout=60), act=Act.COMMIT)
        await ask(box, act=Act.CONFIRM)
        assert box.host.kernel.asked == {DOMAIN}


@in_loop
async def test_what_a_waiting_commit_gave_up_is_not_free(tmp_path: FilePath) -> None:
    """4096 of 7168 MiB are taken: another as large fits only once the stopped appliance is gone for good."""
    large = 4 << 30
    async with started(await prepared(tmp_path, demo.everything(state="STOPPED", memory=large))) as box:
        other = replaced(
            "/appliances/appliance[name=fw2]",
            {
                "config": {
                    "name": "fw2",
                    "type": "twinplane-types:VIRTUAL_MACHINE",
                    "image": "firewall",
                    "admin-state": "STOPPED",
                },
                "compute": {"config": {"vcpus": 1}},
                "memory": {"config": {"size": str(large)}},
            },
        )
        gone = (*demo.deleted(demo.FW1),)
        assert await told(ask(box, gone, other, act=Act.COMMIT)) is Fault.CAPACITY
        assert not box.transactor.waiting
        await ask(box, gone, act=Act.COMMIT)
        probe = Request(other, "anna", "test", dry_run=True)
        assert await told(box.transactor.submit(probe)) is Fault.CAPACITY
        await ask(box, act=Act.CONFIRM)
        assert (await ask(box, other)).changed


@in_loop
async def test_while_a_commit_waits_others_have_to(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, ())) as box:
        for act in (Act.CONFIRM, Act.CANCEL, Act.EXTEND):
            assert await told(ask(box, act=act)) is Fault.STATE
        await ask(box, demo.switch(demo.LAN), act=Act.COMMIT)
        held = seen(box)
        assert await told(ask(box, demo.switch(demo.WAN))) is Fault.STATE
        assert await told(ask(box)) is Fault.STATE
        assert await told(ask(box, demo.switch(demo.WAN), act=Act.COMMIT)) is Fault.STATE
        assert await told(ask(box, act=Act.COMMIT, name="c2")) is Fault.STATE
        for act in (Act.CONFIRM, Act.CANCEL, Act.EXTEND):
            assert await told(ask(box, act=act, name="c2")) is Fault.VALUE
        assert seen(box) == held and box.transactor.waiting == "c1"
        assert (await box.submit(demo.switch(demo.WAN), dry_run=True)).changed
        await ask(box, act=Act.CONFIRM)
        assert (await ask(box, demo.switch(demo.WAN))).changed


@in_loop
async def test_a_commit_that_is_refused_or_fails_does_not_wait(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        old = seen(box)
        assert await told(ask(box, demo.appliance(memory=10 << 40), act=Act.COMMIT)) is Fault.CAPACITY

        async def fail(when: str, key: Key, _: Resource | None) -> None:
            if when == "before" and key.name == DOMAIN:
                raise DriverError("no")

        box.drivers.domains.trap = fail
        with pytest.raises(ApplyError):
            await ask(box, demo.nothing(), act=Act.COMMIT)
        assert seen(box) == old and not box.transactor.waiting


@in_loop
async def test_a_commit_without_a_difference_waits_too(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        old, effects = seen(box), len(box.host.effects)
        await ask(box, demo.everything(), act=Act.COMMIT)
        assert box.transactor.waiting == "c1"
        await ask(box, act=Act.CANCEL)
        await ask(box, act=Act.COMMIT, name="c2")
        await ask(box, act=Act.CONFIRM, name="c2")
        assert seen(box) == old and len(box.host.effects) == effects


@in_loop
async def test_more_time_counts_from_when_it_is_asked_for(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, ())) as box:
        await ask(box, demo.switch(demo.LAN), act=Act.COMMIT, seconds=0.5)
        await ask(box, act=Act.EXTEND, seconds=FOREVER)
        await asyncio.sleep(0.6)
        assert box.transactor.waiting == "c1"
        await ask(box, act=Act.EXTEND, seconds=0.01)
        await over(box)
        assert box.configured == {}


@in_loop
async def test_an_end_in_the_queue_comes_before_a_timer_that_went_off_later(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, ())) as box:
        await ask(box, demo.switch(demo.LAN), act=Act.COMMIT, seconds=0.05)
        held = asyncio.Event()
        blocking = asyncio.ensure_future(box.transactor._turns.take(held.wait))
        confirmed = asyncio.ensure_future(ask(box, act=Act.CONFIRM))
        await asyncio.sleep(0.1)  # the timer goes off behind the confirmation
        held.set()
        await asyncio.gather(blocking, confirmed)
        await box.transactor.repair()
        assert demo.LAN in box.configured


@in_loop
async def test_what_is_published_and_recorded(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path, demo.everything())
    async with started(box):
        first = await ask(box, demo.nothing(), act=Act.COMMIT)
        second = await ask(box, act=Act.CANCEL)
        assert (first.revision, second.revision) == (2, 3) and second.timestamp > first.timestamp
        assert box.publisher.confirms[-2:] == ["c1", "c1"]
        await ask(box, demo.switch(demo.LAN), act=Act.COMMIT, name="c2", seconds=0.01)
        await over(box)
        await ask(box, demo.switch(demo.LAN, mtu=1400), act=Act.COMMIT, name="c3")
        published = len(box.publisher.confirms)
        await ask(box, act=Act.CONFIRM, name="c3")
        assert len(box.publisher.confirms) == published  # a confirmation is no commit
        await ask(box, demo.switch(demo.WAN))
        assert box.publisher.confirms[-4:] == ["c2", "c2", "c3", ""]
    rows = sqlite3.connect(tmp_path / "twinplane.db").execute("SELECT source, author FROM commits").fetchall()
    assert rows[3:] == [
        *[("test", "anna"), ("confirm-timeout", "anna")],
        *[("test", "anna"), ("test", "anna")],
    ]


@in_loop
async def test_repairs_leave_what_is_put_aside_alone(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        before = box.host.snapshot()
        await ask(box, demo.nothing(), act=Act.COMMIT)
        aside = box.host.snapshot()
        await box.transactor.repair()
        assert box.host.kernel == aside
        await ask(box, act=Act.CANCEL)
        assert box.host.kernel == before


@in_loop
async def test_a_repair_meanwhile_still_repairs(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        await ask(box, demo.switch(demo.WAN), act=Act.COMMIT)
        held = seen(box)
        box.host.change("drift", lambda kernel: kernel.queues.popitem())
        await box.transactor.repair()
        assert seen(box) == held


@in_loop
async def test_what_fails_meanwhile_is_not_done_by_the_confirmation(tmp_path: FilePath) -> None:
    """A host port appears and cannot be plugged yet: that stays to be done, and said."""
    async with started(await prepared(tmp_path, (), repair_pauses=(0.3,))) as box:
        await ask(box, demo.switch(demo.LAN, "eth9"), act=Act.COMMIT)
        box.host.kernel.devices["eth9"] = Device("", up=True)

        async def busy(when: str, key: Key, _: Resource | None) -> None:
            if when == "before" and key.name == "eth9":
                raise DriverError("busy")

        box.drivers.set_trap(busy)
        await box.transactor.repair()
        assert box.publisher.alarms
        await ask(box, act=Act.CONFIRM)
        assert box.publisher.alarms
        box.drivers.set_trap(_passing)
        await box.until(lambda: box.host.kernel.devices["eth9"].master is not None)
        await box.until(lambda: not box.publisher.alarms)


def failing(box: Box, times: int) -> Callable[[], int]:
    """Let the next so many calls that bring the guest somewhere fail; gives how many did."""
    failed = 0

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        nonlocal failed
        if when == "before" and isinstance(wanted, Domain) and failed < times:
            failed += 1
            raise DriverError("not now")

    box.drivers.domains.trap = trap
    return lambda: failed


@pytest.mark.parametrize("name", ["delete", "stop", "change ports"])
@pytest.mark.parametrize("earlier", [True, False])
@in_loop
async def test_a_guest_that_ended_by_itself_is_started_by_nobody(
    name: str, earlier: bool, tmp_path: FilePath
) -> None:
    """Neither to be put aside nor when that is taken back, however it ends; a delete takes it away."""
    for end in (Act.CONFIRM, Act.CANCEL, None):
        async with started(await prepared(tmp_path / str(end), demo.everything())) as box:
            before = box.host.snapshot()
            if earlier:
                box.host.end_guest(DOMAIN)
            await ask(box, CHANGES[name][1], act=Act.COMMIT)
            if not earlier:
                box.host.end_guest(DOMAIN)
            box.host.effects.clear()
            if end is None:
                box.transactor._confirmations.restart(0.0)
                await box.until(lambda: not box.transactor.waiting)
                await box.transactor.inspect(frozenset())  # the turn after that
            else:
                await ask(box, act=end)
            assert not [label for label in box.host.effects if label.startswith(f"domain {DOMAIN} st")]
            assert not box.transactor.waiting and not box.publisher.alarms
            if end is not Act.CONFIRM:
                assert box.host.kernel.domains[DOMAIN].run is Run.STOPPED
                assert box.host.kernel.devices == before.devices
            else:
                assert (DOMAIN in box.host.kernel.domains) == (name != "delete")


@in_loop
async def test_a_guest_is_not_started_to_be_put_aside(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        box.host.end_guest(DOMAIN)
        before = box.host.snapshot()
        box.host.effects.clear()
        write = box.store.commit

        async def full(*_: Any, **__: Any) -> None:
            raise UnavailableError("disk full")

        box.store.commit = full  # type: ignore[method-assign, assignment]
        with pytest.raises(UnavailableError):
            await box.submit(demo.nothing())
        assert box.host.kernel == before
        box.store.commit = write  # type: ignore[method-assign]
        await box.submit(demo.nothing())
        assert not [label for label in box.host.effects if label.endswith((" start", " resume", " suspend"))]
        assert box.host.kernel.domains == {}


@in_loop
async def test_what_a_cancel_that_failed_started_again_is_shaped(tmp_path: FilePath) -> None:
    """The guest had to end for its old definition, and has the new one again: by a start of its own."""
    async with started(await prepared(tmp_path, demo.everything(state="STOPPED"))) as box:
        await ask(box, demo.appliance(memory=512 << 20), act=Act.COMMIT)
        held, write = box.host.snapshot(), box.store.commit

        async def full(*_: Any, **__: Any) -> None:
            raise UnavailableError("disk full")

        box.store.commit = full  # type: ignore[method-assign, assignment]
        with pytest.raises(UnavailableError):
            await ask(box, act=Act.CANCEL)
        box.store.commit = write  # type: ignore[method-assign]
        await box.until(lambda: box.host.kernel == held)
        assert box.transactor.waiting == "c1"


@in_loop
async def test_a_cancel_that_fails_leaves_the_commit_waiting(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        before = box.host.snapshot()
        await ask(box, demo.nothing(), act=Act.COMMIT)
        aside = seen(box)
        failing(box, 1)
        with pytest.raises(ApplyError) as caught:
            await ask(box, act=Act.CANCEL)
        assert caught.value.undone and seen(box) == aside and box.transactor.waiting == "c1"
        await ask(box, act=Act.CANCEL)
        assert box.host.kernel == before
        await ask(box, demo.nothing(), act=Act.COMMIT)
        failing(box, 1)
        with pytest.raises(ApplyError):
            await ask(box, act=Act.CANCEL)
        await ask(box, act=Act.CONFIRM)
        assert DOMAIN not in box.host.kernel.domains and not box.host.kernel.trash


@in_loop
async def test_the_time_is_up_whatever_fails(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path, demo.everything())
    async with started(box):
        before = box.host.snapshot()
        await ask(box, demo.nothing(), act=Act.COMMIT, seconds=0.02)
        failed = failing(box, 4)
        await box.until(lambda: failed() == 4 and not box.transactor.waiting)
        assert demo.FW1 in box.configured  # at once; the host follows as soon as it can
        await box.until(lambda: box.host.kernel == before and not box.publisher.alarms)
        assert (await box.submit(demo.switch(demo.LAN, "eth7", mtu=1400))).changed


@pytest.mark.parametrize("error", [DriverError("no answer"), ZeroDivisionError()])
@in_loop
async def test_the_time_is_up_while_the_host_can_neither_be_read_nor_changed(
    error: Exception, tmp_path: FilePath
) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        before = box.host.snapshot()
        await ask(box, demo.nothing(), act=Act.COMMIT, seconds=0.02)

        async def broken(*_: object) -> Any:
            raise error

        for driver in box.drivers.all:
            driver.find = driver.survey = driver.trap = broken  # type: ignore[method-assign]
        await box.until(lambda: not box.transactor.waiting and "reconcile" in box.publisher.alarms)
        assert demo.FW1 in box.configured
        for driver in box.drivers.all:
            del driver.find, driver.survey, driver.trap  # type: ignore[attr-defined]
            driver.trap = _passing
        await box.until(lambda: not box.publisher.alarms)
        assert box.host.kernel == before


async def _passing(_when: str, _key: Key, _wanted: Resource | None) -> None:
    """Nothing is in the way."""


@in_loop
async def test_the_time_is_up_amid_a_fault_of_our_own(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path, demo.everything())) as box:
        before = box.host.snapshot()
        await ask(box, demo.nothing(), act=Act.COMMIT, seconds=0.02)
        write, faults = box.store.commit, 0

        async def faulty(*values: Any, **named: Any) -> None:
            nonlocal faults
            faults += 1
            if faults < 4:
                raise ZeroDivisionError
            await write(*values, **named)

        box.store.commit = faulty  # type: ignore[method-assign, assignment]
        await box.until(lambda: not box.transactor.waiting)
        await box.until(lambda: box.host.kernel == before and not box.publisher.alarms)
        assert demo.FW1 in box.configured and faults >= 4


@in_loop
async def test_the_time_is_up_while_the_disk_is_full(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path, demo.everything())
    async with started(box):
        before = box.host.snapshot()
        await ask(box, demo.nothing(), act=Act.COMMIT, seconds=0.02)
        write, refused = box.store.commit, 0

        async def full(*values: Any, **named: Any) -> None:
            nonlocal refused
            refused += 1
            if refused < 4:
                raise UnavailableError("disk full")
            await write(*values, **named)

        box.store.commit = full  # type: ignore[method-assign, assignment]
        await box.until(lambda: not box.transactor.waiting)
        assert refused >= 4
        await box.until(lambda: box.host.kernel == before and not box.publisher.alarms)
        assert demo.FW1 in box.configured


@in_loop
async def test_a_start_that_cannot_take_back_is_none(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path, demo.everything())
    async with started(box):
        await ask(box, demo.nothing(), act=Act.COMMIT)
    again = Box(tmp_path, host=box.host)

    async def full(*_: Any, **__: Any) -> None:
        raise UnavailableError("disk full")

    again.store.commit = full  # type: ignore[method-assign, assignment]
    with pytest.raises(StartError, match="commit 2 "):
        await again.transactor.start()
    await again.store.close()


@pytest.mark.parametrize("name", CHANGES)
def test_a_restart_takes_the_waiting_commit_back(name: str, tmp_path: FilePath) -> None:
    @in_loop
    async def scenario() -> None:
        base, change = CHANGES[name]
        box = await prepared(tmp_path, base)
        async with started(box):
            old = seen(box)
            await ask(box, change, act=Act.COMMIT)
        again = Box(tmp_path, host=box.host)
        async with started(again):
            assert seen(again) == old
            assert again.publisher.events[0][0] == "committed"  # reads never see what was not confirmed
            assert not again.publisher.alarms and not again.publisher.broken
            assert await told(ask(again, act=Act.CONFIRM)) is Fault.STATE
            assert (await again.submit(change)).changed

    scenario()


class Striking:
    """Crashes at the point with a number; without one it counts."""

    def __init__(self, number: int | None = None) -> None:
        self.number = number
        self.points: list[str] = []
        self.armed = False

    def __call__(self, label: str) -> None:
        if not self.armed:
            return
        self.points.append(label)
        if self.number is not None and len(self.points) > self.number:
            raise Crash(label)


async def crashed(
    folder: FilePath, base: tuple[Any, ...], change: tuple[Any, ...], act: Act, at: Striking
) -> Box:
    """A box whose process ended at a point of the commit, or of the confirmation or cancelling after it."""
    box = await prepared(folder, base, mark=lambda stage: at(f"stage {stage}"))
    box.host.hook = lambda when, label: at(f"{when} {label}")
    try:
        async with started(box):
            at.armed = act is Act.COMMIT
            await ask(box, change, act=Act.COMMIT)
            at.armed = True
            if act is not Act.COMMIT:
                await ask(box, act=act)
            at.armed = False
    except BaseExceptionGroup as group:
        assert group.subgroup(Crash) is not None
    at.armed = False
    box.host.hook = lambda _, __: None
    return box


@pytest.mark.parametrize("act", [Act.COMMIT, Act.CANCEL, Act.CONFIRM])
@pytest.mark.parametrize("name", CHANGES)
def test_a_crash_anywhere_ends_in_one_of_both(name: str, act: Act, tmp_path: FilePath) -> None:
    """Before the confirmation is durable: all old; afterwards: all new."""

    @in_loop
    async def scenario() -> None:
        base, change = CHANGES[name]
        async with started(await prepared(tmp_path / "plain", base)) as plain:
            old = seen(plain)
            await plain.submit(change)
            new = seen(plain)
        counting = Striking()
        await crashed(tmp_path / "whole", base, change, act, counting)
        assert len(counting.points) > 3 or act is Act.CONFIRM
        # What a crash before the commit point leaves is no different from that of any other commit.
        stride = 3 if act is Act.COMMIT else 1
        for number, point in list(enumerate(counting.points))[::stride]:
            box = await crashed(tmp_path / str(number), base, change, act, Striking(number))
            again = Box(tmp_path / str(number), host=box.host)
            async with started(again):
                assert seen(again) == (new if act is Act.CONFIRM else old), point
                assert not again.publisher.alarms and not again.publisher.broken, point

    scenario()


@in_loop
async def test_the_higher_election_wins_and_is_remembered(tmp_path: FilePath) -> None:
    def claim(role: str, number: int) -> Request:
        return Request((), "anna", "test", election=Election(role, number))

    box = await prepared(tmp_path, ())
    async with started(box):
        for role, number, fault in (
            ("", 0, None),
            ("", 5, None),
            ("", 5, None),
            ("", 4, Fault.DENIED),
            ("r", 1, None),
            ("", 1 << 64, None),
            ("", (1 << 64) - 1, Fault.DENIED),
        ):
            call = box.transactor.submit(claim(role, number))
            if fault is None:
                await call
            else:
                assert await told(call) is fault
    again = Box(tmp_path, host=Host())
    async with started(again):
        with pytest.raises(RequestError, match="high 1, low 0"):
            await again.transactor.submit(claim("", 7))
        await again.transactor.submit(claim("r", 1))


@in_loop
async def test_the_roles_that_are_remembered_have_an_end(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are for good, and anybody who may write can think of more."""
    monkeypatch.setattr(standing, "MOST_ROLES", 2)
    box = await prepared(tmp_path, ())
    async with started(box):
        for role, fault in (("", None), ("r", None), ("s", Fault.TOO_LARGE), ("r", None)):
            call = box.transactor.submit(Request((), "anna", "test", election=Election(role, 1)))
            if fault is None:
                await call
            else:
                assert await told(call) is fault


def shrunk(folder: FilePath, host: Host) -> Box:
    """The box with other modules, on a host that is too small for what is configured."""
    box = Box(folder, host=host, modules="other")
    box.model.capabilities = replace(box.model.capabilities, memory=1 << 30)
    return box


@in_loop
async def test_what_does_not_fit_does_so_only_with_the_confirmation(tmp_path: FilePath) -> None:
    first = await prepared(tmp_path, demo.everything())
    async with started(shrunk(tmp_path, first.host)) as box:
        for end in (Act.CANCEL, None, Act.CONFIRM):
            assert "misfit" in box.publisher.alarms
            await ask(box, demo.deleted(demo.FW1), act=Act.COMMIT)
            if end is None:
                box.transactor._confirmations.restart(0.0)
                await over(box)
            else:
                await ask(box, act=end)
            fault = None if end is Act.CONFIRM else Fault.CAPACITY
            assert fault is None or await told(ask(box, demo.appliance(limit=300))) is fault
        assert "misfit" not in box.publisher.alarms
        await ask(box, demo.switch(demo.LAN, "eth7", mtu=1400))


@in_loop
async def test_what_did_not_fit_does_not_fit_after_restarts_either(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path, demo.everything())
    async with started(box):
        await ask(box, demo.switch(demo.LAN, "eth7", mtu=1400), act=Act.COMMIT)
    for _ in range(2):
        async with started(shrunk(tmp_path, box.host)) as again:
            assert "misfit" in again.publisher.alarms
