"""What the two northbound faces submit to the one writer, and what they get back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, TypeAlias

from twinplane.errors import Violation
from twinplane.plan.step import Effect, Step
from twinplane.tree.diff import ObjectChange
from twinplane.tree.edit import Edit
from twinplane.tree.forest import Forest

if TYPE_CHECKING:
    from twinplane.transaction.datastore import Running

# Raises RequestError (DENIED) for a change that its author may not make.
Permit: TypeAlias = Callable[[Sequence[ObjectChange]], None]

# What is to be configured, made in the writer's turn of what is configured then; raises RequestError.
Transform: TypeAlias = Callable[["Running"], Forest]

ROLLBACK_SECONDS = 600.0
LONGEST_ROLLBACK = 2_592_000.0  # s, 30 days


class Act(Enum):
    """What a request does about a commit that has to be confirmed."""

    COMMIT = "commit"  # make the edits real, and undo them unless they are confirmed in time
    CONFIRM = "confirm"
    CANCEL = "cancel"
    EXTEND = "extend"  # let the time start anew


@dataclass(frozen=True, slots=True)
class Confirm:
    """The part of a request about a confirmed commit. `name` is its client's name for it, `seconds` how long
    COMMIT and EXTEND wait for the confirmation. `session` is the number of the one session that may decide
    about what COMMIT makes; 0: whoever knows the name."""

    act: Act
    name: str
    seconds: float = ROLLBACK_SECONDS
    session: int = 0


@dataclass(frozen=True, slots=True)
class Election:
    """Who claims to be the master of its role ("": the default one), by an unsigned number of 128 bits."""

    role: str
    number: int


def unrestricted(_: Sequence[ObjectChange]) -> None:
    """The permit of the agent itself."""


@dataclass(frozen=True, slots=True)
class Request:
    """One transaction. `author` is the user name, `source` the face ("gnmi", "repair", …), `peer` the
    client's address as the transport prints it. With `dry_run` the plan is made and nothing is changed.
    `permit` is asked about the whole difference that the edits make, what they delete implicitly included;
    a face has to hand in its caller's. `session` is the number of the author's session (0: none), `transform`
    stands in the place of edits, and nothing is done that disturbs more than `most_effect`. `annotation` is
    the text to keep with the whole configuration (None: as it is). What is `large` is judged and planned
    beside the event loop (aside.py)."""

    edits: tuple[Edit, ...]
    author: str
    source: str
    peer: str = ""
    comment: str = ""
    dry_run: bool = False
    confirm: Confirm | None = None
    election: Election | None = None
    permit: Permit = unrestricted
    session: int = 0
    transform: "Transform | None" = None
    most_effect: Effect = Effect.RECREATE
    annotation: str | None = None
    large: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: `revision` is the number of the newest commit, `timestamp` in ns since the
    epoch is the commit's time (or now, where nothing changed). `changes` are the objects that differ;
    `refused` is what the host's present state has against a plan that was only made."""

    revision: int
    timestamp: int
    changed: bool
    steps: tuple[Step, ...]
    changes: tuple[ObjectChange, ...] = ()
    refused: tuple[Violation, ...] = ()
