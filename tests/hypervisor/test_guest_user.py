"""Each guest has a user of its own, which reaches nothing of others; an older one moves at its next start."""

import os
import pwd
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hypervisor.appliance import drivers, firewall
from hypervisor.scenario import alone, run
from twinplane.hypervisor.embedded import Embedded, open_embedded
from twinplane.hypervisor.root import QEMU_USER
from twinplane.plan.appliance.seed import seed_file
from twinplane.plan.resource import Run
from twinplane.settings import Hypervisor

pytestmark = pytest.mark.hypervisor
UIDS = Hypervisor().uids
CONNECT = "import socket, sys; socket.socket(socket.AF_UNIX).connect(sys.argv[1])"


async def start_and_die(state: Path) -> None:
    """Start a guest as versions did that had one user for all, and be killed."""
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    await fw.place_files(made)
    paused = fw.domain(Run.PAUSED)
    await made.domain.ensure(paused.key, paused)
    os.kill(os.getpid(), signal.SIGKILL)


async def user(embedded: Embedded, name: str) -> tuple[int, int]:
    """Process of a guest, and its user."""
    record = await embedded.connection.domain(name)
    assert record is not None and record.pid is not None
    return record.pid, Path(f"/proc/{record.pid}").stat().st_uid


def may(uid: int, gid: int, *command: str) -> bool:
    """Whether a command succeeds for that user."""
    identity = ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", "--no-new-privs")
    return subprocess.run((*identity, *command), capture_output=True, timeout=30, check=False).returncode == 0


@alone
async def test_each_guest_has_a_user_of_its_own(state: Path) -> None:
    died = run(Path(__file__), "start_and_die", state)
    assert died.returncode == -signal.SIGKILL, died.stderr
    embedded = await open_embedded(state / "libvirt", uids=UIDS)
    group = embedded.root.group
    os.chown(state / "appliances", -1, group)
    (state / "appliances").chmod(0o710)

    made, old = drivers(embedded, state), firewall(state)
    paused, stopped = old.domain(Run.PAUSED), old.domain(Run.STOPPED, 0)
    assert await made.domain.survey(()) == (paused,)
    assert await made.domain.ensure(paused.key, paused) == paused
    assert embedded.connection.writes == 0, "one from before is adopted as it is"
    assert (await user(embedded, old.name))[1] == pwd.getpwnam(QEMU_USER).pw_uid

    new = firewall(state, rules_nft="secret")
    new = replace(new, model=replace(new.model, name="fw2"))
    seed, running = new.seed(), new.domain(Run.PAUSED)
    assert await made.seed.ensure(seed.key, seed) == seed
    assert await made.domain.ensure(running.key, running) == running
    assert await made.domain.ensure(stopped.key, stopped) == stopped
    assert await made.domain.ensure(paused.key, paused) == paused
    processes = {each.name: await user(embedded, each.name) for each in (old, new)}
    uids = {name: uid for name, (_, uid) in processes.items()}
    assert len(set(uids.values())) == 2
    for each in (old, new):
        pid, uid = processes[each.name]
        assert uid in UIDS
        monitor = next((state / "libvirt/lib/qemu").glob(f"domain-*-{each.name[:20]}/monitor.sock"))
        private = state / seed_file(each.uuid)
        assert may(uid, group, "cat", str(private))
        assert may(uid, group, "kill", "-0", str(pid))
        assert may(uid, group, "ls", f"/proc/{pid}/fd")
        assert may(uid, group, sys.executable, "-c", "")
        for other in {*uids.values(), UIDS[-1]} - {uid}:
            assert not may(other, group, "cat", str(private))
            assert not may(other, group, "cat", str(each.console))
            assert not may(other, group, "cat", str(state / f"libvirt/log/qemu/{each.name}.log"))
            assert not may(other, group, sys.executable, "-c", CONNECT, str(monitor))
            assert not may(other, group, "cat", str(monitor.with_name("master-key.aes")))
            assert not may(other, group, "cat", f"/proc/{pid}/environ")
            assert not may(other, group, "ls", f"/proc/{pid}/fd")
            assert not may(other, group, "kill", "-0", str(pid))
        assert not may(uid, group, "touch", str(private.with_name("more"))), "the folder is not the guest's"

    writes = embedded.connection.writes
    await embedded.connection.reopen()
    made = drivers(embedded, state)
    for each in (old, new):
        wanted = each.domain(Run.PAUSED)
        assert await made.domain.ensure(wanted.key, wanted) == wanted
    assert embedded.connection.writes == writes, "adopted with the users they have"
    again = new.domain(Run.STOPPED, 0)
    assert await made.domain.ensure(again.key, again) == again
    assert await made.domain.ensure(running.key, running) == running
    assert (await user(embedded, new.name))[1] == uids[new.name], "kept for as long as it is defined"
    assert embedded.connection.writes == writes + 2, "it is not defined again"

    for each in (old, new):
        assert await made.domain.ensure(each.domain(Run.STOPPED).key, None) is None
    assert await made.seed.ensure(seed.key, None) is None
    await old.remove_files(made, state)
    await embedded.close()
