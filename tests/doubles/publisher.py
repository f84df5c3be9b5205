"""A publisher that writes down what it was told."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from twinplane.plan.resource import Key
from twinplane.state.facts import AlarmFact, Fact
from twinplane.tree.diff import ObjectChange
from twinplane_wire.path import Path


@dataclass
class RecordingPublisher:
    """`events` in order, `confirms` the name of each commit that had to be confirmed (or ""); `alarms` those
    raised now, by id; `broken` the objects that failed."""

    events: list[tuple[object, ...]] = field(default_factory=list)
    alarms: dict[str, AlarmFact] = field(default_factory=dict)
    broken: dict[Path, str] = field(default_factory=dict)
    confirms: list[str] = field(default_factory=list)
    held: bool = False

    def hold(self, keys: frozenset[Key], owners: frozenset[Path]) -> None:
        self.held = True
        self.events.append(("hold", keys))

    def release(self) -> None:
        self.held = False
        self.events.append(("release",))

    def committed(
        self,
        changes: Sequence[ObjectChange],
        facts: Sequence[Fact],
        time: int,
        revision: int,
        confirm: str = "",
        author: str = "",
    ) -> None:
        self.confirms.append(confirm)
        self.events.append(("committed", tuple(changes), tuple(facts), time, revision))

    async def publish(self, *what: Any, **more: Any) -> None:
        self.committed(*what, **more)

    def observed(self, facts: Sequence[Fact]) -> None:
        for fact in facts:
            if isinstance(fact, AlarmFact):
                if fact.cleared:
                    del self.alarms[fact.id]
                else:
                    self.alarms[fact.id] = fact
        self.events.append(("observed", tuple(facts)))

    def failed(self, path: Path, reason: str | None) -> None:
        if reason is None:
            self.broken.pop(path, None)
        else:
            self.broken[path] = reason
        self.events.append(("failed", path, reason))
