"""A host made of resources: steps change it as the kernel and libvirt would, side effects included."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from twinplane.plan.resource import (
    Domain,
    Htb,
    Key,
    Link,
    Noun,
    Plug,
    Port,
    Redirect,
    Resource,
    Run,
    Scheduler,
)
from twinplane.plan.step import Phase, Step

DEVICES = (Noun.BRIDGE, Noun.TAP, Noun.IFB)
World = dict[Key, Resource]


def perform(world: Mapping[Key, Resource], steps: Iterable[Step]) -> World:
    """The host after the steps. A step must find what it says it finds."""
    now = dict(world)
    for step in steps:
        _check(now, step)
        _perform(now, step)
    return now


def masked(world: Mapping[Key, Resource], wanted: Mapping[Key, Resource]) -> World:
    """The host as far as anybody wants something of it.

    What a link leaves alone is not looked at, a host port that was let go is no longer ours, and the queue
    that a guest left behind on its tap is nobody's.
    """
    seen: World = {}
    for key, resource in world.items():
        want = wanted.get(key)
        if want is None and isinstance(resource, Link | Plug):
            continue
        if want is None and isinstance(resource, Htb) and resource.domain is not None:
            guest = wanted.get(Key(Noun.DOMAIN, resource.domain))
            if isinstance(guest, Domain) and guest.run is Run.STOPPED:
                continue  # left behind by a guest
        if isinstance(resource, Link) and isinstance(want, Link):
            resource = replace(
                resource,
                up=None if want.up is None else resource.up,
                mtu=None if want.mtu is None else resource.mtu,
            )
        seen[key] = resource
    return seen


def _check(now: World, step: Step) -> None:
    found = now.get(step.key)
    if isinstance(step.before, Link | Plug) or isinstance(step.after, Link | Plug):
        return
    # A guest that starts takes the queue of its taps and its share with it: both are set, whatever is there.
    if isinstance(found or step.before, Htb | Scheduler) and step.phase is Phase.LIVE:
        return
    assert found == step.before, f"{step} finds {found}"


def _perform(now: World, step: Step) -> None:
    found, after = now.get(step.key), step.after
    if after is None:
        now.pop(step.key, None)
    else:
        now[step.key] = after
    if step.key.noun in DEVICES and after is None:
        for key in list(now):
            if key == Key(Noun.PORT, step.key.name) or (
                key.noun is Noun.QDISC and key.name.partition(" ")[0] == step.key.name
            ):
                del now[key]
    if step.key.noun is Noun.DOMAIN:
        _guest(now, step.key.name, found, after)


def _guest(now: World, name: str, found: Resource | None, after: Resource | None) -> None:
    was = found if isinstance(found, Domain) and found.run is not Run.STOPPED else None
    is_ = after if isinstance(after, Domain) and after.run is not Run.STOPPED else None
    ended = was is not None and (is_ is None or is_.digest != was.digest)
    started = is_ is not None and (was is None or is_.digest != was.digest)
    if ended or started:
        now.pop(Key(Noun.SCHEDULER, name), None)
    if started:  # libvirt puts noqueue on every tap it opens
        for key, resource in list(now.items()):
            if isinstance(resource, Htb) and resource.domain == name:
                del now[key]


def needs(resource: Resource) -> set[Key]:
    """What must be there before this can be."""
    keys: set[Key] = set()
    names: list[str] = []
    match resource:
        case Htb(device=device, domain=domain):
            names = [device]
            keys |= {Key(Noun.DOMAIN, domain)} if domain else set()
        case Redirect(device=device, target=target):
            names = [device, target]
        case Port(device=device, master=master):
            names = [device] + ([master] if master else [])
        case Plug(master=master) if master:
            names = [master]
        case Scheduler(domain=domain):
            keys = {Key(Noun.DOMAIN, domain)}
        case _:
            pass
    return keys | {Key(noun, name) for name in names for noun in DEVICES}
