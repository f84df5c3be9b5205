"""Long pure work beside the event loop: one thread, so that others have their turn while it goes on.

Python runs one thread at a time; what is gained is that the interpreter changes between them every
millisecond, where work on the loop would hold it until the end. Short work is quicker where it is.
"""

import asyncio
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import TypeVar

T = TypeVar("T")

LARGE = 16 * 1024  # bytes of a request from which on its work is done aside
TURN = 0.001  # seconds until another thread may go on (sys.setswitchinterval); the default is five times that

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
