"""Whether guests can be given CPU shares: the cpu controller of cgroups, where libvirt looks for it."""

import os
from contextlib import suppress
from pathlib import Path

from twinplane.hypervisor.cgroup import Hierarchy, hierarchies
from twinplane.model.capability import CPU_CONTROLLER
from twinplane.model.host import Capability

_OPTION = "a kernel with CONFIG_FAIR_GROUP_SCHED and CONFIG_CFS_BANDWIDTH"
# What a share takes: a weight and a limit (kernel documents admin-guide/cgroup-v2, scheduler/sched-bwc).
_FILES_V1 = ("cpu.shares", "cpu.cfs_quota_us", "cpu.cfs_period_us")


def probe_cpu_controller(found: tuple[Hierarchy, ...] | None = None) -> Capability:
    """The feature ``cpu-controller``: a v1 hierarchy (also of a hybrid host) in which a group can be made
    that has a weight and a limit, or a unified hierarchy (v2) that hands the controller down.

    Leaves nothing behind; never raises for what the host lacks.
    """
    found = hierarchies() if found is None else found
    v1 = next((each for each in found if "cpu" in each.controllers), None)
    if v1 is not None:
        return _tried(v1.mount, _FILES_V1)
    v2 = next((each for each in found if not each.controllers), None)
    if v2 is None:
        return _missing(
            "no cgroup hierarchy is mounted here",
            "mount -t cgroup2 none /sys/fs/cgroup, or start the agent where /sys/fs/cgroup is to be seen "
            "(ip netns exec hides it, nsenter --net does not)",
        )
    try:
        offered = (v2.mount / "cgroup.controllers").read_text().split()
        handed_down = (v2.mount / "cgroup.subtree_control").read_text().split()
    except OSError as error:
        return _missing(f"{error.filename} cannot be read: {error.strerror}", "mount cgroup2 for the agent")
    if "cpu" not in offered:
        return _missing(
            f"{v2.mount} does not offer the controller cpu",
            f"{_OPTION}, or whoever runs this container lets it have the controller",
        )
    # libvirt hands the controller down with the first guest; until somebody has, a group has no such files.
    return _tried(v2.mount, ("cpu.weight", "cpu.max") if "cpu" in handed_down else ())


def _tried(mount: Path, files: tuple[str, ...]) -> Capability:
    group = mount / f"twinplane-probe-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        return _missing(f"no group can be made in {mount}: {error.strerror}", f"mount -o remount,rw {mount}")
    try:
        lacking = [name for name in files if not (group / name).exists()]
    finally:
        with suppress(OSError):
            group.rmdir()
    if lacking:
        return _missing(f"groups in {mount} have no {', '.join(lacking)}", _OPTION)
    return Capability(CPU_CONTROLLER, available=True)


def _missing(reason: str, remedy: str) -> Capability:
    return Capability(CPU_CONTROLLER, available=False, reason=f"{reason}; remedy: {remedy}")
