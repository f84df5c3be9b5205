"""Wall-clock time that never goes back.

Every timestamp the agent gives out comes from one `Clock`: larger than any it gave before, over clock steps
and (because each commit stores the last one) over restarts. Timers use the monotonic clock of the loop.
"""

import time
from collections.abc import Callable


class Clock:
    """Nanoseconds since the epoch, strictly increasing. Not thread-safe: used from the event loop only."""

    def __init__(self, last: int = 0, source: Callable[[], int] = time.time_ns) -> None:
        self._last = last
        self._source = source

    @property
    def last(self) -> int:
        """The newest timestamp given out."""
        return self._last

    def now_ns(self) -> int:
        """A timestamp larger than all before it."""
        self._last = max(self._source(), self._last + 1)
        return self._last

    def not_before(self, last: int) -> None:
        """Start after a timestamp that an earlier process gave out."""
        self._last = max(self._last, last)
