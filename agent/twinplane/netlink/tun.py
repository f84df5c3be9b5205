"""Persistent taps (Documentation/networking/tuntap.rst)."""

import fcntl
import os
import struct

from twinplane.netlink.message import KernelError

_DEVICE = "/dev/net/tun"
_TUNSETIFF = 0x400454CA
_TUNSETPERSIST = 0x400454CB
_IFF_TAP, _IFF_NO_PI, _IFF_VNET_HDR, _IFF_TUN_EXCL = 0x0002, 0x1000, 0x4000, 0x8000
_IFREQ = struct.Struct("16sH22x")


def create_tap(name: str) -> None:
    """Make a tap that outlives this process, down, in the network namespace of the calling thread.

    Raises:
        KernelError: the name is taken, the device /dev/net/tun is missing, or no permission.
    """
    doing = f"make tap {name}"
    try:
        tun = os.open(_DEVICE, os.O_RDWR | os.O_CLOEXEC)
    except OSError as error:
        raise KernelError(f"{doing}: open {_DEVICE}", error.errno or 0) from error
    try:
        # without IFF_TUN_EXCL a tap of that name that somebody else made would be attached to, and kept
        flags = _IFF_TAP | _IFF_NO_PI | _IFF_VNET_HDR | _IFF_TUN_EXCL
        fcntl.ioctl(tun, _TUNSETIFF, _IFREQ.pack(name.encode(), flags))
        fcntl.ioctl(tun, _TUNSETPERSIST, 1)
    except OSError as error:
        raise KernelError(doing, error.errno or 0) from error
    finally:
        os.close(tun)
