"""The way to an address, as the kernel has it."""

import pytest

from kernel.host import tool
from kernel.namespace import isolated
from twinplane.netlink.connection import Connection

pytestmark = pytest.mark.kernel


@isolated
async def test_a_route_leaves_through_a_device_and_all_that_carries_it() -> None:
    tool("ip", "link", "set", "lo", "up")
    for name in ("veth0", "veth1"):
        tool("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}p")
        tool("ip", "link", "set", name, "up")
        tool("ip", "link", "set", f"{name}p", "up")
    tool("ip", "link", "add", "br0", "type", "bridge")
    tool("ip", "link", "set", "br0", "up")
    tool("ip", "link", "set", "veth1", "master", "br0")
    for below, above in (("veth0", "mac0"), ("br0", "mac1")):
        tool("ip", "link", "add", "link", below, "name", above, "type", "macvlan")
        tool("ip", "link", "set", above, "up")
    tool("ip", "address", "add", "192.0.2.1/24", "dev", "veth0")
    tool("ip", "address", "add", "192.0.2.129/25", "dev", "mac0")
    tool("ip", "address", "add", "198.18.0.1/24", "dev", "mac1")
    tool("ip", "address", "add", "2001:db8::1/64", "dev", "br0", "nodad")
    async with Connection() as connection:
        assert await connection.towards("192.0.2.9") == {"veth0", "veth0p"}
        assert await connection.towards("2001:db8::9") == {"br0", "veth1", "veth1p"}
        assert await connection.towards("192.0.2.130") == {"mac0", "veth0", "veth0p"}
        assert await connection.towards("198.18.0.9") == {"mac1", "br0", "veth1", "veth1p"}
        assert await connection.towards("198.51.100.1") == frozenset()
        assert await connection.towards("127.0.0.1") == {"lo"}
        (index,) = (row.index for row in await connection.links() if row.name == "veth1p")
        for zone in ("veth1p", str(index)):
            assert await connection.towards(f"fe80::1%{zone}") == {"veth1p", "veth1"}
        assert await connection.towards("fe80::1%gone") == frozenset()
