"""The planner: models to resources, and the ordered difference of two sets of resources."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from twinplane.errors import Fault, Violation
from twinplane.model.appliance import Appliance
from twinplane.model.image import Image
from twinplane.model.port import HostPort
from twinplane.model.registry import Model
from twinplane.model.switch import VirtualSwitch
from twinplane.plan import order
from twinplane.plan.appliance import realise as appliance
from twinplane.plan.context import Context
from twinplane.plan.image import realise as image
from twinplane.plan.order import Foreign, Resources
from twinplane.plan.port import realise as port
from twinplane.plan.resource import Htb, Key, Noun, Plug, Resource
from twinplane.plan.step import Effect, Phase, Step
from twinplane.plan.switch import realise as switch
from twinplane_wire.path import Path

# The kinds of object and who says what realises them.
KINDS: Mapping[type, Callable[[Any, Context], tuple[Resource, ...]]] = {
    Image: image.realise,
    VirtualSwitch: switch.realise,
    Appliance: appliance.realise,
    HostPort: port.realise,
}


@dataclass(frozen=True, slots=True)
class Plan:
    """Steps in order of phase; those of one phase do not depend on each other."""

    steps: tuple[Step, ...]

    def __bool__(self) -> bool:
        return bool(self.steps)

    @property
    def effect(self) -> Effect:
        """The most that a step does to a running appliance."""
        return max((step.effect for step in self.steps), default=Effect.NONE)


def resources(objects: Iterable[Model], context: Context) -> dict[Key, Resource]:
    """What realises the objects, by key.

    Raises:
        KeyError: an appliance's image is not in the context.
    """
    return {resource.key: resource for item in objects for resource in KINDS[type(item)](item, context)}


def plan(before: Resources, after: Resources, foreign: Foreign) -> Plan:
    """The steps that lead from one set of resources to another, whoever made them (two configurations;
    facts and the configuration). `foreign` are the values of host ports to give back when they are let go."""
    scene = order.scene(before, after, foreign)
    steps = [
        step
        for key in {**before, **after}
        for step in order.RULES[key.noun](key, before.get(key), after.get(key), scene)
    ]
    return Plan(tuple(sorted(steps, key=lambda step: _place(step, scene))))


def disruptions(steps: Iterable[Step]) -> tuple[Violation, ...]:
    """What the steps would do to running appliances above class LIVE: one violation each, in path order."""
    blamed: dict[Path, Step] = {}
    for step in steps:
        if step.effect > Effect.LIVE:
            blamed.setdefault(Path(step.owner.elems[:2], step.owner.origin), step)
    return tuple(
        Violation(
            path,
            Fault.STATE,
            f"needs {step.effect.name} of a running appliance ({step.act.value} {step.key})",
            "set admin-state STOPPED first",
        )
        for path, step in sorted(blamed.items())
    )


_NOUNS = tuple(Noun)


def _place(step: Step, scene: order.Scene) -> tuple[Phase, int, int, Path, str]:
    """Where a step is printed: by phase, then noun (ports by the device they are), then model path."""
    known = step.after if step.after is not None else step.before
    rank = 0
    if step.key.noun is Noun.PORT:
        rank = _port_rank(step.key.name, known, scene)
    elif step.key.noun is Noun.QDISC:
        rank = 0 if isinstance(known, Htb) else 1
    noun = _NOUNS.index(step.key.noun)
    if step.phase is Phase.FINAL and step.key.noun is Noun.DOMAIN:
        noun = -1
    return step.phase, noun, rank, step.owner, step.key.name


def _port_rank(device: str, port: Resource | None, scene: order.Scene) -> int:
    if isinstance(port, Plug):
        return 3
    for rank, noun in enumerate((Noun.BRIDGE, Noun.IFB, Noun.TAP)):
        if Key(noun, device) in scene.before or Key(noun, device) in scene.after:
            return rank
    return 3
