"""Admin state and MTU of host ports under management; nothing else of them is touched."""

from collections.abc import Iterable

from twinplane.errors import DriverError
from twinplane.model.port import interface_path
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import LinkRow
from twinplane.plan.resource import Found, Key, Link, Noun, Ownership, Resource
from twinplane.plan.text import unlike


class LinkDriver:
    """Sets what an entry of /interfaces wants of a device that the agent did not make."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    @property
    def nouns(self) -> frozenset[Noun]:
        """Link."""
        return frozenset({Noun.LINK})

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Set the attributes that `wanted` names; return them as read back, None where there is no such
        device.

        Absent asks for nothing: the values that a device had are given back by a `Link` that names them.

        Raises:
            DriverError: refused by the kernel (an MTU outside the device's limits), or not as wanted
            afterwards.
        """
        if wanted is None:
            return None
        if not isinstance(wanted, Link) or wanted.key != key:
            raise DriverError(f"{key}: cannot be brought to {wanted.key}")
        link = await self._connection.link(key.name)
        if link is None:
            return None
        mtu = None if wanted.mtu in (None, link.mtu) else wanted.mtu
        up = None if wanted.up in (None, link.up) else wanted.up
        if mtu is not None or up is not None:
            await self._connection.set_link(link, mtu=mtu, up=up)
            link = await self._connection.link(key.name)
            if link is None:
                return None
        found = Link(
            key.name,
            wanted.owner,
            None if wanted.up is None else link.up,
            None if wanted.mtu is None else link.mtu,
            link.index,
        )
        if found != wanted:
            raise DriverError(f"{key}: {unlike(found, wanted)} after it was set")
        return found

    async def find(self, key: Key) -> Found:
        """The admin state and MTU that the device has now: never FOREIGN, they are set, not made."""
        link = await self._connection.link(key.name)
        return Found(Ownership.ABSENT) if link is None else Found(Ownership.OWN, _read(link, key.name))

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        """Admin state and MTU of the devices under `keys` (no device says that it is managed)."""
        names = {key.name for key in keys if key.noun is Noun.LINK}
        if not names:
            return ()
        links = await self._connection.links()
        return tuple(_read(link, name) for link in links for name in link.names if name in names)


def _read(link: LinkRow, name: str) -> Link:
    return Link(name, interface_path(name), link.up, link.mtu, link.index)
