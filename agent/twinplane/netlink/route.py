"""Which way the kernel sends packets to an address (rtnetlink(7), RTM_GETROUTE)."""

import ipaddress
import struct

from twinplane.netlink.address import AF_INET, AF_INET6
from twinplane.netlink.message import attribute, attributes

RTM_GETROUTE = 26

_RTMSG = struct.Struct("=BBBBBBBBI")
_RTA_DST, _RTA_OIF = 1, 4


def route_body(address: str) -> bytes:
    """The body of a request for the route to one address. Raises ValueError where it is none."""
    parsed = ipaddress.ip_address(address)
    family = AF_INET if parsed.version == 4 else AF_INET6
    head = _RTMSG.pack(family, parsed.max_prefixlen, 0, 0, 0, 0, 0, 0, 0)
    return head + attribute(_RTA_DST, parsed.packed)


def parse_route(payload: bytes) -> int:
    """The index of the device that the route leaves through; 0: none."""
    found = attributes(payload, _RTMSG.size).get(_RTA_OIF)
    return 0 if found is None else int(struct.unpack("=I", found)[0])
