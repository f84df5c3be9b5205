"""What the four RPCs work on, as they see it; app.py hands in what conforms."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from twinplane.schema.compile import Schemas
from twinplane.transaction.request import Outcome, Request
from twinplane.tree.node import Container
from twinplane_wire.path import Path


class Operational(Protocol):
    """The operational tree."""

    def root(self, origin: str = "") -> Container:
        """Configuration with defaults, and state, as one tree; never changed, safe to walk."""

    def stamp(self) -> int:
        """The time of reading the tree as it is now, in ns since the epoch."""

    async def fresh(self, prefixes: Iterable[Path]) -> None:
        """Poll what is polled and older than a second below these paths; bounded in time, never raises."""


class Transactor(Protocol):
    """The one writer."""

    @property
    def annotation(self) -> str:
        """The text that clients keep with the whole configuration; empty where they keep none."""

    async def submit(self, request: Request) -> Outcome:
        """Carry out a request, or raise an error of twinplane.errors. Cancelling the wait changes nothing."""


@dataclass(frozen=True, slots=True)
class Target:
    """The schemas, the operational tree and the writer."""

    schemas: Schemas
    operational: Operational
    transactor: Transactor
