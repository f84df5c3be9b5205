"""Devices that the agent makes: bridges, taps and IFBs. Made down, marked, never with an address of the host.

The kernel ignores an alias in the message that makes a device, so marking takes a second one; all else that a
device must be is set before it or with it. What bears the mark is therefore complete.
"""

from collections.abc import Iterable
from uuid import UUID

from twinplane.drivers.mark import foreign, read_mark
from twinplane.errors import DriverError
from twinplane.model.names import alias
from twinplane.netlink.connection import Connection
from twinplane.netlink.link import NO_GENERATION, LinkRow
from twinplane.netlink.sysctl import read_setting
from twinplane.plan.resource import Bridge, Found, Ifb, Key, Noun, Ownership, Resource, Tap
from twinplane.plan.text import unlike
from twinplane_wire.path import Path

_NO_SPANNING_TREE = {"IFLA_BR_STP_STATE": 0}
_NO_DELAY = {"IFLA_BR_FORWARD_DELAY": 0}
_NO_NETFILTER = {
    "IFLA_BR_NF_CALL_IPTABLES": 0,
    "IFLA_BR_NF_CALL_IP6TABLES": 0,
    "IFLA_BR_NF_CALL_ARPTABLES": 0,
}

# What keeps the host from answering on a bridge: no IPv6 there at all (a router advertisement of a guest
# would give it an address), no ARP reply for addresses that the host has elsewhere, and no packet accepted
# whose way back does not lead through the bridge (none does).
_DEAF = (("ipv6", "disable_ipv6", "1"), ("ipv4", "arp_ignore", "8"), ("ipv4", "rp_filter", "1"))


class DeviceDriver:
    """Makes, marks, adjusts and deletes the agent's own devices in the namespace of its connection."""

    def __init__(self, instance: UUID, connection: Connection) -> None:
        self._instance = instance
        self._connection = connection

    @property
    def nouns(self) -> frozenset[Noun]:
        """Bridge, tap and IFB."""
        return frozenset({Noun.BRIDGE, Noun.TAP, Noun.IFB})

    async def ensure(self, key: Key, wanted: Resource | None) -> Resource | None:
        """Bring the device to `wanted`; return it as read back.

        A device without any mark is taken for one that was made and not yet marked: the caller has excluded
        that it is somebody else's (`find`, before the journal names it).

        Raises:
            DriverError: another owner's device, another kind, refused by the kernel, or not as wanted
            afterwards.
        """
        link = await self._connection.link(key.name)
        if link is not None:
            self._check(key, link)
        if wanted is None:
            if link is not None:
                await self._remove(key, link)
            return None
        if not isinstance(wanted, Bridge | Tap | Ifb) or wanted.key != key:
            raise DriverError(f"{key}: cannot be brought to {wanted.key}")
        if link is None:
            await self._make(wanted)
            link = await self._reread(key)
        if await self._adjust(link, wanted):
            link = await self._reread(key)
        if (found := self._read(key.noun, link)) != wanted:
            raise DriverError(f"{key}: {unlike(found, wanted)} after it was set")
        return found

    async def find(self, key: Key) -> Found:
        """What stands under this name now; FOREIGN whatever bears no mark of this instance."""
        link = await self._connection.link(key.name)
        if link is None:
            return Found(Ownership.ABSENT)
        resource = self._read(key.noun, link)
        if (
            link.name != key.name
            or resource is None
            or read_mark(link, self._instance).ownership is not Ownership.OWN
        ):
            return foreign(link)
        return Found(Ownership.OWN, resource)

    async def survey(self, keys: Iterable[Key]) -> tuple[Resource, ...]:
        """All marked devices, and unmarked ones under `keys` (owner: the root path), by one dump."""
        named = {(key.noun, key.name) for key in keys}
        found: list[Resource] = []
        for link in await self._connection.links():
            noun = _noun(link)
            ownership = read_mark(link, self._instance).ownership
            if noun is None or ownership is Ownership.FOREIGN:
                continue
            if ownership is Ownership.OWN or (noun, link.name) in named:
                resource = self._read(noun, link)
                assert resource is not None
                found.append(resource)
        return tuple(found)

    def _check(self, key: Key, link: LinkRow) -> None:
        if (
            link.name != key.name
            or _noun(link) is not key.noun
            or read_mark(link, self._instance).ownership is Ownership.FOREIGN
        ):
            raise DriverError(
                f"{key}: {foreign(link).description} is in the way",
                remedy=f"remove or rename it: ip link delete {link.name}",
            )

    def _read(self, noun: Noun, link: LinkRow) -> Bridge | Tap | Ifb | None:
        if _noun(link) is not noun:
            return None
        owner: Path = read_mark(link, self._instance).owner
        if noun is Noun.BRIDGE:
            return Bridge(link.name, owner, link.mtu, link.mac)
        if noun is Noun.TAP:
            return Tap(link.name, owner, link.mtu, link.mac)
        return Ifb(link.name, owner, link.mtu)

    async def _make(self, wanted: Bridge | Tap | Ifb) -> None:
        match wanted:
            case Bridge():
                # A bridge follows the smallest MTU of its ports until its own was *changed* by somebody;
                # setting the value it has is no change. So it starts with another, and the marking message
                # changes it.
                await self._connection.create_bridge(wanted.name, wanted.mtu + 1, wanted.mac)
            case Tap():
                await self._connection.create_tap(wanted.name)
            case Ifb():
                await self._connection.create_ifb(wanted.name, wanted.mtu)

    async def _adjust(self, link: LinkRow, wanted: Bridge | Tap | Ifb) -> bool:
        if isinstance(wanted, Bridge):
            for family, name, value in _DEAF:
                if read_setting(family, link.name, name) not in (value, None):
                    await self._connection.set_setting(family, link.name, name, value)
        mark = alias(self._instance, wanted.owner)
        mac = None if isinstance(wanted, Ifb) or link.mac == wanted.mac else wanted.mac
        generation = NO_GENERATION if link.address_generation not in (None, NO_GENERATION) else None
        options = _bridge_options(link) if link.kind == "bridge" and not link.is_plain_bridge else {}
        marked = link.alias == mark and link.mtu == wanted.mtu
        if marked and mac is None and generation is None and not options:
            return False
        if options:  # by itself: with a spanning tree no delay of 0 is accepted, and delays are set first
            await self._connection.set_link(link, bridge_options=_NO_SPANNING_TREE)
        await self._connection.set_link(
            link,
            alias=mark,
            mtu=None if link.mtu == wanted.mtu else wanted.mtu,
            mac=mac,
            address_generation=generation,
            bridge_options=options,
        )
        return True

    async def _remove(self, key: Key, link: LinkRow) -> None:
        await self._connection.delete_link(link)
        if await self._connection.link(key.name) is not None:
            raise DriverError(f"{key}: is still there after it was deleted")

    async def _reread(self, key: Key) -> LinkRow:
        link = await self._connection.link(key.name)
        if link is None:
            raise DriverError(f"{key}: has vanished while it was being set")
        return link


def _bridge_options(link: LinkRow) -> dict[str, int]:
    return _NO_DELAY | (_NO_NETFILTER if link.has_netfilter else {})


def _noun(link: LinkRow) -> Noun | None:
    if link.kind == "bridge":
        return Noun.BRIDGE
    if link.is_tap:
        return Noun.TAP
    return Noun.IFB if link.kind == "ifb" else None
