"""What the two northbound faces submit to the one writer, and what they get back."""

from dataclasses import dataclass

from twinplane.plan.step import Step
from twinplane.tree.edit import Edit


@dataclass(frozen=True, slots=True)
class Request:
    """One transaction. `author` is the user name, `source` the face ("gnmi", "repair", …), `peer` the
    client's address as the transport prints it. With `dry_run` the plan is made and nothing is changed."""

    edits: tuple[Edit, ...]
    author: str
    source: str
    peer: str = ""
    comment: str = ""
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a request: `revision` is the number of the newest commit, `timestamp` in ns since the
    epoch is the commit's time (or now, where nothing changed)."""

    revision: int
    timestamp: int
    changed: bool
    steps: tuple[Step, ...]
