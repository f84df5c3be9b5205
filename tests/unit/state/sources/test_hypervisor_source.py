"""Guests that did not answer are asked again; what is used does not depend on the wall clock."""

import asyncio
import os
import time
from collections.abc import Callable
from uuid import UUID

import pytest

from twinplane.errors import DriverError
from twinplane.hypervisor.connection import Listing
from twinplane.hypervisor.domain import DomainEvent, DomainEventKind
from twinplane.state.facts import DomainFact, DomainUsage
from twinplane.state.sources import hypervisor
from twinplane.state.sources.hypervisor import HypervisorSource
from twinplane_wire.path import parse

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


def test_a_wall_clock_that_is_set_back_does_not_hide_what_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    source = HypervisorSource(INSTANCE, Hypervisor())  # type: ignore[arg-type]
    owner = parse("/appliances/appliance[name=fw1]")
    guest = DomainFact("vm", "", owner, "running", "", 1, 1, "", None, os.getpid(), ())

    def polled() -> DomainUsage:
        (fact,) = source._poll((guest,)).facts
        assert isinstance(fact, DomainUsage)
        return fact

    first, wall = polled(), time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: wall - 7200 * 10**9)
    latest = polled()
    assert latest.time > first.time
    assert latest.cpu_time >= first.cpu_time > 0


class Busy(Hypervisor):
    """One guest that gives no answer when an event has it read again."""

    def __init__(self) -> None:
        super().__init__()
        self.asked = 2
        self.told: Callable[[object], None] = lambda _: None

    def listen(self, told: Callable[[object], None]) -> object:
        self.told = told
        return lambda: None

    async def domain(self, _: str) -> None:
        raise DriverError("no answer", unknown=True)


def test_a_guest_that_gives_no_answer_after_an_event_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hypervisor, "FIRST_PAUSE", 0.01)

    async def scenario() -> None:
        asked = Busy()
        batches = HypervisorSource(INSTANCE, asked).batches()  # type: ignore[arg-type]
        assert (await anext(batches)).complete
        asked.told(DomainEvent("vma", INSTANCE, DomainEventKind.SUSPENDED, 0, 0))
        async with asyncio.timeout(30):
            assert (await anext(batches)).complete and asked.asked == 4

    asyncio.run(scenario())
