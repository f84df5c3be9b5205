"""Network devices as RTM_NEWLINK tells them (rtnetlink(7), linux/if_link.h)."""

import struct
from dataclasses import dataclass

from twinplane.netlink.message import attribute, attributes, each_attribute, text, u32

RTM_NEWLINK = 16
RTM_DELLINK = 17
RTM_GETLINK = 18

AF_UNSPEC = 0
IFF_UP = 0x1
NO_GENERATION = 1  # IN6_ADDR_GEN_MODE_NONE

_IFINFOMSG = struct.Struct("=BxHiII")
_ARPHRD_LOOPBACK = 772
_IFLA_ADDRESS, _IFLA_IFNAME, _IFLA_MTU, _IFLA_LINK, _IFLA_QDISC, _IFLA_MASTER = 1, 3, 4, 5, 6, 10
_IFLA_OPERSTATE, _IFLA_LINKINFO, _IFLA_IFALIAS, _IFLA_AF_SPEC = 16, 18, 20, 26
_IFLA_PROP_LIST, _IFLA_ALT_IFNAME = 52, 53
_IFLA_EXT_MASK, _IFLA_CARRIER, _IFLA_CARRIER_CHANGES, _IFLA_LINK_NETNSID = 29, 33, 35, 37
_IFLA_INFO_KIND, _IFLA_INFO_DATA = 1, 2
_IFLA_INET6_ADDR_GEN_MODE = 8
_RTEXT_FILTER_SKIP_STATS = 8
_AF_INET6 = 10

_BR_FORWARD_DELAY, _BR_STP_STATE = 1, 5
_BR_NF_CALL = (36, 37, 38)  # iptables, ip6tables, arptables
_TUN_TYPE, _TUN_PERSIST = 3, 6
_IFF_TAP = 2

_OPER = (
    "UNKNOWN",
    "NOTPRESENT",
    "DOWN",
    "LOWERLAYERDOWN",
    "TESTING",
    "DORMANT",
    "UP",
)  # as RFC 2863 numbers ifOperStatus


@dataclass(slots=True)
class LinkRow:
    """One network device as it is. `master` is an index (0: none); `kind` the name the kernel gives the
    driver ("tun" for a tap, "loopback" for lo, "" for hardware); `mac` "" where it has none.

    `alternatives` are its other names (ip-link(8), altname).
    `below` is the index of the device that it stands on (a VLAN, a macvlan) or, as a veth, is cabled to; 0
    where there is none in this network namespace.
    `address_generation` is the IPv6 mode (0 EUI64, 1 NONE, …), None where the device has no IPv6 at all.
    """

    index: int
    name: str
    kind: str
    flags: int
    mtu: int
    mac: str
    alias: str
    master: int
    oper: str
    carrier: bool
    carrier_changes: int
    qdisc: str  # kind of the root queueing discipline
    address_generation: int | None
    details: bytes  # IFLA_INFO_DATA
    below: int = 0
    alternatives: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """All names that it goes by, the primary one first."""
        return (self.name, *self.alternatives)

    @property
    def up(self) -> bool:
        """Administratively up."""
        return bool(self.flags & IFF_UP)

    @property
    def is_tap(self) -> bool:
        """A persistent tun device that carries frames."""
        found = attributes(self.details)
        return (
            self.kind == "tun"
            and found.get(_TUN_TYPE) == bytes([_IFF_TAP])
            and found.get(_TUN_PERSIST) == b"\1"
        )

    @property
    def has_netfilter(self) -> bool:
        """A bridge on a kernel where a host packet filter could be asked about its frames."""
        return self.kind == "bridge" and _BR_NF_CALL[0] in attributes(self.details)

    @property
    def is_plain_bridge(self) -> bool:
        """A bridge without spanning tree or forward delay, whose frames no host packet filter is asked
        about."""
        found = attributes(self.details)
        return (
            self.kind == "bridge"
            and u32(found.get(_BR_FORWARD_DELAY)) == 0
            and u32(found.get(_BR_STP_STATE)) == 0
            and not any(found.get(call, b"\0") != b"\0" for call in _BR_NF_CALL)
        )


def get_body(name: str | None = None, *, index: int = 0) -> bytes:
    """The body of an RTM_GETLINK request: all devices, or the one of that name or index; without
    statistics."""
    body = _IFINFOMSG.pack(AF_UNSPEC, 0, index, 0, 0)
    body += attribute(_IFLA_EXT_MASK, struct.pack("=I", _RTEXT_FILTER_SKIP_STATS))
    return body + attribute(_IFLA_IFNAME, name.encode() + b"\0") if name is not None else body


def parse_link(payload: bytes) -> LinkRow | None:
    """The device of an RTM_NEWLINK payload; None for a message of another family (a bridge's view of a
    port)."""
    family, arphrd, index, flags, _change = _IFINFOMSG.unpack_from(payload)
    if family != AF_UNSPEC:
        return None
    found = attributes(payload, _IFINFOMSG.size)
    info = attributes(found.get(_IFLA_LINKINFO, b""))
    oper = found.get(_IFLA_OPERSTATE, b"\0")[0]
    return LinkRow(
        index=index,
        name=text(found.get(_IFLA_IFNAME)),
        kind="loopback" if arphrd == _ARPHRD_LOOPBACK else text(info.get(_IFLA_INFO_KIND)),
        flags=flags,
        mtu=u32(found.get(_IFLA_MTU)),
        mac=found.get(_IFLA_ADDRESS, b"").hex(":"),
        alias=text(found.get(_IFLA_IFALIAS)),
        master=u32(found.get(_IFLA_MASTER)),
        oper=_OPER[oper] if oper < len(_OPER) else "UNKNOWN",
        carrier=found.get(_IFLA_CARRIER, b"\0") != b"\0",
        carrier_changes=u32(found.get(_IFLA_CARRIER_CHANGES)),
        qdisc=text(found.get(_IFLA_QDISC)),
        address_generation=_address_generation(found.get(_IFLA_AF_SPEC)),
        details=info.get(_IFLA_INFO_DATA, b""),
        below=0 if _IFLA_LINK_NETNSID in found else u32(found.get(_IFLA_LINK)),
        alternatives=_alternatives(found.get(_IFLA_PROP_LIST)),
    )


def _alternatives(properties: bytes | None) -> tuple[str, ...]:
    if properties is None:
        return ()
    return tuple(text(value) for kind, value in each_attribute(properties) if kind == _IFLA_ALT_IFNAME)


def parse_gone(payload: bytes) -> int | None:
    """The index of a device that an RTM_DELLINK payload says is gone.

    None for another family: a port that leaves a bridge is announced as AF_BRIDGE RTM_DELLINK and lives on.
    """
    family, _arphrd, index, _flags, _change = _IFINFOMSG.unpack_from(payload)
    return int(index) if family == AF_UNSPEC else None


def parse_index(payload: bytes) -> int:
    """The index of the device that an RTM_NEWLINK or RTM_DELLINK payload is about; 0 for another family."""
    family, _arphrd, index, _flags, _change = _IFINFOMSG.unpack_from(payload)
    return int(index) if family == AF_UNSPEC else 0


def _address_generation(families: bytes | None) -> int | None:
    inet6 = attributes(families or b"").get(_AF_INET6)
    if inet6 is None:
        return None
    mode = attributes(inet6).get(_IFLA_INET6_ADDR_GEN_MODE)
    return mode[0] if mode else None
