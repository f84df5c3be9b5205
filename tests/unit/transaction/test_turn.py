"""The queue of the one writer."""

import asyncio

import pytest

from doubles.loop import in_loop
from twinplane.errors import UnavailableError
from twinplane.transaction.turn import Turns


@in_loop
async def test_work_is_done_in_order_and_answers_its_caller() -> None:
    turns, done = Turns(), []

    async def work(number: int) -> int:
        await asyncio.sleep(0)
        done.append(number)
        if number == 1:
            raise ValueError(number)
        return number

    server = asyncio.ensure_future(turns.serve())
    answers = await asyncio.gather(
        *(turns.take(lambda number=number: work(number)) for number in range(3)), return_exceptions=True
    )
    assert done == [0, 1, 2] and answers[0] == 0 and isinstance(answers[1], ValueError) and answers[2] == 2
    await turns.close(1)
    assert server.done()


@in_loop
async def test_timers_take_their_turn_unless_cancelled_or_closed() -> None:
    turns, done = Turns(), []

    async def note(name: str) -> None:
        done.append(name)

    server = asyncio.ensure_future(turns.serve())
    turns.post_later(0, lambda: note("due"))
    turns.post_later(0, lambda: note("cancelled")).cancel()
    turns.post_later(60, lambda: note("late"))
    while not done:
        await asyncio.sleep(0.001)
    await turns.close(1)
    turns.post(lambda: note("after the end"))
    await server
    assert done == ["due"]


@in_loop
async def test_unattended_work_that_fails_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    turns = Turns()

    async def fail() -> None:
        raise ValueError("unattended")

    async def answer() -> int:
        return 1

    server = asyncio.ensure_future(turns.serve())
    turns.post(fail)
    assert await turns.take(answer) == 1
    assert "unattended" in caplog.text
    await turns.close(1)
    await server


@in_loop
async def test_close_without_a_server() -> None:
    turns = Turns()

    async def never() -> None:
        raise AssertionError

    waiting = asyncio.ensure_future(turns.take(never))
    await asyncio.sleep(0)
    await turns.close(1)
    with pytest.raises(UnavailableError):
        await waiting
    with pytest.raises(UnavailableError):
        await turns.take(never)


@in_loop
async def test_what_is_cancelled_inside_the_work_does_not_end_the_writer(
    caplog: pytest.LogCaptureFixture,
) -> None:
    turns = Turns()

    async def wait_for_a_cancelled_one() -> None:
        lost = asyncio.get_running_loop().create_future()
        lost.cancel()
        await lost

    async def answer() -> int:
        return 1

    server = asyncio.ensure_future(turns.serve())
    with pytest.raises(RuntimeError, match="cancelled"):
        await turns.take(wait_for_a_cancelled_one)
    turns.post(wait_for_a_cancelled_one)
    assert await turns.take(answer) == 1
    assert "work of the writer failed" in caplog.text
    await turns.close(1)
    assert server.done() and not server.cancelled()


@in_loop
async def test_who_waits_for_work_that_is_cut_off_is_told() -> None:
    turns, begun = Turns(), asyncio.Event()

    async def hang() -> None:
        begun.set()
        await asyncio.get_running_loop().create_future()

    server = asyncio.ensure_future(turns.serve())
    waiting = asyncio.ensure_future(turns.take(hang))
    await begun.wait()
    await turns.close(0)
    with pytest.raises(UnavailableError, match=r"undoes it or, if it was committed, ends it"):
        await waiting
    assert server.cancelled()
