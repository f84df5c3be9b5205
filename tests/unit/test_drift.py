"""What is heard of beside transactions is looked at, also where that fails at first."""

import asyncio
from typing import Any, cast

import pytest

from doubles.loop import in_loop
from twinplane.drift import Suspicions
from twinplane.errors import DriverError
from twinplane_wire.path import Path, parse

LAN = parse("/virtual-switches/virtual-switch[name=lan]")


class Writer:
    """Fails at the first look."""

    def __init__(self, error: Exception) -> None:
        self.recovered = asyncio.Event()
        self.recovered.set()
        self.looks: list[frozenset[Path]] = []
        self.error: Exception | None = error
        self.seen = asyncio.Event()

    async def inspect(self, objects: frozenset[Path]) -> None:
        self.looks.append(objects)
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.seen.set()


@pytest.mark.parametrize("error", [DriverError("no answer"), KeyError("a fault of our own")], ids=repr)
@in_loop
async def test_what_could_not_be_seen_is_looked_at_again(error: Exception) -> None:
    writer, suspicions = Writer(error), Suspicions(pause=0.0, again=0.01)
    task = asyncio.ensure_future(suspicions.serve(cast(Any, writer)))
    await asyncio.sleep(0)  # what is heard before that was seen by the recovery
    suspicions.heard(frozenset({LAN}))
    async with asyncio.timeout(20):
        await writer.seen.wait()
    assert writer.looks == [frozenset({LAN})] * 2 and not task.done()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
