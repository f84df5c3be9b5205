"""The latest time that an agent worked at, kept in the state directory beside what the datastore says.

A clock that is earlier at the next start is wrong. Written at start, every ten minutes and at the end; only a
hint, so it may be missing or unreadable.
"""

import asyncio
import datetime
import logging
from pathlib import Path

from twinplane.clock import Clock
from twinplane.state_dir import write_file

FILE = "last-time"
SECOND = 1_000_000_000  # ns
INTERVAL = 600.0  # seconds between two writes

log = logging.getLogger(__name__)


def read(root: Path) -> int:
    """Nanoseconds since the epoch; 0 where it is not known."""
    try:
        text = (root / FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return int(text) if text.isdecimal() and len(text) < 20 else 0


def write(root: Path, time: int) -> None:
    """Remember a time (ns since the epoch). Raises OSError."""
    write_file(root / FILE, f"{time}\n".encode())


def moment(time: int) -> datetime.datetime:
    """A time in ns since the epoch, to the second, aware (UTC)."""
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=time // SECOND)


async def keep(root: Path, clock: Clock) -> None:
    """Write the time now, every while, and when cancelled."""
    while True:
        await asyncio.to_thread(_try_to_write, root, clock.now_ns())
        try:
            await asyncio.sleep(INTERVAL)
        except asyncio.CancelledError:
            _try_to_write(root, clock.now_ns())
            raise


def _try_to_write(root: Path, time: int) -> None:
    try:
        write(root, time)
    except OSError as error:
        log.warning("cannot write %s: %s", root / FILE, error.strerror)
