"""What happens to appliances becomes events. What a commit does to them is stored with it; everything else is
seen in the operational tree and stored on its own."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any, Protocol

from twinplane.errors import UnavailableError
from twinplane.plan.resource import Domain
from twinplane.plan.step import Step
from twinplane.state.change import Change
from twinplane.transaction.notice import APPLIANCE_STATE, Notice
from twinplane.tree.node import Container, Entries
from twinplane.tree.query import entries, get
from twinplane_wire.path import ROOT, Path

APPLIANCES = ("appliances", "appliance")

log = logging.getLogger(__name__)


class Tree(Protocol):
    """The operational tree."""

    def root(self, origin: str = "") -> Container:
        """The tree of an origin."""


class Store(Protocol):
    """Where events are kept."""

    async def note(self, notices: Iterable[Notice]) -> None:
        """Keep them; raises UnavailableError."""


class Occurrences:
    """Compares the state of each appliance that changed with the one it had. What is there when it begins is
    no event. `serve` is one task, for as long as the agent lives."""

    def __init__(self, tree: Tree, store: Store) -> None:
        self._tree = tree
        self._store = store
        self._known: dict[Path, str] | None = None
        self._found: asyncio.Queue[Notice] = asyncio.Queue()

    def begin(self) -> None:
        """From now on what changes is told."""
        listed = get(self._tree.root(), ROOT.child("appliances").child("appliance"))
        found = (
            entries(listed, ROOT.child("appliances").child("appliance"))
            if isinstance(listed, Entries)
            else ()
        )
        self._known = {path: status for path, entry in found if (status := _status(entry))}

    def caused(self, steps: Iterable[Step], time: int) -> tuple[Notice, ...]:
        """The events of a commit at a time in ns since the epoch: what its steps did to guests so far."""
        if self._known is None:
            return ()
        runs = {
            Path(step.owner.elems[:2], step.owner.origin): step.after.run
            for step in steps
            if isinstance(step.after, Domain)
        }
        return tuple(
            _told(path, time, self._known.get(path, ""), run.name)
            for path, run in runs.items()
            if self._known.get(path) != run.name
        )

    def stored(self, notices: Iterable[Notice]) -> None:
        """These events of a commit are kept: the state that they tell of is no news."""
        for notice in notices:
            if self._known is not None:
                self._known[notice.path] = notice.body["after"]

    def saw(self, changes: Iterable[Change]) -> None:
        """One pass of the operational tree."""
        if self._known is None:
            return
        for change in changes:
            path = change.object
            if path.origin or tuple([elem.name for elem in path.elems]) != APPLIANCES:
                continue
            entry = get(self._tree.root(), path)
            before, after = self._known.get(path, ""), _status(entry)
            if before == after:
                continue
            self._found.put_nowait(_event(path, change.time, before, after, entry))
            if after:
                self._known[path] = after
            else:
                del self._known[path]

    async def serve(self) -> None:
        """Store what was seen, in order."""
        while True:
            events = [await self._found.get()]
            while not self._found.empty():
                events.append(self._found.get_nowait())
            try:
                await self._store.note(events)
            except UnavailableError as error:
                log.warning("%d events are lost: %s", len(events), error)


def _status(entry: object) -> str:
    state = entry.get("state") if isinstance(entry, Container) else None
    status = state.get("oper-status") if isinstance(state, Container) else None
    return status if isinstance(status, str) else ""


def _told(path: Path, time: int, before: str, after: str, reason: str = "") -> Notice:
    body: dict[str, Any] = {"name": dict(path.elems[-1].keys)["name"]}
    told = {"before": before, "after": after, "reason": reason}
    return Notice(APPLIANCE_STATE, time, path, body | {name: text for name, text in told.items() if text})


def _event(path: Path, time: int, before: str, after: str, entry: object) -> Notice:
    state = entry.get("state") if isinstance(entry, Container) else None
    reason = state.get("oper-reason") if isinstance(state, Container) else None
    return _told(path, time, before, after, reason if isinstance(reason, str) else "")
