"""Runs a command after shell commands that mount things which nobody else sees.

As `python private_mounts.py SHELL-COMMANDS COMMAND...`. unshare(1) would do, but not where / is no mount
point (a plain chroot): there mounts cannot be made private from within. So it leaves the chroot for a moment.
"""

import ctypes
import os
import sys
import tempfile
from pathlib import Path

_CLONE_NEWNS = 0x00020000
_MS_REC, _MS_PRIVATE = 0x4000, 1 << 18


def main() -> None:
    """Never returns; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(_CLONE_NEWNS) != 0:
        raise OSError(ctypes.get_errno(), "unshare: the end-to-end tier needs root")
    here, root = Path.cwd(), os.open("/", os.O_RDONLY | os.O_DIRECTORY)
    with tempfile.TemporaryDirectory() as inner:
        os.chroot(inner)
        os.fchdir(root)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
        failed = libc.mount(b"none", b"/", None, _MS_REC | _MS_PRIVATE, None)
        reason = ctypes.get_errno()
        os.fchdir(root)
        os.chroot(".")
        os.chdir(here)
    if failed:
        raise OSError(reason, "mounts cannot be made private")
    os.close(root)
    os.execvp("sh", ["sh", "-c", f'set -e; {sys.argv[1]}; exec "$@"', "sh", *sys.argv[2:]])


if __name__ == "__main__":
    main()
