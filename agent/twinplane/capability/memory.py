"""That KVM does not answer, remembered: to find it out takes five seconds, at each start.

Only this verdict is kept, as any other comes at once and is found out at each start. It holds for the boot,
kernel, processor, QEMU, KVM device and probe that it was found with. A start that goes by it probes again
beside the running guests: KVM that answers after all is used from the next start on.
"""

import asyncio
import hashlib
import json
import logging
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from shutil import which
from typing import Any

from twinplane.capability import hypervisor
from twinplane.capability.hypervisor import NO_ANSWER, probe_command, probe_kvm, run_probe_guest_beside
from twinplane.model.host import Capability

log = logging.getLogger(__name__)

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
FILE = "kvm.json"
PAUSE = 30.0  # seconds after the start, which is when guests start too
CHANGED = "KVM works now, and guests run under emulation; restart the agent to use it"


class KvmMemory:
    """The verdict of an earlier start, in the folder `cache`. A file that cannot be read, or that says
    anything else, counts as none."""

    def __init__(self, cache: Path) -> None:
        self._file = cache / FILE
        self._used = False

    def recall_or_probe(self) -> Capability:
        """That KVM does not answer, where that was found in the same circumstances; else what a probe
        finds."""
        try:
            now = circumstances()
        except OSError:
            return probe_kvm()
        if self._read() == now:
            self._used = True
            reason = f"{NO_ANSWER} (at an earlier start since the host booted; it is being probed again)"
            return Capability("kvm", available=False, reason=reason)
        found = probe_kvm()
        if found.reason == NO_ANSWER:
            self._write(now)
        else:
            self.forget()
        return found

    async def verify(self, changed: Callable[[str], None], *, pause: float = PAUSE) -> None:
        """Where the start went by what was remembered, probe again, `pause` seconds later. `changed` hears of
        KVM that works; what is remembered is forgotten then."""
        if not self._used:
            return
        await asyncio.sleep(pause)
        try:
            found = await run_probe_guest_beside("kvm")
        except OSError as error:
            log.warning("KVM could not be probed again: %s", error)
            return
        if found.reason == NO_ANSWER:
            return
        self.forget()
        if found.available:
            log.warning("%s", CHANGED)
            changed(CHANGED)

    def forget(self) -> None:
        """Probe at the next start."""
        with suppress(OSError):
            self._file.unlink(missing_ok=True)

    def _read(self) -> Any:
        try:
            return json.loads(self._file.read_text())
        except (OSError, ValueError, RecursionError):
            return None

    def _write(self, now: dict[str, Any]) -> None:
        new = self._file.with_suffix(".new")
        with suppress(OSError):  # then the next start probes
            new.write_text(json.dumps(now))
            new.replace(self._file)


def circumstances() -> dict[str, Any]:
    """What a verdict on KVM holds for. Raises OSError."""
    qemu = Path(which(hypervisor.QEMU) or hypervisor.QEMU).resolve()
    program, device = qemu.stat(), hypervisor.KVM_DEVICE.stat()
    probe = repr((probe_command("kvm", 0), hypervisor.boot_sector()))
    return {
        "boot": BOOT_ID.read_text().strip(),
        "kernel": os.uname().release,
        "processor": _processor(),
        "qemu": [str(qemu), program.st_dev, program.st_ino, program.st_size, program.st_mtime_ns],
        "kvm": [device.st_rdev, device.st_ino, device.st_mode, device.st_uid, device.st_gid],
        "probe": hashlib.sha256(probe.encode()).hexdigest(),
    }


def _processor() -> str:
    """A virtual machine that moved to another host goes on without a boot."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "")
