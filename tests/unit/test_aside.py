"""Work beside the loop: others go on meanwhile, and what nobody waits for any more ends."""

import asyncio
import threading

import pytest

from twinplane.aside import AbandonedError, Slices, aside, check_wanted, together


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


def test_long_work_on_the_loop_leaves_others_their_turn() -> None:
    async def body() -> list[str]:
        seen: list[str] = []
        slices = Slices(0)

        async def work(item: int) -> int:
            seen.append("work")
            return item * 2

        async def other() -> None:
            seen.append("other")

        asyncio.get_running_loop().call_soon(asyncio.ensure_future, other())
        assert await together(work, range(100), 4, slices) == [item * 2 for item in range(100)]
        return seen

    seen = asyncio.run(body())
    assert seen.index("other") < 20


def test_what_has_not_begun_when_one_fails_never_does() -> None:
    begun: list[int] = []

    async def work(item: int) -> None:
        begun.append(item)
        if item == 5:
            raise ValueError

    async def body() -> None:
        with pytest.raises(ValueError):
            await together(work, range(1000), 4, Slices(0))
        await asyncio.sleep(0.01)

    asyncio.run(body())
    assert len(begun) < 20
