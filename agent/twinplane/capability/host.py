"""How much this host has: processors that are online, memory."""

import os
from pathlib import Path

from twinplane.hypervisor.cgroup import unified
from twinplane.model.host import Accelerator, Capabilities, Capability
from twinplane.share.cpu import core_shares

MIB = 1024 * 1024
# What a guest costs beside its memory: QEMU itself; under emulation also its translation cache (128 MiB).
OVERHEAD = {Accelerator.KVM: 128 * MIB, Accelerator.TCG: 256 * MIB}


def capabilities(
    accelerator: Accelerator,
    features: tuple[Capability, ...],
    *,
    reserve_cpu: int,
    reserve_memory: int,
) -> Capabilities:
    """The host as planners and admission see it; reserves in millicores and bytes. Raises OSError."""
    cpus = online_cpus()
    return Capabilities(
        cpus=cpus,
        memory=total_memory(),
        reserve_cpu=reserve_cpu,
        reserve_memory=reserve_memory,
        accelerator=accelerator,
        overhead=OVERHEAD[accelerator],
        features=features,
        core_shares=core_shares(cpus, unified=unified()),
    )


def online_cpus() -> int:
    """Processors that are online, whatever this process may use of them (sysconf(3))."""
    return os.sysconf("SC_NPROCESSORS_ONLN")


def total_memory(meminfo: str | None = None) -> int:
    """Memory of the host in bytes (proc(5): MemTotal of /proc/meminfo). Raises OSError."""
    text = Path("/proc/meminfo").read_text() if meminfo is None else meminfo
    for line in text.splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) * 1024
    raise OSError("/proc/meminfo has no MemTotal")
