"""Network namespaces for tests: each lives in a thread of its own and vanishes with it."""

import asyncio
import ctypes
import functools
import os
import queue
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import Future
from typing import Any

_CLONE_NEWNET = 0x40000000
_LIMIT = 60.0


def _unshare() -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare: the kernel tier needs root")


class Namespace:
    """A namespace in which functions can be run; use as a context manager."""

    def __enter__(self) -> "Namespace":
        self._work: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.descriptor = self.run(lambda: os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC))
        return self

    def __exit__(self, *_: object) -> None:
        os.close(self.descriptor)
        self._work.put(None)
        self._thread.join(10)

    def start(self, function: Callable[[], Any]) -> Future[Any]:
        """Run a function in the namespace; the answer comes later."""
        future: Future[Any] = Future()
        self._work.put((future, function))
        return future

    def run(self, function: Callable[[], Any]) -> Any:
        """Run a function in the namespace and wait for what it returns or raises."""
        return self.start(function).result(_LIMIT)

    def _serve(self) -> None:
        _unshare()
        while (item := self._work.get()) is not None:
            future, function = item
            try:
                future.set_result(function())
            except BaseException as error:  # handed to the waiting test, whatever it is
                future.set_exception(error)


def isolated(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an asynchronous test in a fresh network namespace and event loop."""

    @functools.wraps(test)
    def wrapper(*args: Any, **kwargs: Any) -> None:
        async def limited() -> None:
            async with asyncio.timeout(_LIMIT):
                await test(*args, **kwargs)

        with Namespace() as namespace:
            namespace.run(lambda: asyncio.run(limited()))

    return wrapper
