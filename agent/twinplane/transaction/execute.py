"""Runs the steps of a plan with the drivers: phase by phase, with undo before the commit point.

Knows no datastore and no configuration. A step is done when what was read back is what was wanted; an error
of a driver counts only if it is not.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import groupby
from typing import TypeAlias

from twinplane.aside import together
from twinplane.errors import ApplyError, DriverError
from twinplane.plan.resource import Domain, Key, Link, Noun, Plug, Resource, Run
from twinplane.plan.step import Phase, Step
from twinplane.plan.text import unlike
from twinplane.state.facts import Fact, ResourceGone
from twinplane.transaction.collaborator import Foreign
from twinplane.transaction.dependence import held_up
from twinplane.transaction.driver import Driver, Found, Ownership
from twinplane.transaction.foreign import mask, restored
from twinplane.transaction.journal import printed
from twinplane.transaction.match import ended, fulfils
from twinplane.transaction.turn import is_cancelled

log = logging.getLogger(__name__)

LOOKS = 64  # questions to drivers that are under way at once

ReadBack: TypeAlias = dict[Key, Resource | None]


@dataclass(frozen=True, slots=True)
class Failure:
    """A step that could not be done and why; `unknown` where it may yet be done."""

    step: Step
    cause: str
    unknown: bool = False


class UndoError(ApplyError):
    """A step failed, and so did the undo of those in `failures`."""

    def __init__(self, failure: Failure, failures: Sequence[Failure]) -> None:
        step, left = failure.step, leftovers(failures)
        super().__init__(step.owner, printed(step), failure.cause, undone=False, left=left)
        self.failures = tuple(failures)


class Executor:
    """Drivers by noun. `width` bounds how many steps of one phase are under way at once."""

    def __init__(self, drivers: Sequence[Driver], *, width: int = 8) -> None:
        self._drivers = {noun: driver for driver in drivers for noun in driver.nouns}
        self._distinct = tuple(drivers)
        self._width = width

    async def apply(self, steps: Sequence[Step], foreign: Foreign) -> ReadBack:
        """Run steps that come before the commit point and verify them; return what was read back.

        Raises:
            ApplyError: a step failed; everything begun was undone, or `left` names what could not be.
        """
        read_back: ReadBack = {}
        begun: list[Step] = []
        for phase in _phases(steps):
            begun.extend(phase)
            failures = await self._together(phase, self._ensure, read_back)
            if failures:
                await self._give_up(failures[0], begun, foreign)
        failures = await self._verify(steps, read_back)
        if failures:
            await self._give_up(failures[0], begun, foreign)
        return read_back

    async def undo(self, begun: Sequence[Step], foreign: Foreign) -> tuple[Failure, ...]:
        """Swap what was begun, phases backwards; return what is left, which is nothing when all went well."""
        left: list[Failure] = []
        for phase in reversed(_phases(begun)):
            inverses = [_inverse(step, foreign) for step in phase]
            failures = await self._together(inverses, self._ensure, {})
            left += [failure for failure in failures if await self._is_ours_to_undo(failure.step)]
        return tuple(left)

    async def _is_ours_to_undo(self, back: Step) -> bool:
        """Whether a step back that failed leaves something of this transaction. No change takes a thing away:
        what was to be changed and is not there, or not ours, was so by somebody else's doing."""
        if back.before is None or back.after is None:
            return True
        try:
            return (await self.find(back.key)).resource is not None
        except DriverError:
            return True

    async def attempt(self, steps: Sequence[Step]) -> tuple[ReadBack, tuple[Failure, ...]]:
        """Run steps that nothing undoes, in phases. A failure holds up what `held_up` says, nothing else."""
        read_back: ReadBack = {}
        failures: list[Failure] = []
        for phase in _phases(steps):
            ready = [step for step in phase if not any(held_up(step, item.step) for item in failures)]
            failures.extend(await self._together(ready, self._ensure, read_back))
        return read_back, tuple(failures)

    async def find(self, key: Key) -> Found:
        """What stands under the key now; raises DriverError."""
        with _told(f"reading {key}"):
            return await self._driver(key.noun).find(key)

    async def find_all(self, keys: Sequence[Key]) -> list[Found]:
        """What stands under each key now, in their order; raises DriverError."""
        return await together(self.find, keys, LOOKS)

    async def look(self, steps: Iterable[Step]) -> ReadBack:
        """Read anew what the steps touched, as it stood before them if they were undone; a resource that
        cannot be read is left out."""
        first: dict[Key, Step] = {}
        for step in steps:
            first.setdefault(step.key, step)
        found = await together(self._see, tuple(first.values()), LOOKS)
        return {key: resource for key, (known, resource) in zip(first, found, strict=True) if known}

    async def _see(self, step: Step) -> tuple[bool, Resource | None]:
        try:
            found = await self.find(step.key)
        except DriverError as error:
            log.warning("%s cannot be read: %s", step.key, error)
            return False, None
        if isinstance(found.resource, Plug | Link):
            # The device of a host port is there whether or not the port is ours.
            return True, mask(found.resource, step.before) if step.before is not None else None
        return True, found.resource if found.ownership is Ownership.OWN else None

    async def survey(self, keys: Iterable[Key], nouns: frozenset[Noun] | None = None) -> dict[Key, Resource]:
        """All own resources (of these nouns, where given), and those under `keys` that are there; raises
        DriverError."""
        named: dict[Noun, list[Key]] = {}
        for key in keys:
            named.setdefault(key.noun, []).append(key)
        with _told("the survey"):
            surveys = await asyncio.gather(
                *(
                    driver.survey([key for noun in driver.nouns for key in named.get(noun, ())])
                    for driver in self._distinct
                    if nouns is None or driver.nouns & nouns
                )
            )
        return {resource.key: resource for resources in surveys for resource in resources}

    def _driver(self, noun: Noun) -> Driver:
        driver = self._drivers.get(noun)
        if driver is None:
            raise DriverError(f"no driver for {noun.value}")
        return driver

    async def _together(
        self,
        steps: Sequence[Step],
        work: Callable[[Step], Awaitable[Resource | None]],
        read_back: ReadBack,
    ) -> list[Failure]:
        """Steps of one phase side by side. All are awaited, failure or not: calls cannot be cancelled."""

        async def one(step: Step) -> Failure | None:
            try:
                # A driver's own fault must not leave the host half-applied: undone like any failure.
                with _told(printed(step)):
                    read_back[step.key] = await work(step)
            except DriverError as error:
                return Failure(step, _text(error), error.unknown)
            return None

        outcomes = await together(one, steps, self._width)
        return [failure for failure in outcomes if failure is not None]

    async def _ensure(self, step: Step) -> Resource | None:
        driver = self._driver(step.key.noun)
        if _pauses(step):
            there = await self._there(step)
            if ended(step.after, there):
                return there  # by itself: nobody starts it only to put it aside
        try:
            if (stopped := _ended_first(step)) is not None:
                await driver.ensure(step.key, stopped)
            return await driver.ensure(step.key, await self._reachable(step))
        except DriverError as error:
            if error.unknown:
                raise
            found = await driver.find(step.key)
            if not fulfils(found, step.after) or await self._is_unmarked(step, found):
                raise
            log.info("%s reported %s, and is as wanted", printed(step), error)
            return found.resource

    async def _is_unmarked(self, step: Step, found: Found) -> bool:
        """Whether what was to go is still there and was only not marked yet: nobody's, by the look of it."""
        if step.after is not None or found.ownership is not Ownership.FOREIGN:
            return False
        return any(one.key == step.key for one in await self._driver(step.key.noun).survey([step.key]))

    async def _there(self, step: Step) -> Resource | None:
        """What a step is about; None also where that cannot be read, for doing it says whether it can be."""
        try:
            return (await self.find(step.key)).resource
        except DriverError:
            return None

    async def _reachable(self, step: Step) -> Resource | None:
        """What the step wants; but a guest that runs with another definition keeps it while it is to stop."""
        before, after = step.before, step.after
        if isinstance(before, Domain) and isinstance(after, Domain) and after.run is Run.STOPPED:
            there = await self._there(step)
            if isinstance(there, Domain) and there.run is not Run.STOPPED and there.digest != after.digest:
                return replace(there, run=Run.STOPPED, stop_timeout=after.stop_timeout)
        return after

    async def _verify(self, steps: Sequence[Step], read_back: ReadBack) -> list[Failure]:
        """Read again what later phases may have disturbed; nothing ran after the last one."""
        if not steps:
            return []
        last = max(step.phase for step in steps)
        newest = {step.key: step for step in steps}
        earlier = [step for step in newest.values() if step.phase < last]

        async def check(step: Step) -> Resource | None:
            found = await self.find(step.key)
            if not fulfils(found, step.after) and not (_pauses(step) and ended(step.after, found.resource)):
                said = "is still there" if step.after is None else unlike(found.resource, step.after)
                raise DriverError(f"{said} when all was done")
            return mask(found.resource, step.after) if found.resource else read_back.get(step.key)

        return await self._together(earlier, check, read_back)

    async def _give_up(self, failure: Failure, begun: Sequence[Step], foreign: Foreign) -> None:
        log.warning("%s failed: %s; undoing", printed(failure.step), failure.cause)
        left = await self.undo(begun, foreign)
        if left:
            raise UndoError(failure, left)
        raise ApplyError(failure.step.owner, printed(failure.step), failure.cause, undone=True)


def facts(steps: Iterable[Step], read_back: ReadBack) -> tuple[Fact, ...]:
    """What was read back, as facts, in the order of the steps; a resource that is not there is gone."""
    found: dict[Key, Fact] = {}
    for step in steps:
        if step.key in read_back:
            found[step.key] = read_back[step.key] or ResourceGone(step.key, step.owner)
    return tuple(found.values())


def leftovers(failures: Iterable[Failure]) -> tuple[str, ...]:
    """Names of what an undo left over, each with the reason."""
    return tuple(f"{failure.step.key} ({failure.cause})" for failure in failures)


def _phases(steps: Iterable[Step]) -> list[list[Step]]:
    ordered = sorted(steps, key=lambda step: step.phase)
    return [list(phase) for _, phase in groupby(ordered, key=lambda step: step.phase)]


def _inverse(step: Step, foreign: Foreign) -> Step:
    """The step that undoes this one on the host as it was, not only in the plan."""
    back = step.inverse()
    if back.after is None and isinstance(step.after, Plug | Link):
        return replace(back, after=restored(step.after, foreign))
    if isinstance(back.after, Link) and step.after is not None:
        # What it left alone may have been taken by this very step.
        link, own = back.after, restored(step.after, foreign)
        if isinstance(own, Link):
            up, mtu = (own.up if link.up is None else link.up), (own.mtu if link.mtu is None else link.mtu)
            return replace(back, after=replace(link, up=up, mtu=mtu))
    if isinstance(back.after, Domain) and back.after.run is Run.STOPPED:
        # This transaction started the guest; a request to stop would leave it running.
        return replace(back, after=replace(back.after, stop_timeout=0))
    return back


def _ended_first(step: Step) -> Domain | None:
    """The guest as it must be before another definition can take the place of an active one. Steps of this
    kind come here only to undo a start, or with a class of effect that was agreed to."""
    before, after = step.before, step.after
    if not isinstance(before, Domain) or not isinstance(after, Domain):
        return None
    if before.run is Run.STOPPED or before.digest == after.digest:
        return None
    return replace(before, run=Run.STOPPED, stop_timeout=0)


def _pauses(step: Step) -> bool:
    """Whether the step is about a guest that goes on, put aside or had back: it starts none."""
    before, after = step.before, step.after
    if not isinstance(before, Domain) or not isinstance(after, Domain):
        return False
    return step.phase is Phase.ASIDE or (before.run, after.run) == (Run.RUNNING, Run.PAUSED)


@contextmanager
def _told(work: str) -> Iterator[None]:
    """Whatever a driver raises is a DriverError, also where something that it waited for was cancelled."""
    try:
        yield
    except DriverError:
        raise
    except (Exception, asyncio.CancelledError) as error:
        if is_cancelled(error):
            raise
        log.exception("the driver failed unexpectedly at %s", work)
        raise DriverError(f"{type(error).__name__}: {error}") from error


def _text(error: DriverError) -> str:
    return f"{error} ({error.remedy})" if error.remedy else str(error)
