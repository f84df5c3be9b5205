"""Copies of the database on a schedule; one that cannot be written is an alarm.

A copy is due where the newest is as old as the settings say and something was committed since. It is written
in a thread beside the writer, who does not notice (`transaction/copy.py`).
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from twinplane.settings import Copies as Schedule
from twinplane.state.raised import Raised
from twinplane.transaction import copy

log = logging.getLogger(__name__)

LOOK = 60.0  # seconds between two looks at whether one is due
HOUR = 3600
ALARM = "copy"


class Copies:
    """`serve` is one task; it writes into the folder beside the database and lets the oldest copies go."""

    def __init__(
        self,
        database: Path,
        schedule: Schedule,
        revision: Callable[[], int],
        raised: Raised,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`revision` is the number of the newest commit; `now` is in seconds, and no clock that is set."""
        self._database = database
        self._folder = database.with_name(copy.FOLDER)
        self._schedule = schedule
        self._revision = revision
        self._raised = raised
        self._now = now
        self._last: float | None = None  # when one was written; None: not since the start

    async def serve(self) -> None:
        """Write a copy whenever one is due, until cancelled."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Write a copy if one is due. What fails is alarmed, and tried again with the next look."""
        stopped = threading.Event()
        try:
            await asyncio.to_thread(self._write, stopped.is_set)
        except (copy.UnreadableError, OSError) as error:
            log.warning("no copy of the database could be written: %s", error)
            self._raised.set(
                ALARM, "COPY_FAILED", "MAJOR", f"no copy of the database could be written: {error}"
            )
        else:
            self._raised.clear(ALARM)
        finally:
            stopped.set()

    def _write(self, stopped: Callable[[], bool]) -> None:
        if self._is_due():
            written = copy.write(self._database, self._folder, stopped=stopped)
            copy.prune(self._folder, self._schedule.kept)
            self._last = self._now()
            log.info("wrote a copy of the database: %s", written.file)

    def _is_due(self) -> bool:
        newest = next((one for one in copy.listed(self._folder) if one.layout is None), None)
        revision = self._revision()
        if newest is None:
            return revision > 0
        if newest.revision == revision:
            return False
        if self._last is not None:
            return self._now() - self._last >= self._schedule.hours * HOUR
        # Without one of this run its name has to do; one from the future is older than a clock that was set.
        now = time.time()
        return not copy.stamp(now - self._schedule.hours * HOUR) < newest.stamp <= copy.stamp(now)
