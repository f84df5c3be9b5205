"""Ports: a device of ours in its bridge and up, or a host port plugged into a bridge of ours."""

from collections.abc import Iterable
from uuid import UUID

from twinplane.drivers.mark import foreign, read_mark
from twinplane.errors import DriverError
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import NO_GENERATION, LinkRow
from twinplane.plan.resource import Found, Key, Noun, Ownership, Plug, Port, Resource
from twinplane.plan.text import unlike
from twinplane_wire.path import ROOT, Path

_MADE = frozenset({"bridge", "tun", "ifb"})  # kinds of device that the agent makes
_ADDRESSED = "a device that carries an address of the host cannot become a port"


class PortDriver:
    """Plugs, unplugs, raises and lowers. A device that this instance made and marked is a `Port`, any other a
    `Plug`."""

    def __init__(self, instance: UUID, connection: Connection) -> None:
        self._instance = instance
        self._connection = connection

    @property
    def nouns(self) -> frozenset[Noun]:
        """Port (both resources of that noun)."""
        return frozenset({Noun.PORT})

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Bring the port to `wanted`; return it as read back, None for a host port whose device is not there.

        Absent means out of the bridge and, for a device of ours, down. A host port is only ever taken out
        of a bridge of ours.

        Raises:
            DriverError: no such device or bridge, a port of somebody else's bridge, a host port with an
            address, refused by the kernel, or not as wanted afterwards.
        """
        link = await self._connection.link(key.name)
        if link is None:
            if isinstance(wanted, Port):
                raise DriverError(f"{key}: there is no device {key.name}")
            return None
        match wanted:
            case Port():
                return await self._settle(key, link, wanted)
            case Plug():
                return await self._plug(key, link, wanted)
            case None:
                await self._let_go(link)
                return None
            case _:
                raise DriverError(f"{key}: cannot be brought to {wanted.key}")

    async def find(self, key: Key) -> Found:
        """What stands under this name now.

        A device of ours that is down and in no bridge, and a host port that is plugged nowhere, are ABSENT
        with what they are as `resource`; a host port in a bridge of somebody else is FOREIGN.
        """
        # one device and its bridge by name and index: a dump for each of many keys is quadratic
        link = await self._connection.link(key.name)
        if link is None:
            return Found(Ownership.ABSENT)
        if link.name != key.name and self._is_ours(link):
            return foreign(link)
        master = await self._connection.device(link.master) if link.master else None
        resource = self._read(link, master, key.name)
        if resource is None:
            assert master is not None
            return Found(Ownership.FOREIGN, description=f"it is a port of {master.name}")
        placed = resource.master is not None or (isinstance(resource, Port) and resource.up)
        return Found(Ownership.OWN if placed else Ownership.ABSENT, resource)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        """A `Port` for each device of ours, a `Plug` for each host port in a bridge of ours, by one dump.

        No key is needed: a port of ours shows by the mark of the device or of the bridge it is in. A host
        port goes by the names of `keys`, where it has one of them (under each that it has), else by its own.
        """
        wanted = {key.name for key in keys if key.noun is Noun.PORT}
        links = {link.index: link for link in await self._connection.links()}
        read = [
            self._read(link, links.get(link.master), name)
            for link in links.values()
            for name in [name for name in link.names if name in wanted and not self._is_ours(link)]
            or [link.name]
        ]
        return tuple(port for port in read if isinstance(port, Port) or (port is not None and port.master))

    def _read(self, link: LinkRow, master: LinkRow | None, name: str) -> Port | Plug | None:
        if self._is_ours(link):
            owner = read_mark(link, self._instance).owner
            return Port(link.name, owner, master.name if master else None, link.up)
        generation = NO_GENERATION if link.address_generation is None else link.address_generation
        if master is None:
            return Plug(name, ROOT, None, generation, link.index)
        if not self._is_ours(master):
            return None
        switch = read_mark(master, self._instance).owner
        return Plug(name, _port_path(switch, name), master.name, generation, link.index)

    async def _settle(self, key: Key, link: LinkRow, wanted: Port) -> Port:
        if not self._is_ours(link):
            raise DriverError(f"{key}: {foreign(link).description} is not a device of this agent")
        master = await self._master(key, wanted.master)
        # nothing passes between the two messages: a device enters its bridge down, and leaves it down
        if link.up and not wanted.up:
            await self._connection.set_link(link, up=False)
        if link.master != master:
            await self._connection.set_link(link, master=master)
        if wanted.up and not link.up:
            await self._connection.set_link(link, up=True)
        link = await self._reread(key)
        name = wanted.master if link.master == master else f"device {link.master}"
        found = Port(link.name, read_mark(link, self._instance).owner, name, link.up)
        if found != wanted:
            raise DriverError(f"{key}: {unlike(found, wanted)} after it was set")
        return found

    async def _plug(self, key: Key, link: LinkRow, wanted: Plug) -> Plug:
        if self._is_ours(link):
            raise DriverError(f"{key}: {link.name} is a device of this agent", remedy="choose another port")
        master = await self._master(key, wanted.master)
        elsewhere = link.master not in (0, master) and not await self._is_own(link.master)
        if elsewhere and wanted.master is None:
            master = link.master  # it has been let go: whose port it is now is not for us to say
        elif elsewhere:
            raise DriverError(
                f"{key}: is a port of another bridge", remedy="take it out of that bridge first"
            )
        if master and link.master != master:
            await self._check_unaddressed(key, link)
        if link.master and not master:
            await self._connection.set_link(link, master=0)
        if link.address_generation not in (None, wanted.address_generation):
            await self._set_generation(link, wanted.address_generation)
        if master and link.master != master:
            await self._connection.set_link(link, master=master)
        link = await self._reread(key)
        # a device without IPv6 has no addresses to generate: as good as any mode
        generation = wanted.address_generation if link.address_generation is None else link.address_generation
        name = wanted.master if link.master == master else f"device {link.master}"
        found = Plug(key.name, wanted.owner, name, generation, link.index)
        if found != wanted:
            raise DriverError(f"{key}: {unlike(found, wanted)} after it was set")
        return found

    async def _let_go(self, link: LinkRow) -> None:
        if self._is_ours(link):
            if link.up:
                await self._connection.set_link(link, up=False)
            if link.master:
                await self._connection.set_link(link, master=0)
        elif link.master and await self._is_own(link.master):
            await self._connection.set_link(link, master=0)

    async def _set_generation(self, link: LinkRow, mode: int) -> None:
        # through /proc: unlike a netlink message this makes the kernel give a device that is up its address
        # again
        await self._connection.set_setting("ipv6", link.name, "addr_gen_mode", str(mode))
        if mode == NO_GENERATION:
            for row in await self._connection.addresses():
                if row.device == link.index and row.is_automatic:
                    await self._connection.delete_address(row)

    async def _check_unaddressed(self, key: Key, link: LinkRow) -> None:
        for row in await self._connection.addresses():
            if row.device == link.index and not row.is_automatic:
                remedy = "remove its addresses or choose another port"
                raise DriverError(f"{key}: {_ADDRESSED}", remedy=remedy)

    async def _is_own(self, index: int) -> bool:
        link = await self._connection.device(index)
        return link is not None and self._is_ours(link)

    def _is_ours(self, link: LinkRow) -> bool:
        # an alias can be copied: on a device that the agent does not make it means nothing
        return link.kind in _MADE and read_mark(link, self._instance).ownership is Ownership.OWN

    async def _master(self, key: Key, name: str | None) -> int:
        if name is None:
            return 0
        bridge = await self._connection.link(name)
        if bridge is None or not self._is_ours(bridge):
            raise DriverError(f"{key}: there is no bridge {name} of this agent")
        return bridge.index

    async def _reread(self, key: Key) -> LinkRow:
        link = await self._connection.link(key.name)
        if link is None:
            raise DriverError(f"{key}: has vanished while it was being set")
        return link


def _port_path(switch: Path, device: str) -> Path:
    return switch.child("ports").child("port", ("interface", device))
