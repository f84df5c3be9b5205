"""At start, what one resource lacks holds up what is made of it and nothing else."""

from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from doubles import demo
from doubles.box import Box, furnish, started
from doubles.host import Device
from doubles.loop import in_loop
from twinplane.errors import DriverError
from twinplane.plan.resource import Key, Noun, Resource, Run
from twinplane_wire.path import parse

DOMAIN = "vmcj2zgj6z5h5"
LAN, WAN = "brn3ffuw6dd6l", "br2qalyq4vl5p"
LAN_TAP, WAN_TAP, IFB = "tpvfehp5kkmtw", "tplickdautwxs", "fbvfehp5kkmtw"
HOST_PORTS = ("eth7", "eth9")


async def booted(folder: FilePath) -> Box:
    """The demo, after the host went down: devices are gone, guests are off, the host's own ports are back."""
    box = Box(folder)
    furnish(box.host)
    box.host.kernel.devices["eth9"] = Device("", up=True)
    async with started(box):
        await box.submit(demo.everything())
    kernel = box.host.kernel
    kernel.devices = {"eth7": Device("", up=True), "eth9": Device("", up=True), "br-lab": Device("bridge")}
    kernel.queues, kernel.schedulers = {}, {}
    kernel.domains = {name: replace(one, run=Run.STOPPED) for name, one in kernel.domains.items()}
    box.host.save()
    return Box(folder)


def runs(box: Box) -> bool:
    return box.host.kernel.domains[DOMAIN].run is Run.RUNNING


@in_loop
async def test_a_host_port_that_somebody_else_holds_is_left_out_and_taken_when_it_is_free(
    tmp_path: FilePath,
) -> None:
    box = await booted(tmp_path)
    devices = box.host.kernel.devices
    devices["eth7"].master = "br-lab"
    async with started(box):
        assert runs(box)
        assert devices[LAN].up and devices[LAN_TAP].master == LAN and devices["eth9"].master == WAN
        assert devices["eth7"].master == "br-lab"
        (alarm,) = box.publisher.alarms.values()
        assert (alarm.resource, alarm.kind) == (demo.LAN, "OBJECT_FAILED")
        assert "eth7 is in use by the host: it is a port of br-lab" in alarm.text
        assert (await box.submit(demo.appliance(limit=300))).changed
        devices["eth7"].master = None
        await box.until(lambda: not box.publisher.alarms)
        assert devices["eth7"].master == LAN


@in_loop
async def test_a_bridge_name_that_somebody_took_holds_up_what_is_plugged_into_it(tmp_path: FilePath) -> None:
    box = await booted(tmp_path)
    devices = box.host.kernel.devices
    devices[LAN] = Device("bridge", mtu=1400)
    async with started(box):
        assert devices[LAN] == Device("bridge", mtu=1400)
        assert runs(box)  # with one vNIC that is plugged nowhere
        assert (devices[LAN_TAP].master, devices[LAN_TAP].up) == (None, False)
        assert devices[WAN_TAP].master == WAN and devices["eth9"].master == WAN
        broken = box.publisher.broken
        assert set(map(str, broken)) == {demo.LAN, demo.FW1}
        assert "not made by this agent" in broken[parse(demo.LAN)]
        assert f"waits for DEVICE create bridge {LAN}" in broken[parse(demo.FW1)]
        del devices[LAN]
        await box.until(lambda: not box.publisher.alarms and not broken)
        assert devices[LAN_TAP].master == LAN and devices["eth7"].master == LAN


@pytest.mark.parametrize(
    "taken", [Key(Noun.TAP, LAN_TAP), Key(Noun.IFB, IFB), Key(Noun.DOMAIN, DOMAIN)], ids=str
)
@in_loop
async def test_no_guest_starts_without_what_it_is_made_of(taken: Key, tmp_path: FilePath) -> None:
    box = await booted(tmp_path)
    kernel = box.host.kernel
    if taken.noun is Noun.DOMAIN:
        del kernel.domains[DOMAIN]
        kernel.foreign_domains.add(DOMAIN)
    else:
        kernel.devices[taken.name] = Device(taken.noun.value)
    async with started(box):
        assert DOMAIN not in kernel.domains or not runs(box)
        assert set(map(str, box.publisher.broken)) == {demo.FW1}
        assert kernel.devices["eth7"].master == LAN and kernel.devices["eth9"].master == WAN
        assert kernel.devices[WAN_TAP].master == WAN
        assert taken.name not in kernel.devices or kernel.devices[taken.name] == Device(taken.noun.value)
        kernel.devices.pop(taken.name, None)
        kernel.foreign_domains.discard(DOMAIN)
        await box.until(lambda: not box.publisher.alarms)
        assert runs(box)


@pytest.mark.parametrize("noun", [Noun.IMAGE_FILE, Noun.SEED, Noun.SCHEDULER, Noun.QDISC, Noun.DOMAIN])
@in_loop
async def test_one_resource_that_fails_leaves_other_objects_alone(noun: Noun, tmp_path: FilePath) -> None:
    box = await booted(tmp_path)
    kernel = box.host.kernel
    kernel.files.clear()
    broken = True

    async def trap(when: str, key: Key, _: Resource | None) -> None:
        if broken and when == "before" and key.noun is noun:
            raise DriverError("no such file")

    box.drivers.set_trap(trap)
    async with started(box):
        failed = demo.IMAGE if noun is Noun.IMAGE_FILE else demo.FW1
        assert set(map(str, box.publisher.broken)) == {failed}
        assert kernel.devices["eth7"].master == LAN and kernel.devices["eth9"].master == WAN
        assert (await box.submit(demo.described(demo.LAN, "served"))).changed
        broken = False
        await box.until(lambda: not box.publisher.alarms)
        assert runs(box)
