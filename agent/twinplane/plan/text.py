"""A plan for people: one line a step, what changes below it."""

from collections.abc import Iterator
from dataclasses import fields

from twinplane.plan.plan import Plan
from twinplane.plan.resource import Domain, Resource, Run
from twinplane.plan.step import Act, Effect, Phase, Step
from twinplane_wire.path import Path

NOTHING = "nothing to do\n"

_RUNS = {
    (Run.STOPPED, Run.PAUSED): "start paused",
    (Run.STOPPED, Run.RUNNING): "start",
    (Run.PAUSED, Run.RUNNING): "resume",
    (Run.PAUSED, Run.STOPPED): "end",
    (Run.RUNNING, Run.PAUSED): "pause",
    (Run.RUNNING, Run.STOPPED): "stop",
}
# What says which resource it is, and what stands for another field.
_SILENT = frozenset({"owner", "name", "device", "domain", "file", "uuid", "hostname", "ticks"})


def text(plan: Plan) -> str:
    """The numbered steps with phase, act, noun, name and model path; where something changes, from what to
    what; the effect on a running appliance where there is one; the commit point before the final steps."""
    if not plan.steps:
        return NOTHING
    width = len(str(len(plan.steps)))
    lines: list[str] = []
    committed = False
    for number, step in enumerate(plan.steps, 1):
        if step.phase is Phase.FINAL and not committed:
            committed = True
            lines.append("-- commit --")
        lines.append(f"{number:{width}} {step.phase.name:<7} {line(step)}")
        lines.extend(f"{'':{width}} {'':<7}   {detail}" for detail in _details(step))
    return "\n".join(lines) + "\n"


def line(step: Step) -> str:
    """One step in one line."""
    effect = "" if step.disturbance is Effect.NONE else f" [{step.disturbance.name}]"
    return f"{_act(step)} {step.key} ({step.owner}){effect}"


def unlike(found: Resource | None, wanted: Resource) -> str:
    """Where what was read back is not what was wanted, field by field, for the message of an error."""
    if type(found) is not type(wanted):
        return "is absent" if found is None else f"is {found.key}"
    differences: list[str] = []
    for name in _counting(wanted, silent=frozenset({"ticks"})):
        there, asked = getattr(found, name), getattr(wanted, name)
        if there != asked:
            differences.append(f"{name} is {_shown(there)}, not {_shown(asked)}")
    return "; ".join(differences)


def _act(step: Step) -> str:
    before, after = step.before, step.after
    if isinstance(before, Domain) and isinstance(after, Domain):
        return "redefine" if before.digest != after.digest else _RUNS[before.run, after.run]
    return "renew" if before == after else step.act.value


def _details(step: Step) -> Iterator[str]:
    """Each field that counts: its value where the resource is made, from what to what where it changes."""
    known = step.after
    if known is None or step.act is Act.DELETE:
        return
    for name in _counting(known, _SILENT):
        value = getattr(known, name)
        before = _before(step.before, known, name)
        if step.before is None:
            yield f"{name} {_shown(value)}"
        elif before != value:
            yield f"{name} {_shown(before)} -> {_shown(value)}"


def _counting(resource: Resource, silent: frozenset[str]) -> Iterator[str]:
    """The fields in which resources of this kind differ; a burst stands for its ticks."""
    for item in fields(resource):
        if item.name not in silent and (item.compare or item.name == "burst"):
            yield item.name


def _before(before: Resource | None, after: Resource, name: str) -> object:
    return getattr(before, name) if type(before) is type(after) else None


def _shown(value: object) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Path):
        return str(value)
    return str(getattr(value, "value", value))
