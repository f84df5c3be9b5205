"""Attributes of devices that we did not make: which we take, and what giving them back means; pure.

A host port belongs to the host. Whatever we change on it is remembered before the first change and restored
when no object wants it any more.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from twinplane.plan.resource import ForeignValue, HostDevice, Key, Link, Noun, Plug, Resource
from twinplane.plan.step import Phase, Step
from twinplane.transaction.collaborator import Foreign, Resources
from twinplane_wire.path import Path

NOTHING_TAKEN: Foreign = MappingProxyType({})


def claimed(resource: Resource | None) -> frozenset[str]:
    """The attributes of a foreign device that the resource holds, named as in `ForeignValue`."""
    if isinstance(resource, Plug) and resource.master is not None:
        return frozenset({"address-generation"})
    if isinstance(resource, Link):
        wanted = {"up": resource.up, "mtu": resource.mtu}
        return frozenset(name for name, value in wanted.items() if value is not None)
    return frozenset()


def held_by(value: ForeignValue) -> Key:
    """The resource that holds the attribute."""
    return Key(Noun.PORT if value.attribute == "address-generation" else Noun.LINK, value.device)


def missing(steps: Iterable[Step], foreign: Foreign) -> dict[str, dict[str, Path]]:
    """device → attribute → owner of what the steps take and nobody has remembered yet."""
    found: dict[str, dict[str, Path]] = {}
    for step in steps:
        for attribute in claimed(step.after):
            device = step.key.name
            if (device, attribute) not in foreign:
                found.setdefault(device, {})[attribute] = step.owner
    return found


def unclaimed(foreign: Foreign, wanted: Resources, keys: frozenset[Key] | None = None) -> Foreign:
    """The remembered values that no wanted resource holds any more (of those that resources under these keys
    hold, where given: `wanted` need not tell of others then)."""
    return {
        (device, attribute): value
        for (device, attribute), value in foreign.items()
        if (keys is None or held_by(value) in keys)
        and attribute not in claimed(wanted.get(Key(Noun.PORT, device)))
        and attribute not in claimed(wanted.get(Key(Noun.LINK, device)))
    }


def restored(resource: Resource, foreign: Foreign) -> Resource:
    """A host port's resource as it must become for the port to be as it was before we took it."""
    if isinstance(resource, Plug):
        value = foreign.get((resource.device, "address-generation"))
        mode = resource.address_generation if value is None else value.value
        return replace(resource, master=None, address_generation=mode)
    if isinstance(resource, Link):
        up = foreign.get((resource.device, "up"))
        mtu = foreign.get((resource.device, "mtu"))
        return replace(
            resource,
            up=None if up is None or resource.up is None else bool(up.value),
            mtu=None if mtu is None or resource.mtu is None else mtu.value,
        )
    return resource


def give_back(values: Foreign) -> tuple[Step, ...]:
    """Final steps that restore the values, for recovery: whoever took them may not have got to a change."""
    steps: dict[Key, Step] = {}
    for (device, attribute), value in values.items():
        if attribute == "address-generation":
            plug = Plug(device, value.owner, None, value.value)
            steps[plug.key] = Step(Phase.FINAL, plug.key, value.owner, None, plug)
            continue
        key = Key(Noun.LINK, device)
        known = steps[key].after if key in steps else None
        link = known if isinstance(known, Link) else Link(device, value.owner, None, None)
        link = replace(link, up=bool(value.value)) if attribute == "up" else replace(link, mtu=value.value)
        steps[key] = Step(Phase.FINAL, key, value.owner, None, link)
    return tuple(steps.values())


def followed(
    foreign: Foreign, devices: Iterable[HostDevice]
) -> tuple[tuple[ForeignValue, ...], tuple[ForeignValue, ...]]:
    """The remembered values whose device goes by another name now, or is gone for good, and what is to be
    remembered in their place.

    A device is the one with the index that it had, if its address or its name is the same; or the one with
    its name and address (it was away: unplugged, in another namespace, before a reboot). Where the name has
    another device, what was taken of the old one is nobody's. Where the name has none, it is waited for.
    """
    devices = tuple(devices)
    by_index = {device.ifindex: device for device in devices}
    by_name = {name: device for device in devices for name in device.names}
    gone: list[ForeignValue] = []
    come: list[ForeignValue] = []
    for value in foreign.values():
        named, numbered = by_name.get(value.device), by_index.get(value.ifindex)
        if not value.ifindex or (named is None and numbered is None):
            continue
        same = named is not None and named.ifindex == value.ifindex
        found = named if same else None
        if found is None and numbered is not None and numbered.address == value.address:
            found = numbered
        if found is None and named is not None and named.address == value.address:
            found = named
        if found is None:
            gone += [value] if named is not None else []
            continue
        names = (name_of(value.owner), value.device)
        name = next((name for name in names if name in found.names), found.names[0])
        now = value._replace(device=name, ifindex=found.ifindex)
        if now != value:
            gone.append(value)
            come.append(now)
    return tuple(gone), tuple(come)


def taken_for(value: ForeignValue) -> Path:
    """The object that the value was taken for."""
    return Path(value.owner.elems[:2], value.owner.origin)


def name_of(owner: Path) -> str:
    """The name that a host port has in the configuration of the object, or part of one, at this path."""
    keys = owner.elems[-1].keys if owner.elems else ()
    return keys[0][1] if keys else ""


def astray(foreign: Foreign, objects: Iterable[Path], wanted: Resources) -> Foreign:
    """The values that were taken for these objects of a device that their name does not lead to any more."""
    concerned = frozenset(objects)
    return unclaimed(
        {
            key: value
            for key, value in foreign.items()
            if taken_for(value) in concerned and value.device != name_of(value.owner)
        },
        wanted,
    )


def mask(fact: Resource, wanted: Resource | None, foreign: Foreign = NOTHING_TAKEN) -> Resource:
    """A fact about a host port's link seen with the eyes of who wants it: what it leaves alone, and is not to
    be given back, is None, and its owner is the wanted one (a foreign device carries no mark of ours)."""
    if isinstance(fact, Link) and isinstance(wanted, Link):
        taken = {attribute for device, attribute in foreign if device == fact.device}
        return replace(
            fact,
            owner=wanted.owner,
            up=None if wanted.up is None and "up" not in taken else fact.up,
            mtu=None if wanted.mtu is None and "mtu" not in taken else fact.mtu,
        )
    if isinstance(fact, Plug) and isinstance(wanted, Plug):
        return replace(fact, owner=wanted.owner)
    return fact


def by_attribute(values: Iterable[ForeignValue]) -> Mapping[tuple[str, str], ForeignValue]:
    """The values keyed as planners take them."""
    return {(value.device, value.attribute): value for value in values}
