"""What a large request took is free a while after it."""

import asyncio
import gc
import weakref

from twinplane import heap


class Held:
    """Something large, and the exception that it caused."""

    error: Exception | None = None


def test_what_hangs_on_an_exception_in_a_cycle_is_freed(monkeypatch) -> None:
    """A refused request stays in the frames of its exception, which stays in one of these frames."""
    monkeypatch.setattr(heap, "LATER", 0.0)

    def refused() -> "weakref.ref[Held]":
        held = Held()
        try:
            raise ValueError(held)
        except ValueError as error:
            held.error = error
            return weakref.ref(held)

    async def body() -> None:
        gc.disable()  # as good as: the product's thresholds are high
        try:
            reference = refused()
            assert reference() is not None
            heap.give_back_later(heap.LARGE)
            async with asyncio.timeout(30):
                while reference() is not None:
                    await asyncio.sleep(0.01)
        finally:
            gc.enable()

    asyncio.run(body())
