"""What libvirt asks QEMU when it meets it first, and what is left of that when the asker dies."""

import asyncio
import os
import re
import shutil
import signal
from pathlib import Path

import pytest

from hypervisor.appliance import drivers, firewall
from hypervisor.scenario import alone, run
from twinplane.hypervisor.embedded import open_embedded
from twinplane.plan.resource import Run

pytestmark = pytest.mark.hypervisor


def questioned(state: Path) -> list[int]:
    """The processes of QEMUs of this root that are being asked, by whichever libvirt."""
    mark = re.compile(re.escape(f"unix:{state}/libvirt/").encode() + rb"(unaided/)?lib/qemu/qmp-")
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.search((process / "cmdline").read_bytes()):
                found.append(int(process.name))
        except OSError:
            continue
    return found


async def ask_and_die(state: Path) -> None:
    """Open libvirt on a fresh root and be killed while it asks, which is before it opens or after."""
    shutil.rmtree(state / "libvirt/cache", ignore_errors=True)
    opening = asyncio.ensure_future(open_embedded(state / "libvirt"))
    while not any((state / "libvirt").glob("**/lib/qemu/qmp-*/qmp.pid")) or not questioned(state):
        assert not opening.done() or opening.exception() is None
        await asyncio.sleep(0.01)
    os.kill(os.getpid(), signal.SIGKILL)


@alone
async def test_what_a_killed_agent_asked_is_ended_by_the_next(state: Path) -> None:
    died = run(Path(__file__), "ask_and_die", state)
    assert died.returncode == -signal.SIGKILL, died.stderr
    orphans = questioned(state)
    assert orphans
    shutil.rmtree(state / "libvirt/cache", ignore_errors=True)
    embedded = await open_embedded(state / "libvirt")
    assert not set(questioned(state)) & set(orphans)

    # A definition that comes before the answers waits for them.
    fw = firewall(state)
    made = drivers(embedded, state)
    await fw.place_files(made)
    stopped = fw.domain(Run.STOPPED)
    assert await made.domain.ensure(stopped.key, stopped) == stopped
    assert questioned(state) == []
    assert await made.domain.ensure(stopped.key, None) is None
    await fw.remove_files(made, state)
    await embedded.close()
