"""The latest time that an agent worked at, kept in the state directory beside what the datastore says.

A clock that is earlier at the next start is wrong. Written at start, every ten minutes and at the end; only a
hint, so it may be missing or unreadable.
"""

import asyncio
import datetime
import logging
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from twinplane.clock import Clock
from twinplane.errors import StartError
from twinplane.state_dir import write_file

FILE = "last-time"
ACCEPTED = "clock-accepted"
SECOND = 1_000_000_000  # ns
INTERVAL = 600.0  # seconds between two writes
LATEST = (1 << 63) - 1 - 86400 * 365 * SECOND  # a year before the end of what timestamps can say (2262)

log = logging.getLogger(__name__)


def read(root: Path) -> int:
    """Nanoseconds since the epoch, whether a clock was accepted after it or not; 0 where it is not known."""
    try:
        text = (root / FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return 0
    return int(text) if text.isdecimal() and len(text) < 20 and int(text) <= LATEST else 0


def seen(root: Path, source: Callable[[], int] = time.time_ns) -> int:
    """The latest time that counts (ns): what a wrong clock left does not where the clock was accepted."""
    return _counting(root, source)(read(root))


def write(root: Path, instant: int) -> None:
    """Remember a time (ns since the epoch). Raises OSError."""
    write_file(root / FILE, f"{instant}\n".encode())


def moment(instant: int) -> datetime.datetime:
    """A time in ns since the epoch, to the second, aware (UTC)."""
    return datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC) + datetime.timedelta(seconds=instant // SECOND)


async def keep(root: Path, clock: Clock) -> None:
    """Write the time now, every while, and when cancelled."""
    while True:
        await asyncio.to_thread(_try_to_write, root, clock.now_ns())
        try:
            await asyncio.sleep(INTERVAL)
        except asyncio.CancelledError:
            _try_to_write(root, clock.now_ns())
            raise


def _try_to_write(root: Path, instant: int) -> None:
    try:
        write(root, instant)
    except OSError as error:
        log.warning("cannot write %s: %s", root / FILE, error.strerror)


def accept(root: Path, now: int, stored: int) -> str:
    """Have the next start go on from the clock as it is: times from where it was wrong are given up. `stored`
    is the time of the newest commit (ns). What to say to the operator.

    Raises:
        StartError: the clock is not behind anything, or it cannot be written.
    """
    beyond = [instant for instant in (read(root), stored) if instant > now]
    if not beyond:
        raise StartError("the clock is not behind the time that was given out; there is nothing to accept")
    try:
        write_file(root / ACCEPTED, f"{min(beyond)} {now}\n".encode())
    except OSError as error:
        raise StartError(f"cannot write {root / ACCEPTED}: {error.strerror}") from error
    return (
        f"from the next start of the agent on time goes on from {moment(now):%Y-%m-%d %H:%M:%S} (UTC); "
        f"commits and events from {moment(min(beyond)):%Y-%m-%d %H:%M} on keep the times that they have"
    )


def resumed(
    root: Path,
    source: Callable[[], int] = time.time_ns,
    monotonic: Callable[[], int] = time.monotonic_ns,
) -> Clock:
    """The clock of an agent on this state directory: after the last time that counts. An acceptance ends when
    the time comes that it was about: another wrong clock is to be accepted again."""
    clock = Clock(read(root), source, monotonic, _counting(root, source))
    accepted = _accepted(root)
    if accepted is not None and source() >= accepted[0]:
        with suppress(OSError):
            (root / ACCEPTED).unlink()
    return clock


def _counting(root: Path, source: Callable[[], int]) -> Callable[[int], int]:
    """What a stored time counts for. Once the time that was wrong has come what is stored is right again."""
    found = _accepted(root)
    if found is None or source() >= found[0]:
        return int
    wrong, accepted = found
    return lambda stored: accepted if stored >= wrong else stored


def _accepted(root: Path) -> tuple[int, int] | None:
    """From where on stored times are wrong, and the time at which that was accepted (ns)."""
    try:
        wrong, accepted = map(int, (root / ACCEPTED).read_text(encoding="ascii").split())
    except (OSError, ValueError):
        return None
    return (wrong, accepted) if 0 < accepted < wrong else None
