"""What a host port has of the attributes that the agent may take, to be given back later."""

from collections.abc import Mapping

from twinplane.netlink.connection import Connection
from twinplane.netlink.link import NO_GENERATION
from twinplane.plan.resource import HostDevice


async def read_foreign(connection: Connection, device: str) -> Mapping[str, int]:
    """The values of ``address-generation``, ``up`` and ``mtu`` (as in `ForeignValue`), and with them which
    device has them (``ifindex``, ``address``); empty where there is no such device. A device without IPv6
    generates no address: mode NONE. Raises DriverError."""
    link = await connection.link(device)
    if link is None:
        return {}
    generation = NO_GENERATION if link.address_generation is None else link.address_generation
    values = {"address-generation": generation, "up": int(link.up), "mtu": link.mtu}
    return values | {"ifindex": link.index, "address": number(link.mac)}


async def read_devices(connection: Connection) -> tuple[HostDevice, ...]:
    """All devices of the host as those that values were taken of. Raises DriverError."""
    return tuple(HostDevice(link.index, number(link.mac), link.names) for link in await connection.links())


def number(mac: str) -> int:
    """A hardware address as a number; 0 where there is none (or one that is longer than Ethernet's)."""
    octets = mac.split(":")
    return int("".join(octets), 16) if len(octets) == 6 else 0
