"""What others do to our devices is seen in the kernel's events, and casts doubt on whom they belong to."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from kernel.host import BRIDGE, IFB, INSTANCE, SWITCH, TAP, VNIC, tool
from kernel.namespace import isolated
from twinplane.clock import Clock
from twinplane.drivers.device import DeviceDriver
from twinplane.drivers.port import PortDriver
from twinplane.drivers.qdisc import QdiscDriver
from twinplane.netlink.connection import Connection
from twinplane.plan.resource import Htb, Port, Redirect
from twinplane.state.operational import Operational
from twinplane.state.sources.netlink import NetlinkSource
from twinplane_wire.path import Path

pytestmark = pytest.mark.kernel

FW1 = Path(VNIC.elems[:2])


@asynccontextmanager
async def watched() -> AsyncIterator[asyncio.Queue[frozenset[Path]]]:
    """A tap in a bridge, shaped both ways, and what is doubted from now on."""
    async with Connection() as connection:
        devices, ports = DeviceDriver(INSTANCE, connection), PortDriver(INSTANCE, connection)
        for device, master in ((BRIDGE, None), (TAP, BRIDGE.name), (IFB, None)):
            await devices.ensure(device.key, device)
            port = Port(device.name, device.owner, master, up=True)
            await ports.ensure(port.key, port)
        for wanted in (Htb(TAP.name, 8_000_000, 10_000, VNIC), Redirect(TAP.name, IFB.name, VNIC)):
            await QdiscDriver(INSTANCE, connection).ensure(wanted.key, wanted)
        tree, heard = Operational(Clock()), asyncio.Queue[frozenset[Path]]()
        batches = NetlinkSource(INSTANCE, connection).batches()
        tree.apply(await anext(batches))
        tree.suspect(heard.put_nowait)

        async def take_in() -> None:
            async for batch in batches:
                tree.apply(batch)

        taking = asyncio.ensure_future(take_in())
        try:
            yield heard
        finally:
            taking.cancel()
            await asyncio.gather(taking, return_exceptions=True)
            await batches.aclose()


@pytest.mark.parametrize(
    ("command", "owner"),
    [
        (("ip", "link", "set", TAP.name, "nomaster"), FW1),
        (("ip", "link", "set", TAP.name, "down"), FW1),
        (("ip", "link", "set", IFB.name, "mtu", "1400"), FW1),
        (("ip", "link", "del", TAP.name), FW1),
        (("ip", "link", "set", BRIDGE.name, "address", "02:aa:00:00:00:99"), SWITCH),
        (("tc", "qdisc", "del", "dev", TAP.name, "root"), FW1),
        (("tc", "qdisc", "del", "dev", TAP.name, "ingress"), FW1),
    ],
    ids=lambda value: " ".join(value[1:]) if isinstance(value, tuple) and isinstance(value[0], str) else "",
)
@isolated
async def test_a_change_behind_our_back_is_heard_of(command: tuple[str, ...], owner: Path) -> None:
    async with watched() as heard:
        tool(*command)
        async with asyncio.timeout(20):
            while owner not in await heard.get():
                pass
