"""Host ports that appear: whoever waits for one (a switch's port, a managed interface) gets it.

A port that is absent when it is configured is no error: it is WAITING. Its arrival is a request to the
writer.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import replace

from twinplane.errors import DriverError, UnavailableError
from twinplane.state.collect import Feed
from twinplane.state.facts import Batch, LinkFact, LinkGone
from twinplane.transaction.transactor import Transactor

log = logging.getLogger(__name__)


class Arrivals:
    """Watches the links that pass by in a feed. `serve` asks the writer; one task runs it."""

    def __init__(self, is_wanted: Callable[[str], bool]) -> None:
        """`is_wanted` tells whether a device of that name is configured as a host port."""
        self._is_wanted = is_wanted
        self._arrived = asyncio.Event()

    def watch(self, feed: Feed) -> Feed:
        """The same feed, looked at on its way."""
        return replace(feed, batches=lambda: self._watched(feed.batches()))

    async def serve(self, transactor: Transactor) -> None:
        """Have the writer bring the host to what is configured, each time a wanted port has appeared."""
        while True:
            await self._arrived.wait()
            self._arrived.clear()
            try:
                await transactor.repair()
            except (DriverError, UnavailableError) as error:
                log.warning("a host port appeared and could not be taken: %s", error)
            except Exception:  # a fault of our own; the writer tries again
                log.exception("a host port appeared and could not be taken")

    async def _watched(self, batches: AsyncIterator[Batch]) -> AsyncIterator[Batch]:
        present: set[str] | None = None
        async for batch in batches:
            yield batch
            links = {fact.name for fact in batch.facts if isinstance(fact, LinkFact) and fact.owner is None}
            if present is None:
                present = links  # what was there at the start is the recovery's business
                continue
            new = links - present
            gone = {fact.name for fact in batch.facts if isinstance(fact, LinkGone)}
            present = links if batch.complete else (present | links) - gone
            if any(self._is_wanted(name) for name in new):
                self._arrived.set()
