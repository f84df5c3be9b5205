"""What the two northbound faces submit to the one writer, and what they get back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import TypeAlias

from twinplane.plan.step import Step
from twinplane.tree.diff import ObjectChange
from twinplane.tree.edit import Edit

# Raises RequestError (DENIED) for a change that its author may not make.
Permit: TypeAlias = Callable[[Sequence[ObjectChange]], None]

ROLLBACK_SECONDS = 600.0


class Act(Enum):
    """What a request does about a commit that has to be confirmed."""

    COMMIT = "commit"  # make the edits real, and undo them unless they are confirmed in time
    CONFIRM = "confirm"
    CANCEL = "cancel"
    EXTEND = "extend"  # let the time start anew


@dataclass(frozen=True, slots=True)
class Confirm:
    """The part of a request about a confirmed commit. `name` is its client's name for it, `seconds` how long
    COMMIT and EXTEND wait for the confirmation."""

    act: Act
    name: str
    seconds: float = ROLLBACK_SECONDS


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
    a face has to hand in its caller's."""

    edits: tuple[Edit, ...]
    author: str
    source: str
    peer: str = ""
    comment: str = ""
    dry_run: bool = False
    confirm: Confirm | None = None
    election: Election | None = None
    permit: Permit = unrestricted


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: `revision` is the number of the newest commit, `timestamp` in ns since the
    epoch is the commit's time (or now, where nothing changed)."""

    revision: int
    timestamp: int
    changed: bool
    steps: tuple[Step, ...]
