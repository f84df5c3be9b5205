"""Wall-clock time that never goes back, and does not stand still either.

Every timestamp the agent gives out comes from one `Clock`: larger than any it gave before, over clock steps
and (because each commit stores the last one) over restarts. Where the wall clock was set back, time goes on
from the last given one at the pace of the monotonic clock, slowed by what adjtime(3) slews (0.5 ms per
second), until the two meet. A wall clock that is ahead is followed: a host without a battery starts in the
past, so a long way forward is what a right clock does. What a wrong one left behind is given up where an
administrator accepts the clock (`last_time.py`). Timers use the monotonic clock of the loop.
"""

import time
from collections.abc import Callable

SLEW = 2000  # one part in


class Clock:
    """Nanoseconds since the epoch, strictly increasing. Not thread-safe: used from the event loop only."""

    def __init__(
        self,
        last: int = 0,
        source: Callable[[], int] = time.time_ns,
        monotonic: Callable[[], int] | None = None,
        forget: Callable[[int], int] = int,
    ) -> None:
        """Start after `last`. With a `source` of one's own time stands still where that does, unless there is
        a `monotonic` too (ns). `forget` says what a stored time counts for (`last_time.resumed`)."""
        self._source = source
        self._monotonic = monotonic or (time.monotonic_ns if source is time.time_ns else lambda: 0)
        self._forget = forget
        self._last = forget(last)
        self._seen = self._monotonic()

    @property
    def last(self) -> int:
        """The newest timestamp given out."""
        return self._last

    @property
    def ahead(self) -> int:
        """By how many ns the time given out is ahead of the wall clock; 0 where both agree."""
        return max(0, self._paced(self._monotonic()) - self._source())

    def now_ns(self) -> int:
        """A timestamp larger than all before it."""
        monotonic = self._monotonic()
        self._last = max(self._source(), self._paced(monotonic), self._last + 1)
        self._seen = monotonic
        return self._last

    def not_before(self, last: int) -> None:
        """Start after a timestamp that an earlier process gave out."""
        last = self._forget(last)
        if last > self._last:
            self._last, self._seen = last, self._monotonic()

    def _paced(self, monotonic: int) -> int:
        passed = monotonic - self._seen
        return self._last + passed - passed // SLEW if self._last else 0
