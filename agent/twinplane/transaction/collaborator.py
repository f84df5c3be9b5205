"""What the writer needs of other rooms. They conform without importing this; app.py hands them in."""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Protocol, TypeAlias

from twinplane.plan.resource import ForeignValue, HostDevice, Key, Resource
from twinplane.plan.step import Step
from twinplane.state.facts import Fact
from twinplane.transaction.notice import Notice
from twinplane.tree.diff import ObjectChange
from twinplane.tree.edit import Edit
from twinplane.tree.forest import Forest
from twinplane_wire.path import Path

Resources: TypeAlias = Mapping[Key, Resource]
Foreign: TypeAlias = Mapping[tuple[str, str], ForeignValue]

# Stage names, in order, for whoever measures a transaction; the product has no timing of its own.
Mark: TypeAlias = Callable[[str], None]

# Raises RequestError with every step that cannot work (an image whose file is missing or of another digest).
Precheck: TypeAlias = Callable[[Sequence[Step]], Awaitable[None]]

# The values that a host port's attributes have now, by name as in `ForeignValue`, and what the device is
# known again by (``ifindex``, ``address``); empty where it is absent.
ForeignReader: TypeAlias = Callable[[str], Awaitable[Mapping[str, int]]]

# All devices of the host, by what they are known again; raises DriverError.
DeviceReader: TypeAlias = Callable[[], Awaitable[Sequence[HostDevice]]]

# Empties trash/ and removes what finished steps leave behind (empty cgroup directories); raises DriverError.
Sweep: TypeAlias = Callable[[], Awaitable[None]]


class Model(Protocol):
    """Configuration trees and what they mean. All methods are pure; their cost follows the change."""

    def apply(self, running: Forest, edits: Sequence[Edit]) -> Forest:
        """The candidate; raises RequestError."""

    def judge(
        self, before: Forest, after: Forest, changes: Sequence[ObjectChange], *, revocable: bool = False
    ) -> None:
        """Schema, references, rules, admission; raises RequestError with all violations of a stage. With
        `revocable` nothing that is given up counts as free: the change may be taken back."""

    def resources(
        self, before: Forest, after: Forest, changes: Sequence[ObjectChange]
    ) -> tuple[Resources, Resources]:
        """What realises the objects that the change affects (those it touches, and those that depend on
        them), before and after."""

    def realised(self, forest: Forest, objects: Iterable[Path]) -> Resources:
        """What realises the objects at these paths; nothing, where they are not configured."""

    def related(self, forest: Forest, objects: Iterable[Path], among: Iterable[Path]) -> frozenset[Path]:
        """Those among some objects that refer to one of `objects`, or that one of these refers to."""

    def everything(self, forest: Forest) -> Resources:
        """What realises the whole configuration."""


class Plan(Protocol):
    """The ordered difference of two sets of resources."""

    @property
    def steps(self) -> tuple[Step, ...]:
        """In order of phase."""


class Planner(Protocol):
    """`plan.plan.plan`."""

    def __call__(self, before: Resources, after: Resources, foreign: Foreign) -> Plan:
        """The steps from one set of resources to another, whoever made them."""


class Occasions(Protocol):
    """Events that a commit causes beside its own."""

    def caused(self, steps: Iterable[Step], time: int) -> tuple[Notice, ...]:
        """What the steps before the commit point did that is worth an event; `time` is the commit's."""

    def stored(self, notices: Iterable[Notice]) -> None:
        """These are kept, with the commit."""


class NoOccasions:
    """Commits cause no events but their own."""

    def caused(self, steps: Iterable[Step], time: int) -> tuple[Notice, ...]:
        """None."""
        del steps, time
        return ()

    def stored(self, notices: Iterable[Notice]) -> None:
        """There are none."""


class Publisher(Protocol):
    """The way to the operational tree and its subscribers. Nothing here blocks or raises."""

    def hold(self, keys: frozenset[Key], owners: frozenset[Path]) -> None:
        """Hold back event facts on these objects until `release`: a transaction works on them."""

    def release(self) -> None:
        """What was held back follows, equal values dropped."""

    def committed(
        self,
        changes: Sequence[ObjectChange],
        facts: Sequence[Fact],
        time: int,
        revision: int,
        confirm: str = "",
        author: str = "",
    ) -> None:
        """A commit: the objects it changed and the facts read back, in one pass with the commit's time.
        `confirm` is the name of a commit that has to be confirmed, also where it is rolled back, and `author`
        whose it is."""

    async def publish(
        self,
        changes: Sequence[ObjectChange],
        facts: Sequence[Fact],
        time: int,
        revision: int,
        confirm: str = "",
        author: str = "",
    ) -> None:
        """As `committed`, with turns for others in between where there is much of it; none of it is seen
        before its end."""

    def observed(self, facts: Sequence[Fact]) -> None:
        """Facts without a commit: after an undo, a repair, a forced stop; alarms."""

    def failed(self, path: Path, reason: str | None) -> None:
        """The object at `path` could not be brought to its configuration (None: it could, now). After a
        delete it may be an object that is not configured any more."""
