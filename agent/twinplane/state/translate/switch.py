"""Virtual switches and their ports: the bridge, what is plugged into it, and what should be."""

from collections.abc import Iterator
from typing import NamedTuple

from twinplane.state.facts import LinkFact
from twinplane.state.section import Section, present
from twinplane.state.translate.interface import row_name, works
from twinplane.state.translate.known import Known
from twinplane.tree.node import Container, Entries
from twinplane_wire.path import Path


class Port(NamedTuple):
    """A port of a switch by a name of its device: the configured one, or the primary one."""

    switch: Path
    device: str


def translate(known: Known, switch: Path) -> Iterator[Section]:
    """State of a switch, ports apart."""
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


def translate_port(known: Known, port: Port) -> Iterator[Section]:
    """State of one port: of one that is plugged, or that is configured and is not."""
    link, bridge = known.named(port.device), known.device_of(port.switch, "bridge")
    wanted = known.wanted_ports
    if link is not None and bridge is not None and link.master == bridge.name:
        listed = [name for name in link.names if port.switch in wanted.get(name, ())]
        if not listed:
            yield _port(port.switch, row_name(known, link) or link.name, *_plugged_status(link))
        elif port.device in listed:
            yield _port(port.switch, port.device, *_plugged_status(link))
    elif port.switch in wanted.get(port.device, ()):
        yield _port(port.switch, port.device, *_missing_status(link))


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
