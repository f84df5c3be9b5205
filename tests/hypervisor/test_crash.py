"""Guests that end with an error, and a start that was cut off: what is then known, and that all goes on."""

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from hypervisor.appliance import INSTANCE, drivers, firewall
from hypervisor.scenario import alone, run, until
from twinplane.errors import DriverError
from twinplane.hypervisor import process
from twinplane.hypervisor.embedded import Embedded, open_embedded
from twinplane.hypervisor.lane import Limits
from twinplane.hypervisor.process import guests
from twinplane.plan.resource import Run
from twinplane.state.facts import DomainFact
from twinplane.state.sources.hypervisor import HypervisorSource
from twinplane.state.translate.appliance import oper_status

pytestmark = pytest.mark.hypervisor


@alone
async def test_a_guest_that_is_killed_or_faults_has_crashed(state: Path) -> None:
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    source = HypervisorSource(INSTANCE, embedded.connection)
    facts: list[DomainFact] = []

    async def collect() -> None:
        async with aclosing(source.batches()) as batches:
            async for batch in batches:
                facts.extend(fact for fact in batch.facts if isinstance(fact, DomainFact))

    await fw.place_files(made)
    running = fw.domain(Run.RUNNING)
    async with asyncio.TaskGroup() as tasks:
        collecting = tasks.create_task(collect())
        for ending in (signal.SIGKILL, signal.SIGSEGV):
            assert await made.domain.ensure(running.key, running) == running
            pid = guests(embedded.root.path)[fw.name]
            await until(lambda: facts and facts[-1].state == "running", "an event of the running guest")
            os.kill(pid, ending)
            await until(lambda: facts[-1].state == "shutoff", "an event of its end")
            assert oper_status("RUNNING", facts[-1], None)[0] == "CRASHED"
        collecting.cancel()
    assert await made.domain.ensure(running.key, None) is None
    await fw.remove_files(made, state)
    await embedded.close()


async def start_and_die(state: Path) -> None:
    """Start a guest and be killed."""
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    running = fw.domain(Run.RUNNING)
    await made.domain.ensure(running.key, running)
    os.kill(os.getpid(), signal.SIGKILL)


async def die_amid_a_start(state: Path) -> None:
    """Be killed while libvirt starts a guest: its process is there, libvirt's call is not over."""
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    stopped, paused = fw.domain(Run.STOPPED), fw.domain(Run.PAUSED)
    await made.domain.ensure(stopped.key, stopped)

    def watch() -> None:
        while not guests(embedded.root.path):
            pass
        os.kill(os.getpid(), signal.SIGKILL)

    threading.Thread(target=watch, daemon=True).start()
    await made.domain.ensure(paused.key, paused)
    raise AssertionError("the start was over before")


@alone
async def test_a_guest_that_ended_while_nobody_looked_has_crashed(state: Path) -> None:
    died = run(Path(__file__), "start_and_die", state)
    assert died.returncode == -signal.SIGKILL, died.stderr
    fw = firewall(state)
    os.kill(guests(state / "libvirt")[fw.name], signal.SIGKILL)
    embedded = await open_embedded(state / "libvirt")
    batch = await HypervisorSource(INSTANCE, embedded.connection).everything()
    (fact,) = batch.facts
    assert isinstance(fact, DomainFact)
    assert oper_status("RUNNING", fact, None)[0] == "CRASHED", fact
    await remove(state, embedded)


@alone
async def test_a_start_that_was_cut_off_leaves_nothing_and_can_be_made_again(state: Path) -> None:
    died = run(Path(__file__), "die_amid_a_start", state)
    assert died.returncode == -signal.SIGKILL, died.stderr
    fw = firewall(state)
    embedded = await open_embedded(state / "libvirt")
    made = drivers(embedded, state)
    assert await made.domain.survey(()) in ((fw.domain(Run.STOPPED),), (fw.domain(Run.PAUSED),))
    await made.scheduler.survey(())  # there may be no control group to read it from
    for wanted in (fw.domain(Run.STOPPED, 0), fw.domain(Run.RUNNING)):
        assert await made.domain.ensure(wanted.key, wanted) == wanted
    assert list(guests(embedded.root.path)) == [fw.name]
    await remove(state, embedded)


@alone
async def test_a_guest_that_libvirt_cannot_end_is_ended(state: Path) -> None:
    """As after a start that was cut off, when libvirt may hold its own lock of the guest for good."""
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    running, stopped = fw.domain(Run.RUNNING), fw.domain(Run.STOPPED, 0)
    await made.domain.ensure(running.key, running)
    destroy = embedded.connection.destroy

    async def stuck(name: str) -> None:
        raise DriverError(f"{name}: cannot acquire state change lock")

    embedded.connection.destroy = stuck  # type: ignore[method-assign]
    with suppress(DriverError):  # libvirt has not heard of the end yet
        await made.domain.ensure(stopped.key, stopped)
    await until(lambda: not guests(embedded.root.path), "its process is gone")
    embedded.connection.destroy = destroy  # type: ignore[method-assign]
    assert await made.domain.ensure(stopped.key, stopped) == stopped
    await remove(state, embedded)


@alone
async def test_a_guest_whose_qemu_hangs_is_put_aside_had_back_and_ended(state: Path) -> None:
    """Whether it shows that its process was stopped, or it just does not answer. No call waits longer than
    for one answer, and none after that, until its process goes on."""
    embedded = await open_embedded(state / "libvirt", limits=Limits(answer=2))
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    running, paused = fw.domain(Run.RUNNING), fw.domain(Run.PAUSED)
    asked, stopped = fw.domain(Run.STOPPED), fw.domain(Run.STOPPED, 0)
    looks = process.frozen

    def hide(_root: Path, _domain: str) -> None:
        """It does not show."""

    for shows in (True, False):
        process.frozen = looks if shows else hide
        assert await made.domain.ensure(running.key, running) == running
        pid = await halt(embedded, fw.name, looks)
        assert await made.domain.ensure(paused.key, paused) == paused
        assert (await made.domain.find(paused.key)).resource == paused
        assert await made.domain.survey(()) == (paused,)
        if shows:
            assert await made.domain.ensure(running.key, running) == running  # it was asked nothing
        else:
            for process.frozen in (hide, looks):
                with pytest.raises(DriverError, match="has not returned") as hanging:
                    await made.domain.ensure(running.key, running)
                assert hanging.value.unknown
            os.kill(pid, signal.SIGCONT)
            assert await made.domain.ensure(running.key, running) == running
            process.frozen = hide
            await halt(embedded, fw.name, looks)
            assert await made.domain.ensure(paused.key, paused) == paused
        with pytest.raises(DriverError) as hanging:
            await made.domain.ensure(asked.key, asked)
        assert hanging.value.unknown
        assert f"kill -9 {pid}" in hanging.value.remedy
        assert await made.domain.ensure(stopped.key, stopped) == stopped
        assert guests(embedded.root.path) == {}
        # And once more, put aside and taken away.
        assert await made.domain.ensure(running.key, running) == running
        await halt(embedded, fw.name, looks)
        assert await made.domain.ensure(paused.key, paused) == paused
        assert await made.domain.ensure(paused.key, None) is None
        assert guests(embedded.root.path) == {}
    process.frozen = looks
    await fw.remove_files(made, state)
    await embedded.close()


async def halt(embedded: Embedded, name: str, looks: Callable[[Path, str], int | None]) -> int:
    """Stop the process of a guest; a busy host takes a while over it, in which it can still be asked."""
    pid = guests(embedded.root.path)[name]
    os.kill(pid, signal.SIGSTOP)
    await until(lambda: looks(embedded.root.path, name) == pid, "its process is stopped")
    return pid


@alone
async def test_a_guest_that_libvirt_has_lost_is_told_and_can_be_ended(state: Path) -> None:
    """Its record of a running guest is gone: the guest runs on, and no second one is started beside it."""
    died = run(Path(__file__), "start_and_die", state)
    assert died.returncode == -signal.SIGKILL, died.stderr
    fw = firewall(state)
    (state / f"libvirt/run/qemu/{fw.name}.xml").unlink()
    embedded = await open_embedded(state / "libvirt")
    made, before = drivers(embedded, state), guests(embedded.root.path)
    running, stopped = fw.domain(Run.RUNNING), fw.domain(Run.STOPPED)
    with pytest.raises(DriverError, match="libvirt has lost its record"):
        await made.domain.ensure(running.key, running)
    assert guests(embedded.root.path) == before != {}
    assert await made.domain.ensure(stopped.key, stopped) == stopped
    assert guests(embedded.root.path) == {}
    assert await made.domain.ensure(running.key, running) == running
    await remove(state, embedded)


async def remove(state: Path, embedded: Embedded) -> None:
    """The domain and its files, to the last cgroup."""
    made, fw = drivers(embedded, state), firewall(state)
    key = fw.domain(Run.STOPPED).key
    assert await made.domain.ensure(key, None) is None
    await fw.remove_files(made, state)
    assert embedded.left_overs.guests() == ()
    await embedded.close()
