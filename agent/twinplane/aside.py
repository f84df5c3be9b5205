"""Long work that holds up nobody: pure work beside the event loop, in one thread, and work on the loop in
slices with a turn for all others in between.

Python runs one thread at a time; what is gained is that the interpreter changes between them every
millisecond, where work on the loop would hold it until the end. Short work is quicker where it is.
"""

import asyncio
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

S = TypeVar("S")
T = TypeVar("T")

LARGE = 16 * 1024  # bytes of a request from which on its work is done aside
MANY = 100  # objects, resources or steps from which on work with them is done aside
TURN = 0.001  # seconds until another thread may go on (sys.setswitchinterval); the default is five times that
SLICE = 0.005  # seconds of work on the loop after which all others have their turn

_workers = ThreadPoolExecutor(1, thread_name_prefix="aside")
_wanted: ContextVar[threading.Event | None] = ContextVar("wanted", default=None)


class AbandonedError(Exception):
    """Nobody waits for the work any more."""


async def aside(work: Callable[[], T], *, large: bool = True) -> T:
    """What `work` returns or raises; done on the loop where it is not `large`, else in the thread, one after
    the other. When the caller is cancelled, work that has not begun never does, and the rest ends at its next
    `check_wanted`."""
    if not large:
        return work()
    if sys.getswitchinterval() > TURN:
        sys.setswitchinterval(TURN)
    abandoned = threading.Event()

    def run() -> T:
        token = _wanted.set(abandoned)
        try:
            return work()
        finally:
            _wanted.reset(token)

    try:
        return await asyncio.get_running_loop().run_in_executor(_workers, run)
    except asyncio.CancelledError:
        abandoned.set()
        raise


def check_wanted() -> None:
    """End work that nobody waits for any more. Raises AbandonedError; does nothing on the loop."""
    abandoned = _wanted.get()
    if abandoned is not None and abandoned.is_set():
        raise AbandonedError


class Slices:
    """One piece of long work on the loop, done by one task or by several. Times in seconds."""

    def __init__(self, length: float = SLICE, now: Callable[[], float] = time.perf_counter) -> None:
        self._length = length
        self._now = now
        self._end = now() + length
        self._due = False

    @property
    def over(self) -> bool:
        """Whether it is the others' turn."""
        return self._now() >= self._end

    async def turn(self) -> None:
        """Let all others have theirs, if the slice is over; all tasks of the work share one slice."""
        if not self.over:
            return
        if not self._due:
            self._due = True
            asyncio.get_running_loop().call_soon(self._begin)
        await asyncio.sleep(0)

    def _begin(self) -> None:
        self._due = False
        self._end = self._now() + self._length


async def together(
    work: Callable[[S], Awaitable[T]], items: Sequence[S], width: int, slices: Slices | None = None
) -> list[T]:
    """What `work` returns for each item, in their order: at most `width` side by side, in slices. Raises what
    one of them raises; what has not begun then never does."""
    if len(items) == 1:
        return [await work(items[0])]
    slices = slices or Slices()
    left = iter(range(len(items)))
    made: dict[int, T] = {}

    async def worker() -> None:
        for number in left:
            try:
                made[number] = await work(items[number])
            except BaseException:
                for _ in left:
                    pass
                raise
            await slices.turn()

    await asyncio.gather(*(worker() for _ in range(min(width, len(items)))))
    return [made[number] for number in range(len(items))]
