"""What a host port has of the attributes that the agent may take, to be given back later."""

from collections.abc import Mapping

from twinplane.netlink.connection import Connection
from twinplane.netlink.link import NO_GENERATION


async def read_foreign(connection: Connection, device: str) -> Mapping[str, int]:
    """The values of ``address-generation``, ``up`` and ``mtu`` (as in `ForeignValue`); empty where there is
    no such device. A device without IPv6 generates no address: mode NONE. Raises DriverError."""
    link = await connection.link(device)
    if link is None:
        return {}
    generation = NO_GENERATION if link.address_generation is None else link.address_generation
    return {"address-generation": generation, "up": int(link.up), "mtu": link.mtu}
