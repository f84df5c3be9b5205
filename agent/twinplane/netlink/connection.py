"""The connection to rtnetlink: every request that changes something is sent here, and counted."""

import asyncio
import errno
import ipaddress
from collections.abc import Mapping
from types import TracebackType
from typing import Any

from pyroute2 import AsyncIPRoute
from pyroute2.netlink import NLM_F_ACK, NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, NLM_F_REQUEST
from pyroute2.netlink.exceptions import NetlinkError
from pyroute2.netlink.rtnl.ifaddrmsg import ifaddrmsg
from pyroute2.netlink.rtnl.ifinfmsg import ifinfmsg
from pyroute2.netlink.rtnl.tcmsg import tcmsg

from twinplane.errors import DriverError
from twinplane.netlink import counters, sysctl, traffic, tun
from twinplane.netlink.address import RTM_DELADDR, RTM_GETADDR, AddressRow, address_body, parse_address
from twinplane.netlink.link import (
    IFF_UP,
    RTM_DELLINK,
    RTM_GETLINK,
    RTM_NEWLINK,
    LinkRow,
    get_body,
    parse_link,
)
from twinplane.netlink.message import KernelError
from twinplane.netlink.reader import Reader
from twinplane.netlink.route import RTM_GETROUTE, parse_route, route_body

_CHANGE = NLM_F_REQUEST | NLM_F_ACK
_CREATE = _CHANGE | NLM_F_CREATE | NLM_F_EXCL
_PUT = _CHANGE | NLM_F_CREATE
_REPLACE = _PUT | NLM_F_REPLACE
_ETH_P_ALL = 0x0300  # in network order
_ETHERNET = 1  # TC_LINKLAYER_ETHERNET: the kernel computes sizes itself and asks for no rate table
_STOLEN = 4  # TC_ACT_STOLEN
_EGRESS_REDIRECT = 1  # TCA_EGRESS_REDIR
_MAX_RATE32 = 0xFFFFFFFF
_QUANTUM = (
    60_000  # the only class of its tree: any value serves, an explicit one keeps the kernel from warning
)


class Connection:
    """Reads and changes devices, addresses and queueing disciplines of one network namespace.

    The namespace is that of the thread that uses it first. Every call ends within `deadline` seconds; all
    raise `KernelError` with the kernel's own words where it refuses, and `DriverError` with ``unknown`` set
    where a changing request was not answered in time. `writes` counts the changing requests that were sent.
    """

    def __init__(self, deadline: float = 5.0) -> None:
        self.writes = 0
        self._deadline = deadline
        self._reader = Reader(deadline)
        self._route: AsyncIPRoute | None = None
        self._lock = asyncio.Lock()

    async def __aenter__(self) -> "Connection":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the sockets; a later call opens them anew."""
        self._reader.close()
        if self._route is not None:
            self._route.close()
            self._route = None

    # reading

    async def links(self) -> tuple[LinkRow, ...]:
        """All devices, in the order of their indexes."""
        payloads = await self._reader.dump(RTM_GETLINK, get_body(), "list the network devices")
        return tuple(row for row in map(parse_link, payloads) if row is not None)

    async def link(self, name: str) -> LinkRow | None:
        """The device of that name, primary or alternative, or None."""
        payload = await self._reader.get(RTM_GETLINK, get_body(name), f"read {name}")
        return None if payload is None else parse_link(payload)

    async def device(self, index: int) -> LinkRow | None:
        """The device of that index, or None."""
        if not index:
            return (
                None  # what a redirect leads to whose target is gone; the kernel refuses to be asked for it
            )
        payload = await self._reader.get(RTM_GETLINK, get_body(index=index), f"read device {index}")
        return None if payload is None else parse_link(payload)

    async def addresses(self) -> tuple[AddressRow, ...]:
        """All IP addresses of the host."""
        payloads = await self._reader.dump(RTM_GETADDR, address_body(), "list the addresses")
        return tuple(map(parse_address, payloads))

    async def towards(self, address: str) -> frozenset[str]:
        """The devices that packets to an address leave through: the one of the route and all that carries it
        (the ports of a bridge, the device that a VLAN is on). The zone of an address (RFC 4007 section 11) is
        its way. All names of each. None where there is no route. Raises ValueError for what is no address."""
        links = {row.index: row for row in await self.links()}
        _, _, zone = address.partition("%")
        if zone:
            reached = {row.index for row in links.values() if zone in (*row.names, str(row.index))}
        else:
            reached = {await self._way(address)}
        found: set[int] = set()
        while reached := (reached & links.keys()) - found:
            found |= reached
            ports = {row.index for row in links.values() if row.master in reached}
            reached = ports | {links[index].below for index in reached}
        return frozenset(name for index in found for name in links[index].names)

    async def _way(self, address: str) -> int:
        """The index of the device that the route to an address leaves through; 0: there is none."""
        try:
            payload = await self._reader.get(
                RTM_GETROUTE, route_body(address), f"find the route to {address}"
            )
        except KernelError as refusal:
            if refusal.code in (errno.ENETUNREACH, errno.EHOSTUNREACH):
                return 0
            raise
        return 0 if payload is None else parse_route(payload)

    async def qdiscs(self) -> tuple[traffic.QdiscRow, ...]:
        """The queueing disciplines of all devices (those that the kernel put there by itself included)."""
        payloads = await self._reader.dump(traffic.RTM_GETQDISC, traffic.body(0), "list the qdiscs")
        return tuple(map(traffic.parse_qdisc, payloads))

    async def shape(self, device: int) -> traffic.Shape | None:
        """What the class of the agent's root HTB of a device lets through, or None."""
        # asked for by a dump: a single get of qdisc or class is answered to all listeners, as if it had
        # changed
        body = traffic.body(device, parent=traffic.HANDLE)
        payloads = await self._reader.dump(
            traffic.RTM_GETTCLASS, body, f"read the classes of device {device}"
        )
        return next((shape for payload in payloads if (shape := traffic.parse_shape(payload))), None)

    async def redirects(self, device: int) -> tuple[int | None, ...]:
        """For each filter at the ingress of a device: the index of the device that gets everything, or None
        for a filter that does anything else."""
        body = traffic.body(device, parent=traffic.INGRESS_HANDLE)
        payloads = await self._reader.dump(
            traffic.RTM_GETTFILTER, body, f"read the filters of device {device}"
        )
        return tuple(map(traffic.parse_redirect, filter(traffic.is_filter, payloads)))

    async def counters(self) -> tuple[counters.CounterRow, ...]:
        """The counters of all devices, by one request."""
        payloads = await self._reader.dump(counters.RTM_GETSTATS, counters.stats_body(), "read the counters")
        return tuple(map(counters.parse_counters, payloads))

    # changing devices

    async def create_bridge(self, name: str, mtu: int, mac: str) -> None:
        """Make a bridge, down, without spanning tree and forward delay."""
        options = {"IFLA_BR_FORWARD_DELAY": 0, "IFLA_BR_STP_STATE": 0}
        await self._create(name, "bridge", options, IFLA_MTU=mtu, IFLA_ADDRESS=mac)

    async def create_ifb(self, name: str, mtu: int) -> None:
        """Make an intermediate functional block, down."""
        await self._create(name, "ifb", {}, IFLA_MTU=mtu)

    async def create_tap(self, name: str) -> None:
        """Make a persistent tap, down."""
        self.writes += 1
        tun.create_tap(name)

    async def set_link(
        self,
        link: LinkRow,
        *,
        alias: str | None = None,
        mtu: int | None = None,
        mac: str | None = None,
        address_generation: int | None = None,
        bridge_options: Mapping[str, int] | None = None,
        master: int | None = None,
        up: bool | None = None,
    ) -> None:
        """Set some attributes of a device by one message; those that are None stay as they are.

        `master` is an index, 0 takes the device out of its bridge. `bridge_options` are IFLA_BR_… by name.
        """
        message = ifinfmsg()
        message["index"] = link.index
        if up is not None:
            message["flags"], message["change"] = (IFF_UP if up else 0), IFF_UP
        named = {
            "IFLA_IFALIAS": alias,
            "IFLA_MTU": mtu,
            "IFLA_ADDRESS": mac,
            "IFLA_MASTER": master,
        }
        attributes: list[tuple[str, Any]] = [item for item in named.items() if item[1] is not None]
        if address_generation is not None:
            inet6 = {"attrs": [("IFLA_INET6_ADDR_GEN_MODE", address_generation)]}
            attributes.append(("IFLA_AF_SPEC", {"attrs": [("AF_INET6", inet6)]}))
        if bridge_options:
            attributes.append(_link_info("bridge", bridge_options))
        message["attrs"] = attributes
        await self._change(message, RTM_NEWLINK, _CHANGE, f"set attributes of {link.name}")

    async def delete_link(self, link: LinkRow) -> None:
        """Delete a device, and with it all that is attached to it."""
        message = ifinfmsg()
        message["index"] = link.index
        await self._change(message, RTM_DELLINK, _CHANGE, f"delete {link.name}")

    async def delete_address(self, row: AddressRow) -> None:
        """Take an address from its device."""
        address = str(ipaddress.ip_address(row.address))
        message = ifaddrmsg()
        message["family"], message["index"], message["prefixlen"] = row.family, row.device, row.prefix_length
        message["attrs"] = [("IFA_LOCAL", address), ("IFA_ADDRESS", address)]
        await self._change(message, RTM_DELADDR, _CHANGE, f"take {address} from device {row.device}")

    async def set_setting(self, family: str, device: str, name: str, value: str) -> None:
        """Set a sysctl of a device, below ``net.<family>.conf``."""
        self.writes += 1
        sysctl.write_setting(family, device, name, value)

    # changing queueing disciplines

    async def set_shaper(self, link: LinkRow) -> None:
        """Put the agent's HTB at the root of a device, in place of whatever is there; its class comes next.

        Always by replacing: where libvirt has put a ``noqueue`` adding is refused.
        """
        message = _traffic(link, traffic.HANDLE, traffic.ROOT_PARENT, "htb")
        initial = {
            "version": 3,
            "rate2quantum": 10,
            "defcls": traffic.CLASS & 0xFFFF,
            "debug": 0,
            "direct_pkts": 0,
        }
        message["attrs"].append(("TCA_OPTIONS", {"attrs": [("TCA_HTB_INIT", initial)]}))
        await self._change(message, traffic.RTM_NEWQDISC, _REPLACE, f"put HTB on {link.name}")

    async def set_class(self, link: LinkRow, rate: int, ticks: int) -> None:
        """Make or change (never remove and add) the class of a device's HTB: `rate` in bit/s, burst in
        ticks."""
        octets = rate // 8
        short = min(octets, _MAX_RATE32)
        parameters = {
            "rate": short,
            "rate___reserved": _ETHERNET,
            "ceil": short,
            "ceil___reserved": _ETHERNET,
            "buffer": ticks,
            "cbuffer": ticks,
            "quantum": _QUANTUM,
        }
        options: list[tuple[str, Any]] = [("TCA_HTB_PARMS", parameters)]
        if octets > _MAX_RATE32:
            options += [("TCA_HTB_RATE64", octets), ("TCA_HTB_CEIL64", octets)]
        message = _traffic(link, traffic.CLASS, traffic.HANDLE, "htb")
        message["attrs"].append(("TCA_OPTIONS", {"attrs": options}))
        await self._change(message, traffic.RTM_NEWTCLASS, _PUT, f"set the rate of {link.name}")

    async def add_ingress(self, link: LinkRow) -> None:
        """Give a device the hook that sees what it receives."""
        message = _traffic(link, traffic.INGRESS_HANDLE, traffic.INGRESS_PARENT, "ingress")
        await self._change(message, traffic.RTM_NEWQDISC, _CREATE, f"put an ingress qdisc on {link.name}")

    async def add_redirect(self, link: LinkRow, target: LinkRow) -> None:
        """Send everything that a device receives to the queue of another (u32 matching all, mirred
        redirect)."""
        mirred = {"action": _STOLEN, "eaction": _EGRESS_REDIRECT, "ifindex": target.index}
        action = {
            "attrs": [
                ("TCA_ACT_KIND", "mirred"),
                ("TCA_ACT_OPTIONS", {"attrs": [("TCA_MIRRED_PARMS", mirred)]}),
            ]
        }
        options = [
            ("TCA_U32_ACT", {"attrs": [("TCA_ACT_PRIO_1", action)]}),
            ("TCA_U32_SEL", {"keys": ["0x0/0x0+0"]}),
        ]
        message = _traffic(link, 0, traffic.INGRESS_HANDLE, "u32")
        message["info"] = traffic.FILTER_PRIORITY << 16 | _ETH_P_ALL
        message["attrs"].append(("TCA_OPTIONS", {"attrs": options}))
        await self._change(message, traffic.RTM_NEWTFILTER, _CREATE, f"redirect {link.name} to {target.name}")

    async def delete_shaper(self, link: LinkRow) -> None:
        """Remove the agent's HTB; the device gets its kind's default discipline again."""
        message = tcmsg()
        message["index"], message["handle"], message["parent"] = (
            link.index,
            traffic.HANDLE,
            traffic.ROOT_PARENT,
        )
        await self._change(message, traffic.RTM_DELQDISC, _CHANGE, f"remove HTB from {link.name}")

    async def delete_ingress(self, link: LinkRow) -> None:
        """Remove the ingress hook with its filters."""
        message = tcmsg()
        message["index"] = link.index
        message["handle"], message["parent"] = traffic.INGRESS_HANDLE, traffic.INGRESS_PARENT
        await self._change(
            message, traffic.RTM_DELQDISC, _CHANGE, f"remove the ingress qdisc from {link.name}"
        )

    async def _create(self, name: str, kind: str, options: Mapping[str, int], **attributes: object) -> None:
        message = ifinfmsg()
        message["attrs"] = [("IFLA_IFNAME", name), *attributes.items(), _link_info(kind, options)]
        await self._change(message, RTM_NEWLINK, _CREATE, f"make {kind} {name}")

    async def _change(self, message: Any, kind: int, flags: int, doing: str) -> None:
        async with self._lock:
            if self._route is None:
                self._route = AsyncIPRoute(ext_ack=True)
            self.writes += 1
            try:
                async with asyncio.timeout(self._deadline):
                    async for _answer in await self._route.nlm_request(message, kind, flags):
                        pass
            except NetlinkError as refusal:
                raise KernelError(doing, refusal.code, str(refusal.args[1])) from refusal
            except TimeoutError:
                self._drop()
                reason = f"{doing}: no answer from the kernel in {self._deadline:g} s"
                raise DriverError(reason, unknown=True) from None
            except OSError as error:
                self._drop()
                raise KernelError(doing, error.errno or 0, str(error)) from error

    def _drop(self) -> None:
        if self._route is not None:
            self._route.close()
            self._route = None


def _link_info(kind: str, options: Mapping[str, int]) -> tuple[str, Any]:
    content: list[tuple[str, Any]] = [("IFLA_INFO_KIND", kind)]
    if options:
        content.append(("IFLA_INFO_DATA", {"attrs": list(options.items())}))
    return "IFLA_LINKINFO", {"attrs": content}


def _traffic(link: LinkRow, handle: int, parent: int, kind: str) -> Any:
    message = tcmsg()
    message["index"], message["handle"], message["parent"] = link.index, handle, parent
    message["attrs"] = [("TCA_KIND", kind)]
    return message
