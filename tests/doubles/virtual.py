"""An event loop whose clock jumps to the next timer whenever nothing else is to be done."""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any


class _Selector(selectors.DefaultSelector):
    """Never waits: the time that would have passed is added to the loop's clock."""

    passed = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if not events:
            assert timeout is not None, "everybody waits, and no timer runs"
            self.passed += max(timeout, 0.0)
        return events


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` begins at `start`."""

    def __init__(self, start: float = 0.0) -> None:
        self._jumping = _Selector()
        self._jumping.passed = start
        super().__init__(self._jumping)

    def time(self) -> float:
        return self._jumping.passed


class LonelyLoop(VirtualLoop):
    """One that has no threads: what is meant for one is done at once, so that time waits for it."""

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *arguments: Any) -> Any:
        done = self.create_future()
        try:
            done.set_result(func(*arguments))
        except Exception as error:
            done.set_exception(error)
        return done


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end in virtual time."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        runner.run(test)
