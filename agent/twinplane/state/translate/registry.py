"""Which translators a fact or a configured object concerns: the one place where this is said."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from twinplane.plan.resource import (
    Bridge,
    Domain,
    Htb,
    Ifb,
    ImageFile,
    Key,
    Link,
    Noun,
    Plug,
    Port,
    Redirect,
    Scheduler,
    Seed,
    Tap,
)
from twinplane.state.facts import (
    AlarmFact,
    DomainFact,
    DomainGone,
    DomainUsage,
    Fact,
    HostFact,
    LinkCounters,
    LinkFact,
    LinkGone,
    ResourceGone,
    SourceFact,
)
from twinplane.state.section import Section
from twinplane.state.translate import appliance, component, image, interface, switch, system, vnic
from twinplane.state.translate.known import Known, same_place
from twinplane.tree.node import Container
from twinplane_wire.path import Path

Translate: TypeAlias = Callable[[Known, Any], Iterable[Section]]

POLLED: tuple[tuple[str, ...], ...] = (
    *interface.POLLED,
    *vnic.POLLED,
    *appliance.POLLED,
    *system.POLLED,
)
"""Schema paths of what bulk polls feed: a leaf, or a container with all its leaves."""


class Unit(NamedTuple):
    """One translator with one subject: what is computed anew when one of its facts changes."""

    translate: Translate
    subject: Any


def learn(known: Known, fact: Fact) -> Iterator[Unit]:
    """Take in a fact; gives the units it concerns (none where it says nothing new)."""
    match fact:
        case LinkCounters():
            if known.counters.get(fact.name) != fact:
                known.counters[fact.name] = fact
                yield Unit(interface.translate_counters, fact.name)
        case LinkFact():
            yield from _link(known, fact.name, fact)
        case LinkGone():
            known.counters.pop(fact.name, None)
            known.shapers.pop(fact.name, None)
            known.redirects.pop(fact.name, None)
            yield from _link(known, fact.name, None)
        case Bridge() | Tap() | Ifb() | Port() | Plug() | Link():
            refined = known.refined_link(fact)
            if refined is not None:
                yield from _link(known, refined.name, refined)
        case DomainFact():
            yield from _domain(known, fact.owner, fact)
        case Domain():
            yield from _domain(known, fact.owner, known.refined_domain(fact))
        case DomainGone():
            known.schedulers.pop(fact.owner, None)
            yield from _domain(known, fact.owner, None)
            yield Unit(appliance.translate_share, fact.owner)
        case DomainUsage():
            earlier = known.usage.get(fact.owner, (None, None))[1]
            if earlier is None or fact.time > earlier.time:
                known.usage[fact.owner] = (earlier, fact)
                yield from _usage(fact.owner)
        case Scheduler():
            known.schedulers[fact.owner] = fact
            yield Unit(appliance.translate_share, fact.owner)
        case Seed():
            known.seeds[fact.owner] = fact
            yield Unit(appliance.translate_seed, fact.owner)
        case ImageFile():
            known.images.setdefault(fact.owner, {})[fact.file] = fact
            yield Unit(image.translate, fact.owner)
        case Htb():
            known.shapers[fact.device] = fact
            yield Unit(vnic.translate_share, fact.owner)
        case Redirect():
            known.redirects[fact.device] = fact
        case ResourceGone():
            yield from _resource_gone(known, fact.key, fact.owner)
        case HostFact():
            known.host = fact
            yield Unit(_host, "")
            for owner in known.schedulers:
                yield Unit(appliance.translate_share, owner)
        case SourceFact():
            known.sources[fact.name] = fact
            yield Unit(system.translate_source, fact.name)
        case AlarmFact():
            if fact.cleared:
                known.alarms.pop(fact.id, None)
            else:
                known.alarms[fact.id] = fact
            yield Unit(system.translate_alarm, fact.id)


def configure(known: Known, path: Path, config: Container | None) -> Iterator[Unit]:
    """Take in an object's configuration (None: it has none any more); gives the units it concerns."""
    if config is None:
        known.config.pop(path, None)
    else:
        known.config[path] = config
    yield from concerned(known, path)


def fail(known: Known, path: Path, reason: str | None) -> Iterator[Unit]:
    """Note why an object could not be brought to its configuration (None: it could)."""
    if reason is None:
        known.failed.pop(path, None)
    else:
        known.failed[path] = reason
    yield from concerned(known, path)


def concerned(known: Known, path: Path) -> Iterator[Unit]:
    """The units whose result depends on the configuration of the object at `path`."""
    match path.elems[0].name:
        case "appliances":
            yield Unit(appliance.translate, path)
            yield Unit(component.translate, path)
        case "images":
            yield Unit(image.translate, path)
        case "interfaces":
            link = known.named(path.elems[1].keys[0][1])
            if link is not None and link.alternatives:
                known.places.pop(link.name, None)  # its row may go by another of its names now
                yield Unit(interface.translate, link.name)
                yield Unit(interface.translate_counters, link.name)
        case "virtual-switches":
            before = known.ports_wanted(path)
            known.want_ports(path, frozenset(switch.configured_ports(known.config.get(path))))
            yield Unit(switch.translate, path)
            for device in before | known.ports_wanted(path):
                yield Unit(switch.translate_port, switch.Port(path, device))
                link = known.named(device)
                if link is not None and link.alternatives:
                    for name in link.names:
                        yield Unit(switch.translate_port, switch.Port(path, name))


def _link(known: Known, name: str, link: LinkFact | None) -> Iterator[Unit]:
    before = known.drop_link(name) if link is None else known.put_link(link)
    if before == link:
        return
    moved = not same_place(before, link)
    renamed = before is None or link is None or before.alternatives != link.alternatives
    yield Unit(interface.translate, name)
    if before is None or link is None or moved or renamed or before.carrier_changes != link.carrier_changes:
        yield Unit(interface.translate_counters, name)
    ports = [(path, name) for path in known.wanted_ports.get(name, ())]
    others = {other for seen in (before, link) if seen is not None for other in seen.alternatives}
    ports += [(path, other) for other in others for path in known.wanted_ports.get(other, ())]
    for seen in (before, link):
        if seen is None:
            continue
        if seen.owner is not None:
            if seen.owner.elems[0].name == "virtual-switches":
                yield Unit(switch.translate, seen.owner)
                if moved:
                    yield from _ports(known, seen.owner, seen.name)
            else:
                yield Unit(vnic.translate, seen.owner)
                if moved:
                    yield Unit(vnic.translate_share, seen.owner)
        master = None if seen.master is None else known.links.get(seen.master)
        if master is not None and master.owner is not None:
            ports.append((master.owner, name))
    for path, device in dict.fromkeys(ports):
        yield Unit(switch.translate_port, switch.Port(path, device))


def _ports(known: Known, path: Path, bridge: str) -> Iterator[Unit]:
    """All ports of a switch: those that are plugged into its bridge, and those that are wanted."""
    for device in dict.fromkeys((*(link.name for link in known.ports_of(bridge)), *known.ports_wanted(path))):
        yield Unit(switch.translate_port, switch.Port(path, device))


def _domain(known: Known, owner: Path, domain: DomainFact | None) -> Iterator[Unit]:
    before = known.domains.pop(owner, None)
    if domain is not None:
        known.domains[owner] = domain
    if before == domain:
        return
    yield Unit(appliance.translate, owner)
    yield Unit(component.translate, owner)
    if (domain is None or domain.state == "shutoff") and known.usage.pop(owner, None) is not None:
        yield from _usage(owner)  # what does not run uses nothing, and is not polled
    ends = {end.device for seen in (before, domain) if seen is not None for end in seen.vnics}
    for device in ends:
        link = known.links.get(device)
        if link is not None and link.owner is not None:
            yield Unit(vnic.translate, link.owner)


def _usage(owner: Path) -> Iterator[Unit]:
    yield Unit(appliance.translate_delivered, owner)
    yield Unit(appliance.translate_memory, owner)


def _resource_gone(known: Known, key: Key, owner: Path) -> Iterator[Unit]:
    match key.noun:
        case Noun.SEED:
            known.seeds.pop(owner, None)
            yield Unit(appliance.translate_seed, owner)
        case Noun.IMAGE_FILE:
            copies = known.images.get(owner, {})
            copies.pop(key.name, None)
            if not copies:
                known.images.pop(owner, None)
            yield Unit(image.translate, owner)
        case Noun.BRIDGE | Noun.TAP | Noun.IFB:
            yield from learn(known, LinkGone(key.name))
        case Noun.QDISC:
            device, _, place = key.name.partition(" ")
            (known.shapers if place == "root" else known.redirects).pop(device, None)
            yield Unit(vnic.translate_share, owner)
        case Noun.DOMAIN:
            yield from learn(known, DomainGone(key.name, owner))
        case Noun.SCHEDULER:
            known.schedulers.pop(owner, None)
            yield Unit(appliance.translate_share, owner)
        case Noun.PORT | Noun.LINK:
            pass  # the device itself says what it is now


def _host(known: Known, _: Any) -> Iterator[Section]:
    if known.host is not None:
        yield from system.translate(known, known.host)
        yield from component.translate_chassis(known, known.host)
