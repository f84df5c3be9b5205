"""The journal row: what a transaction is about to do, written before its first effect.

The row is not replayed. Recovery needs three things of it: whether the commit point was passed, under which
names something may stand that is not marked as ours yet, and which foreign values were taken.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from twinplane.plan.resource import ForeignValue, Key, Noun
from twinplane.plan.step import Step
from twinplane.tree.diff import ObjectChange
from twinplane_wire.path import ROOT, Path, parse


class Status(Enum):
    """PENDING: undone by recovery. COMMITTED: finished by recovery."""

    PENDING = "PENDING"
    COMMITTED = "COMMITTED"


@dataclass(frozen=True, slots=True)
class Entry:
    """The row. `number` is that of the commit it becomes; `steps` and the objects (path, and what becomes of
    it) are for people to read. What they hold is in the commit, and in nothing that is written before it."""

    number: int
    status: Status
    base: int
    objects: tuple[tuple[Path, str], ...]
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
                "objects": [{"path": str(path), "act": act} for path, act in self.objects],
                "steps": self.steps,
                "names": sorted([key.noun.value, key.name, str(owner)] for key, owner in self.owners.items()),
                "foreign": [
                    [v.device, v.attribute, v.value, str(v.owner), v.ifindex, v.address] for v in self.foreign
                ],
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
            # A program of before kept the whole object, as it was and as it becomes.
            tuple((parse(item["path"]), item.get("act", "change")) for item in row["objects"]),
            tuple(row["steps"]),
            {
                Key(Noun(noun), name): parse(owner[0]) if owner else ROOT
                for noun, name, *owner in row["names"]
            },
            tuple(
                ForeignValue(device, attribute, value, parse(owner), *where)
                for device, attribute, value, owner, *where in row["foreign"]
            ),
        )


def intent(
    *,
    number: int,
    base: int,
    changes: Iterable[ObjectChange],
    steps: Sequence[Step],
    foreign: Iterable[ForeignValue],
) -> Entry:
    """The PENDING row of a transaction."""
    return Entry(
        number=number,
        status=Status.PENDING,
        base=base,
        objects=tuple((change.path, _act(change)) for change in changes),
        steps=tuple(printed(step) for step in steps),
        owners={step.key: step.owner for step in steps},
        foreign=tuple(foreign),
    )


def _act(change: ObjectChange) -> str:
    return "delete" if change.after is None else "create" if change.before is None else "change"


def names(steps: Iterable[Step]) -> frozenset[Key]:
    """The keys of all resources that the steps touch."""
    return frozenset(step.key for step in steps)


def printed(step: Step) -> str:
    """One line for people: phase, act, noun and name."""
    return f"{step.phase.name} {step.act.value} {step.key}"
