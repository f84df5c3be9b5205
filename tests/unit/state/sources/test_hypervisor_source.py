"""Guests that did not answer are asked again."""

import asyncio
from uuid import UUID

import pytest

from twinplane.hypervisor.connection import Listing
from twinplane.state.sources import hypervisor
from twinplane.state.sources.hypervisor import HypervisorSource

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")


class Hypervisor:
    """One guest, which answers the third time."""

    def __init__(self) -> None:
        self.asked = 0

    def listen(self, _: object) -> object:
        return lambda: None

    async def domains(self) -> Listing:
        self.asked += 1
        return Listing((), () if self.asked > 2 else ("vma",))


def test_a_guest_that_gave_no_answer_is_asked_again_without_an_event(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypervisor, "FIRST_PAUSE", 0.01)

    async def scenario() -> None:
        asked = Hypervisor()
        batches = HypervisorSource(INSTANCE, asked).batches()  # type: ignore[arg-type]
        async with asyncio.timeout(30):
            assert [(await anext(batches)).complete for _ in range(3)] == [False, False, True]
        with pytest.raises(TimeoutError):  # nobody is missing: only an event has anything read again
            async with asyncio.timeout(0.1):
                await anext(batches)
        assert asked.asked == 3

    asyncio.run(scenario())
