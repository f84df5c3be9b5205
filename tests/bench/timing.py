"""Measuring two things side by side."""

import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from typing import Any

Call = Callable[[int], Awaitable[Any]]


async def in_turn(count: int, *calls: Call, pause: Callable[[], None] = lambda: None) -> list[list[float]]:
    """Milliseconds of `count` rounds in which each call has its turn; a call gets the number of the round."""
    found: list[list[float]] = [[] for _ in calls]
    for round_number in range(count):
        for call, times in zip(calls, found, strict=True):
            pause()
            start = time.perf_counter_ns()
            await call(round_number)
            times.append((time.perf_counter_ns() - start) / 1e6)
    return found


def in_turn_here(count: int, *calls: Callable[[], Any]) -> list[list[float]]:
    """The same for functions of this process, without the collector's pauses."""
    found: list[list[float]] = [[] for _ in calls]
    gc.disable()
    try:
        for _ in range(count):
            for call, times in zip(calls, found, strict=True):
                start = time.perf_counter_ns()
                call()
                times.append((time.perf_counter_ns() - start) / 1e6)
    finally:
        gc.enable()
    return found


def p50(values: list[float]) -> float:
    """The median."""
    return statistics.median(values)


def p99(values: list[float]) -> float:
    """The value that 99 of 100 are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(0.99 * (len(ordered) - 1)))]
