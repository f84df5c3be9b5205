"""Virtual switches and their ports: the bridge, what is plugged into it, and what should be."""

from collections.abc import Iterator

from twinplane.state.facts import LinkFact
from twinplane.state.section import Section, present
from twinplane.state.translate.interface import row_name, works
from twinplane.state.translate.known import Known
from twinplane.tree.node import Container, Entries
from twinplane_wire.path import Path


def translate(known: Known, switch: Path) -> Iterator[Section]:
    """State of a switch and of its ports: those that are plugged, and those configured that are not."""
    bridge = known.device_of(switch, "bridge")
    if bridge is not None:
        yield Section(
            switch.child("state"),
            present(
                {
                    "name": switch.elems[-1].keys[0][1],
                    "mtu": bridge.mtu,
                    "oper-status": "UP" if bridge.up else "DOWN",
                    "interface": bridge.name,
                }
            ),
        )
    plugged = [] if bridge is None else list(known.ports_of(bridge.name))
    for link in plugged:
        yield _port(switch, row_name(link) or link.name, *_plugged_status(link))
    names = {link.name for link in plugged}
    for device in configured_ports(known.config.get(switch)):
        if device not in names:
            yield _port(switch, device, *_missing_status(known.links.get(device)))


def configured_ports(config: Container | None) -> Iterator[str]:
    """The kernel names of the host ports that a switch's configuration lists."""
    ports = None if config is None else config.get("ports")
    listed = ports.get("port") if isinstance(ports, Container) else None
    if isinstance(listed, Entries):
        for key, entry in listed.entries.items():
            if entry.get("config") is not None:
                yield key[0]


def _plugged_status(link: LinkFact) -> tuple[str, str]:
    if works(link):
        return "UP", ""
    return "DOWN", "no link" if link.up else "administratively down"


def _missing_status(link: LinkFact | None) -> tuple[str, str]:
    if link is None:
        return "WAITING", "the host has no such device"
    if link.master is None:
        return "WAITING", "it is there and not plugged yet"
    return "DOWN", f"a port of {link.master}"


def _port(switch: Path, name: str, status: str, reason: str) -> Section:
    return Section(
        switch.child("ports").child("port", ("interface", name)).child("state"),
        present({"interface": name, "oper-status": status, "oper-reason": reason}),
    )
