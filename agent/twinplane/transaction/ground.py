"""Where a plan starts: what the configuration in force left on the host, or, where the host is known to
differ, what stands there now.

Read is what the change itself works on and what it cannot do without: the other resources of the same vNIC,
port or switch, the bridge that a port goes into, the files that a guest starts with. Whatever else differs of
the objects concerned is mended after the commit, where a failure is its own (transaction/repair.py).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from twinplane.aside import MANY, aside
from twinplane.errors import DriverError, UnavailableError
from twinplane.plan.resource import Domain, Key, Link, Noun, Plug, Port, Resource, Run
from twinplane.plan.step import Phase, Step
from twinplane.transaction.alarm import object_of
from twinplane.transaction.collaborator import Resources
from twinplane.transaction.driver import Found, Ownership
from twinplane.transaction.foreign import mask
from twinplane.transaction.standing import Parts, Standing
from twinplane.tree.forest import Forest
from twinplane.tree.node import Container, Entries
from twinplane.tree.query import entries
from twinplane_wire.path import ROOT, Path

# What a change puts right on its way. A guest is none of it: it is started and ended by its admin-state.
MENDED = frozenset({Noun.BRIDGE, Noun.TAP, Noun.IFB, Noun.QDISC, Noun.PORT, Noun.LINK, Noun.SCHEDULER})
FILES = frozenset({Noun.IMAGE_FILE, Noun.SEED})  # nobody watches them: a guest that starts looks for its own

IMAGES = ROOT.child("images")


@dataclass(frozen=True, slots=True)
class Ground:
    """What realises the objects before a change, as the configuration in force left it and as it is found;
    what is to realise them after it; the steps there from what is found; and the objects, of those concerned,
    that the host differs in."""

    believed: Resources
    before: Resources
    after: Resources
    steps: tuple[Step, ...]
    differing: frozenset[Path]


class Surveyor:
    """Looks at the host before a plan, no further than there is reason to."""

    def __init__(self, parts: Parts, standing: Standing) -> None:
        self._parts = parts
        self._standing = standing

    async def ground(
        self, candidate: Forest, before: Resources, after: Resources, doubtful: frozenset[Path]
    ) -> Ground:
        """The ground of a plan that leads to `candidate`. `before` and `after` are what realises the objects
        concerned by the configuration, `doubtful` the objects that the host is known to differ in.

        Raises:
            UnavailableError: the host cannot be read.
        """
        model, running = self._parts.model, self._standing.running.forest
        if doubtful:
            await self._follow()
        asked = await self._planned(before, after)
        concerned = {object_of_resource(one) for one in (*before.values(), *after.values())}
        starting = frozenset(object_of(step) for step in asked if step.phase is Phase.GUEST)
        images = model.related(candidate, starting, _images(candidate) - concerned) if starting else starting
        near = model.related(candidate, concerned, doubtful - concerned)
        differing = near | (concerned & doubtful)
        if beside := images | near:
            before = {**model.realised(running, beside), **before}
            after = {**model.realised(candidate, beside), **after}
        keys = _needed(asked, before, differing) if differing else frozenset[Key]()
        keys |= {
            key
            for key, one in before.items()
            if key.noun in FILES and object_of_resource(one) in starting | images
        }
        spared = self._parts.store.spared or frozenset()
        alone = frozenset(step.key for step in asked if object_of(step) in spared)
        if not keys | alone:
            return Ground(before, before, after, asked, differing)
        found = await self._find(tuple(keys | alone))
        facts = _as_found(before, {key: found[key] for key in keys - alone})
        # Of an object that was left alone until now what is there is believed: it is left so where the change
        # is taken back.
        left = {
            key: one.resource
            for key, one in found.items()
            if key in alone and one.resource is not None and one.ownership is Ownership.OWN
        }
        facts = {**{key: one for key, one in facts.items() if key not in alone}, **left}
        steps = asked if facts == before else await self._planned(facts, after)
        believed = {**{key: one for key, one in before.items() if key not in alone}, **left}
        return Ground(believed, facts, after, steps, differing)

    async def _follow(self) -> None:
        try:
            await self._standing.follow()
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error

    async def _planned(self, before: Resources, after: Resources) -> tuple[Step, ...]:
        planner, foreign = self._parts.planner, self._standing.foreign
        large = len(before) + len(after) > MANY
        return await aside(lambda: planner(before, after, foreign).steps, large=large)

    async def _find(self, keys: Sequence[Key]) -> Mapping[Key, Found]:
        try:
            found = await self._parts.executor.find_all(keys)
        except DriverError as error:
            raise UnavailableError(f"the host cannot be read: {error}") from error
        return dict(zip(keys, found, strict=True))


def object_of_resource(resource: Resource) -> Path:
    """The path of the object that a resource realises: an entry of a list below a top-level container."""
    return Path(resource.owner.elems[:2], resource.owner.origin)


def _images(forest: Forest) -> frozenset[Path]:
    group, listed = forest.tree().get("images"), IMAGES.child("image")
    found = group.get("image") if isinstance(group, Container) else None
    return (
        frozenset(path for path, _ in entries(found, listed)) if isinstance(found, Entries) else frozenset()
    )


def _needed(steps: Iterable[Step], before: Resources, differing: frozenset[Path]) -> frozenset[Key]:
    """What the steps work on or cannot do without, of objects that differ: all of the owners of steps, the
    taps of guests that start, and the bridges that ports go into."""
    owners: set[Path] = set()
    starting: set[Path] = set()
    bridges: set[str] = set()
    for step in steps:
        if step.key.noun in MENDED:
            owners.add(step.owner)
        if step.phase is Phase.GUEST:
            starting.add(object_of(step))
        if isinstance(step.after, Port | Plug) and step.after.master is not None:
            bridges.add(step.after.master)
    for key, one in before.items():
        if key.noun in MENDED and object_of_resource(one) in starting:
            owners.add(one.owner)
            bridges |= {one.master} if isinstance(one, Port) and one.master is not None else set()
    return frozenset(
        key
        for key, one in before.items()
        if object_of_resource(one) in differing
        and (
            (key.noun in MENDED and one.owner in owners)
            or (key.noun in (Noun.BRIDGE, Noun.PORT) and key.name in bridges)
            or (key.noun is Noun.DOMAIN and one.owner in owners)
        )
    )


def _as_found(believed: Resources, found: Mapping[Key, Found]) -> dict[Key, Resource]:
    """What realises objects now. Somebody else's object is not ours: a step that makes ours is refused."""
    idle = {
        one.owner
        for key, one in believed.items()
        if isinstance(one, Domain) and key in found and not _runs(found[key].resource)
    }
    facts: dict[Key, Resource] = {}
    for key, one in believed.items():
        if key not in found or isinstance(one, Domain):
            facts[key] = one
            continue
        there = found[key]
        if key.noun is Noun.SCHEDULER and one.owner in idle:
            facts[key] = one  # who does not run has no share
        elif isinstance(one, Plug | Link):
            # An absent host port is waited for; one that is there is what it is, plugged or not.
            if there.resource is not None:
                facts[key] = mask(there.resource, one)
            elif there.ownership is Ownership.ABSENT:
                facts[key] = one
        elif there.ownership is Ownership.OWN and there.resource is not None:
            facts[key] = there.resource
    return facts


def _runs(resource: Resource | None) -> bool:
    return isinstance(resource, Domain) and resource.run is not Run.STOPPED
