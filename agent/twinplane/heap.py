"""Memory that a large request took is given back to the host: the C library keeps what is freed until it is
asked (malloc_trim(3))."""

import asyncio
import ctypes
import gc
from concurrent.futures import Executor

LARGE = 1 << 20  # bytes of a request from which on it is worth the while
LATER = 3.0  # seconds: what the request leaves in other hands (a commit that is stored) is free by then

_armed: set[asyncio.AbstractEventLoop] = set()


def give_back_later(size: int, executor: Executor | None = None) -> None:
    """After a request of so many bytes: trim the heap in a while, once for all that come until then."""
    loop = asyncio.get_running_loop()
    if size < LARGE or loop in _armed:
        return
    _armed.add(loop)

    def due() -> None:
        _armed.discard(loop)
        loop.run_in_executor(executor, _trim)

    loop.call_later(LATER, due)


def _trim() -> None:
    # What failed hangs on its exception, and that on its own frames: a cycle that holds the request, and that
    # the collector, which looks rarely (app.py), would find hours later. The young generations are enough.
    gc.collect(1)
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU C library alone has it
    if trim is not None:
        trim(0)
