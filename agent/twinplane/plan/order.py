"""The order of work: which steps lead one resource from what it is to what is wanted, and in which phases.

One rule for each noun. Before the commit things are only made, set or put aside; whatever is deleted for good
and whatever is asked of a guest is FINAL. What goes with something else (the qdiscs of a deleted device, the
CPU share of a guest that ends) has no step.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from twinplane.plan.resource import (
    Domain,
    ForeignValue,
    Htb,
    Key,
    Link,
    Noun,
    Plug,
    Port,
    Redirect,
    Resource,
    Run,
    Tap,
)
from twinplane.plan.step import Effect, Phase, Step
from twinplane_wire.path import Elem

Resources: TypeAlias = Mapping[Key, Resource]
Foreign: TypeAlias = Mapping[tuple[str, str], ForeignValue]
Appliance: TypeAlias = tuple[Elem, ...]  # the first two elements of its model path

_DEVICES = (Noun.BRIDGE, Noun.TAP, Noun.IFB)


@dataclass(frozen=True, slots=True)
class Scene:
    """Both sets of resources and what rules need to know of them as wholes.

    `starting` are the domains that become active in this plan; `disturbed` the appliances whose guest is
    there before and after, so that a change of what they use reaches a running guest; `idle` those that are
    to have no guest.
    """

    before: Resources
    after: Resources
    foreign: Foreign
    starting: frozenset[str]
    disturbed: frozenset[Appliance]
    idle: frozenset[Appliance]

    def effect(self, resource: Resource, effect: Effect) -> Effect:
        """The effect on a running guest; NONE where the resource's appliance has none."""
        return effect if resource.owner.elems[:2] in self.disturbed else Effect.NONE

    def device_stays(self, device: str) -> bool:
        """Whether a device of ours is wanted."""
        return any(Key(noun, device) in self.after for noun in _DEVICES)

    def device_was(self, device: str) -> bool:
        """Whether a device of ours is there."""
        return any(Key(noun, device) in self.before for noun in _DEVICES)


Rule: TypeAlias = Callable[[Key, Resource | None, Resource | None, Scene], Iterator[Step]]


def scene(before: Resources, after: Resources, foreign: Foreign) -> Scene:
    """Look at both sets as wholes."""
    starting: set[str] = set()
    disturbed: set[Appliance] = set()
    idle: set[Appliance] = set()
    for key, wanted in after.items():
        if not isinstance(wanted, Domain):
            continue
        present = before.get(key)
        present = present if isinstance(present, Domain) else None
        was_active = present is not None and present.run is not Run.STOPPED
        if wanted.run is not Run.STOPPED and not (was_active and _same_definition(present, wanted)):
            starting.add(key.name)
        if wanted.run is Run.STOPPED:
            idle.add(wanted.owner.elems[:2])
        if was_active:
            disturbed.add(wanted.owner.elems[:2])
    return Scene(before, after, foreign, frozenset(starting), frozenset(disturbed), frozenset(idle))


def _file(key: Key, before: Resource | None, after: Resource | None, _: Scene) -> Iterator[Step]:
    """Made in FILE; put aside (renamed into the trash) where no longer wanted."""
    if before == after:
        return
    if after is None and before is not None:
        yield Step(Phase.ASIDE, key, before.owner, before, None)
    elif after is not None:
        yield Step(Phase.FILE, key, after.owner, before, after)


def _device(key: Key, before: Resource | None, after: Resource | None, scene: Scene) -> Iterator[Step]:
    """Made and set in DEVICE; deleted at last, with everything on it. A guest that runs holds its taps open
    and does not take to one that is made anew."""
    if before == after:
        return
    if after is None and before is not None:
        yield Step(Phase.FINAL, key, before.owner, before, None)
    elif after is not None:
        effect = Effect.LIVE if before is not None else Effect.NONE
        if before is None and isinstance(after, Tap):
            effect = Effect.GUEST_REBOOT
        effect = scene.effect(after, effect)
        yield Step(Phase.DEVICE, key, after.owner, before, after, effect)


def _qdisc(key: Key, before: Resource | None, after: Resource | None, scene: Scene) -> Iterator[Step]:
    """Queues of IFBs and redirects in TRAFFIC; rates, and whatever hangs on a device in use, in LIVE.

    The root queue of a tap is always LIVE: libvirt puts ``noqueue`` there whenever it opens the tap, so that
    it is set anew at each start even if nothing changed. A redirect on a tap that carries traffic waits until
    the IFB behind it is up: mirred drops what it sends to a device that is down.
    """
    device = key.name.partition(" ")[0]
    known = after if after is not None else before
    if known is None:
        return
    effect = scene.effect(known, Effect.LIVE)
    if after is None:
        # A queue that a guest left behind on its tap is nobody's; the next guest's takes its place.
        left_behind = Key(Noun.TAP, device) in scene.after and known.owner.elems[:2] in scene.idle
        if isinstance(before, Htb) and left_behind:
            return
        if scene.device_stays(device):
            phase = Phase.TRAFFIC if isinstance(before, Redirect) else Phase.LIVE
            yield Step(phase, key, known.owner, before, None, effect)
    elif isinstance(after, Htb) and after.domain is not None:
        if before != after or after.domain in scene.starting:
            yield Step(Phase.LIVE, key, after.owner, before, after, effect)
    elif before != after:
        in_use = scene.device_was(device) and (before is not None or isinstance(after, Redirect))
        yield Step(Phase.LIVE if in_use else Phase.TRAFFIC, key, after.owner, before, after, effect)


def _port(key: Key, before: Resource | None, after: Resource | None, scene: Scene) -> Iterator[Step]:
    """Plugged in PLUG, put aside before its device goes; an IFB only queues and goes as it is."""
    if before == after:
        return
    if isinstance(after, Plug) or (after is None and isinstance(before, Plug)):
        yield from _plug(key, before, after, scene)
    elif isinstance(after, Port):
        rehomed = isinstance(before, Port) and before.master not in (None, after.master)
        effect = Effect.LINK_FLAP if rehomed else Effect.LIVE
        yield Step(Phase.PLUG, key, after.owner, before, after, scene.effect(after, effect))
    elif isinstance(before, Port) and Key(Noun.IFB, before.device) not in scene.before:
        aside = replace(before, master=None, up=False)
        if before != aside:
            yield Step(Phase.ASIDE, key, before.owner, before, aside, scene.effect(before, Effect.LIVE))


def _plug(key: Key, before: Resource | None, after: Resource | None, scene: Scene) -> Iterator[Step]:
    """A host port is plugged in PLUG. Let go, it is taken out first and gets its own values back at last."""
    if after is not None:
        yield Step(Phase.PLUG, key, after.owner, before, after)
        return
    if not isinstance(before, Plug):
        return
    aside = replace(before, master=None)
    if before != aside:
        yield Step(Phase.ASIDE, key, before.owner, before, aside)
    mode = scene.foreign.get((before.device, "address-generation"))
    if mode is None:
        yield Step(Phase.FINAL, key, before.owner, aside, None)
    elif mode.value != aside.address_generation:
        own = replace(aside, address_generation=mode.value)
        yield Step(Phase.FINAL, key, before.owner, aside, own)


def _link(key: Key, before: Resource | None, after: Resource | None, scene: Scene) -> Iterator[Step]:
    """A managed host port is set in PLUG; what it no longer has configured gets its own value back."""
    if isinstance(after, Link):
        wanted = _restored(after, scene.foreign, only=before if isinstance(before, Link) else None)
        if before != wanted:
            yield Step(Phase.PLUG, key, after.owner, before, wanted)
    elif isinstance(before, Link):
        own = _restored(replace(before, up=None, mtu=None), scene.foreign, only=before)
        if own.up is None and own.mtu is None:
            yield Step(Phase.FINAL, key, before.owner, before, None)
        elif own != before:
            yield Step(Phase.FINAL, key, before.owner, before, own)


def _restored(link: Link, foreign: Foreign, only: Link | None) -> Link:
    """The link with, for each attribute that is left alone now and was taken in `only`, its own value."""
    up = foreign.get((link.device, "up"))
    mtu = foreign.get((link.device, "mtu"))
    if link.up is None and up is not None and only is not None and only.up is not None:
        link = replace(link, up=bool(up.value))
    if link.mtu is None and mtu is not None and only is not None and only.mtu is not None:
        link = replace(link, mtu=mtu.value)
    return link


def _domain(key: Key, before: Resource | None, after: Resource | None, _: Scene) -> Iterator[Step]:
    """Defined and started paused in GUEST, run in RESUME.

    A guest that goes is paused aside and ended at last; one that is to stop is asked at last. Another
    definition of an active guest needs it to end: paused aside, then defined and, where wanted, started anew.
    """
    present = before if isinstance(before, Domain) else None
    wanted = after if isinstance(after, Domain) else None
    if wanted is None:
        if present is not None:
            paused = replace(present, run=Run.PAUSED)
            if present.run is Run.RUNNING:
                yield Step(Phase.ASIDE, key, present.owner, present, paused)
            last = present if present.run is Run.STOPPED else paused
            yield Step(Phase.FINAL, key, present.owner, last, None)
        return
    owner = wanted.owner
    if present is not None and _same_definition(present, wanted):
        yield from _run(key, present, wanted)
        return
    effect = Effect.NONE
    if present is not None and present.run is not Run.STOPPED:
        effect = Effect.GUEST_REBOOT
        if present.run is Run.RUNNING:
            paused = replace(present, run=Run.PAUSED)
            yield Step(Phase.ASIDE, key, owner, present, paused, effect)
            present = paused
    if wanted.run is Run.RUNNING:
        paused = replace(wanted, run=Run.PAUSED)
        yield Step(Phase.GUEST, key, owner, present, paused, effect)
        yield Step(Phase.RESUME, key, owner, paused, wanted, effect)
    else:
        yield Step(Phase.GUEST, key, owner, present, wanted, effect)


def _run(key: Key, before: Domain, after: Domain) -> Iterator[Step]:
    """From one run state to another under one definition."""
    paused = replace(after, run=Run.PAUSED)
    match before.run, after.run:
        case Run.STOPPED, Run.RUNNING:
            yield Step(Phase.GUEST, key, after.owner, before, paused)
            yield Step(Phase.RESUME, key, after.owner, paused, after)
        case Run.STOPPED, Run.PAUSED:
            yield Step(Phase.GUEST, key, after.owner, before, after)
        case Run.PAUSED, Run.RUNNING:
            yield Step(Phase.RESUME, key, after.owner, before, after)
        case Run.RUNNING, Run.PAUSED:
            yield Step(Phase.ASIDE, key, after.owner, before, after)
        case ((Run.RUNNING | Run.PAUSED), Run.STOPPED):
            yield Step(Phase.FINAL, key, after.owner, before, after)


def _scheduler(key: Key, before: Resource | None, after: Resource | None, scene: Scene) -> Iterator[Step]:
    """Set in LIVE, anew for each guest that starts; it goes with its guest."""
    if after is not None and (before != after or key.name in scene.starting):
        yield Step(Phase.LIVE, key, after.owner, before, after, scene.effect(after, Effect.LIVE))


def _same_definition(before: Domain | None, after: Domain) -> bool:
    return before is not None and replace(before, run=after.run) == after


RULES: Mapping[Noun, Rule] = {
    Noun.IMAGE_FILE: _file,
    Noun.SEED: _file,
    Noun.BRIDGE: _device,
    Noun.TAP: _device,
    Noun.IFB: _device,
    Noun.QDISC: _qdisc,
    Noun.PORT: _port,
    Noun.LINK: _link,
    Noun.DOMAIN: _domain,
    Noun.SCHEDULER: _scheduler,
}
