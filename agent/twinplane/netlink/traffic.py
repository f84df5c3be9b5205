"""Queueing disciplines, classes and filters as the kernel tells them (linux/rtnetlink.h,
linux/pkt_sched.h)."""

import struct
from dataclasses import dataclass

from twinplane.netlink.message import attributes, text
from twinplane.share.network import TICKS_PER_SECOND

RTM_NEWQDISC, RTM_DELQDISC, RTM_GETQDISC = 36, 37, 38
RTM_NEWTCLASS, RTM_DELTCLASS, RTM_GETTCLASS = 40, 41, 42
RTM_NEWTFILTER, RTM_DELTFILTER, RTM_GETTFILTER = 44, 45, 46

ROOT_PARENT = 0xFFFFFFFF  # TC_H_ROOT
INGRESS_PARENT = 0xFFFFFFF1  # TC_H_INGRESS
INGRESS_HANDLE = 0xFFFF0000

HANDLE = 0x7470_0000  # the major number of every root qdisc of the agent
CLASS = HANDLE | 1
FILTER_PRIORITY = 1

_TCMSG = struct.Struct("=BxxxiIII")
_TCA_KIND, _TCA_OPTIONS = 1, 2
_HTB_PARMS, _HTB_RATE64 = 1, 6
_HTB_OPT = struct.Struct("=BBHhHI BBHhHI IIIII")  # struct tc_htb_opt
_U32_SEL, _U32_ACT = 5, 7
_ACT_KIND, _ACT_OPTIONS = 1, 2
_MIRRED_PARMS = 2
_MIRRED = struct.Struct("=IIiiiiI")  # struct tc_mirred
_EGRESS_REDIRECT = 1
_EVERYTHING = bytes(4)  # a mask without a bit


@dataclass(frozen=True, slots=True)
class QdiscRow:
    """One queueing discipline: on which device (index), of which kind, its handle and where it is
    attached."""

    device: int
    kind: str
    handle: int
    parent: int

    @property
    def is_shaper(self) -> bool:
        """The agent's root HTB."""
        return self.kind == "htb" and self.handle == HANDLE and self.parent == ROOT_PARENT

    @property
    def is_ingress(self) -> bool:
        """The hook that sees every frame a device receives."""
        return self.kind == "ingress" and self.handle == INGRESS_HANDLE


@dataclass(frozen=True, slots=True)
class Shape:
    """What an HTB class lets through: `rate` in bit/s, `burst` in bytes, both as the kernel keeps them."""

    rate: int
    burst: int


def body(device: int, handle: int = 0, parent: int = 0) -> bytes:
    """The body of a request about qdiscs, classes or filters."""
    return _TCMSG.pack(0, device, handle, parent, 0)


def parse_device(payload: bytes) -> int:
    """The index of the device that any of these messages is about."""
    return int(_TCMSG.unpack_from(payload)[1])


def parse_qdisc(payload: bytes) -> QdiscRow:
    """The qdisc of an RTM_NEWQDISC payload."""
    _family, device, handle, parent, _info = _TCMSG.unpack_from(payload)
    return QdiscRow(device, text(attributes(payload, _TCMSG.size).get(_TCA_KIND)), handle, parent)


def parse_shape(payload: bytes) -> Shape | None:
    """Rate and burst of the HTB class of an RTM_NEWTCLASS payload; None for a class of another kind, or one
    that may borrow (its ceiling is not its rate)."""
    found = attributes(payload, _TCMSG.size)
    if text(found.get(_TCA_KIND)) != "htb":
        return None
    options = attributes(found.get(_TCA_OPTIONS, b""))
    parameters = options.get(_HTB_PARMS, b"")
    if len(parameters) < _HTB_OPT.size:
        return None
    values = _HTB_OPT.unpack_from(parameters)
    rate, ceiling, ticks = values[5], values[11], values[12]
    if rate != ceiling:
        return None
    if _HTB_RATE64 in options:
        rate = int.from_bytes(options[_HTB_RATE64][:8], "little")
    return Shape(rate * 8, ticks * rate // TICKS_PER_SECOND)


def parse_redirect(payload: bytes) -> int | None:
    """The index of the device to which the u32 filter of an RTM_NEWTFILTER payload sends every frame.

    None for a filter that does anything else (0 for a device that is gone); the hash tables that u32 lists
    beside its filters have no selector and are told apart by `is_filter`.
    """
    options = _filter_options(payload)
    selector = options.get(_U32_SEL, b"")
    # struct tc_u32_sel: 16 bytes, then keys of 16 bytes that begin with their mask
    if len(selector) != 32 or selector[2] != 1 or selector[16:20] != _EVERYTHING:
        return None
    actions = attributes(options.get(_U32_ACT, b""))
    if len(actions) != 1:
        return None
    action = attributes(next(iter(actions.values())))
    if text(action.get(_ACT_KIND)) != "mirred":
        return None
    parameters = attributes(action.get(_ACT_OPTIONS, b"")).get(_MIRRED_PARMS, b"")
    if len(parameters) < _MIRRED.size:
        return None
    values = _MIRRED.unpack_from(parameters)
    return int(values[6]) if values[5] == _EGRESS_REDIRECT else None


def is_filter(payload: bytes) -> bool:
    """True for a filter that can match something, False for a hash table that u32 lists beside its
    filters."""
    found = attributes(payload, _TCMSG.size)
    return text(found.get(_TCA_KIND)) != "u32" or _U32_SEL in _filter_options(payload)


def _filter_options(payload: bytes) -> dict[int, bytes]:
    return attributes(attributes(payload, _TCMSG.size).get(_TCA_OPTIONS, b""))
