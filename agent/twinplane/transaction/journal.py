"""The journal row: what a transaction is about to do, written before its first effect.

The row is not replayed. Recovery needs three things of it: whether the commit point was passed, under which
names something may stand that is not marked as ours yet, and which foreign values were taken.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from twinplane.plan.resource import ForeignValue, Key, Noun
from twinplane.plan.step import Step
from twinplane.tree.diff import ObjectChange
from twinplane.tree.node import Container
from twinplane_wire.path import ROOT, Path, parse


class Status(Enum):
    """PENDING: undone by recovery. COMMITTED: finished by recovery."""

    PENDING = "PENDING"
    COMMITTED = "COMMITTED"


@dataclass(frozen=True, slots=True)
class Entry:
    """The row. `number` is that of the commit it becomes; `steps` and the objects are for people to read."""

    number: int
    status: Status
    base: int
    objects: tuple[tuple[Path, str | None, str | None], ...]
    steps: tuple[str, ...]
    owners: Mapping[Key, Path]
    foreign: tuple[ForeignValue, ...]

    @property
    def names(self) -> frozenset[Key]:
        """What the steps touch."""
        return frozenset(self.owners)

    def committed(self) -> "Entry":
        """The same row after the commit point."""
        return replace(self, status=Status.COMMITTED)

    def body(self) -> bytes:
        """The row's text, without number and status."""
        return json.dumps(
            {
                "base": self.base,
                "objects": [
                    {"path": str(path), "before": before, "after": after}
                    for path, before, after in self.objects
                ],
                "steps": self.steps,
                "names": sorted([key.noun.value, key.name, str(owner)] for key, owner in self.owners.items()),
                "foreign": [[v.device, v.attribute, v.value, str(v.owner)] for v in self.foreign],
            }
        ).encode()

    @staticmethod
    def read(*, number: int, status: Status, body: bytes) -> "Entry":
        """The entry that `body` was written from."""
        row = json.loads(body)
        return Entry(
            number,
            status,
            row["base"],
            tuple((parse(item["path"]), item["before"], item["after"]) for item in row["objects"]),
            tuple(row["steps"]),
            {
                Key(Noun(noun), name): parse(owner[0]) if owner else ROOT
                for noun, name, *owner in row["names"]
            },
            tuple(
                ForeignValue(device, attribute, value, parse(owner))
                for device, attribute, value, owner in row["foreign"]
            ),
        )


def intent(
    *,
    number: int,
    base: int,
    changes: Iterable[ObjectChange],
    steps: Sequence[Step],
    foreign: Iterable[ForeignValue],
    encode: Callable[[Path, Container], bytes],
) -> Entry:
    """The PENDING row of a transaction."""

    def text(path: Path, node: Container | None) -> str | None:
        return None if node is None else encode(path, node).decode()

    return Entry(
        number=number,
        status=Status.PENDING,
        base=base,
        objects=tuple((c.path, text(c.path, c.before), text(c.path, c.after)) for c in changes),
        steps=tuple(printed(step) for step in steps),
        owners={step.key: step.owner for step in steps},
        foreign=tuple(foreign),
    )


def names(steps: Iterable[Step]) -> frozenset[Key]:
    """The keys of all resources that the steps touch."""
    return frozenset(step.key for step in steps)


def printed(step: Step) -> str:
    """One line for people: phase, act, noun and name."""
    return f"{step.phase.name} {step.act.value} {step.key}"
