"""Guests that are asked to stop: nobody waits for them, and their time runs out."""

import asyncio
from dataclasses import replace
from pathlib import Path as FilePath

import pytest

from doubles import demo
from doubles.box import Box, deleted, furnish, started
from doubles.loop import in_loop
from twinplane.errors import DriverError, Fault, RequestError
from twinplane.plan.resource import Domain, Key, Resource, Run
from twinplane.transaction.request import Act, Confirm, Request

DOMAIN = "vmcj2zgj6z5h5"


async def running(folder: FilePath, stop_timeout: int) -> Box:
    box = Box(folder)
    furnish(box.host)
    async with started(box):
        await box.submit(demo.everything(stop_timeout=stop_timeout))
    return Box(folder)


@in_loop
async def test_a_guest_that_obeys_is_not_forced(tmp_path: FilePath) -> None:
    box = await running(tmp_path, 60)
    box.drivers.domains.obedient = True
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED"))
        assert box.host.kernel.domains[DOMAIN].run is Run.STOPPED
        assert box.transactor._repairs.stops._timers == {}


@in_loop
async def test_a_guest_that_does_not_stop_in_time_is_ended(tmp_path: FilePath) -> None:
    box = await running(tmp_path, 1)
    async with started(box):
        outcome = await box.submit(demo.appliance(state="STOPPED", stop_timeout=1))
        assert outcome.changed and box.host.kernel.asked == {DOMAIN}
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        await box.until(lambda: box.host.kernel.domains[DOMAIN].run is Run.STOPPED)
        assert box.host.effects[-1] == f"domain {DOMAIN} destroy"
        assert not box.publisher.alarms


@in_loop
async def test_the_deadline_is_set_again_at_start(tmp_path: FilePath) -> None:
    box = await running(tmp_path, 60)
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=1))
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
    again = Box(tmp_path)
    async with started(again):
        assert again.host.effects == []  # the guest was asked already
        await again.until(lambda: again.host.kernel.domains[DOMAIN].run is Run.STOPPED)


@in_loop
async def test_while_it_stops_it_is_neither_started_nor_redefined(tmp_path: FilePath) -> None:
    box = await running(tmp_path, 60)
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED"))
        for change in (demo.appliance(), demo.appliance(state="STOPPED", memory=512 << 20)):
            with pytest.raises(RequestError, match="still stopping") as caught:
                await box.submit(change)
            assert caught.value.violations[0].fault is Fault.STATE
        await box.submit(deleted(demo.FW1))
        assert box.host.kernel.domains == {}
        assert box.transactor._repairs.stops._timers == {}


@in_loop
async def test_a_timeout_of_nothing_ends_it_at_once(tmp_path: FilePath) -> None:
    box = await running(tmp_path, 60)
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=0))
        assert box.host.kernel.domains[DOMAIN].run is Run.STOPPED


@in_loop
async def test_a_deadline_is_that_of_one_request(tmp_path: FilePath) -> None:
    """The guest stops in time, is started and asked anew while the deadline already waits for its turn."""
    box = await running(tmp_path, 60)
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=1))
        box.host.end_guest(DOMAIN)
        held = asyncio.Event()
        turns = [
            asyncio.ensure_future(box.transactor._turns.take(held.wait)),
            asyncio.ensure_future(box.submit(demo.appliance(stop_timeout=60))),
            asyncio.ensure_future(box.submit(demo.appliance(state="STOPPED", stop_timeout=60))),
        ]
        await asyncio.sleep(1.1)  # the deadline goes off behind them
        held.set()
        await asyncio.gather(*turns)
        await box.transactor.repair()
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING and box.host.kernel.asked == {DOMAIN}


@in_loop
async def test_a_guest_that_cannot_be_asked_is_ended_when_its_time_is_over(tmp_path: FilePath) -> None:
    """Its QEMU hangs: it is asked once, for everybody else waits for the answer."""
    box = await running(tmp_path, 60)
    asked = 0

    async def hang(when: str, key: Key, wanted: Resource | None) -> None:
        nonlocal asked
        if when == "before" and isinstance(wanted, Domain) and wanted.stop_timeout:
            asked += 1
            raise DriverError(f"{key}: libvirt did not answer", unknown=True)

    async with started(box):
        box.drivers.domains.trap = hang
        assert (await box.submit(demo.appliance(state="STOPPED", stop_timeout=1))).changed
        assert asked == 1
        assert [alarm.kind for alarm in box.publisher.alarms.values()] == ["FINAL_STEP_FAILED"]
        await box.until(lambda: box.host.kernel.domains[DOMAIN].run is Run.STOPPED)
        await box.until(lambda: not box.publisher.alarms)


@in_loop
async def test_who_never_ran_has_no_deadline(tmp_path: FilePath) -> None:
    """Else it would end the guest that somebody starts meanwhile."""
    box = Box(tmp_path)
    furnish(box.host)
    async with started(box):
        await box.submit(demo.everything(state="STOPPED", stop_timeout=60))
        assert box.transactor._repairs.stops._timers == {}


@in_loop
async def test_a_start_that_has_to_be_confirmed_ends_the_deadline(tmp_path: FilePath) -> None:
    box = await running(tmp_path, 60)
    async with started(box):
        await box.submit(demo.appliance(state="STOPPED", stop_timeout=60))
        assert box.transactor._repairs.stops._timers
        box.host.kernel.domains[DOMAIN] = replace(box.host.kernel.domains[DOMAIN], run=Run.STOPPED)
        asked = Confirm(Act.COMMIT, "mine", 600)
        await box.transactor.submit(
            Request(demo.appliance(stop_timeout=60), "anna", "test", "unix:", confirm=asked)
        )
        assert box.host.kernel.domains[DOMAIN].run is Run.RUNNING
        assert box.transactor._repairs.stops._timers == {}
