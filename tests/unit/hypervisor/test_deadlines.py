"""Calls that hang: unknown after the deadline, in the way of their own guest only."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from doubles.loop import in_loop
from twinplane.errors import DriverError
from twinplane.hypervisor.lane import THREADS, Lanes, Limits

PATIENT = Limits(deadline=60, answer=60, reconnect=60, quiet=60)
SHORT = 0.2  # seconds until a call that hangs is unknown


class Guests:
    """Guests whose processes run, unless it is said otherwise."""

    def __init__(self) -> None:
        self.lost: set[str] = set()  # not found again
        self.halted: set[str] = set()  # processes that are stopped

    def busy(self, name: str) -> bool:
        return name in self.lost

    def pid(self, name: str) -> int | None:
        return 4711

    def stopped(self, name: str) -> int | None:
        return 4711 if name in self.halted else None


class Hanging:
    """A call that returns when it is let go on."""

    def __init__(self) -> None:
        self.go_on = threading.Event()
        self.returned = threading.Event()
        self.begun: list[str] = []  # by thread

    def __call__(self) -> None:
        self.begun.append(threading.current_thread().name)
        self.go_on.wait(60)
        self.returned.set()


@contextmanager
def hanging() -> Iterator[Hanging]:
    call = Hanging()
    try:
        yield call
    finally:
        call.go_on.set()


@contextmanager
def opened(limits: Limits = PATIENT, guests: Guests | None = None) -> Iterator[Lanes]:
    lanes = Lanes(guests or Guests(), "libvirt", limits)
    try:
        yield lanes
    finally:
        lanes.dismiss()


async def unanswered(lanes: Lanes, name: str, call: Callable[[], object], limit: float | None = SHORT) -> str:
    """What is said of a call that gets no answer; it is waited for much shorter than the patient would."""
    async with asyncio.timeout(30):
        with pytest.raises(DriverError) as error:
            await lanes.call(name, call, limit)
    assert error.value.unknown
    return str(error.value)


@in_loop
async def test_a_hanging_call_is_unknown_and_holds_up_its_own_guest_only() -> None:
    done: list[str] = []
    with hanging() as call, opened() as lanes:
        assert "did not answer within 0.2 s" in await unanswered(lanes, "vma", call)
        assert await lanes.call("vmb", lambda: "answer") == "answer"
        assert "has not returned" in await unanswered(lanes, "vma", lambda: done.append("second"))
        call.go_on.set()
        await lanes.returned("vma", 60)
        await lanes.call("vma", lambda: done.append("third"))
        assert call.returned.is_set()
        assert done == ["third"]
        assert lanes.stuck == set()


@in_loop
async def test_the_error_names_the_guest_once_and_how_it_ends() -> None:
    with hanging() as call, opened() as lanes:
        await unanswered(lanes, "vma", call)
        with pytest.raises(DriverError) as error:
            await lanes.call("vma", lambda: None)
    assert str(error.value) == "vma: an earlier libvirt call has not returned"
    assert "kill -9 4711" in error.value.remedy


@in_loop
async def test_who_waits_already_goes_when_the_call_before_hangs() -> None:
    with hanging() as call, opened() as lanes:
        asked = asyncio.ensure_future(unanswered(lanes, "vma", call))
        await asyncio.sleep(0)
        assert "has not returned" in await unanswered(lanes, "vma", lambda: None, None)
        assert "did not answer" in await asked


@in_loop
async def test_one_waits_for_a_guest_that_is_not_found_again_and_no_others() -> None:
    guests = Guests()
    guests.lost.add("vma")
    with opened(replace(PATIENT, reconnect=SHORT), guests) as lanes:
        assert "has not found the guest again within 0.2 s" in await unanswered(lanes, "vma", lambda: None)
        lanes.limits = PATIENT
        assert "has not found the guest again" in await unanswered(lanes, "vma", lambda: None)
        assert await lanes.call("vmb", lambda: "answer") == "answer"
        guests.lost.clear()
        assert await lanes.call("vma", lambda: "answer") == "answer"


@in_loop
async def test_nobody_waits_for_a_guest_whose_process_is_stopped_to_be_found_again() -> None:
    guests = Guests()
    guests.lost.add("vma")
    guests.halted.add("vma")
    with opened(guests=guests) as lanes:
        said = await unanswered(lanes, "vma", lambda: None)
        assert said == "vma: libvirt has not found the guest again: its process is stopped"
        # It goes on, and is found again a moment later, which is waited for.
        guests.halted.clear()
        asked = asyncio.ensure_future(lanes.call("vma", lambda: "answer"))
        await still_waiting(asked)
        guests.lost.clear()
        assert await asked == "answer"


@in_loop
async def test_a_guest_that_goes_on_has_the_time_to_answer() -> None:
    """Its process was stopped while it was asked: until it goes on nobody waits, and then all do."""
    guests = Guests()
    with hanging() as call, opened(guests=guests) as lanes:
        await unanswered(lanes, "vma", call)
        guests.halted.add("vma")
        for _ in range(2):
            assert "has not returned" in await unanswered(lanes, "vma", lambda: None)
        guests.halted.clear()
        asked = [asyncio.ensure_future(lanes.call("vma", lambda: "answer")) for _ in range(2)]
        await still_waiting(*asked)
        call.go_on.set()
        assert await asyncio.gather(*asked) == ["answer", "answer"]
        assert lanes.stuck == set()


@in_loop
async def test_but_no_longer_than_for_one_answer() -> None:
    guests = Guests()
    guests.halted.add("vma")
    with hanging() as call, opened(replace(PATIENT, answer=SHORT), guests) as lanes:
        await unanswered(lanes, "vma", call)
        guests.halted.clear()
        for _ in range(2):
            assert "has not returned" in await unanswered(lanes, "vma", lambda: None)
        assert lanes.stuck == {"vma"}


async def still_waiting(*asked: "asyncio.Future[str]") -> None:
    """After a time in which those who wait briefly are long gone."""
    done, _ = await asyncio.wait(asked, timeout=1, return_when=asyncio.FIRST_COMPLETED)
    assert not done


@in_loop
async def test_of_many_who_answers_is_not_kept_waiting_by_who_does_not() -> None:
    async def read(name: str) -> str:
        await asyncio.sleep(3600 if name == "vmb" else 0)
        if name == "vmc":
            raise DriverError("vmc: is odd")
        return name

    with opened(replace(PATIENT, quiet=0.5)) as lanes:
        async with asyncio.timeout(30):
            answers = await lanes.each({name: read(name) for name in ("vma", "vmb", "vmc", "vmd")})
        assert {name: str(answer) for name, answer in answers.items()} == {
            "vma": "vma", "vmb": "vmb: no answer within 0.5 s", "vmc": "vmc: is odd", "vmd": "vmd"
        }  # fmt: skip
        assert lanes.stuck == {"vmb"}  # nobody waits long for its next answer either


@in_loop
async def test_what_no_driver_raises_is_raised() -> None:
    async def read() -> str:
        raise ZeroDivisionError

    with opened() as lanes, pytest.raises(ZeroDivisionError):
        await lanes.each({"vma": read()})


@in_loop
async def test_a_call_that_never_began_is_failed_and_not_unknown() -> None:
    with hanging() as call, opened() as lanes:
        asked = [asyncio.ensure_future(lanes.call(f"vm{number}", call)) for number in range(THREADS)]
        async with asyncio.timeout(30):
            while len(call.begun) < THREADS:
                await asyncio.sleep(0.01)
        lanes.limits = replace(PATIENT, deadline=SHORT)
        with pytest.raises(DriverError) as queued:
            await lanes.run("list", lambda: None)
        assert not queued.value.unknown
        call.go_on.set()
        await asyncio.gather(*asked)


def test_a_call_that_never_returns_does_not_keep_the_process() -> None:
    program = (
        "import threading; from twinplane.hypervisor.workers import Workers; "
        "began = threading.Event(); "
        "Workers(1, 'x').submit(lambda: (began.set(), threading.Event().wait())); "
        "began.wait()"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path)}
    subprocess.run([sys.executable, "-c", program], check=True, timeout=20, env=environment)
