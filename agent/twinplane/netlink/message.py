"""Netlink messages as bytes: headers and attributes, for reading large answers quickly.

Requests that change something are made by pyroute2; decoding a dump of thousands of devices with it costs
several hundred microseconds a device, here it is about ten.
"""

import errno
import os
import struct
from collections.abc import Iterator
from typing import NamedTuple

from twinplane.errors import DriverError

NLMSG_ERROR = 2
NLMSG_DONE = 3
NLMSG_OVERRUN = 4

NLM_F_REQUEST = 0x1
NLM_F_MULTI = 0x2
NLM_F_ACK = 0x4
NLM_F_DUMP_INTR = 0x10
NLM_F_DUMP = 0x300

_HEADER = struct.Struct("=IHHII")  # struct nlmsghdr
_ATTRIBUTE = struct.Struct("=HH")  # struct nlattr
_TYPE_MASK = 0x3FFF  # without NLA_F_NESTED and NLA_F_NET_BYTEORDER
_U32 = struct.Struct("=I")
_I32 = struct.Struct("=i")


class KernelError(DriverError):
    """The kernel refused a request; `code` is its errno."""

    def __init__(self, doing: str, code: int, reason: str = "") -> None:
        remedy = "run the agent as root (CAP_NET_ADMIN)" if code in (errno.EPERM, errno.EACCES) else ""
        super().__init__(f"{doing}: {reason or os.strerror(code)}", remedy=remedy)
        self.code = code


class Message(NamedTuple):
    """One message of an answer: its type (RTM_…), flags, sequence number and what follows the header."""

    type: int
    flags: int
    sequence: int
    payload: bytes


def request(kind: int, flags: int, sequence: int, body: bytes) -> bytes:
    """A request of type `kind` (RTM_…), NLM_F_REQUEST added to its flags."""
    return _HEADER.pack(_HEADER.size + len(body), kind, flags | NLM_F_REQUEST, sequence, 0) + body


def attribute(kind: int, value: bytes) -> bytes:
    """One attribute, padded to four bytes (RFC 3549 section 2.3.3)."""
    return _ATTRIBUTE.pack(_ATTRIBUTE.size + len(value), kind) + value + bytes(-len(value) % 4)


def messages(data: bytes) -> Iterator[Message]:
    """The messages of one datagram, in order."""
    start = 0
    while start + _HEADER.size <= len(data):
        length, kind, flags, sequence, _port = _HEADER.unpack_from(data, start)
        if length < _HEADER.size:
            return
        yield Message(kind, flags, sequence, data[start + _HEADER.size : start + length])
        start += (length + 3) & ~3


def attributes(payload: bytes, start: int = 0) -> dict[int, bytes]:
    """The attributes of a payload from `start` on, by type; of several of one type the last."""
    found: dict[int, bytes] = {}
    end = len(payload)
    unpack = _ATTRIBUTE.unpack_from
    while start + 4 <= end:
        length, kind = unpack(payload, start)
        if length < 4:
            break
        found[kind & _TYPE_MASK] = payload[start + 4 : start + length]
        start += (length + 3) & ~3
    return found


def each_attribute(payload: bytes) -> Iterator[tuple[int, bytes]]:
    """The attributes of a payload in order, also where several have one type."""
    start = 0
    while start + 4 <= len(payload):
        length, kind = _ATTRIBUTE.unpack_from(payload, start)
        if length < 4:
            break
        yield kind & _TYPE_MASK, payload[start + 4 : start + length]
        start += (length + 3) & ~3


def text(value: bytes | None) -> str:
    """A zero-terminated string attribute; "" where there is none."""
    return value.split(b"\0", 1)[0].decode(errors="replace") if value else ""


def u32(value: bytes | None, default: int = 0) -> int:
    """An unsigned 32-bit attribute."""
    return int(_U32.unpack_from(value)[0]) if value and len(value) >= 4 else default


def error_code(payload: bytes) -> int:
    """The errno of an NLMSG_ERROR or NLMSG_DONE payload; 0 is success."""
    return -int(_I32.unpack_from(payload)[0]) if len(payload) >= 4 else 0
