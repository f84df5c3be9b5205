"""Threads for calls that may hang: as many as there are calls, up to the limit."""

import queue
import threading
from typing import Any

from twinplane.hypervisor.workers import Workers


class Slow(queue.SimpleQueue[Any]):
    """A queue whose reader has taken something and goes on only when told to."""

    def __init__(self) -> None:
        super().__init__()
        self.taken, self.go_on = threading.Event(), threading.Event()

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        item = super().get(block, timeout)
        self.taken.set()
        self.go_on.wait(10)
        return item


def test_a_thread_that_has_just_taken_something_is_not_idle() -> None:
    workers = Workers(2, "x")
    workers._work = slow = Slow()
    hang = threading.Event()
    try:
        workers.submit(hang.wait)
        assert slow.taken.wait(10)
        answer = workers.submit(lambda: "answer")  # before the first thread could say that it is busy
        slow.go_on.set()
        assert answer.result(10) == "answer"
    finally:
        hang.set()
        slow.go_on.set()
        workers.dismiss()


def test_there_are_no_more_threads_than_are_needed_and_allowed() -> None:
    workers = Workers(2, "few")
    for _ in range(20):
        assert workers.submit(lambda: 1).result(10) == 1
    hang = threading.Event()
    waiting = [workers.submit(hang.wait) for _ in range(4)]
    assert sum(thread.name.startswith("few-") for thread in threading.enumerate()) <= 2
    hang.set()
    assert all(future.result(10) for future in waiting)
    workers.dismiss()
