"""What YANG cannot say: references, names and addresses across objects, facts of this host.

Each rule is a named generator of violations over the touched objects. `check` runs them all, `admit` asks
afterwards whether what is promised fits; each raises once, with everything it found, in path order.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from twinplane.errors import MOST_VIOLATIONS, Fault, RequestError, Violation
from twinplane.model.admission import refusals
from twinplane.model.appliance import Appliance, vnic_path
from twinplane.model.capability import host_can_do_it
from twinplane.model.entry import optional_text
from twinplane.model.host import Capabilities
from twinplane.model.index import Index, Touched, View
from twinplane.model.object_rule import OBJECT_RULES, RESERVED_NAME
from twinplane.model.port import HostPort, interface_path
from twinplane.model.reference import references
from twinplane.model.switch import VirtualSwitch, switch_path
from twinplane_wire.path import Path

UNPLUGGABLE = frozenset({"bridge", "loopback"})  # kinds of device that no bridge takes (net/bridge/br_if.c)


class HostLink(Protocol):
    """What rules ask of a network device of the host (state/facts.py: LinkFact)."""

    @property
    def names(self) -> tuple[str, ...]:
        """All its names, the primary one first."""

    @property
    def owner(self) -> Path | None:
        """The model path of a device that the agent made."""

    @property
    def kind(self) -> str:
        """What the kernel calls its driver: ``bridge``, ``loopback``, …; empty for hardware."""

    @property
    def addressed(self) -> bool:
        """Whether it carries an IP address of the host."""

    @property
    def master(self) -> str | None:
        """The device it is a port of."""


@dataclass(frozen=True, slots=True)
class Host:
    """The host as the rules see it. `link` finds a device by name, `port_type` what `state/type` of its row
    says (``module:NAME``); both give None for a device that is not there."""

    link: Callable[[str], HostLink | None]
    port_type: Callable[[str], str | None]


def check(changes: Sequence[Touched], index: Index, host: Host, capabilities: Capabilities) -> None:
    """Judge touched objects against the index of the resulting configuration and what this host can do.

    Raises:
        RequestError: every violation of every rule.
    """
    found: list[Violation] = []
    for change in changes:
        if len(found) > MOST_VIOLATIONS:
            break
        if change.after is not None:
            found.extend(violation for rule in OBJECT_RULES for violation in rule(change.after))
            found.extend(host_can_do_it(change.after, capabilities))
        found.extend(violation for rule in BOX_RULES for violation in rule(change, index))
        found.extend(violation for rule in HOST_RULES for violation in rule(change, host))
        found.extend(device_has_one_name(change, index, host))
    if found:
        raise RequestError(*sorted(found, key=_place))


def admit(
    changes: Sequence[Touched], before: Index, capabilities: Capabilities, *, revocable: bool = False
) -> None:
    """Refuse promises that do not fit the host; only for changes in which `check` found nothing.

    `before` is the index of the configuration in force. With `revocable` the changes may be taken back, so
    that nothing they give up is free yet.

    Raises:
        RequestError: every appliance whose memory or guarantee does not fit, with what would.
    """
    found = list(refusals(changes, before, capabilities, revocable=revocable))
    if found:
        raise RequestError(*sorted(found, key=_place))


def reference_exists(change: Touched, index: Index) -> Iterator[Violation]:
    """What an object refers to is configured."""
    if change.after is None:
        return
    for leaf, target in references(change.path, change.after.entry, index.leafrefs):
        if target not in index.models:
            yield Violation(
                leaf,
                Fault.REFERENCE,
                f"refers to {target}, which is not configured",
                "create it first or in the same request",
            )


def referent_stays(change: Touched, index: Index) -> Iterator[Violation]:
    """What others refer to is not deleted."""
    if change.after is not None:
        return
    for leaf in sorted(index.referrers.get(change.path, ())):
        yield Violation(
            change.path,
            Fault.REFERENCE,
            f"{leaf} refers to it",
            "delete or change the referring object first or in the same request",
        )


def mac_is_unique(change: Touched, index: Index) -> Iterator[Violation]:
    """No two vNICs of the box have the same MAC address."""
    appliance = change.after.model if change.after else None
    if not isinstance(appliance, Appliance):
        return
    for vnic in appliance.vnics:
        path = appliance.vnic_path(vnic.name)
        mac = index.mac(path, vnic.mac_address)
        for other in sorted(index.macs.get(mac, frozenset()) - {path}):
            yield Violation(
                path.child("config").child("mac-address"),
                Fault.CONSTRAINT,
                f"{mac} is the address of {other} too",
                "give one of them another address",
            )


def port_has_one_switch(change: Touched, index: Index) -> Iterator[Violation]:
    """A host port belongs to one switch."""
    switch = change.after.model if change.after else None
    if not isinstance(switch, VirtualSwitch):
        return
    for interface in switch.ports:
        for other in sorted(index.plugged.get(interface, frozenset()) - {change.path}):
            yield Violation(
                _port_leaf(switch, interface),
                Fault.CONSTRAINT,
                f"{interface} is a port of {other} too",
                "remove it from one of them",
            )


def port_is_free(change: Touched, host: Host) -> Iterator[Violation]:
    """A port that a switch takes anew is not in use by the host: nobody cuts himself off."""
    switch = change.after.model if change.after else None
    if not isinstance(switch, VirtualSwitch):
        return
    had = change.before.model if change.before else None
    known = had.ports if isinstance(had, VirtualSwitch) else ()
    for interface in switch.ports:
        link = host.link(interface)
        if interface in known or link is None:
            continue
        if link.owner is not None:
            yield Violation(
                _port_leaf(switch, interface), Fault.VALUE, f"{interface} is the device of {link.owner}"
            )
        elif link.kind in UNPLUGGABLE:
            yield Violation(
                _port_leaf(switch, interface),
                Fault.STATE,
                f"{interface} is a {link.kind} device, which cannot be a port",
                "choose another device",
            )
        elif link.addressed:
            yield Violation(
                _port_leaf(switch, interface),
                Fault.STATE,
                f"{interface} carries an IP address of the host",
                "remove the address first",
            )
        elif link.master is not None and _is_foreign(host.link(link.master)):
            yield Violation(
                _port_leaf(switch, interface),
                Fault.STATE,
                f"{interface} is a port of {link.master}",
                "take it out of there first",
            )


def device_has_one_name(change: Touched, index: Index, host: Host) -> Iterator[Violation]:
    """A device of the host is configured under one of its names only: once as a port, once as a row of
    /interfaces."""
    had = change.before.model if change.before else None
    now = change.after.model if change.after else None
    if isinstance(now, VirtualSwitch):
        known = had.ports if isinstance(had, VirtualSwitch) else ()
        for name in (name for name in now.ports if name not in known):
            for other in _other_names(host, name):
                for path in sorted(index.plugged.get(other, ())):
                    yield _second_name(_port_leaf(now, name), name, other, path)
    elif isinstance(now, HostPort) and had is None:
        for other in _other_names(host, now.name):
            if interface_path(other) in index.models:
                yield _second_name(change.path, now.name, other, interface_path(other))


def _other_names(host: Host, name: str) -> tuple[str, ...]:
    link = host.link(name)
    return () if link is None else tuple(other for other in link.names if other != name)


def _second_name(leaf: Path, name: str, other: str, path: Path) -> Violation:
    return Violation(
        leaf,
        Fault.STATE,
        f"{name} and {other} are names of one device, and {other} is configured at {path}",
        "use one of the names only",
    )


def row_has_no_owner(change: Touched, host: Host) -> Iterator[Violation]:
    """Rows of /interfaces that show vNICs, switches and their devices are written where they belong."""
    port = change.after.model if change.after else None
    if not isinstance(port, HostPort):
        return
    group, colon, name = port.name.partition(":")
    link = host.link(port.name)
    owner = link.owner if link is not None else None
    if colon:
        owner = switch_path(name) if group == RESERVED_NAME else vnic_path(group, name)
    if owner is not None:
        yield Violation(change.path, Fault.READ_ONLY, f"this row belongs to {owner}", f"write to {owner}")


def port_type_is_the_devices(change: Touched, host: Host) -> Iterator[Violation]:
    """`type` of an interface may be written, but only as what it is."""
    if change.after is None or not isinstance(change.after.model, HostPort):
        return
    given = optional_text(change.after.entry, "config", "type")
    actual = host.port_type(change.after.model.name)
    if given is not None and actual is not None and given != actual:
        yield _violation(change.after, Fault.VALUE, f"the device is of type {actual}", "config", "type")


# By what they look at: the whole configuration, the host (those that look at one object: object_rule.py).
BOX_RULES: tuple[Callable[[Touched, Index], Iterator[Violation]], ...] = (
    reference_exists,
    referent_stays,
    mac_is_unique,
    port_has_one_switch,
)
HOST_RULES: tuple[Callable[[Touched, Host], Iterator[Violation]], ...] = (
    port_is_free,
    row_has_no_owner,
    port_type_is_the_devices,
)


def _violation(view: View, fault: Fault, constraint: str, *leaf: str) -> Violation:
    path = view.path
    for name in leaf:
        path = path.child(name)
    return Violation(path, fault, constraint)


def _port_leaf(switch: VirtualSwitch, interface: str) -> Path:
    return switch.port_path(interface).child("config").child("interface")


def _is_foreign(link: HostLink | None) -> bool:
    return link is None or link.owner is None


def _place(violation: Violation) -> Path:
    return violation.path
