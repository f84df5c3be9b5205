"""What a client asks for, resolved: absolute paths, nanoseconds, no wire types."""

from dataclasses import dataclass
from enum import Enum
from typing import Protocol

from twinplane.errors import Fault, RequestError, Violation
from twinplane.state.change import Change
from twinplane.subscribe.encode import Encoding
from twinplane.tree.node import Container
from twinplane_wire.path import Path

SECOND = 1_000_000_000


class Mode(Enum):
    """How one path of a STREAM is served (gNMI 3.5.1.5.2). With TARGET_DEFINED what events announce is sent
    when it changes, and what has to be polled (counters) is sampled at the target's own pace."""

    TARGET_DEFINED = 0
    ON_CHANGE = 1
    SAMPLE = 2


@dataclass(frozen=True, slots=True)
class Subscription:
    """One path of a subscription list.

    `path` is absolute (prefix already joined) with bare names; an element or a key value may be ``*``, all
    keys of a list may be left out (all entries) and an element may be ``...`` (any number of levels).
    Intervals are in nanoseconds, 0 means unset: for `sample_interval` the fastest that is offered.
    """

    path: Path
    mode: Mode = Mode.TARGET_DEFINED
    sample_interval: int = 0
    heartbeat_interval: int = 0
    suppress_redundant: bool = False


class View(Protocol):
    """What a reader sees. Two views are equal only if they show the same, which is then made once for all."""

    def tree(self, origin: str, root: Container) -> Container:
        """What is seen of the tree of one origin; of the same tree the same."""

    def change(self, change: Change, root: Container) -> Change | None:
        """What is seen of a change that led to a tree; None where that is nothing."""


@dataclass(frozen=True, slots=True)
class SubscriptionList:
    """What a stream serves: its subscriptions, the encoding of values, whether initial values are left out,
    whether the end of each commit is told, and what its reader sees of the trees (None: everything)."""

    subscriptions: tuple[Subscription, ...]
    encoding: Encoding
    updates_only: bool = False
    commits: bool = False
    view: View | None = None


def check(subscriptions: tuple[Subscription, ...], minimum: int) -> None:
    """Refuse intervals below `minimum` (nanoseconds) and a sample interval where none is sampled.

    Raises:
        RequestError: names every subscription that cannot be served (gNMI 3.5.1.5.2: the interval is not
            clamped; an interval with TARGET_DEFINED is an error since the text of 2026).
    """
    violations: list[Violation] = []
    for entry in subscriptions:
        if entry.mode is Mode.SAMPLE and 0 < entry.sample_interval < minimum:
            violations.append(_interval(entry, "sample_interval", entry.sample_interval, minimum))
        if 0 < entry.heartbeat_interval < minimum:
            violations.append(_interval(entry, "heartbeat_interval", entry.heartbeat_interval, minimum))
        if entry.mode is Mode.TARGET_DEFINED and entry.sample_interval:
            violations.append(
                Violation(
                    entry.path,
                    Fault.VALUE,
                    "sample_interval is given but the mode is TARGET_DEFINED",
                    "ask for mode SAMPLE, or leave the interval out",
                )
            )
    if violations:
        raise RequestError(*sorted(violations, key=lambda violation: violation.path))


def _interval(entry: Subscription, name: str, value: int, minimum: int) -> Violation:
    return Violation(
        entry.path,
        Fault.VALUE,
        f"{name} {value} ns is below the minimum of {minimum} ns",
        f"ask for {minimum} ns or more",
    )
