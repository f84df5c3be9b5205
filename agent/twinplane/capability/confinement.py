"""Whether a mandatory policy of the kernel confines guests beside their own user and seccomp filter."""

from pathlib import Path

from twinplane.model.host import Capability

ENABLED = Path("/sys/module/apparmor/parameters/enabled")


def probe_apparmor(enabled: Path = ENABLED) -> Capability:
    """The feature ``apparmor``, which is never available: libvirt's driver for it has a program write a
    profile for each guest below /etc, which an embedded root does not own. The reason says whether the kernel
    has it."""
    try:
        there = enabled.read_text().strip() == "Y"
    except OSError:
        there = False
    without = "this kernel does not have it, or it is off"
    within = "this kernel has it, but libvirt would write profiles of guests into /etc/apparmor.d"
    reason = f"{within}; remedy: confine the agent's unit" if there else without
    return Capability("apparmor", available=False, reason=reason)
