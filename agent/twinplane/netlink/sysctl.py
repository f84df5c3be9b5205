"""Per-device network settings below /proc/sys/net (Documentation/networking/ip-sysctl.rst).

They are those of the network namespace of the calling thread.
"""

from pathlib import Path

from twinplane.netlink.message import KernelError

_ROOT = Path("/proc/sys/net")


def read_setting(family: str, device: str, name: str) -> str | None:
    """The value of ``net.<family>.conf.<device>.<name>``; None where this kernel or device has no such
    setting."""
    try:
        return (_ROOT / family / "conf" / device / name).read_text().strip()
    except OSError:
        return None


def write_setting(family: str, device: str, name: str, value: str) -> None:
    """Set ``net.<family>.conf.<device>.<name>``.

    Raises:
        KernelError: there is no such setting, or it cannot be written.
    """
    path = _ROOT / family / "conf" / device / name
    try:
        path.write_text(value)
    except OSError as error:
        raise KernelError(f"set net.{family}.conf.{device}.{name} to {value}", error.errno or 0) from error
