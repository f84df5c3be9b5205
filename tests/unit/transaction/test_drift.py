"""Drift: the host is changed behind the writer's back; it is told once, left alone, and told when over."""

from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any

import pytest

from doubles import demo
from doubles.box import Box, furnish, started
from doubles.host import Kernel
from doubles.loop import in_loop
from twinplane.errors import ApplyError, DriverError, RequestError
from twinplane.plan.resource import Found, Htb, Key, Noun, Resource, Run, Seed
from twinplane.transaction import drift, notice
from twinplane.transaction.request import Act, Confirm, Request
from twinplane_wire.path import parse

DOMAIN = "vmcj2zgj6z5h5"
LAN = "brn3ffuw6dd6l"
TAP = "tpvfehp5kkmtw"
IFB = "fbvfehp5kkmtw"
FW1, SWITCH = parse(demo.FW1), parse(demo.LAN)
EVERYTHING = frozenset({FW1, SWITCH, parse(demo.WAN), parse(demo.IMAGE)})


async def told(box: Box) -> list[tuple[str, str, bool, tuple[str, ...]]]:
    """The events of differences so far: kind, object, whether it is over, what differs."""
    listed = await box.store.read(lambda db: notice.read(db, 0, 1000))
    return [
        (one.kind, str(one.path), one.body["resolved"], tuple(one.body["difference"]))
        for one in listed
        if one.kind in (notice.DRIFT, notice.SHARE_VIOLATION)
    ]


def alarms(box: Box) -> dict[str, str]:
    """Kind of alarm by object."""
    return {alarm.resource: alarm.kind for alarm in box.publisher.alarms.values()}


async def running(folder: FilePath) -> Box:
    box = Box(folder)
    furnish(box.host)
    return box


def unplugged(kernel: Kernel) -> None:
    kernel.devices[TAP].master = None


def resized(kernel: Kernel) -> None:
    kernel.devices[LAN].mtu = 1400


def vanished(kernel: Kernel) -> None:
    del kernel.devices[LAN]
    for device in kernel.devices.values():
        device.master = None if device.master == LAN else device.master


def ended(kernel: Kernel) -> None:
    kernel.domains[DOMAIN] = replace(kernel.domains[DOMAIN], run=Run.STOPPED)


def undefined(kernel: Kernel) -> None:
    del kernel.domains[DOMAIN]


def let_go(kernel: Kernel) -> None:
    kernel.devices["eth7"].master = None


def unshaped(kernel: Kernel) -> None:
    kernel.queues.pop(f"{TAP} root")


def widened(kernel: Kernel) -> None:
    queue = kernel.queues[f"{TAP} root"]
    assert isinstance(queue, Htb)
    kernel.queues[f"{TAP} root"] = replace(queue, rate=queue.rate * 2)


def unlimited(kernel: Kernel) -> None:
    kernel.schedulers.pop(DOMAIN)


@pytest.mark.parametrize(
    ("change", "kind", "where", "what"),
    [
        (unplugged, "drift", demo.FW1, f"change port {TAP}"),
        (resized, "drift", demo.LAN, f"change bridge {LAN}"),
        (vanished, "drift", demo.LAN, f"create bridge {LAN}"),
        (ended, "drift", demo.FW1, f"change domain {DOMAIN}"),
        (undefined, "drift", demo.FW1, f"create domain {DOMAIN}"),
        (let_go, "drift", demo.LAN, "change port eth7"),
        (unshaped, "share-violation", demo.FW1, f"create qdisc {TAP} root"),
        (widened, "share-violation", demo.FW1, f"change qdisc {TAP} root"),
        (unlimited, "share-violation", demo.FW1, f"create scheduler {DOMAIN}"),
    ],
)
@pytest.mark.parametrize("few", [0, 64], ids=["by one survey", "one by one"])
@in_loop
async def test_what_differs_is_told_and_left_as_it_is(
    tmp_path: FilePath,
    monkeypatch: pytest.MonkeyPatch,
    few: int,
    change: Any,
    kind: str,
    where: str,
    what: str,
) -> None:
    monkeypatch.setattr(drift, "FEW", few)
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        await box.transactor.inspect(EVERYTHING)
        assert await told(box) == [] and alarms(box) == {}
        change(box.host.kernel)
        before = box.host.snapshot()
        for _ in range(2):  # the second look finds nothing new
            await box.transactor.inspect(frozenset({parse(where)}))
            ((found_kind, found_where, over, differences),) = await told(box)
            assert (found_kind, found_where, over) == (kind, where, False)
            assert what in differences
        assert alarms(box) == {where: "DRIFT" if kind == "drift" else "SHARE_VIOLATION"}
        assert box.host.snapshot() == before
        await box.transactor.repair()
        await box.until(lambda: alarms(box) == {})
        *_, (found_kind, found_where, over, differences) = await told(box)
        assert (found_kind, found_where, over, differences) == (kind, where, True, ())


@in_loop
async def test_a_commit_that_sets_it_right_ends_it(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        widened(box.host.kernel)
        await box.transactor.inspect(frozenset({FW1}))
        assert alarms(box) == {demo.FW1: "SHARE_VIOLATION"}
        await box.submit(demo.appliance(rate=70_000_000))
        await box.until(lambda: alarms(box) == {})
        assert [over for *_, over, _ in await told(box)] == [False, True]


@in_loop
async def test_a_deleted_object_does_not_differ_any_more(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        unlimited(box.host.kernel)
        await box.transactor.inspect(frozenset({FW1}))
        await box.submit(demo.nothing())
        await box.until(lambda: alarms(box) == {})


@in_loop
async def test_what_is_on_its_way_is_no_drift(tmp_path: FilePath) -> None:
    """A guest that was asked to stop, an appliance that is put aside, a host port that is not there."""
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())  # eth9 is not there
        await box.submit(demo.appliance(state="STOPPED"))
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        await box.transactor.inspect(EVERYTHING)
        box.host.end_guest(DOMAIN)
        await box.transactor.inspect(EVERYTHING)
        await box.submit(demo.appliance())
        confirm = Confirm(Act.COMMIT, "c")
        await box.transactor.submit(Request(demo.nothing(), "admin", "test", confirm=confirm))
        assert box.host.kernel.domains[DOMAIN].run is Run.PAUSED
        await box.transactor.inspect(EVERYTHING)
        box.host.kernel.domains[DOMAIN] = replace(box.host.kernel.domains[DOMAIN], run=Run.RUNNING)
        assert await told(box) == []
        await box.transactor.inspect(EVERYTHING)  # but who put it to work again did so against our will
        ((kind, where, over, _),) = await told(box)
        assert (kind, where, over) == ("drift", demo.FW1, False)


@in_loop
async def test_an_event_that_cannot_be_stored_is_an_alarm_at_least(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        unlimited(box.host.kernel)
        await box.store.read(lambda db: db.execute("PRAGMA query_only = ON"))
        await box.transactor.inspect(frozenset({FW1}))
        assert alarms(box) == {demo.FW1: "SHARE_VIOLATION"}
        await box.store.read(lambda db: db.execute("PRAGMA query_only = OFF"))
        assert await told(box) == []


def removed(kernel: Kernel, name: str) -> None:
    """A device is deleted by somebody else, with everything on it."""
    del kernel.devices[name]
    kernel.queues = {key: item for key, item in kernel.queues.items() if item.device != name}


@pytest.mark.parametrize("seen", [True, False], ids=["known", "not yet known"])
@in_loop
async def test_what_somebody_took_away_is_no_undo_that_failed(tmp_path: FilePath, seen: bool) -> None:
    """Known, the next change makes it anew; else that change fails, and the box is as it was."""
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        removed(box.host.kernel, IFB)
        if seen:
            await box.transactor.inspect(frozenset({FW1}))
        else:
            with pytest.raises(ApplyError) as caught:
                await box.submit(demo.appliance(rate=70_000_000))
            assert caught.value.undone
        await box.submit(demo.described(demo.LAN, "served"))
        await box.transactor.inspect(frozenset({FW1}))
        await box.submit(demo.appliance(rate=60_000_000))
        assert box.host.kernel.devices[IFB].up
        assert {f"{IFB} root", f"{TAP} ingress"} <= set(box.host.kernel.queues)
        await box.until(lambda: alarms(box) == {})


@in_loop
async def test_a_tap_that_a_running_guest_lost_needs_its_start(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        removed(box.host.kernel, TAP)
        await box.transactor.inspect(frozenset({FW1}))
        with pytest.raises(RequestError, match=r"needs GUEST_REBOOT of a running appliance \(create tap"):
            await box.submit(demo.appliance(rate=70_000_000))
        box.drivers.domains.obedient = True
        await box.submit(demo.appliance(state="STOPPED"))
        await box.submit(demo.appliance())
        assert box.host.kernel.devices[TAP].master == LAN
        await box.until(lambda: alarms(box) == {})


@in_loop
async def test_a_tap_that_is_made_anew_under_a_running_guest_is_told(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        removed(box.host.kernel, TAP)
        await box.transactor.repair()
        assert box.host.kernel.devices[TAP].master == LAN
        (alarm,) = box.publisher.alarms.values()
        assert (alarm.resource, alarm.kind) == (demo.FW1, "OBJECT_FAILED")
        assert f"tap {TAP}" in alarm.text and "stop and start it" in alarm.text
        await box.transactor.repair()
        assert list(box.publisher.alarms.values()) == [alarm]
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=0))
        await box.submit(demo.everything())
        assert not box.publisher.alarms


@pytest.mark.parametrize("device", [TAP, IFB])
@in_loop
async def test_what_is_gone_can_be_deleted(tmp_path: FilePath, device: str) -> None:
    box = await running(tmp_path)
    async with started(box):
        before = box.host.snapshot()
        await box.submit(demo.everything())
        removed(box.host.kernel, device)
        await box.transactor.inspect(frozenset({FW1}))
        await box.submit(demo.nothing())
        assert box.host.kernel == before
        assert alarms(box) == {}


@in_loop
async def test_a_guest_starts_with_its_seed_even_where_that_was_lost(tmp_path: FilePath) -> None:
    """Nobody watches files: the start itself looks."""
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything(state="STOPPED"))
        (seed,) = (name for name, file in box.host.kernel.files.items() if isinstance(file, Seed))
        lost = box.host.kernel.files.pop(seed)
        await box.submit(demo.appliance())
        assert box.host.kernel.files[seed] == lost
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING


@pytest.mark.parametrize(
    "change",
    [unplugged, resized, vanished, let_go, unshaped, widened, unlimited],
    ids=lambda one: one.__name__,
)
@pytest.mark.parametrize("touched", [demo.LAN, demo.FW1], ids=["its switch", "its appliance"])
@in_loop
async def test_the_next_change_puts_right_what_it_touches(
    tmp_path: FilePath, change: Any, touched: str
) -> None:
    """Also a change that needs no effect of its own: of the object, of what it refers to or is referred to
    by."""
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        whole = box.host.snapshot()
        change(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        assert alarms(box)
        await box.submit(demo.described(touched, "served"))
        await box.until(lambda: not alarms(box))
        assert box.host.snapshot() == whole


@pytest.mark.parametrize("change", [ended, undefined], ids=["ended", "undefined"])
@in_loop
async def test_a_change_starts_no_guest_that_ended(tmp_path: FilePath, change: Any) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        change(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        left = box.host.snapshot()
        await box.submit(demo.described(demo.FW1, "served"))
        await box.submit(demo.described(demo.LAN, "served"))
        await box.transactor.inspect(EVERYTHING)
        assert box.host.snapshot() == left
        assert alarms(box) == {demo.FW1: "DRIFT"}


@in_loop
async def test_an_appliance_starts_on_a_bridge_and_an_image_that_were_lost(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything(state="STOPPED"))
        whole = box.host.snapshot()
        vanished(box.host.kernel)
        box.host.kernel.files.clear()
        await box.transactor.inspect(EVERYTHING)
        await box.submit(demo.appliance())
        await box.until(lambda: not alarms(box))
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        assert box.host.kernel.files == whole.files
        assert box.host.kernel.devices == whole.devices


@in_loop
async def test_what_cannot_be_put_right_fails_no_change_that_does_not_need_it(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        box.host.kernel.devices[LAN].owner = None  # somebody else's now
        box.host.kernel.devices["eth7"].master = None
        await box.transactor.inspect(EVERYTHING)
        assert (await box.submit(demo.described(demo.LAN, "served"))).changed
        assert (await box.submit(demo.appliance(limit=300))).changed


@in_loop
async def test_a_commit_that_is_cancelled_leaves_what_it_mended(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        whole = box.host.snapshot()
        vanished(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        for act in (Act.COMMIT, Act.CANCEL):
            edits = demo.switch(demo.LAN, "eth7", mtu=1400) if act is Act.COMMIT else ()
            await box.transactor.submit(Request(edits, "admin", "test", confirm=Confirm(act, "c")))
        await box.until(lambda: not alarms(box))
        assert box.host.snapshot().devices == whole.devices


@pytest.mark.parametrize("few", [0, 64], ids=["by one survey", "one by one"])
@in_loop
async def test_what_cannot_be_read_hides_nothing_of_the_others(
    tmp_path: FilePath, monkeypatch: pytest.MonkeyPatch, few: int
) -> None:
    """A guest that gives no answer neither differs nor is as configured; all else is compared."""
    monkeypatch.setattr(drift, "FEW", few)
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        answering = [
            (driver, driver.find, driver.survey)
            for driver in box.drivers.all
            if driver.nouns & {Noun.DOMAIN, Noun.SCHEDULER}
        ]

        def silence() -> None:
            for driver, *_ in answering:
                driver.find, driver.survey = nothing, nobody  # type: ignore[method-assign]

        async def nothing(key: Key) -> Found:
            raise DriverError(f"{key}: no answer", unknown=True)

        async def nobody(_: Any) -> tuple[Resource, ...]:
            return ()

        silence()
        resized(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        assert alarms(box) == {demo.LAN: "DRIFT"}
        for driver, find, survey in answering:
            driver.find, driver.survey = find, survey  # type: ignore[method-assign]
        ended(box.host.kernel)
        await box.transactor.inspect(frozenset({FW1}))
        silence()
        widened(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        assert {f"drift {demo.FW1}", f"share-violation {demo.FW1}"} <= set(box.publisher.alarms)
        drifts = [over for kind, where, over, _ in await told(box) if (kind, where) == ("drift", demo.FW1)]
        assert drifts == [False], "it is not over because nobody sees it"


@in_loop
async def test_a_repair_that_failed_starts_no_guest_that_ended(tmp_path: FilePath) -> None:
    """What a change does beside itself is tried again within the same bounds."""
    box = await running(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        unplugged(box.host.kernel)
        ended(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        driver = box.drivers.domains

        async def broken(_: Any) -> tuple[Resource, ...]:
            raise DriverError("no answer")

        driver.survey = broken  # type: ignore[method-assign]
        await box.submit(demo.described(demo.FW1, "served"))
        await box.until(lambda: "reconcile" in box.publisher.alarms)
        del driver.survey  # type: ignore[attr-defined]
        await box.until(lambda: "reconcile" not in box.publisher.alarms)
        assert box.host.kernel.devices[TAP].master == LAN
        assert box.host.kernel.domains[DOMAIN].run is Run.STOPPED


@in_loop
async def test_what_failed_beside_a_change_is_tried_again_and_nothing_else(tmp_path: FilePath) -> None:
    box = await running(tmp_path)
    failing = True

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if failing and when == "before" and key == Key(Noun.PORT, TAP):
            raise DriverError("busy")

    async with started(box):
        await box.submit(demo.everything())
        unplugged(box.host.kernel)
        ended(box.host.kernel)
        await box.transactor.inspect(EVERYTHING)
        box.drivers.set_trap(trap)
        await box.submit(demo.described(demo.FW1, "served"))
        await box.until(lambda: f"failed {demo.FW1}" in box.publisher.alarms)
        failing = False
        await box.until(lambda: f"failed {demo.FW1}" not in box.publisher.alarms)
        assert box.host.kernel.devices[TAP].master == LAN
        assert box.host.kernel.domains[DOMAIN].run is Run.STOPPED
