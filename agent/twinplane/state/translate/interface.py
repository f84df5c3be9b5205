"""Rows of /interfaces: every device of the host, every vNIC, every virtual switch.

Directions of a vNIC are its appliance's: what the tap sends (tx) comes in, what it receives (rx) goes out.
"""

from collections.abc import Iterator

from twinplane.model.port import interface_path
from twinplane.state.facts import LinkCounters, LinkFact
from twinplane.state.section import Section, Stamp, present
from twinplane.state.translate.known import Known, Places
from twinplane.tree.node import Leaf
from twinplane_wire.path import Path

POLLED = (("interfaces", "interface", "state", "counters"),)

TYPES = {
    "": "iana-if-type:ethernetCsmacd",
    "veth": "iana-if-type:ethernetCsmacd",
    "loopback": "iana-if-type:softwareLoopback",
    "bridge": "iana-if-type:bridge",
    "vlan": "iana-if-type:l2vlan",
    "bond": "iana-if-type:ieee8023adLag",
    "tun": "iana-if-type:tunnel",
}
OPER = {
    "UP": "UP",
    "DOWN": "DOWN",
    "TESTING": "TESTING",
    "UNKNOWN": "UNKNOWN",
    "DORMANT": "DORMANT",
    "NOTPRESENT": "NOT_PRESENT",
    "LOWERLAYERDOWN": "LOWER_LAYER_DOWN",
}
GREATEST_MTU = 65535  # uint16, as in OpenConfig


def row_name(known: Known, link: LinkFact) -> str | None:
    """The name of a device's row: the one that is configured, where there is one. None for a device of ours
    that has no row (it only queues for another)."""
    if link.owner is None:
        if not link.alternatives:
            return link.name
        return next((name for name in link.names if interface_path(name) in known.config), link.name)
    top = link.owner.elems[0].name
    if top == "virtual-switches":
        return f"switch:{link.owner.elems[1].keys[0][1]}"
    if link.kind == "ifb":
        return None
    return f"{link.owner.elems[1].keys[0][1]}:{link.owner.elems[3].keys[0][1]}"


def is_vnic(link: LinkFact) -> bool:
    """True for the host's end of a vNIC."""
    return link.owner is not None and link.owner.elems[0].name == "appliances" and link.kind != "ifb"


def works(link: LinkFact) -> bool:
    """True when the device is up and the kernel does not say that frames cannot pass (RFC 2863)."""
    return link.up and (link.oper == "UP" or (link.oper == "UNKNOWN" and link.carrier))


def translate(known: Known, device: str) -> Iterator[Section]:
    """The row of one device, counters apart."""
    link = known.links.get(device)
    places = None if link is None else _places(known, link)
    if link is None or places is None:
        return
    ours = "iana-if-type:ethernetCsmacd" if is_vnic(link) else "iana-if-type:other"
    leaves: dict[str, Leaf | None] = {
        "name": places.row.elems[-1].keys[0][1],
        "type": ours if is_vnic(link) else TYPES.get(link.kind, "iana-if-type:other"),
        "mtu": link.mtu if link.mtu <= GREATEST_MTU else None,
        "enabled": link.up,
        "ifindex": link.index or None,
        "admin-status": "UP" if link.up else "DOWN",
        "oper-status": OPER.get(link.oper),
        "owner": None if link.owner is None else str(link.owner),
    }
    # A device that was made anew has another index; one that lost its carrier and has it again counted that.
    witness = (link.index or None, link.carrier_changes)
    yield Section(places.state, present(leaves), Stamp("last-change", "oper-status", witness))


def translate_counters(known: Known, device: str) -> Iterator[Section]:
    """Counters of one device's row and, for a vNIC, of its appliance."""
    link = known.links.get(device)
    places = None if link is None else _places(known, link)
    if link is None or places is None:
        return
    counters = known.counters.get(device)
    if counters is None:
        yield Section(places.counters, {"carrier-transitions": link.carrier_changes}, whole=places.row)
        return
    seen = as_it_is(counters) if places.vnic_counters is None else swapped(counters)
    row = {**seen, "carrier-transitions": link.carrier_changes}
    yield Section(places.counters, row, whole=places.row)
    if places.vnic_counters is not None:
        yield Section(places.vnic_counters, seen, whole=places.appliance)


def _places(known: Known, link: LinkFact) -> Places | None:
    """Where the leaves of a device go; None for one without a row."""
    if link.name in known.places:
        return known.places[link.name]
    name = row_name(known, link)
    places: Places | None = None
    if name is not None:
        row = interface_path(name)
        state = row.child("state")
        places = Places(row, state, state.child("counters"))
        if is_vnic(link) and link.owner is not None:
            places = places._replace(
                appliance=Path(link.owner.elems[:2], link.owner.origin),
                vnic_counters=link.owner.child("state").child("counters"),
            )
    known.places[link.name] = places
    return places


def as_it_is(counters: LinkCounters) -> dict[str, Leaf]:
    """A device's counters in its own view."""
    return {
        "in-octets": counters.rx_octets,
        "in-pkts": counters.rx_packets,
        "in-errors": counters.rx_errors,
        "in-discards": counters.rx_drops,
        "out-octets": counters.tx_octets,
        "out-pkts": counters.tx_packets,
        "out-errors": counters.tx_errors,
        "out-discards": counters.tx_drops,
    }


def swapped(counters: LinkCounters) -> dict[str, Leaf]:
    """A tap's counters as its appliance sees them."""
    return {
        "in-octets": counters.tx_octets,
        "in-pkts": counters.tx_packets,
        "in-errors": counters.tx_errors,
        "in-discards": counters.tx_drops,
        "out-octets": counters.rx_octets,
        "out-pkts": counters.rx_packets,
        "out-errors": counters.rx_errors,
        "out-discards": counters.rx_drops,
    }
