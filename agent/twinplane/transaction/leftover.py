"""What steps left over that nothing could undo or finish: kept until it is repaired, by resource.

It keeps nobody from changing other objects. A journal row tells of the one transaction under way; this tells
of those before it, whose row has ended.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from twinplane.errors import DegradedError, DriverError
from twinplane.plan.resource import Domain, Key, Link, Noun, Ownership, Plug, Resource, Run
from twinplane.plan.step import Step
from twinplane.transaction.collaborator import Foreign, Resources
from twinplane.transaction.dependence import needs
from twinplane.transaction.execute import Executor, Failure
from twinplane.transaction.foreign import mask
from twinplane.transaction.journal import Status
from twinplane_wire.path import Path


@dataclass(frozen=True, slots=True)
class Leftover:
    """A resource that is not as it should be, and why. PENDING: a change of it was not undone; COMMITTED: it
    was deleted and is still there. `owner` is the model path of its step."""

    key: Key
    owner: Path
    status: Status
    cause: str

    @property
    def object(self) -> Path:
        """The object that it belongs to."""
        return Path(self.owner.elems[:2], self.owner.origin)

    def __str__(self) -> str:
        return f"{self.key} ({self.cause})"


def undone(failures: Iterable[Failure]) -> tuple[Leftover, ...]:
    """What an undo left over."""
    return tuple(Leftover(one.step.key, one.step.owner, Status.PENDING, one.cause) for one in failures)


def deleted(failures: Iterable[Failure]) -> tuple[Leftover, ...]:
    """What final steps left over."""
    return tuple(
        Leftover(one.step.key, one.step.owner, Status.COMMITTED, one.cause)
        for one in failures
        if one.step.after is None
    )


def owned(found: Resources, owners: Mapping[Key, Path]) -> Resources:
    """What was found, with the owner of what bears no mark yet and is known by its name alone."""
    return {
        key: replace(one, owner=owners[key]) if key in owners and not one.owner.elems else one
        for key, one in found.items()
    }


async def unread(executor: Executor, named: Iterable[tuple[Key, Path]], known: Resources) -> Resources:
    """The guests under these names that are there and give no answer, so that no survey knows of them."""
    found: dict[Key, Resource] = {}
    for key, owner in named:
        if key.noun is Noun.DOMAIN and key not in known:
            try:
                await executor.find(key)
            except DriverError:
                found[key] = silent(key, owner)
    return found


def silent(key: Key, owner: Path) -> Domain:
    """A guest of which nothing is known but that it is to go."""
    return Domain(key.name, UUID(int=0), owner, "", Run.PAUSED)


@dataclass(frozen=True, slots=True)
class Change:
    """A change as it is planned without what is left over: the objects that it is about, what realises them
    before and after, and the steps."""

    objects: frozenset[Path]
    before: Resources
    after: Resources
    steps: tuple[Step, ...]


async def as_left(
    left: Sequence[Leftover], change: Change, executor: Executor, foreign: Foreign
) -> tuple[Resources, frozenset[Key]]:
    """What realises the objects of a change before it, what earlier ones left over of them as it is found
    now; and the keys of that, which a plan from there mends.

    Raises:
        DegradedError: the change stands on what is left over of another object, or on what cannot be read.
    """
    objects = {*change.objects, *map(_object, change.before.values()), *map(_object, change.after.values())}
    mine = [
        one for one in left if one.object in objects or one.key in change.before or one.key in change.after
    ]
    others = [one for one in left if one not in mine and any(needs(step, one.key) for step in change.steps)]
    if others:
        raise degraded(others)
    before = dict(change.before)
    mended: set[Key] = set()
    lost: list[Leftover] = []
    for one in mine:
        try:
            found = await _found(one, change, executor, foreign)
        except DriverError as error:
            if one.key in change.after:
                lost.append(replace(one, cause=str(error)))
                continue
            if one.key.noun not in (Noun.DOMAIN, Noun.SCHEDULER):
                continue  # it stays left over
            # A guest that gives no answer can be ended all the same, and its share goes with it.
            found = silent(one.key, one.owner) if one.key.noun is Noun.DOMAIN else None
        mended.add(one.key)
        before.pop(one.key, None)
        before |= {} if found is None else {one.key: found}
    if lost:
        raise degraded(lost)
    return before, frozenset(mended)


async def _found(one: Leftover, change: Change, executor: Executor, foreign: Foreign) -> Resource | None:
    found = await executor.find(one.key)
    there = found.resource
    if found.ownership is Ownership.FOREIGN:  # made and not marked, perhaps: then it is in the survey
        there = (await executor.survey([one.key])).get(one.key)
    if isinstance(there, Plug | Link):
        wanted = change.after.get(one.key, change.before.get(one.key))
        return replace(there, owner=one.owner) if wanted is None else mask(there, wanted, foreign)
    return there


def degraded(left: Iterable[Leftover]) -> DegradedError:
    """The refusal that names what is left, and of which objects."""
    known = tuple(left)
    return DegradedError(tuple(map(str, known)), tuple(dict.fromkeys(one.object for one in known)))


def _object(resource: Resource) -> Path:
    return Path(resource.owner.elems[:2], resource.owner.origin)
