"""The agent's own devices: made as wanted, marked, silent towards the host, and nobody else's touched."""

import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from kernel.host import BRIDGE, IFB, INSTANCE, STRANGER, SWITCH, TAP, VNIC, addresses, names, show, tool
from kernel.namespace import isolated
from twinplane.drivers.device import DeviceDriver
from twinplane.drivers.port import PortDriver
from twinplane.errors import DriverError
from twinplane.model.names import alias
from twinplane.netlink.connection import Connection
from twinplane.netlink.sysctl import read_setting
from twinplane.plan.resource import Bridge, Ifb, Ownership, Port, Tap
from twinplane_wire.path import ROOT

pytestmark = pytest.mark.kernel

DEVICES = [BRIDGE, TAP, IFB]


@pytest.mark.parametrize("wanted", DEVICES, ids=lambda wanted: wanted.key.noun.value)
@isolated
async def test_made_marked_and_the_second_time_nothing_is_written(wanted: Bridge | Tap | Ifb) -> None:
    async with Connection() as connection:
        driver = DeviceDriver(INSTANCE, connection)
        assert (await driver.find(wanted.key)).ownership is Ownership.ABSENT
        assert await driver.ensure(wanted.key, wanted) == wanted
        written = connection.writes
        assert written > 0
        assert await driver.ensure(wanted.key, wanted) == wanted
        assert await driver.survey([]) == (wanted,)
        assert connection.writes == written
        found = await driver.find(wanted.key)
        assert (found.ownership, found.resource) == (Ownership.OWN, wanted)

        seen = show(wanted.name)
        assert seen["ifalias"] == alias(INSTANCE, wanted.owner)
        assert seen["inet6_addr_gen_mode"] == "none"
        assert seen["mtu"] == wanted.mtu
        assert "UP" not in seen["flags"]
        if not isinstance(wanted, Ifb):
            assert seen["address"] == wanted.mac

        assert await driver.ensure(wanted.key, None) is None
        assert names() == {"lo"}
        written = connection.writes
        assert await driver.ensure(wanted.key, None) is None
        assert connection.writes == written


@isolated
async def test_what_differs_is_set_and_nothing_else() -> None:
    async with Connection() as connection:
        driver = DeviceDriver(INSTANCE, connection)
        for device in DEVICES:
            await driver.ensure(device.key, device)
            index = show(device.name)["ifindex"]
            changed = replace(device, mtu=1400)
            written = connection.writes
            assert await driver.ensure(device.key, changed) == changed
            assert connection.writes == written + 1
            assert show(device.name)["ifindex"] == index
        tool("ip", "link", "set", "brtest", "type", "bridge", "stp_state", "1")
        tool("ip", "link", "set", "brtest", "address", "02:00:00:00:00:99")
        await driver.ensure(BRIDGE.key, BRIDGE)
        seen = show("brtest")
        assert seen["linkinfo"]["info_data"]["stp_state"] == 0
        assert seen["address"] == BRIDGE.mac


@isolated
async def test_a_bridge_keeps_its_mtu_and_address_whatever_is_plugged_in() -> None:
    async with Connection() as connection:
        driver, ports = DeviceDriver(INSTANCE, connection), PortDriver(INSTANCE, connection)
        await driver.ensure(BRIDGE.key, BRIDGE)
        small = replace(TAP, mtu=1300, mac="02:00:00:00:00:00")
        await driver.ensure(small.key, small)
        port = Port(small.name, VNIC, BRIDGE.name, up=True)
        assert await ports.ensure(port.key, port) == port
        assert (await driver.find(BRIDGE.key)).resource == BRIDGE
        information = show(BRIDGE.name)["linkinfo"]["info_data"]
        assert information["stp_state"] == 0
        assert information["forward_delay"] == 0
        assert {information[f"nf_call_{name}"] for name in ("iptables", "ip6tables", "arptables")} <= {0}


@isolated
async def test_a_tap_survives_who_made_it_and_carries_offload_headers() -> None:
    async with Connection() as connection:
        await DeviceDriver(INSTANCE, connection).ensure(TAP.key, TAP)
    information = show(TAP.name)["linkinfo"]["info_data"]
    assert (information["type"], information["persist"]) == ("tap", True)
    assert (information["vnet_hdr"], information["pi"]) == (True, False)


@isolated
async def test_no_address_of_the_host_on_any_device_that_is_up() -> None:
    async with Connection() as connection:
        driver, ports = DeviceDriver(INSTANCE, connection), PortDriver(INSTANCE, connection)
        for device in DEVICES:
            await driver.ensure(device.key, device)
            port = Port(device.name, device.owner, None, up=True)
            assert await ports.ensure(port.key, port) == port
            assert addresses(device.name) == []
        tool("ip", "link", "add", "plain", "type", "bridge")  # the same without our care has one
        tool("ip", "link", "set", "plain", "up")
        tool("ip", "link", "add", "leg", "type", "veth", "peer", "name", "other")
        tool("ip", "link", "set", "leg", "master", "plain", "up")
        tool("ip", "link", "set", "other", "up")
        assert addresses("plain") != []
        assert read_setting("ipv6", BRIDGE.name, "disable_ipv6") == "1"


@isolated
async def test_foreign_objects_are_reported_and_left_alone() -> None:
    tool("ip", "link", "add", BRIDGE.name, "type", "bridge")
    tool("ip", "link", "add", TAP.name, "type", "veth", "peer", "name", "other")
    tool("ip", "link", "add", IFB.name, "type", "ifb")
    tool("ip", "link", "set", IFB.name, "alias", alias(STRANGER, IFB.owner))
    before = tool("ip", "-details", "link")
    async with Connection() as connection:
        driver = DeviceDriver(INSTANCE, connection)
        for device in DEVICES:
            found = await driver.find(device.key)
            assert (found.ownership, found.resource) == (Ownership.FOREIGN, None)
            assert device.name in found.description
        assert await driver.survey([]) == ()
        for wanted in (TAP, IFB):  # another kind, another instance's mark: never, whatever the caller says
            for value in (wanted, None):
                with pytest.raises(DriverError, match="in the way"):
                    await driver.ensure(wanted.key, value)
        assert connection.writes == 0
    assert tool("ip", "-details", "link") == before


@isolated
async def test_an_unmarked_device_is_surveyed_only_when_it_is_named() -> None:
    tool("ip", "link", "add", BRIDGE.name, "type", "bridge")
    async with Connection() as connection:
        driver = DeviceDriver(INSTANCE, connection)
        assert await driver.survey([TAP.key]) == ()
        (found,) = await driver.survey([BRIDGE.key])
        assert (found.key, found.owner) == (BRIDGE.key, ROOT)
        assert found != BRIDGE
        await driver.ensure(found.key, None)
    assert names() == {"lo"}


@pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.key.noun.value)
@pytest.mark.parametrize("after", [1, 2, 3, 4])
@isolated
async def test_killed_after_any_write_leaves_what_recovery_finds(
    device: Bridge | Tap | Ifb, after: int
) -> None:
    program = f"""
import asyncio, os, signal
from kernel.host import *
from twinplane.drivers.device import DeviceDriver
from twinplane.netlink.connection import Connection

class Mortal(Connection):
    @property
    def writes(self):
        return self.count

    @writes.setter
    def writes(self, count):
        self.count = count
        if count > {after}:
            os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with Mortal() as connection:
        await DeviceDriver(INSTANCE, connection).ensure(D.key, D)

D = {{"brtest": BRIDGE, "tptest": TAP, "fbtest": IFB}}[{device.name!r}]
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": ":".join(sys.path)}, timeout=30, check=False
    )
    assert done.returncode in (0, -signal.SIGKILL)
    async with Connection() as connection:
        driver = DeviceDriver(INSTANCE, connection)
        marked = await driver.survey([])
        assert marked in ((), (device,))  # what bears the mark is complete
        assert done.returncode == 0 or marked == ()
        (found,) = await driver.survey([device.key])
        assert found.key == device.key
        # forwards: the same ensure finishes it; backwards: it is deleted
        assert await driver.ensure(device.key, device) == device
        await driver.ensure(device.key, None)
    assert names() == {"lo"}


@isolated
async def test_refusals_of_the_kernel_come_in_its_own_words() -> None:
    async with Connection() as connection:
        driver = DeviceDriver(INSTANCE, connection)
        with pytest.raises(DriverError, match=r"tptest: .*mtu"):
            await driver.ensure(TAP.key, replace(TAP, mtu=100_000))
        # the caller undoes it: the object is his although it is not marked
        await driver.ensure(TAP.key, None)
        assert names() == {"lo"}
        with pytest.raises(DriverError, match="cannot be brought to"):
            await driver.ensure(TAP.key, Bridge(TAP.name, SWITCH, 1500, TAP.mac))
