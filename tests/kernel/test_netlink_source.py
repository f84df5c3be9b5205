"""Network facts: complete at first, then by event, once each; complete again after loss; counters in bulk."""

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from kernel.host import BRIDGE, IFB, INSTANCE, SWITCH, TAP, VNIC, tool
from kernel.namespace import isolated
from twinplane.drivers.device import DeviceDriver
from twinplane.drivers.port import PortDriver
from twinplane.drivers.qdisc import QdiscDriver
from twinplane.netlink.connection import Connection
from twinplane.netlink.monitor import Monitor
from twinplane.plan.resource import Htb, Port, Redirect
from twinplane.state.facts import Batch, Fact, LinkCounters, LinkFact, LinkGone, ResourceGone
from twinplane.state.sources.netlink import NetlinkSource

pytestmark = pytest.mark.kernel


class Listener:
    """Collects the batches of a source."""

    def __init__(self, source: NetlinkSource) -> None:
        self.batches = source.batches()

    async def next(self) -> Batch:
        """The next batch; at most 5 s."""
        return await asyncio.wait_for(anext(self.batches), 5)

    async def until(self, wanted: Fact) -> list[Fact]:
        """All facts up to the one that must come."""
        seen: list[Fact] = []
        while wanted not in seen:
            seen += (await self.next()).facts
        return seen

    async def link(self, name: str, oper: str) -> LinkFact:
        """The first fact that says so of a device."""
        while True:
            for fact in (await self.next()).facts:
                if isinstance(fact, LinkFact) and (fact.name, fact.oper) == (name, oper):
                    return fact


@asynccontextmanager
async def listening() -> AsyncIterator[tuple[Connection, NetlinkSource, Listener]]:
    """A source, and a connection of somebody else who changes things."""
    async with Connection() as connection, Connection() as own:
        source = NetlinkSource(INSTANCE, own)
        listener = Listener(source)
        try:
            yield connection, source, listener
        finally:
            await listener.batches.aclose()
        assert own.writes == 0


def link(batch: Batch, name: str) -> LinkFact:
    """The newest fact about a device in a batch."""
    return [fact for fact in batch.facts if isinstance(fact, LinkFact) and fact.name == name][-1]


@isolated
async def test_first_everything_that_is_there() -> None:
    async with listening() as (connection, _, listener):
        devices, ports = DeviceDriver(INSTANCE, connection), PortDriver(INSTANCE, connection)
        for device, master in ((BRIDGE, None), (TAP, BRIDGE.name), (IFB, None)):
            await devices.ensure(device.key, device)
            port = Port(device.name, device.owner, master, up=True)
            await ports.ensure(port.key, port)
        shaping = (Htb(IFB.name, 8_000_000, 10_000, VNIC), Redirect(TAP.name, IFB.name, VNIC))
        for wanted in shaping:
            await QdiscDriver(INSTANCE, connection).ensure(wanted.key, wanted)
        tool("ip", "link", "add", "left", "type", "veth", "peer", "name", "right")
        tool("ip", "address", "add", "192.0.2.1/24", "dev", "left")

        batch = await listener.next()
        assert batch.complete
        assert {fact.name for fact in batch.facts if isinstance(fact, LinkFact)} == {
            "lo", BRIDGE.name, TAP.name, IFB.name, "left", "right",
        }  # fmt: skip
        assert set(shaping) <= set(batch.facts)
        tap = link(batch, TAP.name)
        assert (tap.kind, tap.mtu, tap.mac, tap.owner) == ("tun", 1500, TAP.mac, VNIC)
        assert (tap.up, tap.oper, tap.carrier, tap.master) == (True, "DOWN", False, BRIDGE.name)
        assert (link(batch, "left").kind, link(batch, "left").owner) == ("veth", None)
        assert [fact.name for fact in batch.facts if isinstance(fact, LinkFact) and fact.addressed] == [
            "left"
        ]
        assert link(batch, "lo").kind == "loopback"


@isolated
async def test_events_become_facts_once_each() -> None:
    async with listening() as (connection, _, listener):
        await listener.next()
        devices, ports = DeviceDriver(INSTANCE, connection), PortDriver(INSTANCE, connection)
        for device in (BRIDGE, TAP):
            await devices.ensure(device.key, device)
        await ports.ensure(
            Port(BRIDGE.name, SWITCH, None, up=True).key, Port(BRIDGE.name, SWITCH, None, up=True)
        )
        port = Port(TAP.name, VNIC, BRIDGE.name, up=True)
        await ports.ensure(port.key, port)
        facts: list[Fact] = []
        while not any(isinstance(fact, LinkFact) and fact.name == TAP.name and fact.up for fact in facts):
            batch = await listener.next()
            assert not batch.complete
            facts += batch.facts
        newest = [fact for fact in facts if isinstance(fact, LinkFact) and fact.name == TAP.name][-1]
        assert (newest.owner, newest.master) == (VNIC, BRIDGE.name)
        for before, after in itertools.pairwise(facts):
            assert before != after

        # out of its bridge is announced as the end of a bridge port, which is not the end of the device
        aside = replace(port, master=None, up=False)
        await ports.ensure(port.key, aside)
        facts = await listener.until(replace(newest, master=None, up=False))
        assert LinkGone(TAP.name) not in facts
        await devices.ensure(TAP.key, None)
        await listener.until(LinkGone(TAP.name))


@isolated
async def test_a_lost_cable_a_new_name_and_an_address_are_seen() -> None:
    async with listening() as (_, __, listener):
        assert (await listener.next()).complete
        tool("ip", "link", "add", "left", "type", "veth", "peer", "name", "right")
        tool("ip", "link", "set", "left", "up")
        tool("ip", "link", "set", "right", "up")
        before = await listener.link("left", "UP")
        assert (before.carrier, before.addressed) == (True, False)
        tool("ip", "link", "set", "right", "down")
        lost = replace(
            before, oper="LOWERLAYERDOWN", carrier=False, carrier_changes=before.carrier_changes + 1
        )
        await listener.until(lost)
        tool("ip", "address", "add", "192.0.2.1/24", "dev", "left")
        await listener.until(replace(lost, addressed=True))
        tool("ip", "address", "flush", "dev", "left")
        await listener.until(replace(lost, addressed=False))
        tool("ip", "link", "set", "left", "down")
        down = replace(lost, up=False, oper="DOWN")
        await listener.until(down)
        tool("ip", "link", "set", "left", "name", "renamed")
        facts = await listener.until(replace(down, name="renamed"))
        assert LinkGone("left") in facts


@isolated
async def test_shaping_that_somebody_changes_is_reported() -> None:
    async with listening() as (connection, _, listener):
        await DeviceDriver(INSTANCE, connection).ensure(TAP.key, TAP)
        await listener.next()
        shaper, driver = Htb(TAP.name, 8_000_000, 10_000, VNIC), QdiscDriver(INSTANCE, connection)
        await driver.ensure(shaper.key, shaper)
        await listener.until(shaper)
        faster = replace(shaper, rate=16_000_000)
        await driver.ensure(shaper.key, faster)
        await listener.until(faster)
        tool("tc", "qdisc", "replace", "dev", TAP.name, "root", "noqueue")
        await listener.until(ResourceGone(shaper.key, VNIC))
        await driver.ensure(shaper.key, shaper)
        await listener.until(shaper)
        await DeviceDriver(INSTANCE, connection).ensure(TAP.key, None)
        await listener.until(ResourceGone(shaper.key, VNIC))


@isolated
async def test_after_lost_events_everything_is_told_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinplane.netlink.monitor._BUFFER", 4096)
    monkeypatch.setattr("twinplane.netlink.monitor._SO_RCVBUFFORCE", socket.SO_RCVBUF)
    async with listening() as (_, __, listener):
        assert (await listener.next()).complete
        for number in range(20):  # more than fits, while nobody listens
            tool("ip", "link", "add", f"left{number}", "type", "veth", "peer", "name", f"right{number}")
        batch = await listener.next()
        while not batch.complete:
            batch = await listener.next()
        assert {f"left{number}" for number in range(20)} <= {
            fact.name for fact in batch.facts if isinstance(fact, LinkFact)
        }


@isolated
async def test_counters_of_all_devices_by_one_request() -> None:
    async with listening() as (_, source, listener):
        assert (await listener.next()).complete
        tool("ip", "link", "add", "left", "type", "veth", "peer", "name", "right")
        for side in ("left", "right"):  # without addresses they say nothing of their own accord
            tool("ip", "link", "set", side, "addrgenmode", "none")
            tool("ip", "link", "set", side, "up")
        await listener.link("left", "UP")

        async def read() -> dict[str, LinkCounters]:
            facts = (await source.poll()).facts
            return {fact.name: fact for fact in facts if isinstance(fact, LinkCounters)}

        before = await read()
        assert set(before) == {"lo", "left", "right"}
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sender:
            sender.bind(("left", 0))
            for _ in range(10):
                sender.send(b"\xff" * 6 + b"\x02" * 6 + b"\x88\xb5" + bytes(986))
        after = await read()
        async with asyncio.timeout(20):  # the other end receives in its own time
            while after["right"].rx_packets - before["right"].rx_packets < 10:
                await asyncio.sleep(0.05)
                after = await read()
        assert after["left"].tx_packets - before["left"].tx_packets >= 10
        assert after["left"].tx_octets - before["left"].tx_octets >= 10_000
        assert after["right"].rx_octets - before["right"].rx_octets >= 10_000
        assert after["right"].tx_octets - before["right"].tx_octets < 10_000
        seen = tool("ip", "-s", "-s", "link", "show", "left")
        assert str(after["left"].tx_octets) in seen


@isolated
async def test_the_subscription_holds_events_from_its_opening_on() -> None:
    monitor = Monitor()
    monitor.open()
    try:
        tool("ip", "link", "add", "left", "type", "veth", "peer", "name", "right")
        assert await asyncio.wait_for(monitor.receive(), 5)
    finally:
        monitor.close()
