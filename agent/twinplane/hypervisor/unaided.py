"""What QEMU can do where nobody may open /dev/kvm, asked once and put where libvirt looks for its answer.

libvirt asks QEMU with the right to open any device (CAP_DAC_OVERRIDE), but judges the answer it has kept by
what the guests' user may open. Where that user may not open /dev/kvm, as it need not under emulation, the two
differ for good, and each start and each definition asks again: 5 s. So QEMU is asked here by a libvirt of its
own, a process with a mount namespace in which /dev/kvm is an empty file; its answer holds for that user.

Sources: libvirt src/qemu/qemu_capabilities.c (virQEMUCapsIsValid) and qemu_process.c (qemuProcessQMPInit).
"""

import ctypes
import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import libvirt

from twinplane.hypervisor.events import run_event_loop
from twinplane.hypervisor.probe import end_probes
from twinplane.hypervisor.root import KVM_DEVICE, root_uri

LOG = logging.getLogger(__name__)
QEMU = "qemu-system-x86_64"
LIBVIRT = Path("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so")
SCRATCH = "unaided"  # the root of that libvirt, below the other
CACHE = "cache/qemu/capabilities"
NOTE = f"{CACHE}/unaided.json"  # libvirt reads only the files that it knows the names of
PATIENCE = 60.0  # seconds; QEMU answers in 2 s, beside other work in 10
_NEW_MOUNTS = 0x00020000  # CLONE_NEWNS (unshare(2))
_BIND, _PRIVATE = 4096, (1 << 14) | (1 << 18)  # MS_BIND, MS_REC | MS_PRIVATE (mount(2))
_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG (prctl(2))


def ask_unaided(root: Path) -> None:
    """Have an answer without KVM in the cache of this libvirt root, whose `etc/qemu.conf` is written; before
    it is opened. Does nothing where there is one of this QEMU, libvirt and kernel. Blocks up to `PATIENCE`.

    Where it cannot be had (no right to a mount namespace), guests start all the same, slowly: a warning."""
    known = _builds()
    with suppress(OSError, ValueError):
        if json.loads((root / NOTE).read_text()) == known and any((root / CACHE).glob("*.xml")):
            return
    scratch = root / SCRATCH
    try:
        end_probes(scratch)
        shutil.rmtree(scratch, ignore_errors=True)
        (scratch / "etc").mkdir(parents=True)
        scratch.chmod(0o711)
        shutil.copy(root / "etc/qemu.conf", scratch / "etc/qemu.conf")
        command = (sys.executable, "-m", __name__, str(scratch))
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)
        if done.returncode != 0:
            raise OSError((done.stderr.strip().splitlines() or [f"exit code {done.returncode}"])[-1])
        shutil.rmtree(root / CACHE, ignore_errors=True)
        (root / CACHE).mkdir(parents=True)
        for answer in (scratch / CACHE).glob("*.xml"):
            answer.rename(root / CACHE / answer.name)
        (root / NOTE).write_text(json.dumps(known))
    except (OSError, subprocess.TimeoutExpired) as error:
        LOG.warning(
            "without an answer of QEMU that ignores %s each start takes seconds: %s", KVM_DEVICE, error
        )
    finally:
        end_probes(scratch)
        shutil.rmtree(scratch, ignore_errors=True)


def _builds() -> list[str]:
    """What the answer depends on."""
    system = os.uname()
    files = (Path(shutil.which(QEMU) or QEMU), LIBVIRT)
    changed = [str(file.stat().st_ctime_ns) if file.exists() else "" for file in files]
    return [system.release, system.version, str(files[0]), *changed]


def main(scratch: Path) -> None:
    """Ask, in a process of its own. Raises OSError, libvirt's errors."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_DEATH_SIGNAL, signal.SIGKILL)
    nothing = scratch / "no-kvm"
    nothing.touch(mode=0o000)
    _need(libc.unshare(_NEW_MOUNTS), "unshare")
    _need(libc.mount(b"none", b"/", None, ctypes.c_ulong(_PRIVATE), None), "mount")
    _need(
        libc.mount(os.fsencode(nothing), os.fsencode(KVM_DEVICE), None, ctypes.c_ulong(_BIND), None), "mount"
    )
    run_event_loop()
    libvirt.open(root_uri(scratch)).getDomainCapabilities(None, "x86_64", "q35", "qemu")
    os._exit(0)  # nothing in there is kept, so that nothing has to be closed


def _need(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
