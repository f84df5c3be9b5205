"""One bulk poll for all who need polled leaves now."""

import asyncio


class Freshness:
    """Joins requests for a poll: whoever asks while one is under way shares it. Event loop only.

    `limit` (seconds) bounds how long anyone waits: a source that hangs delays nobody longer.
    """

    def __init__(self, limit: float = 0.5) -> None:
        self._limit = limit
        self._polled: float | None = None
        self._pending: asyncio.Future[None] | None = None
        self._wanted = asyncio.Event()

    def request(self, max_age: float) -> "asyncio.Future[None] | None":
        """None when the last poll is at most `max_age` seconds old; else a future that is done when the poll
        that serves this request is, or its limit has passed."""
        loop = asyncio.get_running_loop()
        if self._polled is not None and loop.time() - self._polled <= max_age:
            return None
        if self._pending is None:
            self._pending = loop.create_future()
            loop.call_later(self._limit, self._finish, self._pending)
            self._wanted.set()
        return self._pending

    async def fresh(self, max_age: float = 1.0) -> None:
        """Wait until polled leaves are at most `max_age` seconds old, or the limit has passed."""
        pending = self.request(max_age)
        if pending is not None:
            await asyncio.shield(pending)

    async def wanted(self) -> None:
        """Wait until somebody wants a poll (for whoever drives the sources)."""
        await self._wanted.wait()
        self._wanted.clear()

    def done(self) -> None:
        """A poll was made and what it read is in the tree."""
        self._polled = asyncio.get_running_loop().time()
        if self._pending is not None:
            self._finish(self._pending)

    def _finish(self, pending: "asyncio.Future[None]") -> None:
        if not pending.done():
            pending.set_result(None)
        if self._pending is pending:
            self._pending = None
