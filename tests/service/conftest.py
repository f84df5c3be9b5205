"""No RPC waits for a disk, a process or a resolver in the thread that serves all others."""

from collections.abc import Iterator

import pytest

from doubles.blocking import Watch

FOUND: list[str] = []
WATCH = Watch(FOUND.append)


@pytest.fixture(autouse=True)
def nothing_blocks() -> Iterator[None]:
    """Fails a test in which the agent's code blocked the loop; what the test itself does does not count."""
    FOUND.clear()
    WATCH.on = True
    yield
    WATCH.on = False
    assert FOUND == []
