"""Where the time of a Set goes: the marks of the writer, between arrival and answer of the handler."""

import time
from collections.abc import Awaitable, Callable
from typing import Any

# Mark → the stage that ends there. Marks in the order of a transaction.
STAGES = {
    "begin": "parse",
    "candidate": "parse",
    "judged": "judge",
    "planned": "plan",
    "journalled": "journal",
    "executed": "drivers",
    "committed": "commit",
    "published": "publish",
    "answered": "answer",
}


class Stages:
    """Notes when each stage of each Set ends; one Set at a time."""

    def __init__(self) -> None:
        self._marks: list[tuple[str, int]] = []
        self.sets: list[dict[str, float]] = []  # stage → milliseconds

    def mark(self, name: str) -> None:
        """What the product calls."""
        self._marks.append((name, time.perf_counter_ns()))

    def around(self, answer: Callable[..., Awaitable[bytes]]) -> Callable[..., Awaitable[bytes]]:
        """The handler of Set, noting when it begins and ends."""

        async def timed(*arguments: Any) -> bytes:
            self._marks = [("arrived", time.perf_counter_ns())]
            encoded = await answer(*arguments)
            self.mark("answered")
            self.sets.append(self._durations())
            return encoded

        return timed

    def _durations(self) -> dict[str, float]:
        found = dict.fromkeys(STAGES.values(), 0.0)
        for (_, before), (name, after) in zip(self._marks, self._marks[1:], strict=False):
            found[STAGES[name]] += (after - before) / 1e6
        return found
