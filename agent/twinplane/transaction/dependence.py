"""Which steps cannot be done without what stands under another key; pure.

At start and in a repair nothing is undone, and one thing that fails holds up what is made of it and nothing
else: a switch comes up without the one host port that somebody else has, a guest runs with a vNIC that is
not plugged yet. But no guest starts without its taps, files and shares.
"""

from collections.abc import Iterable, Iterator

from twinplane.plan.resource import Key, Noun, Plug, Port, Redirect
from twinplane.plan.step import Phase, Step

_DEVICES = frozenset({Noun.BRIDGE, Noun.TAP, Noun.IFB})
_STARTS = frozenset({Phase.GUEST, Phase.RESUME})


def held_up(step: Step, failed: Step) -> bool:
    """Whether the step has to wait where another one, of an earlier phase or the same, failed: a later step
    of the same resource, or the start of a guest that lacks more than the place of a vNIC in its switch."""
    if step.key == failed.key:
        return True
    starts = step.phase in _STARTS and step.key.noun is Noun.DOMAIN
    return starts and failed.key.noun is not Noun.PORT and step.owner.elems[:2] == failed.owner.elems[:2]


def needs(step: Step, missing: Key) -> bool:
    """Whether the step is about something that is made of what stands under `missing`, where nothing of ours
    does: what is plugged into that device or queues on it, the share of that guest."""
    if missing.noun is Noun.DOMAIN:
        return step.key == Key(Noun.SCHEDULER, missing.name)
    if missing.noun not in _DEVICES:
        return False
    if step.key.noun is Noun.PORT and step.key.name == missing.name:
        return True
    if step.key.noun is Noun.QDISC and step.key.name.partition(" ")[0] == missing.name:
        return True
    match step.after:
        case Port(master=master) | Plug(master=master):
            return master == missing.name
        case Redirect(target=target):
            return target == missing.name
    return False


def dependents(steps: Iterable[Step], failed: Iterable[Step]) -> Iterator[tuple[Step, Step]]:
    """The steps that have to wait because others cannot be done, each with the one that it waits for, in
    order of phase; what waits for one that waits comes with it. The failed ones are not among them."""
    missing = list(failed)
    keys = {step.key for step in missing}
    for step in sorted(steps, key=lambda step: step.phase):
        if step.key in keys and step in missing:
            continue
        cause = next((other for other in missing if held_up(step, other) or needs(step, other.key)), None)
        if cause is not None:
            yield step, cause
            missing.append(step)
