"""Host ports that appear or become free: who waits for one (a switch's port, a managed interface) gets it.

A port that is absent when it is configured is no error: it is WAITING. One that somebody else's bridge holds
at start, or that carries an address of the host, is left to them. Its arrival, or that they let go of it, is
a request to the writer, about who waits for it: what differs elsewhere is none of its business.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from twinplane.errors import DriverError, UnavailableError
from twinplane.state.collect import Feed
from twinplane.state.facts import Batch, LinkFact, LinkGone
from twinplane.transaction.transactor import Transactor
from twinplane_wire.path import Path

log = logging.getLogger(__name__)


class Arrivals:
    """Watches the links that pass by in a feed. `serve` asks the writer; one task runs it."""

    def __init__(self, waits_for: Callable[[str], frozenset[Path]]) -> None:
        """`waits_for` says which objects a device of that name is configured in as a host port."""
        self._waits_for = waits_for
        self._waiting: set[Path] = set()
        self._arrived = asyncio.Event()

    def watch(self, feed: Feed) -> Feed:
        """The same feed, looked at on its way."""
        return replace(feed, batches=lambda: self._watched(feed.batches()))

    async def serve(self, transactor: Transactor) -> None:
        """Have the writer bring the objects that waited to what is configured, each time a port of theirs has
        appeared."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            objects, self._waiting = frozenset(self._waiting), set()
            try:
                await transactor.repair(objects)
            except (DriverError, UnavailableError) as error:
                log.warning("a host port appeared and could not be taken: %s", error)
            except Exception:  # a fault of our own; the writer tries again
                log.exception("a host port appeared and could not be taken")

    async def _watched(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        started = False
        # By name: which device it is, and whether somebody else has it. Two that swapped their names between
        # two looks are both new under theirs.
        taken: dict[str, tuple[int, bool]] = {}
        ours: set[str] = set()
        names: dict[str, tuple[str, ...]] = {}  # all that a device goes by, by its primary one
        async for batch in batches:
            yield batch
            links = [fact for fact in batch.facts if isinstance(fact, LinkFact)]
            gone = {fact.name for fact in batch.facts if isinstance(fact, LinkGone)}
            gone |= {name for one in gone for name in names.pop(one, ())}
            for link in links:
                gone |= set(names.get(link.name, ())) - set(link.names)
                names[link.name] = link.names
            before = {name: one for name, one in taken.items() if name not in gone}
            ours |= {link.name for link in links if link.owner is not None}
            # One that is taken out of a switch of ours is drift, which is reported and left as it is.
            now = {
                name: (link.index, link.addressed or (link.master is not None and link.master not in ours))
                for link in links
                if link.owner is None
                for name in link.names
            }
            taken = now if batch.complete else before | now
            free = [name for name, one in now.items() if not one[1] and before.get(name) != one]
            # What was there at the start is the recovery's business.
            waiting = frozenset[Path]().union(*map(self._waits_for, free)) if started else frozenset[Path]()
            if waiting:
                self._waiting |= waiting
                self._arrived.set()
            started = True
