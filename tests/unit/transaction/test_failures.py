"""Every step of the demo's plans fails, in every way: the host is as it was, or says what it is not."""

import asyncio
from collections.abc import Callable
from pathlib import Path as FilePath
from typing import Any

import pytest

from doubles import demo
from doubles.box import Box, deleted, furnish, started
from doubles.host import Host, Kernel
from doubles.loop import in_loop
from twinplane.errors import ApplyError, DegradedError, DriverError, UnavailableError
from twinplane.plan.resource import Found, Key, Noun, Resource, Run
from twinplane.plan.step import Phase
from twinplane_wire.path import parse

DOMAIN = "vmcj2zgj6z5h5"
BRIDGE = "brn3ffuw6dd6l"
WAITING = Key(Noun.PORT, "eth9")

CHANGES: dict[str, tuple[tuple[Any, ...], tuple[Any, ...]]] = {
    "create": ((), demo.everything()),
    "live": (demo.everything(), demo.appliance(limit=250, rate=20_000_000)),
    "start another definition": (
        demo.everything(state="STOPPED"),
        demo.appliance(memory=512 << 20, rules="table inet other { }\n"),
    ),
    "start": (demo.everything(state="STOPPED"), demo.appliance()),
    "delete": (demo.everything(), demo.nothing()),
}


class Ensures:
    """Counts the calls of ensure and fails the one with the number `fail`, before or after its work."""

    def __init__(self, fail: int | None, moment: str, error: Exception) -> None:
        self.fail = fail
        self.moment = moment
        self.error = error
        self.count = 0
        self.numbers: dict[Key, int] = {}
        self.failed: Key | None = None

    async def __call__(self, when: str, key: Key, _: Resource | None) -> None:
        if when == "before":
            self.count += 1
            self.numbers[key] = self.count
        if when == self.moment and self.numbers[key] == self.fail and self.failed is None:
            self.failed = key
            raise self.error


async def prepared(folder: FilePath, base: tuple[Any, ...]) -> Box:
    """A box in memory with the base configured, as of the last start of it."""
    folder.mkdir()
    box = Box(folder, host=Host())
    furnish(box.host)
    async with started(box):
        if base:
            await box.submit(base)
    return Box(folder, host=box.host)


async def count(folder: FilePath, name: str) -> int:
    """How many steps the change has before its commit."""
    base, change = CHANGES[name]
    async with started(await prepared(folder, base)) as box:
        outcome = await box.submit(change, dry_run=True)
        return sum(step.phase < Phase.FINAL for step in outcome.steps)


@pytest.mark.parametrize("name", CHANGES)
@in_loop
async def test_a_step_that_fails_leaves_no_trace(name: str, tmp_path: FilePath) -> None:
    base, change = CHANGES[name]
    for number in range(1, 1 + await count(tmp_path / "count", name)):
        async with started(await prepared(tmp_path / str(number), base)) as box:
            before, configured, revision = (
                box.host.snapshot(),
                box.configured,
                box.transactor.running.revision,
            )
            trap = Ensures(number, "before", DriverError("no", remedy="wait"))
            box.drivers.set_trap(trap)
            try:
                await box.submit(change)
            except ApplyError as error:
                raised = error
            else:
                assert trap.failed == WAITING  # it is not there, and that is as good as plugged
                continue
            assert raised.undone and "no (wait); everything was undone" in str(raised)
            assert str(trap.failed) in raised.step
            assert box.host.kernel == before, trap.failed
            assert (box.configured, box.transactor.running.revision) == (configured, revision)
            assert not box.publisher.held and not box.publisher.alarms
            # It was only that: the same request passes afterwards, and a new start finds nothing to do.
            assert (await box.submit(change)).revision == revision + 1
        await adopted(box)


@pytest.mark.parametrize("name", CHANGES)
@in_loop
async def test_an_error_counts_only_if_the_read_back_differs(name: str, tmp_path: FilePath) -> None:
    base, change = CHANGES[name]
    for number in range(1, 1 + await count(tmp_path / "count", name)):
        async with started(await prepared(tmp_path / str(number), base)) as box:
            box.drivers.set_trap(Ensures(number, "after", DriverError("timed out, or not")))
            assert (await box.submit(change)).changed
        await adopted(box)


@pytest.mark.parametrize("name", CHANGES)
@in_loop
async def test_an_unknown_end_is_undone(name: str, tmp_path: FilePath) -> None:
    base, change = CHANGES[name]
    for number in range(1, 1 + await count(tmp_path / "count", name)):
        async with started(await prepared(tmp_path / str(number), base)) as box:
            before = box.host.snapshot()
            box.drivers.set_trap(Ensures(number, "after", DriverError("no answer", unknown=True)))
            with pytest.raises(ApplyError, match="everything was undone"):
                await box.submit(change)
            assert box.host.kernel == before


@pytest.mark.parametrize("name", ["create", "delete"])
@in_loop
async def test_half_a_step_is_undone(name: str, tmp_path: FilePath) -> None:
    """The effects of a step are several: the driver itself breaks between any two of them."""
    base, change = CHANGES[name]
    async with started(await prepared(tmp_path / "count", base)) as box:
        box.host.effects.clear()
        outcome = await box.submit(change)
        final = {str(step.key) for step in outcome.steps if step.phase is Phase.FINAL} | {"trash"}
        effects = [label for label in box.host.effects if not any(label.startswith(f"{k} ") for k in final)]
    for number, label in enumerate(effects):
        async with started(await prepared(tmp_path / str(number), base)) as box:
            before = box.host.snapshot()
            box.host.hook = break_once(box.host, label)
            with pytest.raises(ApplyError, match=r"ZeroDivisionError.*everything was undone"):
                await box.submit(change)
            assert box.host.kernel == before, label


def break_once(host: Host, label: str) -> Callable[[str, str], None]:
    """A bug: not even an error of the driver's own."""

    def hook(when: str, found: str) -> None:
        if when == "before" and found == label:
            host.hook = lambda _when, _label: None
            raise ZeroDivisionError

    return hook


async def adopted(closed: Box) -> None:
    """A new start on what is there changes nothing."""
    again = Box(closed.folder, host=closed.host)
    standing = again.host.snapshot()
    async with started(again):
        assert again.host.kernel == standing
        assert set(again.drivers.ensures) <= {WAITING}
        assert not again.publisher.alarms


@in_loop
async def test_what_a_driver_waits_for_may_be_cancelled(tmp_path: FilePath) -> None:
    """That is a failure like any other, and not the end of the writer."""
    async with started(await prepared(tmp_path / "box", ())) as box:
        before = box.host.snapshot()
        box.drivers.set_trap(Ensures(3, "before", asyncio.CancelledError("lost")))  # type: ignore[arg-type]
        with pytest.raises(ApplyError, match=r"CancelledError: lost.*undone"):
            await box.submit(demo.everything())
        assert box.host.kernel == before
        assert (await box.submit(demo.everything())).changed


@in_loop
async def test_an_undo_that_fails_is_told_though_nothing_can_be_read(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path / "box", ())) as box:

        async def broken(_: object) -> Any:
            raise ZeroDivisionError

        async def trap(when: str, key: Key, wanted: Resource | None) -> None:
            if when == "before" and (key.noun is Noun.SCHEDULER or (key.name == BRIDGE and wanted is None)):
                for driver in box.drivers.all:
                    driver.find = broken  # type: ignore[method-assign]
                raise DriverError("busy")

        box.drivers.set_trap(trap)
        with pytest.raises(ApplyError, match="undo failed") as caught:
            await box.submit(demo.everything())
        assert f"bridge {BRIDGE} (ZeroDivisionError: )" in caught.value.left
        assert f"undo {demo.LAN}" in box.publisher.alarms and not box.publisher.held


OTHER = "/virtual-switches/virtual-switch[name=other]"


@in_loop
async def test_what_cannot_be_undone_degrades_its_object_until_it_is_repaired(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path / "box", ())
    before = box.host.snapshot()
    broken = True

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if when == "before" and key.noun is Noun.SCHEDULER:
            raise DriverError("refused")
        if broken and when == "before" and key == Key(Noun.BRIDGE, BRIDGE) and wanted is None:
            raise DriverError("busy")

    box.drivers.set_trap(trap)
    async with started(box):
        with pytest.raises(ApplyError, match="undo failed") as caught:
            await box.submit(demo.everything())
        assert not caught.value.undone
        assert caught.value.left == (f"bridge {BRIDGE} (busy)",)
        assert BRIDGE in box.host.kernel.devices and box.host.kernel.domains == {}
        (alarm,) = box.publisher.alarms.values()
        assert (alarm.resource, alarm.kind, alarm.severity) == (demo.LAN, "UNDO_FAILED", "MAJOR")
        assert BRIDGE in box.publisher.broken[parse(demo.LAN)]
        # Other objects are made, changed and deleted meanwhile.
        assert (await box.submit(demo.image(), demo.switch(OTHER, "eth7"))).revision == 1
        tries = len(box.drivers.ensures)
        await box.until(lambda: len(box.drivers.ensures) > tries)  # it is tried again, and fails again
        assert (await box.submit(deleted(OTHER), deleted(demo.IMAGE))).revision == 2
        assert f"undo {demo.LAN}" in box.publisher.alarms and BRIDGE in box.host.kernel.devices
        broken = False
        await box.until(lambda: not box.publisher.alarms and not box.publisher.broken)
        assert box.host.kernel == before


@in_loop
async def test_the_next_change_of_the_object_mends_it(tmp_path: FilePath) -> None:
    """The undo of a first try left a bridge, unmarked, with another MTU. The second starts from there."""
    box = await prepared(tmp_path / "box", ())
    failing = True

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if (
            failing
            and when == "before"
            and (key.noun is Noun.SCHEDULER or (key == Key(Noun.BRIDGE, BRIDGE) and wanted is None))
        ):
            raise DriverError("busy")

    box = Box(box.folder, host=box.host, repair_pauses=(1000.0,))
    box.drivers.set_trap(trap)
    async with started(box):
        with pytest.raises(ApplyError, match="undo failed"):
            await box.submit(demo.everything())
        box.host.kernel.devices[BRIDGE].owner, box.host.kernel.devices[BRIDGE].mtu = None, 1400
        failing = False
        assert (await box.submit(demo.everything())).changed
        assert box.host.kernel.devices[BRIDGE].mtu == 1500
        assert not box.publisher.alarms and not box.publisher.broken
    await adopted(box)


@in_loop
async def test_what_stands_on_the_left_over_of_another_object_waits(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path / "box", (*demo.image(), *demo.switch(demo.LAN), *demo.switch(demo.WAN)))
    box = Box(box.folder, host=box.host, repair_pauses=(1000.0,))
    failing = True

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if failing and key == Key(Noun.BRIDGE, BRIDGE) and when == "after":
            raise DriverError("no answer", unknown=True)

    box.drivers.set_trap(trap)
    async with started(box):
        with pytest.raises(ApplyError, match="undo failed"):
            await box.submit(demo.switch(demo.LAN, mtu=1400))
        with pytest.raises(DegradedError, match=r"virtual-switch.name=lan.*could not be undone") as caught:
            await box.submit(demo.appliance())
        assert caught.value.objects == (parse(demo.LAN),)
        failing = False
        assert (await box.submit(demo.switch(demo.LAN, mtu=1400))).changed
        assert not box.publisher.alarms
        assert (await box.submit(demo.appliance())).changed


@in_loop
async def test_a_guest_that_gives_no_answer_can_be_deleted(tmp_path: FilePath) -> None:
    """A live change of it fails, and so does its undo. Nobody else waits, and a delete ends it."""
    box = await prepared(tmp_path / "box", demo.everything())
    box = Box(box.folder, host=box.host, repair_pauses=(1000.0,))

    async def silence(_: Key) -> Found:
        raise DriverError("an earlier call has not returned", unknown=True)

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if when == "before" and key.noun is Noun.SCHEDULER:
            raise DriverError("no answer", unknown=True)

    box.drivers.set_trap(trap)
    async with started(box):
        with pytest.raises(ApplyError, match="undo failed"):
            await box.submit(demo.appliance(limit=250))
        assert (await box.submit(demo.switch(OTHER))).changed
        (schedulers,) = (driver for driver in box.drivers.all if Noun.SCHEDULER in driver.nouns)
        schedulers.find = silence  # type: ignore[method-assign]
        with pytest.raises(DegradedError, match=r"has not returned.*delete the object"):
            await box.submit(demo.appliance(limit=300))
        await box.submit(deleted(demo.FW1))
        assert box.host.kernel.domains == {} and not box.publisher.alarms
    await adopted(box)


@in_loop
async def test_a_guest_that_nobody_can_read_can_be_deleted(tmp_path: FilePath) -> None:
    """The driver puts it aside and ends it without an answer."""
    async with started(await prepared(tmp_path / "box", demo.everything())) as box:
        find = box.drivers.domains.find

        async def silence(key: Key) -> Found:
            if key.name in box.host.kernel.domains and box.host.kernel.domains[key.name].run is Run.RUNNING:
                raise DriverError("libvirt has not found the guest again", unknown=True)
            return await find(key)

        box.drivers.domains.find = silence  # type: ignore[method-assign]
        assert (await box.submit(demo.nothing())).changed
        assert box.host.kernel.domains == {} and not box.publisher.alarms


@in_loop
async def test_each_object_has_a_pause_of_its_own(tmp_path: FilePath) -> None:
    """One that fails again and again does not make another wait that has just failed."""
    box = await prepared(tmp_path / "box", ())
    box = Box(box.folder, host=box.host, repair_pauses=(0.01, 0.01, 1000.0))
    tries: dict[str, int] = {}
    ways = {BRIDGE: 1000, "br2qalyq4vl5p": 1}

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if when == "before" and wanted is None and key.noun is Noun.BRIDGE:
            tries[key.name] = tries.get(key.name, 0) + 1
            if tries[key.name] <= ways[key.name]:
                raise DriverError("busy")

    box.drivers.set_trap(trap)
    async with started(box):
        await box.submit(demo.switch(demo.LAN))
        await box.submit(deleted(demo.LAN))
        await box.until(lambda: box.transactor._repairs._tries.get(parse(demo.LAN), 0) == 3)
        ways["br2qalyq4vl5p"] = 3
        await box.submit(demo.switch(demo.WAN))
        await box.submit(deleted(demo.WAN))
        await box.until(lambda: "br2qalyq4vl5p" not in box.host.kernel.devices)
        assert BRIDGE in box.host.kernel.devices


@in_loop
async def test_a_deleted_guest_that_gives_no_answer_is_not_forgotten(tmp_path: FilePath) -> None:
    """Also not by the next start, where no survey shows it."""
    box = await prepared(tmp_path / "box", demo.everything())
    answers = False

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if not answers and when == "before" and key.noun is Noun.DOMAIN and wanted is None:
            raise DriverError("no answer", unknown=True)

    async def silence(_: Key) -> Found:
        raise DriverError("no answer", unknown=True)

    async def nothing(_: object) -> tuple[Resource, ...]:
        return ()

    box.drivers.set_trap(trap)
    async with started(box):
        assert (await box.submit(demo.nothing())).changed
        assert DOMAIN in box.host.kernel.domains
    again = Box(box.folder, host=box.host)
    again.drivers.set_trap(trap)
    again.drivers.domains.find = silence  # type: ignore[method-assign]
    again.drivers.domains.survey = nothing  # type: ignore[method-assign]
    async with started(again):
        (alarm,) = again.publisher.alarms.values()
        assert (alarm.resource, alarm.kind) == (demo.FW1, "FINAL_STEP_FAILED")
        assert (await again.submit(demo.switch(OTHER))).changed
        answers = True
        await again.until(lambda: not again.publisher.alarms)
        assert again.host.kernel.domains == {}


@in_loop
async def test_a_disk_that_takes_no_note_of_it_degrades_the_host(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path / "box", demo.image())
    before, conclude = box.host.snapshot(), box.store.conclude
    mend = undo_fails(box, Key(Noun.BRIDGE, BRIDGE))

    async def full(*_: Any) -> None:
        raise UnavailableError("disk full")

    box.store.conclude = full  # type: ignore[method-assign]
    async with started(box):
        with pytest.raises(ApplyError, match="undo failed"):
            await box.submit(demo.switch(demo.LAN))
        assert box.publisher.alarms["degraded"].severity == "CRITICAL"
        with pytest.raises(DegradedError, match=f"the host is degraded.*{BRIDGE}"):
            await box.submit(demo.switch(OTHER))
        mend()
        box.store.conclude = conclude  # type: ignore[method-assign]
        await box.until(lambda: not box.publisher.alarms)
        assert box.host.kernel == before
        assert (await box.submit(demo.switch(OTHER))).changed


@pytest.mark.parametrize("name", CHANGES)
@in_loop
async def test_each_undo_that_fails_is_named_and_repaired(name: str, tmp_path: FilePath) -> None:
    """All is done; the commit cannot be written, nor can one of the steps be taken back, for a while."""
    base, change = CHANGES[name]
    async with started(await prepared(tmp_path / "count", base)) as box:
        outcome = await box.submit(change, dry_run=True)
    keys = dict.fromkeys(step.key for step in outcome.steps if step.phase < Phase.FINAL)
    degraded = 0
    for number, key in enumerate(key for key in keys if key != WAITING):
        async with started(await prepared(tmp_path / str(number), base)) as box:
            before, configured = box.host.snapshot(), box.configured
            mend = undo_fails(box, key)
            try:
                with pytest.raises(ApplyError, match="undo failed") as caught:
                    await box.submit(change)
            except UnavailableError:
                assert box.host.kernel == before  # this one goes back with another, as a share with its guest
                continue
            assert f"{key} (busy)" in caught.value.left
            (alarm,) = (one for one in box.publisher.alarms.values() if one.kind == "UNDO_FAILED")
            assert key.name in alarm.text
            box.store.commit = box.working  # type: ignore[attr-defined]
            await box.submit(demo.switch(OTHER))
            mend()
            await box.until(lambda: not box.publisher.alarms)
            await box.submit(deleted(OTHER))
            assert box.host.without_idle_queues() == without_idle(before), key
            assert box.configured == configured
            assert (await box.submit(change)).changed
            degraded += 1
    assert degraded > len(keys) // 2


def undo_fails(box: Box, key: Key) -> Callable[[], None]:
    """The next commit cannot be written, and what was done under one key not be taken back, until the end is
    called."""
    write, committing = box.store.commit, False
    box.working = write  # type: ignore[attr-defined]

    async def full(*values: Any, **named: Any) -> None:
        nonlocal committing
        committing = True
        raise UnavailableError("disk full")

    async def trap(when: str, tried: Key, _: Resource | None) -> None:
        if committing and when == "before" and tried == key:
            raise DriverError("busy")

    def mend() -> None:
        nonlocal committing
        committing, box.store.commit = False, write  # type: ignore[method-assign]

    box.store.commit = full  # type: ignore[method-assign, assignment]
    box.drivers.set_trap(trap)
    return mend


def without_idle(kernel: Kernel) -> Kernel:
    """A kernel as `Host.without_idle_queues` shows it."""
    host = Host()
    host.kernel = kernel
    return host.without_idle_queues()


@in_loop
async def test_what_is_left_over_is_known_and_repaired_after_a_restart(tmp_path: FilePath) -> None:
    """It was kept beside the row of a later change, with which the process ended."""
    box = await prepared(tmp_path / "box", ())
    before, broken = box.host.snapshot(), True

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        gone = key == Key(Noun.BRIDGE, BRIDGE) and wanted is None
        if broken and when == "before" and (key.noun is Noun.SCHEDULER or gone):
            raise DriverError("busy")

    box.drivers.set_trap(trap)
    async with started(box):
        with pytest.raises(ApplyError):
            await box.submit(demo.everything())
        await box.submit(demo.switch(OTHER))
        box.host.kernel.devices[BRIDGE].owner = None  # as if not marked yet: only its name tells of it
    again = Box(box.folder, host=box.host)
    again.drivers.set_trap(trap)
    async with started(again):
        assert f"undo {demo.LAN}" in again.publisher.alarms
        assert (await again.submit(deleted(OTHER))).changed
        broken = False
        await again.until(lambda: not again.publisher.alarms)
        assert again.host.kernel == before
    await adopted(again)


@in_loop
async def test_a_final_step_cannot_fail_the_request(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path / "box", demo.everything())
    broken = True

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        if broken and when == "before" and wanted is None and key.name in {BRIDGE, DOMAIN}:
            raise DriverError("busy")

    box.drivers.set_trap(trap)
    async with started(box):
        assert (await box.submit(demo.nothing())).revision == 2
        assert box.configured == {}
        kinds = {alarm.resource: alarm.kind for alarm in box.publisher.alarms.values()}
        assert kinds == {demo.FW1: "FINAL_STEP_FAILED", demo.LAN: "FINAL_STEP_FAILED"}
        assert not box.publisher.broken
        broken = False
        await box.until(lambda: not box.publisher.alarms)
        kernel = box.host.kernel
        assert kernel.domains == {} and set(kernel.devices) == {"eth7", "eth8", "br-lab"}
        assert kernel.files == {} and kernel.trash == {}
        assert kernel.devices["eth7"].generation == 0


@in_loop
async def test_the_trash_is_emptied_though_a_final_step_seemed_to_fail(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path / "box", demo.everything())) as box:
        tries = 0

        async def trap(when: str, key: Key, wanted: Resource | None) -> None:
            nonlocal tries
            if when == "after" and wanted is None and key == Key(Noun.BRIDGE, BRIDGE):
                tries += 1
                raise DriverError("no answer", unknown=True)

        box.drivers.set_trap(trap)
        await box.submit(demo.nothing())
        assert tries and box.host.kernel.trash
        await box.until(lambda: not box.publisher.alarms)
        await box.until(lambda: not box.host.kernel.trash)


@in_loop
async def test_a_sweep_that_breaks_cannot_fail_the_request(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path / "box", demo.everything())) as box:
        box.host.hook = break_once(box.host, "trash empty")
        assert (await box.submit(demo.nothing())).changed
        assert "left-behind" in box.publisher.alarms and not box.publisher.held
        await box.submit(demo.image())
        await box.submit(demo.nothing())
        assert box.host.kernel.trash == {} and not box.publisher.alarms


@in_loop
async def test_the_final_restore_of_a_host_port_is_not_forgotten_by_a_restart(tmp_path: FilePath) -> None:
    box = await prepared(tmp_path / "box", demo.everything())
    before = box.host.kernel.devices["eth7"].generation

    async def trap(when: str, key: Key, wanted: Resource | None) -> None:
        master = getattr(wanted, "master", "")
        generation = getattr(wanted, "address_generation", 1)
        if when == "before" and key.name == "eth7" and master is None and generation != 1:
            raise DriverError("busy")

    box.drivers.set_trap(trap)
    async with started(box):
        await box.submit(demo.nothing())
        assert box.host.kernel.devices["eth7"].generation == before == 1
    again = Box(box.folder, host=box.host)
    async with started(again):
        assert again.host.kernel.devices["eth7"].generation == 0
        assert again.host.kernel.devices["eth7"].master is None


@pytest.mark.parametrize("name", CHANGES)
@in_loop
async def test_a_commit_that_cannot_be_written_is_undone(name: str, tmp_path: FilePath) -> None:
    base, change = CHANGES[name]
    async with started(await prepared(tmp_path / "box", base)) as box:
        before, configured = box.host.snapshot(), box.configured

        async def full(*_: object, **__: object) -> None:
            raise UnavailableError("disk full")

        commit, box.store.commit = box.store.commit, full  # type: ignore[method-assign, assignment]
        with pytest.raises(UnavailableError, match="disk full"):
            await box.submit(change)
        assert box.host.kernel == before and box.configured == configured
        box.store.commit = commit  # type: ignore[method-assign]
        assert (await box.submit(change)).changed


class Faulty:
    """Events of a commit that nobody can tell."""

    def caused(self, *_: object) -> tuple[Any, ...]:
        raise ZeroDivisionError


@in_loop
async def test_a_fault_of_our_own_before_the_commit_is_undone(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path / "box", demo.everything())) as box:
        before, parts = box.host.snapshot(), box.transactor._parts
        occasions = parts.occasions
        object.__setattr__(parts, "occasions", Faulty())
        with pytest.raises(ZeroDivisionError):
            await box.submit(demo.nothing())
        assert box.host.kernel == before and not box.publisher.held
        object.__setattr__(parts, "occasions", occasions)
        assert (await box.submit(demo.nothing())).revision == 2


@pytest.mark.parametrize("error", [UnavailableError("disk full"), ZeroDivisionError()])
@in_loop
async def test_a_row_that_cannot_be_dropped_cannot_fail_the_request(
    error: Exception, tmp_path: FilePath
) -> None:
    async with started(await prepared(tmp_path / "box", demo.everything())) as box:

        async def full(*_: object) -> None:
            raise error

        box.store.conclude = full  # type: ignore[method-assign, assignment]
        assert (await box.submit(demo.nothing())).revision == 2
        assert not box.publisher.held and box.transactor._standing.entry is None
        assert (await box.submit(demo.everything())).revision == 3


@in_loop
async def test_a_row_that_cannot_be_written_stops_everything(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path / "box", ())) as box:
        before = box.host.snapshot()

        async def full(*_: object) -> None:
            raise UnavailableError("disk full")

        box.store.begin = full  # type: ignore[method-assign, assignment]
        with pytest.raises(UnavailableError, match="disk full"):
            await box.submit(demo.everything())
        assert box.host.kernel == before and box.drivers.ensures == []


@in_loop
async def test_what_later_phases_disturb_is_found_by_the_last_reading(tmp_path: FilePath) -> None:
    async with started(await prepared(tmp_path / "box", ())) as box:
        before = box.host.snapshot()

        async def trap(when: str, key: Key, wanted: Resource | None) -> None:
            if when == "after" and getattr(wanted, "run", None) is Run.RUNNING:
                box.host.kernel.queues.pop("tpvfehp5kkmtw root")

        box.drivers.set_trap(trap)
        with pytest.raises(ApplyError, match=r"tpvfehp5kkmtw root.*absent.*undone"):
            await box.submit(demo.everything())
        assert box.host.kernel == before
