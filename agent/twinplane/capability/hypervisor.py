"""Whether guests can run here and how: QEMU, libvirt, and an accelerator that has really executed a guest."""

import asyncio
import importlib.util
import os
import signal
import subprocess
from asyncio.subprocess import DEVNULL, PIPE
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from twinplane.model.host import Accelerator, Capability

QEMU = "qemu-system-x86_64"
KVM_DEVICE = Path("/dev/kvm")
DRIVER = Path("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so")
DEADLINE = 5.0  # seconds; a working accelerator answers within 0.3 s, emulation within 1 s

UNPROVED = "a probe guest did not execute"
NO_ANSWER = f"{UNPROVED}: no answer within {DEADLINE:g} s"

# What the probe guest writes to QEMU's debug exit device (port 0xf4), and what QEMU then ends with.
ANSWER = 0x10
EXIT_CODE = ANSWER << 1 | 1
# A boot sector that does what every kernel does first: paging, long mode, and work. Real mode alone proves
# nothing: some nested KVMs run it and then crawl, one emulated instruction at a time, in 64-bit code.
PROGRAM = bytes.fromhex(
    "fa31c08ed88ec08ed0bf0010b90018fcf3ab"  # cli; ds, es, ss = 0; 12 KiB of zeroes at 0x1000
    "c70600100320c70600200330c70600308300"  # PML4 0x1000, PDPT 0x2000, PD 0x3000: one page of 2 MiB
    "0f0116807c"  # lgdt
    "0f20e00c200f22e066b8001000000f22d8"  # cr4.PAE; cr3 = PML4
    "66b9800000c00f3280cc010f30"  # EFER.LME
    "0f20c0660d010000800f22c0"  # cr0.PE and cr0.PG
    "ea587c0800"  # jump to 64-bit code
    "b9002d3101e2fe"  # 20 million turns of an empty loop: 10 ms, or minutes where it is emulated
    "66baf400b010eef4ebfd"  # out 0xf4, ANSWER; hlt
    "0f1f80000000000000000000000000000000"  # padding; null descriptor
    "00009a20000f00707c"  # descriptor of 64-bit code; limit and address of the table
)


@dataclass(frozen=True, slots=True)
class HypervisorVerdict:
    """What was found: the accelerator to use and each feature with reason and remedy."""

    accelerator: Accelerator
    features: tuple[Capability, ...]


def probe_hypervisor(
    wanted: Accelerator | None, kvm_probe: Callable[[], Capability] | None = None
) -> HypervisorVerdict:
    """Look for QEMU and libvirt and choose the accelerator; `wanted` None means KVM where it works.

    Blocks up to `DEADLINE` seconds a guest; never raises for what the host lacks. KVM that was asked for and
    does not run a guest is the feature ``kvm`` with its reason; the accelerator is then what was asked for.
    `kvm_probe` is asked instead of `probe_kvm`.
    """
    qemu, libvirt = _qemu(), _libvirt()
    tried = wanted is not Accelerator.TCG and qemu.available
    kvm = (
        (kvm_probe or probe_kvm)()
        if tried
        else Capability("kvm", available=False, reason="not probed: emulation was asked for")
    )
    if wanted is None:
        wanted = Accelerator.KVM if kvm.available else Accelerator.TCG
    return HypervisorVerdict(wanted, (qemu, libvirt, kvm))


def probe_kvm() -> Capability:
    """The feature ``kvm``: available only after a guest has executed with it."""
    if not KVM_DEVICE.exists():
        reason = f"{KVM_DEVICE} is absent (load kvm_intel or kvm_amd; in a virtual machine allow nesting)"
        return Capability("kvm", available=False, reason=reason)
    return run_probe_guest("kvm")


def run_probe_guest(accelerator: str) -> Capability:
    """Run a boot sector that answers through QEMU's debug exit device; available when the answer came."""
    with _disk() as disk:
        try:
            done = subprocess.run(
                probe_command(accelerator, disk),
                pass_fds=(disk,),
                capture_output=True,
                text=True,
                check=False,
            )
        except OSError as error:
            return Capability(accelerator, available=False, reason=f"{UNPROVED}: {error}")
    return _judged(accelerator, done.returncode, done.stderr)


async def run_probe_guest_beside(accelerator: str) -> Capability:
    """The same beside guests that run: at the lowest priority, and ended when the caller is cancelled."""
    with _disk() as disk:
        command = ("nice", "-n", "19", *probe_command(accelerator, disk))
        try:
            process = await asyncio.create_subprocess_exec(
                *command, pass_fds=(disk,), stdin=DEVNULL, stdout=DEVNULL, stderr=PIPE, start_new_session=True
            )
        except OSError as error:
            return Capability(accelerator, available=False, reason=f"{UNPROVED}: {error}")
        try:
            _, said = await process.communicate()
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.communicate()
    return _judged(accelerator, process.returncode or 0, said.decode(errors="replace"))


def probe_command(accelerator: str, disk: int) -> tuple[str, ...]:
    """What is executed to probe. It ends by itself, whatever becomes of the agent."""
    return (
        *("timeout", "-s", "KILL", f"{DEADLINE:g}"),
        *(QEMU, "-accel", accelerator, "-machine", "pc", "-cpu", "max", "-m", "16"),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x01"),
        *("-drive", f"file=/proc/self/fd/{disk},format=raw,if=ide,readonly=off"),
    )


@contextmanager
def _disk() -> Iterator[int]:
    """The probe guest's disk, in memory: nothing is left of it, however the agent ends."""
    disk = os.memfd_create("twinplane-probe")
    try:
        os.write(disk, boot_sector())
        yield disk
    finally:
        os.close(disk)


def _judged(accelerator: str, code: int, said: str) -> Capability:
    if code == EXIT_CODE:
        return Capability(accelerator, available=True)
    if code in (-signal.SIGKILL, 128 + signal.SIGKILL):  # timeout(1) ends as its command does
        return Capability(accelerator, available=False, reason=NO_ANSWER)
    lines = said.strip().splitlines() or [f"QEMU ended with {code}"]
    return Capability(accelerator, available=False, reason=f"{UNPROVED}: {lines[-1]}")


def boot_sector() -> bytes:
    """The 512 bytes of the probe guest, with the mark that makes the firmware start them."""
    return PROGRAM.ljust(510, b"\0") + b"\x55\xaa"


def _qemu() -> Capability:
    if which(QEMU) is None:
        return Capability("qemu", available=False, reason=_missing(QEMU, "qemu-system-x86"))
    return Capability("qemu", available=True)


def _libvirt() -> Capability:
    if importlib.util.find_spec("libvirt") is None:
        reason = _missing("the Python package libvirt-python", "libvirt-dev, then pip install libvirt-python")
        return Capability("libvirt", available=False, reason=reason)
    if not DRIVER.exists():
        reason = _missing("libvirt's QEMU driver", "libvirt-daemon-system libvirt-daemon")
        return Capability("libvirt", available=False, reason=reason)
    return Capability("libvirt", available=True)


def _missing(what: str, package: str) -> str:
    return f"{what} is missing (apt-get install {package})"
