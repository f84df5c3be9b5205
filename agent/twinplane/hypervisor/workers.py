"""A bounded set of threads for calls that may never return.

The interpreter waits at its end for the threads of `concurrent.futures`; a libvirt call that hangs would then
keep the agent from ending. These threads do not count.
"""

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any, TypeVar

Result = TypeVar("Result")
_Work = tuple["Future[Any]", Callable[[], Any]]


class Workers:
    """Runs functions in at most `limit` threads, in the order they are handed over."""

    def __init__(self, limit: int, name: str) -> None:
        self._limit = limit
        self._name = name
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._threads = 0
        self._open = 0  # handed over and not answered
        self._lock = threading.Lock()

    def submit(self, function: Callable[[], Result]) -> "Future[Result]":
        """Run a function in a thread; its answer or error comes in the future."""
        future: Future[Result] = Future()
        with self._lock:
            self._open += 1
            if self._threads < min(self._open, self._limit):
                self._threads += 1
                name = f"{self._name}-{self._threads}"
                threading.Thread(target=self._serve, name=name, daemon=True).start()
        self._work.put((future, function))
        return future

    def dismiss(self) -> None:
        """End the threads as soon as each is free."""
        with self._lock:
            for _ in range(self._threads):
                self._work.put(None)
            self._threads = 0

    def _serve(self) -> None:
        while True:
            work = self._work.get()
            if work is None:
                return
            _run(*work)
            del work  # what a future holds must not live until the next one comes
            with self._lock:
                self._open -= 1


def _run(future: "Future[Any]", function: Callable[[], Any]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(function())
    except BaseException as error:  # handed to whoever waits, whatever it is
        future.set_exception(error)
