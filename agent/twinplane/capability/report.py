"""What this host can do, probed once: the verdict that the agent plans within and `check` prints."""

import asyncio
from dataclasses import dataclass

from twinplane.capability.cgroup import probe_cpu_controller
from twinplane.capability.confinement import probe_apparmor
from twinplane.capability.host import capabilities
from twinplane.capability.hypervisor import probe_hypervisor
from twinplane.capability.memory import KvmMemory
from twinplane.capability.network import probe_network
from twinplane.model.host import Accelerator, Capabilities, Capability

NEEDED = ("qemu", "libvirt", "bridge", "tun")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the settings say of the host: the accelerator (None: the best that works), the reserves in
    millicores and bytes."""

    accelerator: Accelerator | None
    reserve_cpu: int
    reserve_memory: int


async def probe(wanted: Wanted, memory: KvmMemory | None = None) -> Capabilities:
    """The host as probed now; takes about a second, and five more where KVM does not answer and no `memory`
    says so. KVM that the settings insist on is always probed. Raises OSError."""
    kvm_probe = memory.recall_or_probe if memory is not None and wanted.accelerator is None else None
    network, hypervisor, cpu = await asyncio.gather(
        asyncio.to_thread(probe_network),
        asyncio.to_thread(probe_hypervisor, wanted.accelerator, kvm_probe),
        asyncio.to_thread(probe_cpu_controller),
    )
    return capabilities(
        hypervisor.accelerator,
        (*hypervisor.features, cpu, probe_apparmor(), *network),
        reserve_cpu=wanted.reserve_cpu,
        reserve_memory=wanted.reserve_memory,
    )


def missing(found: Capabilities, wanted: Wanted) -> tuple[Capability, ...]:
    """The features without which no appliance can run here."""
    needed = {*NEEDED, "kvm"} if wanted.accelerator is Accelerator.KVM else set(NEEDED)
    return tuple(feature for feature in found.features if feature.name in needed and not feature.available)
