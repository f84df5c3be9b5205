"""Work beside the loop: others go on meanwhile, and what nobody waits for any more ends."""

import asyncio
import threading

import pytest

from twinplane.aside import AbandonedError, aside, check_wanted


def test_others_go_on_while_large_work_is_done() -> None:
    async def body() -> int:
        begun, end = threading.Event(), threading.Event()

        def work() -> int:
            begun.set()
            assert end.wait(20)  # until the loop had its turn
            return threading.get_ident()

        task = asyncio.create_task(aside(work))
        while not begun.is_set():
            await asyncio.sleep(0)
        end.set()
        return await task

    assert asyncio.run(body()) != threading.get_ident()


def test_small_work_stays_where_it_is() -> None:
    async def body() -> int:
        return await aside(threading.get_ident, large=False)

    assert asyncio.run(body()) == threading.get_ident()


def test_what_it_raises_is_raised() -> None:
    def work() -> None:
        raise ValueError("wrong")

    with pytest.raises(ValueError, match="wrong"):
        asyncio.run(aside(work))


def test_cancelled_work_ends() -> None:
    ended = threading.Event()

    async def body() -> None:
        begun, cancelled = threading.Event(), threading.Event()

        def work() -> None:
            begun.set()
            assert cancelled.wait(20)
            try:
                check_wanted()
            except AbandonedError:
                ended.set()
                raise

        task = asyncio.create_task(aside(work))
        while not begun.is_set():
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        cancelled.set()
        await aside(lambda: None)  # the thread is free again

    asyncio.run(body())
    assert ended.is_set()
    check_wanted()  # nothing on the loop
