"""A request from edits to effects over a fake host: what it does, what it refuses, who waits for whom."""

import asyncio
from pathlib import Path as FilePath
from typing import Any

import pytest

from doubles import demo
from doubles.box import Box, deleted, furnish, started
from doubles.host import Device
from doubles.loop import in_loop
from twinplane.errors import Fault, RequestError, UnavailableError, Violation
from twinplane.plan.resource import Key, Noun, Plug, Resource, Run
from twinplane.state.facts import ResourceGone
from twinplane.transaction.datastore import Datastore
from twinplane.transaction.journal import Status
from twinplane_wire.path import parse

DOMAIN = "vmcj2zgj6z5h5"
BRIDGE = "brn3ffuw6dd6l"


def make(folder: FilePath, **settings: Any) -> Box:
    box = Box(folder, **settings)
    furnish(box.host)
    return box


async def refused(box: Box, *changes: Any) -> tuple[Violation, ...]:
    """The violations of a request, after which nothing is different."""
    before, configured, effects = box.host.snapshot(), box.configured, len(box.host.effects)
    with pytest.raises(RequestError) as caught:
        await box.submit(*changes)
    assert box.host.kernel == before and len(box.host.effects) == effects
    assert box.configured == configured
    return caught.value.violations


@in_loop
async def test_what_is_configured_is_made_and_told(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        outcome = await box.submit(demo.everything())
        assert (outcome.revision, outcome.changed) == (1, True)
        assert outcome.timestamp == box.transactor.running.time
        kernel = box.host.kernel
        assert kernel.domains[DOMAIN].run is Run.RUNNING
        assert kernel.devices["eth7"].master == BRIDGE and kernel.devices["eth7"].generation == 1
        assert set(box.configured) == {demo.IMAGE, demo.LAN, demo.WAN, demo.FW1}

        hold, (_, changes, facts, time, revision), release = box.publisher.events[-3:]
        assert hold[0] == "hold" and Key(Noun.DOMAIN, DOMAIN) in hold[1] and release == ("release",)
        assert [str(change.path) for change in changes] == sorted(box.configured)
        assert (time, revision) == (outcome.timestamp, 1)
        plug = parse(f"{demo.LAN}/ports/port[interface=eth7]")
        assert Plug("eth7", plug, BRIDGE, 1) in facts
        gone = parse(f"{demo.WAN}/ports/port[interface=eth9]")
        assert ResourceGone(Key(Noun.PORT, "eth9"), gone) in facts  # waiting: the device is not there


@in_loop
async def test_everything_goes_and_the_host_is_as_it_was(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    before = box.host.snapshot()
    async with started(box):
        await box.submit(demo.everything())
        await box.submit(demo.nothing())
        assert box.host.kernel == before
        assert box.configured == {}
    stored = await Datastore(tmp_path / "twinplane.db", box.store._codec).open()
    assert stored.entry is None and stored.foreign == ()
    assert stored.running.revision == 2


@in_loop
async def test_what_is_configured_already_changes_nothing(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        first = await box.submit(demo.everything())
        effects = len(box.host.effects)
        outcome = await box.submit(demo.everything())
        assert (outcome.revision, outcome.changed, outcome.steps) == (1, False, ())
        assert outcome.timestamp > first.timestamp
        assert len(box.host.effects) == effects


@in_loop
async def test_without_steps_there_is_no_row(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        await box.submit(demo.switch(demo.LAN))
        begun: list[object] = []
        box.store.begin = begun.append  # type: ignore[method-assign, assignment]
        outcome = await box.submit(demo.described(demo.LAN, "inside"))
        assert outcome.changed and outcome.steps == () and begun == []
        assert box.configured[demo.LAN]["twinplane-virtual-switch:config"]["description"] == "inside"


@in_loop
async def test_a_dry_run_only_says_what_would_be_done(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        before = box.host.snapshot()
        outcome = await box.submit(demo.everything(), dry_run=True)
        assert outcome.changed and outcome.revision == 0
        assert Key(Noun.DOMAIN, DOMAIN) in {step.key for step in outcome.steps}
        assert box.host.kernel == before and box.configured == {}


@in_loop
async def test_a_live_change_touches_two_things(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        box.host.effects.clear()
        await box.submit(demo.appliance(limit=250, rate=20_000_000))
        assert sorted(box.host.effects) == [
            "qdisc fbvfehp5kkmtw root set",
            "qdisc tpvfehp5kkmtw root set",
            f"scheduler {DOMAIN} set",
        ]


@in_loop
async def test_names_of_others_are_never_taken(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    box.host.kernel.devices[BRIDGE] = Device("bridge")
    box.host.kernel.foreign_domains.add(DOMAIN)
    async with started(box):
        found = await refused(box, demo.everything())
        assert [(str(item.path), item.fault) for item in found] == [
            (demo.FW1, Fault.EXISTS),
            (demo.LAN, Fault.EXISTS),
        ]


@in_loop
async def test_a_port_that_the_host_uses_is_not_taken(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        (found,) = await refused(box, demo.switch(demo.LAN, "eth8"))
        assert found.fault is Fault.STATE and "br-lab" in found.constraint


@in_loop
async def test_a_running_guest_is_not_disturbed(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        (found,) = await refused(box, demo.appliance(memory=512 << 20))
        assert (str(found.path), found.fault) == (demo.FW1, Fault.STATE)
        assert "GUEST_REBOOT" in found.constraint and "STOPPED" in found.remedy


@in_loop
async def test_rules_are_asked_before_anything_happens(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        (found,) = await refused(box, demo.everything(memory=10 << 40))
        assert found.fault is Fault.CAPACITY
        (found,) = await refused(box, demo.switch(demo.LAN), demo.switch(demo.WAN), demo.appliance())
        assert found.fault is Fault.REFERENCE


@in_loop
async def test_prechecks_refuse(tmp_path: FilePath) -> None:
    async def no_images(steps: Any) -> None:
        owners = [step.owner for step in steps if step.key.noun is Noun.IMAGE_FILE]
        raise RequestError(Violation(owners[0], Fault.STATE, "no such file"))

    box = make(tmp_path, prechecks=[no_images])
    async with started(box):
        (found,) = await refused(box, demo.everything())
        assert (str(found.path), found.constraint) == (demo.IMAGE, "no such file")


@in_loop
async def test_a_caller_who_leaves_takes_nothing_along(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if when == "before" and key.noun is Noun.TAP:
            reached.set()
            await go_on.wait()

    box.drivers.set_trap(trap)
    async with started(box):
        caller = asyncio.ensure_future(box.submit(demo.everything()))
        await reached.wait()
        waiting = asyncio.ensure_future(box.submit(demo.nothing()))
        await asyncio.sleep(0)
        for task in (caller, waiting):
            task.cancel()
        go_on.set()
        await asyncio.wait([caller, waiting])
        assert caller.cancelled() and waiting.cancelled()
        await box.transactor.repair()
        # The first was under way and is done; the second had not begun and never does.
        assert box.transactor.running.revision == 1
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING


@in_loop
async def test_one_request_at_a_time(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
        outcomes = await asyncio.gather(
            *(box.submit(demo.appliance(limit=limit)) for limit in (250, 300)),
            *(box.submit(demo.switch(demo.WAN, mtu=mtu)) for mtu in (2000, 3000)),
        )
        assert [outcome.revision for outcome in outcomes] == [2, 3, 4, 5]
        assert [outcome.timestamp for outcome in outcomes] == sorted(
            {outcome.timestamp for outcome in outcomes}
        )
        switch = box.configured[demo.WAN]["twinplane-virtual-switch:config"]
        assert switch["mtu"] == 3000 and box.host.kernel.schedulers[DOMAIN].quota == 3000


@in_loop
async def test_two_who_want_the_same_port(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        results = await asyncio.gather(
            box.submit(demo.switch(demo.LAN, "eth7")),
            box.submit(demo.switch(demo.WAN, "eth7")),
            return_exceptions=True,
        )
        assert not isinstance(results[0], BaseException) and isinstance(results[1], RequestError)
        assert list(box.configured) == [demo.LAN]


@in_loop
async def test_writes_wait_for_recovery(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    await box.transactor.start()
    with pytest.raises(UnavailableError, match="starting"):
        await box.submit(demo.everything())
    await box.transactor.close()


@in_loop
async def test_close_leaves_the_row_of_what_does_not_end(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    reached = asyncio.Event()

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if when == "after" and key.noun is Noun.DOMAIN:
            reached.set()
            await asyncio.Event().wait()

    box.drivers.set_trap(trap)
    await box.transactor.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(box.transactor.serve())
        await box.transactor.repair()
        under_way = asyncio.ensure_future(box.submit(demo.everything()))
        await reached.wait()
        waiting = asyncio.ensure_future(box.submit(demo.nothing()))
        await asyncio.sleep(0)
        await box.transactor.close(grace=0.01)
        for task in (under_way, waiting):
            with pytest.raises(UnavailableError):
                await task
        with pytest.raises(UnavailableError, match="shutting down"):
            await box.submit(demo.nothing())
    assert DOMAIN in box.host.kernel.domains

    again = Box(tmp_path)
    stored = await again.store.open()
    assert stored.entry is not None and stored.entry.status is Status.PENDING
    assert Key(Noun.DOMAIN, DOMAIN) in stored.entry.names and stored.running.revision == 0
    await again.store.close()
    async with started(Box(tmp_path)) as recovered:
        assert recovered.host.kernel.domains == {} and BRIDGE not in recovered.host.kernel.devices


@in_loop
async def test_close_lets_the_request_under_way_finish(tmp_path: FilePath) -> None:
    reached = asyncio.Event()
    box = make(tmp_path, mark=lambda stage: reached.set() if stage == "journalled" else None)
    await box.transactor.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(box.transactor.serve())
        await box.transactor.repair()
        under_way = asyncio.ensure_future(box.submit(demo.everything()))
        await reached.wait()
        await box.transactor.close(grace=20)
        assert (await under_way).revision == 1


@in_loop
async def test_stages_are_marked_in_order(tmp_path: FilePath) -> None:
    stages: list[str] = []
    box = make(tmp_path, mark=stages.append)
    async with started(box):
        await box.submit(demo.everything())
    assert stages == [
        "begin", "candidate", "judged", "planned", "journalled", "executed", "committed", "published",
    ]  # fmt: skip


@in_loop
async def test_a_tree_that_no_longer_fits_is_left_alone_until_it_is_made_to_fit(tmp_path: FilePath) -> None:
    box = make(tmp_path)
    async with started(box):
        await box.submit(demo.everything())
    standing = box.host.snapshot()

    # The host shrank below what is configured, and the modules are others.
    again = Box(tmp_path, modules="other")
    model = again.transactor._parts.model
    model.capabilities = type(model.capabilities)(  # type: ignore[attr-defined]
        **{
            **{name: getattr(model.capabilities, name) for name in model.capabilities.__slots__},  # type: ignore[attr-defined]
            "memory": 1 << 30,
        }
    )
    async with started(again):
        assert again.host.kernel == standing and again.drivers.ensures == []
        lan = again.host.kernel.devices["brn3ffuw6dd6l"]
        lan.up = False
        assert "misfit" in again.publisher.alarms
        with pytest.raises(RequestError):
            await again.submit(demo.appliance(limit=300))
        await again.submit(deleted(demo.FW1))
        assert "misfit" not in again.publisher.alarms
        assert again.host.kernel.domains == {}
        await again.until(lambda: lan.up)  # what differed meanwhile is repaired now
