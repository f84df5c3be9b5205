"""A network namespace for the whole process: what it starts is in it too, and it vanishes with the last."""

import ctypes
import os
from pathlib import Path

_CLONE_NEWNET = 0x40000000


def enter_new() -> None:
    """Leave the network of the host. Without IPv6 of their own, so that devices keep silent. Needs root."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), f"unshare: {os.strerror(ctypes.get_errno())}; needs root")
    Path("/proc/sys/net/ipv6/conf/default/disable_ipv6").write_text("1")
