"""The exceptions of the agent, one tree.

::

    TwinplaneError
    ├── RequestError     the caller's fault: path, value, rule, state; carries every violation found
    ├── ApplyError       a step of a plan failed; says which, and whether the host is as it was
    ├── DriverError      one object could not be brought to what is wanted (raised by drivers)
    ├── DegradedError    what an undo left over is in the way; names it
    ├── UnavailableError starting, stopping or recovering: the same request may succeed later
    └── StartError       the agent cannot start; one line that says what and the remedy

Inner rooms raise these; only `services/status.py` knows which status code each becomes.
"""

from dataclasses import dataclass, field, replace
from enum import Enum

from twinplane_wire.path import Path

MOST_VIOLATIONS = 100  # of one refusal: whoever looks for them stops at one more


class Fault(Enum):
    """What is wrong with one path of a request. Each has one canonical status code (services/status.py)."""

    SYNTAX = "syntax"  # malformed path, key misuse, wildcard where none is allowed
    UNKNOWN_PATH = "unknown-path"  # no loaded module defines it (reads and deletes)
    UNKNOWN_TARGET = "unknown-target"  # the same, for a write that names it (gNMI 3.4.7: NOT_FOUND)
    NO_DATA = "no-data"  # valid path, nothing there
    DATA_EXISTS = "data-exists"  # valid path, something is there already
    NOT_SERVED = "not-served"  # origin, encoding, extension or deviated node
    READ_ONLY = "read-only"  # a config-false node, or a row that another path owns
    VALUE = "value"  # type, range, pattern, unknown member, null
    CONSTRAINT = "constraint"  # mandatory, must, unique, choice
    REFERENCE = "reference"  # a reference to nothing, or something still referred to
    CAPACITY = "capacity"  # admission: does not fit the host
    STATE = "state"  # the thing is in a state that forbids the change
    EXISTS = "exists"  # a kernel object of that name belongs to somebody else
    CAPABILITY = "capability"  # this host cannot do it
    DENIED = "denied"  # authenticated, not allowed
    UNAUTHENTICATED = "unauthenticated"
    TOO_LARGE = "too-large"
    LOCKED = "locked"  # somebody else holds it
    CONFLICT = "conflict"  # the expected revision is not the newest


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong: where, what kind, the constraint it breaks, and what to do about it.

    `operation` is the index of the offending operation within its request, counted in application order
    (delete, replace, update), or None where a violation concerns the result as a whole. `app_tag` is that of
    RFC 7950 section 15, or the module's own.
    """

    path: Path
    fault: Fault
    constraint: str
    remedy: str = ""
    operation: int | None = None
    app_tag: str = field(default="", compare=False)

    def __str__(self) -> str:
        return f"{self.path}: {self.constraint}" + (f" ({self.remedy})" if self.remedy else "")


class TwinplaneError(Exception):
    """Base of all exceptions of the agent."""


class RequestError(TwinplaneError):
    """The request cannot be served; nothing was changed. Violations are in path order, never empty; in the
    place of those after the first hundred stands one that says so. `found` is how many there were: whoever
    looks for them stops early, so there may be more than these."""

    def __init__(self, *violations: Violation) -> None:
        self.found = len(violations)
        if len(violations) > MOST_VIOLATIONS:
            rest = violations[MOST_VIOLATIONS]
            text = f"more than {MOST_VIOLATIONS} things are wrong; the others are not listed"
            violations = (*violations[:MOST_VIOLATIONS], replace(rest, constraint=text, remedy="mend these"))
        super().__init__("; ".join(str(violation) for violation in violations))
        self.violations = violations


class DriverError(TwinplaneError):
    """An object could not be brought to the wanted state.

    `unknown` says that a call outlived its deadline: the object may still change (design: calls that cannot
    be cancelled); `remedy` tells an operator what would help.
    """

    def __init__(self, message: str, *, unknown: bool = False, remedy: str = "") -> None:
        super().__init__(message)
        self.unknown = unknown
        self.remedy = remedy


class ApplyError(TwinplaneError):
    """A step failed. `undone` is True when the host is as it was; else `left` names what is not. `retry` says
    whether the caller may be told to try the same again."""

    def __init__(
        self, path: Path, step: str, cause: str, *, undone: bool, left: tuple[str, ...] = ()
    ) -> None:
        ending = "everything was undone" if undone else f"undo failed, left: {', '.join(left)}"
        super().__init__(f"{path}: {step}: {cause}; {ending}")
        self.path = path
        self.step = step
        self.cause = cause
        self.undone = undone
        self.left = left
        self.retry = True


class DegradedError(TwinplaneError):
    """An earlier undo failed, and what it left over is in the way: of `objects`, or (without any) of every
    write, because it cannot be written down."""

    def __init__(self, left: tuple[str, ...], objects: tuple[Path, ...] = ()) -> None:
        named = ", ".join(map(str, objects))
        where = f"an earlier change of {named} could not be undone" if objects else "the host is degraded"
        remedy = "it is tried again; delete the object, or repeat the request when its alarm is cleared"
        super().__init__(f"{where}, left over: {', '.join(left)}; {remedy if objects else 'see the alarms'}")
        self.left = left
        self.objects = objects


class UnavailableError(TwinplaneError):
    """Not now: starting, recovering or shutting down."""


class StartError(TwinplaneError):
    """The agent cannot start. The message is one line: what is wrong and the remedy."""
