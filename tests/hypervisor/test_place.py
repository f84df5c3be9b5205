"""A guest below a path with characters of URIs: it runs as a user of its own, however loud its console is."""

import pwd
from dataclasses import replace
from pathlib import Path

import pytest

from hypervisor.appliance import drivers, firewall
from hypervisor.scenario import alone, until
from twinplane.hypervisor import process
from twinplane.hypervisor.console_log import KIB, PART, ConsoleLogs
from twinplane.hypervisor.embedded import open_embedded
from twinplane.hypervisor.root import KVM_DEVICE, QEMU_USER
from twinplane.hypervisor.unaided import CACHE, NOTE
from twinplane.plan.resource import Run

pytestmark = pytest.mark.hypervisor
LOUD = "console=ttyS0 quiet no_timer_check rdinit=/bin/busybox -- yes " + "a" * 120
LIMIT = 64 * KIB


@alone
async def test_a_loud_guest_below_a_strange_path(folder: Path) -> None:
    state = folder / "s #;&%41+é"
    for name in ("images", "appliances", "trash"):
        (state / name).mkdir(mode=0o711, parents=True)
    embedded = await open_embedded(state / "libvirt")
    made, fw = drivers(embedded, state), firewall(state)
    image = replace(fw.image, command_line=LOUD)
    fw = replace(fw, image=image, context=replace(fw.context, images={"firewall": image}))
    await fw.place_files(made)
    running = fw.domain(Run.RUNNING)
    assert await made.domain.ensure(running.key, running) == running

    pid = process.pid_of(embedded.root.path, fw.name)
    assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam(QEMU_USER).pw_uid
    if KVM_DEVICE.exists() and embedded.root.unaided:
        answers = list((embedded.root.path / CACHE).glob("*.xml"))
        assert len(answers) == 1
        assert "<flag name='kvm'/>" not in answers[0].read_text()
        assert (embedded.root.path / NOTE).exists()

    logs = ConsoleLogs(state / "appliances", embedded.root.path, LIMIT)
    part = fw.console.with_name(PART)

    def bounded() -> bool:
        logs.bound()
        return part.exists()

    await until(lambda: fw.console.stat().st_size > 2 * LIMIT, "the guest is loud")
    assert logs._appended(fw.console)
    await until(bounded, "the log is cut")
    before = fw.console.stat().st_size
    assert before < 2 * LIMIT
    assert part.stat().st_size <= LIMIT
    await until(lambda: fw.console.stat().st_size > before, "the guest writes on, at the end of what is left")
    assert b"\0" not in fw.console.read_bytes()

    assert await made.domain.ensure(running.key, None) is None
    await fw.remove_files(made, state)
    await embedded.close()
    beside = {entry.name for entry in folder.iterdir()} - {"images", "appliances", "trash", "libvirt"}
    assert beside == {state.name}
