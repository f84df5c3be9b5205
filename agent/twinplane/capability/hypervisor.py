"""Whether guests can run here and how: QEMU, libvirt, and an accelerator that has really executed a guest."""

import importlib.util
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from shutil import which

from twinplane.model.host import Accelerator, Capability

QEMU = "qemu-system-x86_64"
KVM_DEVICE = Path("/dev/kvm")
DRIVER = Path("/usr/lib/x86_64-linux-gnu/libvirt/connection-driver/libvirt_driver_qemu.so")
DEADLINE = 5.0  # seconds; a working accelerator answers within 0.3 s, emulation within 1 s

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


def probe_hypervisor(wanted: Accelerator | None) -> HypervisorVerdict:
    """Look for QEMU and libvirt and choose the accelerator; `wanted` None means KVM where it works.

    Blocks up to `DEADLINE` seconds a guest; never raises for what the host lacks. KVM that was asked for and
    does not run a guest is the feature ``kvm`` with its reason; the accelerator is then what was asked for.
    """
    qemu, libvirt = _qemu(), _libvirt()
    tried = wanted is not Accelerator.TCG and qemu.available
    kvm = (
        probe_kvm()
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
    with tempfile.TemporaryDirectory(prefix="twinplane-probe-") as scratch:
        disk = Path(scratch) / "boot.img"
        disk.write_bytes(boot_sector())
        command = (
            *(QEMU, "-accel", accelerator, "-machine", "pc", "-cpu", "max", "-m", "16"),
            *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
            *("-device", "isa-debug-exit,iobase=0xf4,iosize=0x01"),
            *("-drive", f"file={disk},format=raw,if=ide,readonly=off"),
        )
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
        except FileNotFoundError:
            return Capability(accelerator, available=False, reason=_missing(QEMU, "qemu-system-x86"))
        except (OSError, subprocess.TimeoutExpired) as error:
            why = error if isinstance(error, OSError) else f"no answer within {DEADLINE:g} s"
            reason = f"a probe guest did not execute: {why}"
            return Capability(accelerator, available=False, reason=reason)
    if done.returncode == EXIT_CODE:
        return Capability(accelerator, available=True)
    lines = done.stderr.strip().splitlines() or [f"QEMU ended with {done.returncode}"]
    return Capability(accelerator, available=False, reason=f"a probe guest did not execute: {lines[-1]}")


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
