"""What the methods work on, as they see it; app.py hands in what conforms."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from twinplane.schema.compile import Schemas
from twinplane.session.registry import Session, Sessions
from twinplane.share.ledger import Account
from twinplane.transaction.datastore import Datastore, Running
from twinplane.transaction.demand import Demand, Report
from twinplane.transaction.history import History
from twinplane.transaction.request import Outcome, Request
from twinplane.tree.diff import ObjectChange
from twinplane.tree.edit import Edit
from twinplane.tree.forest import Forest
from twinplane.tree.node import Container
from twinplane_wire.path import Path


class Operational(Protocol):
    """The operational tree."""

    def root(self, origin: str = "") -> Container:
        """Configuration with defaults, and state, as one tree; never changed, safe to walk."""

    async def fresh(self, prefixes: Iterable[Path]) -> None:
        """Poll what is polled and older than a second below these paths; bounded in time, never raises."""


class Writer(Protocol):
    """The one writer."""

    @property
    def running(self) -> Running:
        """What is configured now."""

    @property
    def waiting(self) -> str:
        """The name of the commit that waits for its confirmation; empty where none does."""

    @property
    def waiting_author(self) -> str:
        """Whose commit waits for its confirmation; empty where none does."""

    async def submit(self, request: Request) -> Outcome:
        """Carry out a request, or raise an error of twinplane.errors. Cancelling the wait changes nothing."""

    async def reconcile(self, demand: Demand) -> Report:
        """Bring the host to what is configured, or raise an error of twinplane.errors."""

    def abandon(self, request: Request) -> None:
        """Take the commit that the request cancels back, whatever is in the way; nobody waits for it."""


class Model(Protocol):
    """What configuration trees mean; pure."""

    def apply(self, running: Forest, edits: Sequence[Edit]) -> Forest:
        """The trees after the edits; raises RequestError."""

    def difference(self, before: Forest, after: Forest) -> tuple[Edit, ...]:
        """The edits that make one configuration of another."""

    def judge(self, before: Forest, after: Forest, changes: Sequence[ObjectChange]) -> None:
        """Raises RequestError with every violation of the earliest stage that finds one."""

    def capacity(self, forest: Forest) -> Mapping[str, Account]:
        """The accounts of the host by resource, were this its configuration."""


@dataclass(frozen=True, slots=True)
class Target:
    """The schemas, the operational tree, the writer, its history and events, the models, and who works
    with them."""

    schemas: Schemas
    operational: Operational
    transactor: Writer
    history: History
    store: Datastore
    model: Model
    sessions: Sessions

    def session(self, number: int, user: str) -> Session | None:
        """The session that a call carries (0: none), whose linger time starts anew.

        Raises:
            RequestError: NO_DATA, DENIED.
        """
        return self.sessions.use(number, user) if number else None
