"""Adoption and repair: what agrees is not touched, what differs is brought back, object by object."""

import asyncio
from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from doubles import demo
from doubles.box import Box, furnish, started
from doubles.host import Device
from doubles.loop import in_loop
from twinplane.errors import DriverError
from twinplane.plan.resource import Found, Key, Noun, Resource, Run
from twinplane_wire.path import parse

DOMAIN = "vmcj2zgj6z5h5"
LAN, WAN = "brn3ffuw6dd6l", "br2qalyq4vl5p"
TAP = "tpvfehp5kkmtw"


async def configured(folder: FilePath) -> Box:
    """The demo, left behind by an agent that is gone."""
    box = Box(folder)
    furnish(box.host)
    box.host.kernel.devices["eth9"] = Device("", up=True, generation=3)
    async with started(box):
        await box.submit(demo.everything())
    return Box(folder)


@in_loop
async def test_adoption_asks_no_driver_for_anything(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    async with started(box):
        assert box.drivers.ensures == [] and box.host.effects == []
        assert box.transactor.surveyed.is_set() and box.transactor.running.revision == 1
        (name, changes, facts, _, revision), (_, surveyed), *_ = box.publisher.events
        assert (name, facts, revision) == ("committed", (), 1)
        assert [str(change.path) for change in changes] == sorted(box.configured)
        assert {fact.key for fact in surveyed} > {Key(Noun.DOMAIN, DOMAIN), Key(Noun.PORT, "eth7")}


@in_loop
async def test_the_clock_goes_on_after_the_last_commit(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    async with started(box):
        box.clock._source = lambda: 1
        last = box.transactor.running.time
        assert (await box.submit(demo.appliance(limit=300))).timestamp > last


@in_loop
async def test_drift_is_repaired_and_nothing_else(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    async with started(box):
        whole = box.host.snapshot()
        kernel = box.host.kernel
        kernel.queues.pop(f"{TAP} root")
        kernel.devices[TAP].master = None
        kernel.devices["eth7"].generation = 0
        kernel.domains[DOMAIN] = replace(kernel.domains[DOMAIN], run=Run.PAUSED)
        await box.transactor.repair()
        assert box.host.kernel == whole
        assert sorted(box.host.effects) == [
            f"domain {DOMAIN} resume",
            "port eth7 generation 1",
            f"port {TAP} master {LAN}",
            f"qdisc {TAP} root set",
        ]


@in_loop
async def test_a_host_port_that_appears_is_plugged_and_its_values_are_remembered(tmp_path: FilePath) -> None:
    box = Box(tmp_path)
    furnish(box.host)
    before = box.host.snapshot()
    async with started(box):
        await box.submit(demo.everything())
        box.host.kernel.devices["eth9"] = Device("", generation=3)
        await box.transactor.repair()
        assert box.host.kernel.devices["eth9"] == Device("", generation=1, master=WAN)
        await box.submit(demo.nothing())
        before.devices["eth9"] = Device("", generation=3)
        assert box.host.kernel == before


@in_loop
async def test_own_leftovers_go_and_foreign_things_stay(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    orphan = parse("/virtual-switches/virtual-switch[name=gone]")
    box.host.kernel.devices |= {
        "brorphan": Device("bridge", owner=orphan),
        "br-other": Device("bridge"),
    }
    async with started(box):
        assert "brorphan" not in box.host.kernel.devices and "br-other" in box.host.kernel.devices


@in_loop
async def test_one_object_that_fails_does_not_hold_up_the_others(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    box.host.kernel.queues.clear()
    del box.host.kernel.devices[WAN]
    box.host.kernel.devices["tplickdautwxs"].master = None
    box.host.kernel.devices["eth9"].master = None
    broken = True

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if broken and when == "before" and key.name == WAN:
            raise DriverError("no room")

    box.drivers.set_trap(trap)
    async with started(box):
        # fw1's other vNIC hangs on the switch that failed, so that both are named; lan is whole again.
        assert set(map(str, box.publisher.broken)) == {demo.WAN, demo.FW1}
        assert "no room" in box.publisher.broken[parse(demo.WAN)]
        assert set(box.host.kernel.queues) == {f"{TAP} root", f"{TAP} ingress", "fbvfehp5kkmtw root"}
        assert (await box.submit(demo.appliance(limit=300))).changed  # writes are served
        broken = False
        await box.until(lambda: not box.publisher.broken and not box.publisher.alarms)
        assert box.host.kernel.devices["eth9"].master == WAN
        assert box.host.kernel.devices["tplickdautwxs"].master == WAN


@in_loop
async def test_an_object_that_cannot_be_read_does_not_hold_up_the_others(tmp_path: FilePath) -> None:
    """As a guest that was killed amid its start: libvirt has it, but knows no control group of it."""
    box = await configured(tmp_path)
    box.host.kernel.schedulers.clear()
    box.host.kernel.devices["eth7"].master = None
    (schedulers,) = (driver for driver in box.drivers.all if Noun.SCHEDULER in driver.nouns)
    find = schedulers.find

    async def unknown(key: Key) -> Found:
        raise DriverError("its control group is not there")

    schedulers.find = unknown  # type: ignore[method-assign]
    async with started(box):
        assert "its control group is not there" in box.publisher.broken[parse(demo.FW1)]
        assert box.host.kernel.devices["eth7"].master == LAN
        assert (await box.submit(demo.described(demo.LAN, "served"))).changed
        schedulers.find = find  # type: ignore[method-assign]
        await box.until(lambda: not box.publisher.broken and not box.publisher.alarms)
        assert DOMAIN in box.host.kernel.schedulers


@in_loop
async def test_a_name_that_somebody_took_meanwhile_is_not_taken_back(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    theirs = Device("bridge", mtu=1400)
    box.host.kernel.devices[LAN] = theirs
    box.host.kernel.devices["eth7"].master = None
    box.host.kernel.devices[TAP].master = None
    async with started(box):
        assert "not made by this agent" in box.publisher.broken[parse(demo.LAN)]
        assert box.host.kernel.devices[LAN] == Device("bridge", mtu=1400)


@in_loop
async def test_another_definition_waits_for_the_next_start_of_its_guest(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    kernel = box.host.kernel
    kernel.domains[DOMAIN] = replace(kernel.domains[DOMAIN], digest="sha256:older")
    standing = box.host.snapshot()
    async with started(box):
        assert box.host.kernel.domains == standing.domains
        assert [alarm.severity for alarm in box.publisher.alarms.values()] == ["WARNING"]
        assert not box.publisher.broken


@pytest.mark.parametrize("obedient", [True, False])
@in_loop
async def test_another_definition_is_had_by_a_stop_and_a_start(obedient: bool, tmp_path: FilePath) -> None:
    """As the alarm says. A guest that is to stop is asked to, whatever its definition."""
    box = await configured(tmp_path)
    kernel = box.host.kernel
    kernel.domains[DOMAIN] = replace(kernel.domains[DOMAIN], digest="sha256:older")
    async with started(box):
        box.drivers.domains.obedient = obedient
        (alarm,) = box.publisher.alarms
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=1))
        assert list(box.publisher.alarms) == [alarm]
        await box.until(lambda: kernel.domains[DOMAIN].run is Run.STOPPED)
        await box.submit(demo.appliance())
        assert kernel.domains[DOMAIN].run is Run.RUNNING
        assert kernel.domains[DOMAIN].digest != "sha256:older" and not box.publisher.alarms


@in_loop
async def test_a_guest_of_another_definition_that_is_to_stop_is_asked_to_at_start(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    box.drivers.domains.obedient = False
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=60))
    kernel = box.host.kernel
    kernel.domains[DOMAIN] = replace(kernel.domains[DOMAIN], digest="sha256:older")
    kernel.asked.clear()
    async with started(Box(tmp_path, host=box.host)) as again:
        assert kernel.asked == {DOMAIN} and kernel.domains[DOMAIN].run is Run.RUNNING
        assert DOMAIN in {key.name for key in again.transactor._repairs.stops._timers}
        assert not again.publisher.broken


@in_loop
async def test_a_host_that_cannot_be_read_is_asked_again(tmp_path: FilePath) -> None:
    box = await configured(tmp_path)
    survey, answers = box.drivers.domains.survey, iter([False, False, True])

    async def flaky(keys: object) -> tuple[Resource, ...]:
        if not next(answers, True):
            raise DriverError("no libvirt")
        return await survey(keys)  # type: ignore[arg-type]

    box.drivers.domains.survey = flaky  # type: ignore[method-assign]
    await box.transactor.start()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(box.transactor.serve())
        await box.until(lambda: "reconcile" in box.publisher.alarms)
        await box.until(box.transactor.surveyed.is_set)
        await box.until(lambda: not box.publisher.alarms)
        assert box.drivers.ensures == []
        assert (await box.submit(demo.appliance(limit=300))).changed
        await box.transactor.close()


@in_loop
async def test_a_repair_that_somebody_asked_for_is_tried_again(tmp_path: FilePath) -> None:
    """A host port appears once, and may do so when the host cannot be read."""
    box = await configured(tmp_path)
    async with started(box):
        queues = dict(box.host.kernel.queues)
        box.host.kernel.queues.clear()

        async def broken(_: object) -> tuple[Resource, ...]:
            raise DriverError("no answer")

        driver = box.drivers.domains
        driver.survey = broken  # type: ignore[method-assign]
        with pytest.raises(DriverError):
            await box.transactor.repair()
        del driver.survey  # type: ignore[attr-defined]
        await box.until(lambda: box.host.kernel.queues == queues)


@in_loop
async def test_a_host_port_that_appears_changes_nothing_but_who_waits_for_it(tmp_path: FilePath) -> None:
    """A guest that ended by itself is not started because somebody plugs a cable."""
    box = await configured(tmp_path)
    async with started(box):
        (domain,) = box.host.kernel.domains
        box.host.end_guest(domain)
        box.host.kernel.devices["eth9"] = Device("", up=True)
        await box.transactor.repair(frozenset({parse(demo.WAN)}))
        assert box.host.kernel.devices["eth9"].master is not None
        assert box.host.kernel.domains[domain].run is Run.STOPPED
