"""Ports of ours and of the host: plugged, let go, and what a host port had is given back."""

import json
from dataclasses import replace

import pytest

from kernel.host import BRIDGE, IFB, INSTANCE, SWITCH, TAP, VNIC, addresses, show, tool
from kernel.namespace import isolated
from twinplane.drivers.device import DeviceDriver
from twinplane.drivers.foreign import read_foreign
from twinplane.drivers.link import LinkDriver
from twinplane.drivers.port import PortDriver
from twinplane.errors import DriverError
from twinplane.model.names import alias
from twinplane.model.port import interface_path
from twinplane.netlink.connection import Connection
from twinplane.plan.resource import Key, Link, Noun, Ownership, Plug, Port

pytestmark = pytest.mark.kernel

PORT_PATH = SWITCH.child("ports").child("port", ("interface", "uplink"))
PLUG = Plug("uplink", PORT_PATH, BRIDGE.name, 1)


async def make(connection: Connection) -> PortDriver:
    """The three devices of ours and a host port named uplink."""
    driver = DeviceDriver(INSTANCE, connection)
    for device in (BRIDGE, TAP, IFB):
        await driver.ensure(device.key, device)
    tool("ip", "link", "add", "uplink", "type", "veth", "peer", "name", "far")
    return PortDriver(INSTANCE, connection)


@isolated
async def test_own_ports_are_plugged_and_put_aside_without_a_second_write() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        made = connection.writes
        wanted = [
            Port(BRIDGE.name, SWITCH, None, up=True),
            Port(TAP.name, VNIC, BRIDGE.name, up=True),
            Port(IFB.name, VNIC, None, up=True),
        ]
        for port in wanted:
            aside = replace(port, master=None, up=False)
            found = await driver.find(port.key)
            assert (found.ownership, found.resource) == (Ownership.ABSENT, aside)
            assert await driver.ensure(port.key, port) == port
        written = connection.writes
        assert written == made + 4  # one for each that goes up, one for the master
        for port in wanted:
            assert await driver.ensure(port.key, port) == port
            assert (await driver.find(port.key)).resource == port
        assert set(await driver.survey([])) == set(wanted)
        assert connection.writes == written
        seen = show(TAP.name)
        assert (seen["master"], "UP" in seen["flags"]) == (BRIDGE.name, True)

        for port in wanted:
            aside = replace(port, master=None, up=False)
            assert await driver.ensure(port.key, aside) == aside
            assert (await driver.find(port.key)).ownership is Ownership.ABSENT
            written = connection.writes
            assert await driver.ensure(port.key, None) is None
            assert connection.writes == written


@isolated
async def test_a_port_needs_its_device_and_a_bridge_of_ours() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        tool("ip", "link", "add", "theirs", "type", "bridge")
        absent = Port("nowhere", VNIC, BRIDGE.name, up=True)
        with pytest.raises(DriverError, match="there is no device nowhere"):
            await driver.ensure(absent.key, absent)
        for bridge in ("theirs", "missing"):
            port = Port(TAP.name, VNIC, bridge, up=True)
            with pytest.raises(DriverError, match=f"no bridge {bridge} of this agent"):
                await driver.ensure(port.key, port)
        foreign = Port("uplink", VNIC, BRIDGE.name, up=True)
        with pytest.raises(DriverError, match="not a device of this agent"):
            await driver.ensure(foreign.key, foreign)


@isolated
async def test_a_device_that_we_do_not_make_is_never_ours_whatever_its_alias_says() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        tool("ip", "link", "add", "theirs", "type", "bridge")
        tool("ip", "link", "set", "uplink", "up", "master", "theirs", "alias", alias(INSTANCE, VNIC))
        before = tool("ip", "-details", "link", "show", "uplink")
        made = connection.writes
        assert all(port.device != "uplink" for port in await driver.survey([]))
        down = Port("uplink", VNIC, None, up=False)
        with pytest.raises(DriverError, match="not a device of this agent"):
            await driver.ensure(down.key, down)
        await driver.ensure(down.key, None)
        assert connection.writes == made
        assert tool("ip", "-details", "link", "show", "uplink") == before


@isolated
async def test_a_host_port_is_plugged_without_address_and_given_back_with_it() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        tool("ip", "link", "set", "uplink", "up")
        tool("ip", "link", "set", "far", "up")
        before = addresses("uplink")
        assert len(before) == 1
        assert before[0].startswith("fe80:")
        taken = await read_foreign(connection, "uplink")
        assert {"address-generation": 0, "up": 1, "mtu": 1500}.items() <= taken.items()
        assert taken["ifindex"] == show("uplink")["ifindex"]
        assert f"{taken['address']:012x}" == show("uplink")["address"].replace(":", "")
        assert (await driver.find(PLUG.key)).ownership is Ownership.ABSENT

        assert await driver.ensure(PLUG.key, PLUG) == PLUG
        assert addresses("uplink") == []
        assert show("uplink")["master"] == BRIDGE.name
        written = connection.writes
        assert await driver.ensure(PLUG.key, PLUG) == PLUG
        assert (await driver.find(PLUG.key)).resource == PLUG
        assert PLUG in await driver.survey([])
        assert connection.writes == written
        tool("ip", "link", "set", "uplink", "down")
        tool("ip", "link", "set", "uplink", "up")
        assert addresses("uplink") == []

        aside = replace(PLUG, master=None)
        assert await driver.ensure(PLUG.key, aside) == aside
        restored = replace(aside, address_generation=0)
        assert await driver.ensure(PLUG.key, restored) == restored
        assert await driver.ensure(PLUG.key, None) is None
        assert addresses("uplink") == before
        assert "master" not in show("uplink")


@isolated
async def test_a_host_port_in_use_is_refused_and_untouched() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        tool("ip", "address", "add", "192.0.2.1/24", "dev", "uplink")
        with pytest.raises(DriverError, match="carries an address"):
            await driver.ensure(PLUG.key, PLUG)
        tool("ip", "address", "flush", "dev", "uplink")
        tool("ip", "link", "add", "theirs", "type", "bridge")
        tool("ip", "link", "set", "uplink", "master", "theirs")
        written = connection.writes
        assert (await driver.find(PLUG.key)).ownership is Ownership.FOREIGN
        with pytest.raises(DriverError, match="port of another bridge"):
            await driver.ensure(PLUG.key, PLUG)
        assert await driver.ensure(PLUG.key, None) is None
        assert connection.writes == written
        assert show("uplink")["master"] == "theirs"


@isolated
async def test_a_host_port_that_is_not_there_waits() -> None:
    async with Connection() as connection:
        driver, links = await make(connection), LinkDriver(connection)
        written = connection.writes
        absent = replace(PLUG, device="later")
        assert await driver.ensure(absent.key, absent) is None
        assert (await driver.find(absent.key)).ownership is Ownership.ABSENT
        link = Link("later", interface_path("later"), up=True, mtu=1400)
        assert await links.ensure(link.key, link) is None
        assert await links.survey([link.key]) == ()
        assert await read_foreign(connection, "later") == {}
        assert connection.writes == written


@isolated
async def test_link_sets_what_is_named_and_leaves_the_rest() -> None:
    async with Connection() as connection:
        await make(connection)
        driver, path = LinkDriver(connection), interface_path("uplink")
        before = Link("uplink", path, up=False, mtu=1500)
        assert (await driver.find(before.key)).resource == before
        assert await driver.survey([]) == ()
        for wanted in (
            Link("uplink", path, up=True, mtu=None),
            Link("uplink", path, up=None, mtu=1400),
            Link("uplink", path, up=False, mtu=1450),
        ):
            written = connection.writes
            assert await driver.ensure(wanted.key, wanted) == wanted
            assert await driver.ensure(wanted.key, wanted) == wanted
            assert connection.writes == written + 1
        (row,) = json.loads(tool("ip", "-json", "link", "show", "uplink"))
        assert (row["mtu"], "UP" in row["flags"]) == (1450, False)
        assert await driver.survey([Key(Noun.LINK, "uplink")]) == (replace(before, mtu=1450),)
        with pytest.raises(DriverError, match=r"uplink: .*mtu"):
            await driver.ensure(before.key, replace(before, mtu=70_000))


@isolated
async def test_a_port_goes_by_the_name_it_is_asked_for() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        tool("ip", "link", "property", "add", "dev", "uplink", "altname", "enp0s9", "altname", "wan0")
        tool("ip", "link", "set", BRIDGE.name, "up")
        path = SWITCH.child("ports").child("port", ("interface", "enp0s9"))
        wanted = Plug("enp0s9", path, BRIDGE.name, 1)
        assert await driver.ensure(wanted.key, wanted) == wanted
        assert (await driver.find(wanted.key)).resource == wanted
        assert (await driver.find(Key(Noun.PORT, "uplink"))).resource == replace(
            wanted, device="uplink", owner=PORT_PATH
        )
        assert wanted in await driver.survey([wanted.key])
        assert PLUG in await driver.survey([])
        both = await driver.survey([wanted.key, Key(Noun.PORT, "wan0")])
        assert {port.device: port.index for port in both if isinstance(port, Plug)} == dict.fromkeys(
            ("enp0s9", "wan0"), show("uplink")["ifindex"]
        )
        links = LinkDriver(connection)
        link = Link("wan0", interface_path("wan0"), True, 1400)
        assert await links.ensure(link.key, link) == link
        assert (await links.survey([link.key])) == (link,)
        assert await connection.towards("127.0.0.1") == frozenset()  # lo is down: nothing leads there
        tool("ip", "link", "set", "uplink", "name", "lan0")
        assert (await driver.find(PLUG.key)).ownership is Ownership.ABSENT
        assert (await driver.find(wanted.key)).resource == wanted  # the other names stay


@isolated
async def test_a_port_that_somebody_put_elsewhere_has_been_let_go() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        await driver.ensure(PLUG.key, PLUG)
        tool("ip", "link", "add", "theirs", "type", "bridge")
        tool("ip", "link", "set", "uplink", "master", "theirs")
        gone = replace(PLUG, master=None, address_generation=0)
        assert await driver.ensure(PLUG.key, gone) == gone
        assert show("uplink")["master"] == "theirs" and show("uplink")["inet6_addr_gen_mode"] == "eui64"
        with pytest.raises(DriverError, match="a port of another bridge"):
            await driver.ensure(PLUG.key, PLUG)


@isolated
async def test_another_name_of_a_device_of_ours_is_no_host_port() -> None:
    async with Connection() as connection:
        driver = await make(connection)
        tool("ip", "link", "property", "add", "dev", TAP.name, "altname", "uplink9")
        port = Plug("uplink9", PORT_PATH, BRIDGE.name, 1)
        assert (await driver.find(port.key)).ownership is Ownership.FOREIGN
        with pytest.raises(DriverError, match="a device of this agent"):
            await driver.ensure(port.key, port)
