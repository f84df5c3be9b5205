"""Recovery, adoption and repair: from what is to what is configured, by the ordinary planner.

Not a replay. The running tree is the old one where a row is PENDING and the new one where it is COMMITTED, so
the target is always what the running tree says. Works resource by resource: one that fails holds up what is
made of it and nothing else, and nothing is undone. Where facts and configuration agree, no driver is asked to
change anything.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from twinplane.aside import Slices, together
from twinplane.errors import DriverError
from twinplane.plan.resource import Domain, ForeignValue, Key, Link, Noun, Plug, Resource, Run
from twinplane.plan.step import Effect, Phase, Step
from twinplane.transaction.alarm import object_of
from twinplane.transaction.collaborator import Foreign, ForeignReader, Planner, Resources
from twinplane.transaction.dependence import dependents, held_up
from twinplane.transaction.driver import Ownership
from twinplane.transaction.execute import LOOKS, Executor, Failure, ReadBack
from twinplane.transaction.foreign import claimed, give_back, held_by, mask, missing, unclaimed
from twinplane.transaction.ground import MENDED
from twinplane.transaction.journal import printed
from twinplane.transaction.refusal import making, occupied
from twinplane_wire.path import Path

HOST_PORT = frozenset({Noun.PORT, Noun.LINK})


@dataclass(frozen=True, slots=True)
class Bounds:
    """How far a repair may go: what it may do to a running guest at most, and whether it starts and ends
    guests that are not as configured."""

    most: Effect = Effect.RECREATE
    guests: bool = True

    def __or__(self, other: "Bounds") -> "Bounds":
        """What either of both allows."""
        return Bounds(max(self.most, other.most), self.guests or other.guests)


UNBOUNDED = Bounds()


@dataclass(frozen=True, slots=True)
class Repair:
    """What has to be done: the facts it was planned from, the steps, what cannot be done, what has to wait
    for a restart of its guest, foreign values that nobody holds any more, what is beyond the bounds, and
    host ports that are waited for (their steps do nothing yet)."""

    facts: dict[Key, Resource]
    steps: tuple[Step, ...]
    blocked: tuple[Failure, ...]
    waiting: tuple[Step, ...]
    loose: Foreign
    beyond: tuple[Step, ...] = ()
    absent: frozenset[Key] = frozenset()


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was read back, what failed and the foreign values that were given back."""

    read_back: ReadBack
    failures: tuple[Failure, ...]
    returned: tuple[ForeignValue, ...]


async def survey(executor: Executor, desired: Resources, foreign: Foreign, named: Iterable[Key]) -> Resources:
    """What is: own objects by their mark, those named in a journal row, and the host ports we manage.

    A wanted name alone is not asked for: what stands there unmarked may be somebody else's.

    Raises:
        DriverError: the host cannot be read.
    """
    ports = {key for key in desired if key.noun in HOST_PORT} | {held_by(value) for value in foreign.values()}
    facts = await executor.survey(ports | set(named))
    return {
        key: mask(fact, desired.get(key), foreign)
        for key, fact in facts.items()
        # The link of a device that we neither manage nor have to give back is none of our business.
        if key.noun is not Noun.LINK or key in ports
    }


async def prepare(
    executor: Executor,
    planner: Planner,
    facts: Resources,
    desired: Resources,
    foreign: Foreign,
    *,
    undoing: frozenset[Key] = frozenset(),
    only: frozenset[Path] | None = None,
    bounds: Bounds = UNBOUNDED,
    unfinished: Sequence[Step] = (),
) -> Repair:
    """Plan from facts to what is desired. `undoing` names what an unfinished transaction touched; with `only`
    the objects at these paths are worked on and no others, within `bounds`. In any case guests are started
    and ended that wait for what is `unfinished`, and what nobody wants of a host port is given back. Raises
    DriverError."""
    loose = unclaimed(foreign, desired)
    planned = list(planner(facts, desired, foreign).steps)
    if only is not None:
        planned = [step for step in planned if object_of(step) in only]
    restored = {step.key for step in planned if step.key.noun in HOST_PORT}
    if not bounds.guests:
        planned = [
            step
            for step in planned
            if step.key.noun in MENDED or any(held_up(step, one) for one in unfinished)
        ]
    # Whoever took them first may not be the one whose step failed: the port was moved in between.
    planned += [step for step in give_back(loose) if step.key not in restored]
    planned = [_asked(step, facts) if _has_to_wait(step, undoing) else step for step in planned]
    beyond = [
        step
        for step in planned
        if step.disturbance > bounds.most and step.key not in undoing and not _has_to_wait(step, undoing)
    ]
    planned = [step for step in planned if step not in beyond]
    waiting = tuple(step for step in planned if _has_to_wait(step, undoing))
    # A tap that a running guest lost is made anew all the same: its next start takes to it.
    now = [step for step in planned if step.key.noun is Noun.TAP or not _has_to_wait(step, undoing)]
    steps = [_ended(step, facts, undoing) for step in now]
    looks = await together(lambda step: _obstacle(step, executor), making(steps), LOOKS)
    blocked = tuple(failure for failure, _ in looks if failure is not None)
    seen = [*facts.values(), *(there for _, there in looks if there is not None)]
    blocked += rivals([step for step in steps if all(step != one.step for one in blocked)], desired, seen)
    there = {step.key for step, (_, resource) in zip(making(steps), looks, strict=True) if resource}
    absent = {step.key for step in steps if _takes_host_port(step) and step.key not in there}
    causes = {failure.step: failure.cause for failure in blocked}
    waits = [
        Failure(step, f"waits for {printed(cause)}: {causes.setdefault(step, causes[cause])}")
        for step, cause in dependents(steps, tuple(causes))
    ]
    held = {failure.step for failure in (*blocked, *waits)}
    return Repair(
        facts=dict(facts),
        steps=tuple(step for step in steps if step not in held),
        blocked=(*blocked, *waits),
        waiting=waiting,
        loose=loose,
        beyond=tuple(beyond),
        absent=frozenset(absent),
    )


def _takes_host_port(step: Step) -> bool:
    return step.before is None and isinstance(step.after, Plug | Link) and step.phase is not Phase.FINAL


async def _obstacle(step: Step, executor: Executor) -> tuple[Failure | None, Resource | None]:
    """What keeps a step from making something: somebody else's object there, or that nobody can tell. That
    holds up what is made of it and nothing else. And what stands there."""
    try:
        found = await executor.find(step.key)
    except DriverError as error:
        return Failure(step, str(error)), None
    if found.ownership is not Ownership.FOREIGN:
        return None, found.resource
    there = occupied(step, found)
    return Failure(step, f"{there.constraint} ({there.remedy})"), None


def rivals(steps: Iterable[Step], desired: Resources, seen: Iterable[Resource]) -> tuple[Failure, ...]:
    """The steps that would take a host port which another wanted resource has, under another name of the same
    device. Who has it keeps it; of several that have not, the first by path gets it. Pure."""
    held: dict[tuple[Noun, int], dict[Key, Resource]] = {}
    for one in seen:
        if isinstance(one, Plug | Link) and one.index and one.key in desired:
            held.setdefault((one.key.noun, one.index), {})[one.key] = one
    taking = {step.key: step for step in steps if claimed(step.after)}
    found: list[Failure] = []
    for keys in held.values():
        if len(keys) < 2:
            continue
        first = min(keys, key=lambda key: (key in taking, desired[key].owner))
        found += [
            Failure(taking[key], f"{key.name} is a name of {first.name}, which {desired[first].owner} has")
            for key in keys
            if key != first and key in taking
        ]
    return tuple(found)


async def read_foreign(
    steps: Iterable[Step], foreign: Foreign, read: ForeignReader
) -> tuple[ForeignValue, ...]:
    """The values of attributes that the steps take and nobody remembered; absent devices have none."""
    values: list[ForeignValue] = []
    slices = Slices()
    for device, attributes in missing(steps, foreign).items():
        await slices.turn()
        now = await read(device)
        values += [
            ForeignValue(
                device, attribute, now[attribute], owner, now.get("ifindex", 0), now.get("address", 0)
            )
            for attribute, owner in attributes.items()
            if attribute in now
        ]
    return tuple(values)


async def execute(executor: Executor, repair: Repair) -> Repaired:
    """Do the steps of a repair, object by object."""
    read_back, failures = await executor.attempt(repair.steps)
    done = {step.key for step in repair.steps} - {failure.step.key for failure in failures}
    returned = tuple(value for value in repair.loose.values() if held_by(value) in done)
    return Repaired(read_back, (*repair.blocked, *failures), returned)


def _has_to_wait(step: Step, undoing: frozenset[Key]) -> bool:
    """True for what would disturb a running guest that no unfinished transaction touched."""
    return step.effect >= Effect.GUEST_REBOOT and step.key not in undoing


def _asked(step: Step, facts: Resources) -> Step:
    """A running guest that is to stop and to have another definition is asked to stop with the one it has."""
    fact, after = facts.get(step.key), step.after
    if not isinstance(fact, Domain) or not isinstance(after, Domain) or after.run is not Run.STOPPED:
        return step
    stopped = replace(fact, run=Run.STOPPED, stop_timeout=after.stop_timeout)
    return Step(Phase.FINAL, step.key, step.owner, fact, stopped)


def _ended(step: Step, facts: Resources, undoing: frozenset[Key]) -> Step:
    """A guest that an unfinished transaction started, or that is paused, is ended and not asked to stop."""
    fact = facts.get(step.key)
    if not isinstance(step.after, Domain) or step.after.run is not Run.STOPPED:
        return step
    paused = isinstance(fact, Domain) and fact.run is Run.PAUSED
    return replace(step, after=replace(step.after, stop_timeout=0)) if paused or step.key in undoing else step
