"""The watch over blocking calls finds them, and only those of the agent's own code in the loop."""

import asyncio
import functools
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from doubles.blocking import Watch
from twinplane.settings import load

FOUND: list[str] = []
WATCH = Watch(FOUND.append)


@pytest.fixture(autouse=True)
def watched(tmp_path: Path) -> Iterator[None]:
    FOUND.clear()
    (tmp_path / "agent.toml").write_text("")
    WATCH.on = True
    yield
    WATCH.on = False


async def later(work: Callable[[], object]) -> None:
    """Run it as a callback of the loop: nobody on its stack but the loop."""
    done = asyncio.Event()

    loop = asyncio.get_running_loop()
    loop.call_soon(work)
    loop.call_soon(done.set)
    await done.wait()


def test_the_agent_opens_a_file_in_the_loop(tmp_path: Path) -> None:
    read = functools.partial(load, tmp_path / "agent.toml")
    asyncio.run(later(read))
    assert len(FOUND) == 1
    assert "agent.toml in the loop, from /twinplane/settings.py" in FOUND[0]


def test_in_a_thread_it_may(tmp_path: Path) -> None:
    read = functools.partial(load, tmp_path / "agent.toml")

    async def body() -> None:
        await asyncio.to_thread(read)

    asyncio.run(body())
    thread = threading.Thread(target=read)
    thread.start()
    thread.join()
    assert FOUND == []


def test_without_a_loop_it_may(tmp_path: Path) -> None:
    load(tmp_path / "agent.toml")
    assert FOUND == []


def test_a_test_may(tmp_path: Path) -> None:
    async def body() -> None:
        time.sleep(0)
        load(tmp_path / "agent.toml")

    asyncio.run(body())
    assert FOUND == []


def test_methods_of_a_class_can_be_watched_too() -> None:
    class Library:
        def call(self) -> int:
            return 7

    WATCH.wrap(Library)
    assert Library().call() == 7
    assert FOUND == []
