"""What a plan must not do: reasons to refuse it before anything is written or touched."""

from collections.abc import Iterable, Sequence

from twinplane.errors import Fault, RequestError, Violation
from twinplane.plan.plan import disruptions
from twinplane.plan.resource import Domain, Link, Plug, Run
from twinplane.plan.step import Effect, Step
from twinplane.transaction.driver import Found, Ownership
from twinplane.transaction.execute import Executor
from twinplane.transaction.journal import printed
from twinplane_wire.path import Path


async def refuse(steps: Sequence[Step], executor: Executor, *, disturbing: bool = False) -> None:
    """Raise RequestError with every step that disturbs a running guest (unless that is agreed to) or takes
    what is somebody else's."""
    violations = [
        *(() if disturbing else disruptions(steps)),
        *(occupied(step, found) for step, found in await occupants(steps, executor)),
        *await _still_stopping(steps, executor),
    ]
    if violations:
        raise RequestError(*sorted(violations, key=lambda violation: violation.path))


def disturbing(steps: Iterable[Step], most: Effect) -> None:
    """Raise RequestError with every object of which a step disturbs more than the caller agrees to."""
    worst: dict[Path, Step] = {}
    for step in steps:
        path = Path(step.owner.elems[:2], step.owner.origin)
        if step.disturbance > most and (path not in worst or step.disturbance > worst[path].disturbance):
            worst[path] = step
    if worst:
        raise RequestError(
            *(
                Violation(
                    path,
                    Fault.STATE,
                    f"the change is {step.disturbance.name}, at most {most.name} was agreed to",
                    "agree to more, or leave it out",
                )
                for path, step in sorted(worst.items())
            )
        )


async def occupants(steps: Iterable[Step], executor: Executor) -> list[tuple[Step, Found]]:
    """The steps that make something where an object of another owner stands, and what stands there."""
    wanted = making(steps)
    found = await executor.find_all([step.key for step in wanted])
    return [
        (step, item) for step, item in zip(wanted, found, strict=True) if item.ownership is Ownership.FOREIGN
    ]


def making(steps: Iterable[Step]) -> list[Step]:
    """The steps that make something, in whose place something of another owner may stand."""
    # A managed link is foreign by nature; there is nothing of ours to make.
    return [
        step
        for step in _first(steps)
        if step.before is None and step.after is not None and not isinstance(step.after, Link)
    ]


def occupied(step: Step, found: Found) -> Violation:
    """The violation that names whose object stands in the way."""
    if isinstance(step.after, Plug):
        return Violation(
            step.owner,
            Fault.STATE,
            f"{step.key.name} is in use by the host: {found.description}",
            "take it out there, or leave it out here",
        )
    return Violation(
        step.owner,
        Fault.EXISTS,
        f"{step.key} exists and was not made by this agent: {found.description}",
        "remove or rename it; it is never taken over",
    )


async def _still_stopping(steps: Iterable[Step], executor: Executor) -> list[Violation]:
    """A guest that was asked to stop and has not yet can neither be redefined nor started."""
    stopped = [
        step
        for step in _first(steps)
        if isinstance(step.before, Domain) and step.before.run is Run.STOPPED and step.after is not None
    ]
    violations = []
    for step, there in zip(stopped, await executor.find_all([step.key for step in stopped]), strict=True):
        found = there.resource
        if isinstance(found, Domain) and found.run is not Run.STOPPED:
            violations.append(
                Violation(
                    step.owner,
                    Fault.STATE,
                    f"the guest is still stopping ({printed(step)})",
                    "repeat when oper-status is STOPPED, at the latest after stop-timeout",
                )
            )
    return violations


def _first(steps: Iterable[Step]) -> list[Step]:
    """The first step of each key."""
    first: dict[object, Step] = {}
    for step in steps:
        first.setdefault(step.key, step)
    return list(first.values())
