"""The step: one resource before and after, in a phase, with the class of its effect."""

from dataclasses import dataclass, replace
from enum import Enum, IntEnum

from twinplane.plan.resource import Domain, Key, Resource, Run
from twinplane_wire.path import Path


class Phase(IntEnum):
    """The order of a plan. Steps of one phase do not depend on each other; undo runs the phases backwards.

    Everything before FINAL can be undone: something is made, an attribute is set, or something is put aside.
    Deleting a device, a domain or a file and every request to a guest is FINAL, after the commit point.
    """

    FILE = 1  # digests, image copies, seeds
    ASIDE = 2  # guest paused, port unplugged, file renamed into trash/
    DEVICE = 3  # bridges, taps, IFBs: made, marked, down
    TRAFFIC = 4  # ingress qdiscs, filters, IFB queues
    PLUG = 5  # master, MTU, up
    GUEST = 6  # domain defined, started paused
    LIVE = 7  # scheduler, root qdiscs of taps (libvirt replaces them at each start), rates
    RESUME = 8  # guest runs
    FINAL = 9


class Effect(IntEnum):
    """What a step does to a running appliance; ordered by how much it disturbs."""

    NONE = 0
    LIVE = 1
    LINK_FLAP = 2
    GUEST_REBOOT = 3
    RECREATE = 4


class Act(Enum):
    """What kind of change a step is; printed in front of it."""

    CREATE = "create"
    CHANGE = "change"
    DELETE = "delete"


@dataclass(frozen=True, slots=True)
class Step:
    """Bring the resource `key` from `before` to `after` (None: absent). Owned by the model path `owner`."""

    phase: Phase
    key: Key
    owner: Path
    before: Resource | None
    after: Resource | None
    effect: Effect = Effect.NONE

    @property
    def act(self) -> Act:
        """Create, change or delete."""
        if self.before is None:
            return Act.CREATE
        return Act.DELETE if self.after is None else Act.CHANGE

    @property
    def disturbance(self) -> Effect:
        """What becomes of a running appliance by this step. `effect` is what happens to it on the way to
        something else; to end it because that is wanted disturbs just as much."""
        before, after = self.before, self.after
        if not isinstance(before, Domain) or before.run is Run.STOPPED:
            return self.effect
        if after is None:
            return Effect.RECREATE
        stops = isinstance(after, Domain) and after.run is Run.STOPPED
        return max(self.effect, Effect.GUEST_REBOOT) if stops else self.effect

    def inverse(self) -> "Step":
        """The step that undoes this one: before and after swapped."""
        return replace(self, before=self.after, after=self.before)
