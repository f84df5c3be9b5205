"""A guest keeps its CPU against busy processes of the host, and the host gets its own weights back."""

import asyncio
import os
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from hypervisor.appliance import drivers, firewall
from hypervisor.scenario import alone
from twinplane.hypervisor import process
from twinplane.hypervisor.cgroup import hierarchies
from twinplane.hypervisor.embedded import open_embedded
from twinplane.plan.resource import Run

pytestmark = pytest.mark.hypervisor
BUSY = "while True: pass"


def group_file() -> Path:
    """The weight of the group of guests, where there is one."""
    found = hierarchies()
    cpu = next((each for each in found if "cpu" in each.controllers), None)
    cpu = cpu or next(each for each in found if not each.controllers)
    return cpu.mount / "machine" / ("cpu.shares" if cpu.controllers else "cpu.weight")


def pin(pid: int, cpu: int) -> None:
    """All threads of a process to one processor."""
    for thread in Path(f"/proc/{pid}/task").iterdir():
        os.sched_setaffinity(int(thread.name), {cpu})


def spent(pid: int) -> int:
    """CPU time so far, in ns."""
    found = process.cpu_time(pid)
    assert found is not None
    return found


@alone
async def test_two_busy_processes_do_not_take_what_a_guest_needs(state: Path) -> None:
    before = group_file().read_text() if group_file().exists() else None
    embedded = await open_embedded(state / "libvirt", 20_480)
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    paused, running = fw.domain(Run.PAUSED), fw.domain(Run.RUNNING)
    assert await made.domain.ensure(paused.key, paused) == paused
    assert int(group_file().read_text()) in (20_480, 2_000)
    record = await embedded.connection.domain(fw.name)
    assert record is not None
    assert record.pid is not None
    cpu = min(os.sched_getaffinity(0))
    with ExitStack() as stack:
        rivals = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(2)]
        for rival in rivals:
            stack.callback(rival.wait)
            stack.callback(rival.kill)
            pin(rival.pid, cpu)
        # A guest that boots is busy for some seconds.
        assert await made.domain.ensure(running.key, running) == running
        pin(record.pid, cpu)
        pids = (record.pid, *(rival.pid for rival in rivals))
        start = [spent(pid) for pid in pids]
        while spent(record.pid) - start[0] < 1_000_000_000:
            await asyncio.sleep(0.2)
        guest, *others = (spent(pid) - begun for pid, begun in zip(pids, start, strict=True))
    # With equal weights it would have a third.
    assert guest > 2 * sum(others), (guest, others)

    stopped = fw.domain(Run.STOPPED, 0)
    assert await made.domain.ensure(stopped.key, stopped) == stopped
    if before is None:
        assert not group_file().exists() or any(each.is_dir() for each in group_file().parent.iterdir())
    else:
        assert group_file().read_text() == before
    assert await made.domain.ensure(stopped.key, None) is None
    await embedded.close()
