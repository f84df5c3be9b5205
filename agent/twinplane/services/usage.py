"""What each user takes of the agent, over all listeners and services: open streams, requests per second."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from twinplane.errors import Fault, RequestError, Violation
from twinplane_wire.path import ROOT


class Usage:
    """Counts by user name. Only who is authenticated is counted, so there are no more names than users.
    Whoever reads a large request holds `reading`."""

    def __init__(
        self,
        streams_per_user: int,
        requests_per_second: float,
        now: Callable[[], float] = time.monotonic,
        *,
        held_bytes: int = 64 << 20,
    ) -> None:
        """After a pause a user may make the requests of one second at once; `now` is in seconds."""
        self._most = streams_per_user
        self._rate = requests_per_second
        self._now = now
        self._held_bytes = held_bytes
        self._streams: Counter[str] = Counter()
        self._held: Counter[str] = Counter()
        self.reading = asyncio.Lock()
        self._left: dict[str, tuple[float, float]] = {}  # by user: requests that were left, and when

    def request(self, user: str) -> None:
        """A request of this user has come.

        Raises:
            RequestError: TOO_LARGE, that is one too many.
        """
        now = self._now()
        left, since = self._left.get(user, (self._rate, now))
        left = min(self._rate, left + (now - since) * self._rate)
        if left < 1:
            self._left[user] = left, now
            text = f"user {user} makes more than {self._rate:g} requests per second"
            raise _too_much(text, "make fewer, with more in each, or subscribe")
        self._left[user] = left - 1, now

    @contextmanager
    def holding(self, user: str, size: int) -> Iterator[None]:
        """Inside the block a request of so many bytes is worked on for the user.

        Raises:
            RequestError: TOO_LARGE, those that are worked on for him have too many together.
        """
        if self._held[user] and self._held[user] + size > self._held_bytes:
            text = f"requests of user {user} with {self._held[user]} bytes are being worked on"
            raise _too_much(text, "wait for their answers")
        self._held[user] += size
        try:
            yield
        finally:
            self._held[user] -= size

    @contextmanager
    def stream(self, user: str) -> Iterator[None]:
        """Inside the block the user has one stream more open.

        Raises:
            RequestError: TOO_LARGE, he has as many as he may.
        """
        if self._streams[user] >= self._most:
            raise _too_much(f"user {user} has {self._most} streams open", "end one, or ask for more in each")
        self._streams[user] += 1
        try:
            yield
        finally:
            self._streams[user] -= 1


def _too_much(text: str, remedy: str) -> RequestError:
    return RequestError(Violation(ROOT, Fault.TOO_LARGE, text, remedy))
