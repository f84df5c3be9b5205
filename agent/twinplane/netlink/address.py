"""IP addresses of the host as RTM_NEWADDR tells them (linux/if_addr.h)."""

import struct
from dataclasses import dataclass

from twinplane.netlink.message import attributes

RTM_NEWADDR = 20
RTM_DELADDR = 21
RTM_GETADDR = 22
AF_INET = 2
AF_INET6 = 10

_IFADDRMSG = struct.Struct("=BBBBI")
_IFA_ADDRESS, _IFA_LOCAL = 1, 2


@dataclass(frozen=True, slots=True)
class AddressRow:
    """An address of a device (by index): `family` AF_INET or AF_INET6, the address in network order."""

    device: int
    family: int
    address: bytes
    prefix_length: int

    @property
    def is_automatic(self) -> bool:
        """An IPv6 link-local address: the kernel gives one to every device that is up, nobody configured
        it."""
        return self.family == AF_INET6 and self.address[0] == 0xFE and self.address[1] & 0xC0 == 0x80


def address_body() -> bytes:
    """The body of a request for all addresses of both families."""
    return _IFADDRMSG.pack(0, 0, 0, 0, 0)


def parse_address(payload: bytes) -> AddressRow:
    """The address of an RTM_NEWADDR or RTM_DELADDR payload."""
    family, prefix_length, _flags, _scope, device = _IFADDRMSG.unpack_from(payload)
    found = attributes(payload, _IFADDRMSG.size)
    return AddressRow(
        device, family, found.get(_IFA_LOCAL) or found.get(_IFA_ADDRESS, b"\0\0"), prefix_length
    )
