"""What is known: the newest facts by what they are about, and the configured objects.

Holds values only and decides nothing. A resource that a driver read back refines the record of the device or
domain it describes; a later fact of a source replaces the whole record.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, TypeVar

from twinplane.plan.resource import (
    Bridge,
    Domain,
    Htb,
    Ifb,
    ImageFile,
    Link,
    Plug,
    Port,
    Redirect,
    Run,
    Scheduler,
    Seed,
    Tap,
)
from twinplane.state.facts import (
    AlarmFact,
    DomainFact,
    DomainUsage,
    HostFact,
    LinkCounters,
    LinkFact,
    SourceFact,
)
from twinplane.tree.node import Container
from twinplane_wire.path import Path

K = TypeVar("K")
V = TypeVar("V")

RUN_STATE = {Run.RUNNING: "running", Run.PAUSED: "paused", Run.STOPPED: "shutoff"}


class Places(NamedTuple):
    """Where the leaves of a device with a row go: the row (an object), its state and its counters; of a vNIC
    also the appliance (an object) and the vNIC's own counters."""

    row: Path
    state: Path
    counters: Path
    appliance: Path | None = None
    vnic_counters: Path | None = None


class Known:
    """The store behind the translators. Only the operational tree writes to it, through `registry`."""

    def __init__(self) -> None:
        self.config: dict[Path, Container] = {}
        self.failed: dict[Path, str] = {}
        self.links: dict[str, LinkFact] = {}
        self.counters: dict[str, LinkCounters] = {}
        self.places: dict[str, Places | None] = {}  # by device; kept by translators
        self.domains: dict[Path, DomainFact] = {}
        self.usage: dict[Path, tuple[DomainUsage | None, DomainUsage]] = {}
        self.schedulers: dict[Path, Scheduler] = {}
        self.seeds: dict[Path, Seed] = {}
        self.images: dict[Path, dict[str, ImageFile]] = {}
        self.shapers: dict[str, Htb] = {}
        self.redirects: dict[str, Redirect] = {}
        self.sources: dict[str, SourceFact] = {}
        self.alarms: dict[str, AlarmFact] = {}
        self.host: HostFact | None = None
        self._names: dict[str, str] = {}  # alternative name to primary
        self._owned: dict[Path, set[str]] = {}
        self._ports: dict[str, set[str]] = {}
        self.wanted_ports: dict[str, set[Path]] = {}  # switches that list a device as a port

    def device_of(self, owner: Path, *kinds: str) -> LinkFact | None:
        """The device of one of these kinds that realises the object at `owner`."""
        for name in self._owned.get(owner, ()):
            if self.links[name].kind in kinds:
                return self.links[name]
        return None

    def named(self, name: str) -> LinkFact | None:
        """The device of that name, primary or alternative."""
        return self.links.get(name) or self.links.get(self._names.get(name, ""))

    def ports_of(self, bridge: str) -> Iterator[LinkFact]:
        """The devices whose master is `bridge`, by name."""
        for name in sorted(self._ports.get(bridge, ())):
            yield self.links[name]

    def put_link(self, link: LinkFact) -> LinkFact | None:
        """Take in a device; gives what was known of it before."""
        before = self.links.get(link.name)
        if before is not None and same_place(before, link) and _placed(before) == _placed(link):
            self.links[link.name] = link
            return before
        self.drop_link(link.name)
        self.links[link.name] = link
        if link.owner is not None:
            self._owned.setdefault(link.owner, set()).add(link.name)
        if link.master is not None:
            self._ports.setdefault(link.master, set()).add(link.name)
        self._names |= dict.fromkeys(link.alternatives, link.name)
        return before

    def drop_link(self, name: str) -> LinkFact | None:
        """Forget a device; gives what was known of it."""
        before = self.links.pop(name, None)
        self.places.pop(name, None)
        if before is not None:
            _discard(self._owned, before.owner, name)
            _discard(self._ports, before.master, name)
            for other in before.alternatives:
                if self._names.get(other) == name:
                    del self._names[other]
        return before

    def ports_wanted(self, switch: Path) -> frozenset[str]:
        """The devices that a switch lists as its ports."""
        return frozenset(name for name, switches in self.wanted_ports.items() if switch in switches)

    def want_ports(self, switch: Path, devices: frozenset[str]) -> None:
        """Note which devices a switch lists as its ports."""
        for device in self.ports_wanted(switch):
            _discard(self.wanted_ports, device, switch)
        for device in devices:
            self.wanted_ports.setdefault(device, set()).add(switch)

    def refined_link(self, resource: Bridge | Tap | Ifb | Port | Plug | Link) -> LinkFact | None:
        """The record of a device with what a driver read back of it; None where too little is known."""
        match resource:
            case Bridge(name, owner, mtu, mac):
                return self._made(name, "bridge", owner, mtu, mac)
            case Tap(name, owner, mtu, mac):
                return self._made(name, "tun", owner, mtu, mac)
            case Ifb(name, owner, mtu):
                return self._made(name, "ifb", owner, mtu, None)
        before = self.named(resource.device)
        if before is None:
            return None
        match resource:
            case Port(_, _, master, up):
                return replace(before, master=master, up=up)
            case Plug(_, _, master, _):
                return replace(before, master=master)
            case Link():
                up = before.up if resource.up is None else resource.up
                return replace(before, up=up, mtu=resource.mtu or before.mtu)

    def refined_domain(self, resource: Domain) -> DomainFact:
        """The record of a domain with what a driver read back of it."""
        state = RUN_STATE[resource.run]
        before = self.domains.get(resource.owner)
        if before is None or before.uuid != str(resource.uuid):
            return DomainFact(
                resource.name, str(resource.uuid), resource.owner, state, "", 0, 0, "", None, None
            )
        if before.state == state:
            return before
        return replace(before, state=state, reason="")

    def _made(self, name: str, kind: str, owner: Path, mtu: int, mac: str | None) -> LinkFact:
        before = self.links.get(name)
        marked = owner if owner.elems else None  # one that a crash left unmarked realises no object
        if before is not None and before.owner == marked:
            return replace(before, kind=kind, mtu=mtu)
        return LinkFact(name, 0, kind, mtu, mac or "", marked, False, "", False, 0, None)


def same_place(before: LinkFact | None, after: LinkFact | None) -> bool:
    """True for a device that is still of the same kind and realises the same object."""
    if before is None or after is None:
        return before is after
    return before.owner == after.owner and before.kind == after.kind


def _placed(link: LinkFact) -> tuple[object, ...]:
    return link.master, link.alternatives


def _discard(index: dict[K, set[V]], key: K | None, value: V) -> None:
    values = None if key is None else index.get(key)
    if key is not None and values is not None:
        values.discard(value)
        if not values:
            del index[key]
