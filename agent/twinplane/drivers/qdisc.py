"""Shaping: the root HTB of a device of ours, and the redirect of what it receives to an IFB."""

import asyncio
import errno
from collections.abc import Iterable
from uuid import UUID

from twinplane.drivers.mark import foreign, read_mark
from twinplane.errors import DriverError
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import LinkRow
from twinplane.netlink.message import KernelError
from twinplane.plan.resource import Found, Htb, Key, Noun, Ownership, Redirect, Resource
from twinplane.plan.text import unlike
from twinplane.share.network import MOST_TICKS
from twinplane_wire.path import Path

_UNFINISHED = 8  # bit/s: what a shaper without a class is surveyed as; nobody can want it
_PAUSE = 64  # devices after which a survey lets others run


class QdiscDriver:
    """Puts, changes and removes the agent's queueing disciplines on the agent's own devices."""

    def __init__(self, instance: UUID, connection: Connection) -> None:
        self._instance = instance
        self._connection = connection

    @property
    def nouns(self) -> frozenset[Noun]:
        """Qdisc (root HTB and ingress redirect)."""
        return frozenset({Noun.QDISC})

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Bring the root HTB or the redirect of a device to `wanted`; return it as read back.

        A rate or burst is changed in place, packets that wait are kept. A device that is gone took its qdiscs
        along: absent is reached.

        Raises:
            DriverError: no such device, not a device of this agent, a burst that the kernel cannot hold,
            refused by the kernel, or not as wanted afterwards.
        """
        device, _, place = key.name.partition(" ")
        link = await self._connection.link(device)
        if link is None:
            if wanted is None:
                return None
            raise DriverError(f"{key}: there is no device {device}")
        match wanted:
            case Htb():
                self._check(key, link)
                return await self._shape(key, link, wanted)
            case Redirect():
                self._check(key, link)
                return await self._redirect(key, link, wanted)
            case None:
                await (self._unshape(key, link) if place == "root" else self._undirect(key, link))
                return None
            case _:
                raise DriverError(f"{key}: cannot be brought to {wanted.key}")

    async def find(self, key: Key) -> Found:
        """What stands at this place now; what the kernel or libvirt put there by itself counts as ABSENT."""
        device, _, place = key.name.partition(" ")
        link = await self._connection.link(device)
        if link is None:
            return Found(Ownership.ABSENT)
        owner = read_mark(link, self._instance).owner
        found: Resource | None
        if place == "root":
            found = await self._read_shape(link, owner) if link.qdisc == "htb" else None
        else:
            found = await self._find_redirect(link, owner)
        return Found(Ownership.ABSENT) if found is None else Found(Ownership.OWN, found)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        """The shapers and redirects of all marked devices, by one dump of links, one of qdiscs and one short
        question for each that is found. What is not finished is there, but equal to nothing one can want."""
        links = {link.index: link for link in await self._connection.links()}
        names = {index: link.name for index, link in links.items()}
        named = {key.name.partition(" ")[0] for key in keys if key.noun is Noun.QDISC}
        found: list[Resource] = []
        for count, row in enumerate(await self._connection.qdiscs()):
            if count % _PAUSE == _PAUSE - 1:
                await asyncio.sleep(0)
            link = links.get(row.device)
            if link is None or not (row.is_shaper or row.is_ingress):
                continue
            mark = read_mark(link, self._instance)
            if mark.ownership is not Ownership.OWN and link.name not in named:
                continue
            if row.is_shaper:
                shape = await self._read_shape(link, mark.owner)
                found.append(shape or Htb(link.name, _UNFINISHED, 0, mark.owner))
            else:
                redirect = await self._read_redirect(link, mark.owner, names)
                found.append(redirect or Redirect(link.name, "", mark.owner))
        return tuple(found)

    def _check(self, key: Key, link: LinkRow) -> None:
        if read_mark(link, self._instance).ownership is not Ownership.OWN:
            raise DriverError(f"{key}: {foreign(link).description} is not a device of this agent")

    async def _read_shape(self, link: LinkRow, owner: Path) -> Htb | None:
        shape = await self._connection.shape(link.index)
        return None if shape is None else Htb(link.name, shape.rate, shape.burst, owner)

    async def _find_redirect(self, link: LinkRow, owner: Path) -> Redirect | None:
        targets = await self._connection.redirects(link.index)
        if not targets:
            return None
        target = targets[0] if len(targets) == 1 else None
        device = await self._connection.device(target) if target else None
        return Redirect(link.name, device.name if device is not None else "", owner)

    async def _read_redirect(self, link: LinkRow, owner: Path, names: dict[int, str]) -> Redirect | None:
        targets = await self._connection.redirects(link.index)
        if not targets:
            return None
        target = targets[0] if len(targets) == 1 else None
        return Redirect(link.name, names.get(target, "") if target is not None else "", owner)

    async def _shape(self, key: Key, link: LinkRow, wanted: Htb) -> Htb:
        if wanted.ticks > MOST_TICKS:
            raise DriverError(
                f"{key}: a burst of {wanted.burst} bytes takes more than 274 s at {wanted.rate} bit/s",
                remedy="choose a smaller burst",
            )
        owner = read_mark(link, self._instance).owner
        found = await self._read_shape(link, owner) if link.qdisc == "htb" else None
        if found != wanted:
            # an HTB of ours without its class was left by a process that ended between the two: it is used,
            # for the kernel refuses to put another in its place
            if found is None and not (link.qdisc == "htb" and await self._has(link, root=True)):
                await self._connection.set_shaper(link)
            await self._connection.set_class(link, wanted.rate, wanted.ticks)
            found = await self._read_shape(link, owner)
        if found != wanted:
            raise DriverError(f"{key}: {unlike(found, wanted)} after it was set")
        return found

    async def _unshape(self, key: Key, link: LinkRow) -> None:
        if await self._has(link, root=True):
            await self._connection.delete_shaper(link)
            if await self._has(link, root=True):
                raise DriverError(f"{key}: is still there after it was removed")

    async def _redirect(self, key: Key, link: LinkRow, wanted: Redirect) -> Redirect:
        target = await self._connection.link(wanted.target)
        if target is None:
            raise DriverError(f"{key}: there is no device {wanted.target} to send to")
        found = await self._connection.redirects(link.index)
        if found != (target.index,):
            if found:
                await self._connection.delete_ingress(link)
            await self._add_ingress(link)
            await self._connection.add_redirect(link, target)
            found = await self._connection.redirects(link.index)
        if found != (target.index,):
            raise DriverError(f"{key}: sends to the devices {found}, not to {target.index}")
        owner = read_mark(link, self._instance).owner
        read = Redirect(link.name, wanted.target, owner)
        if read != wanted:
            raise DriverError(f"{key}: {unlike(read, wanted)} after it was set")
        return read

    async def _add_ingress(self, link: LinkRow) -> None:
        try:
            await self._connection.add_ingress(link)
        except KernelError as refusal:
            if refusal.code != errno.EEXIST:  # left by a process that ended before it added the filter
                raise

    async def _undirect(self, key: Key, link: LinkRow) -> None:
        if await self._has(link, root=False):
            await self._connection.delete_ingress(link)
            if await self._has(link, root=False):
                raise DriverError(f"{key}: is still there after it was removed")

    async def _has(self, link: LinkRow, *, root: bool) -> bool:
        rows = (row for row in await self._connection.qdiscs() if row.device == link.index)
        return any(row.is_shaper if root else row.is_ingress for row in rows)
