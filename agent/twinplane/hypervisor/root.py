"""The folder that embedded libvirt lives in: its configuration and what it needs of the host."""

import grp
import os
import pwd
import stat
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from twinplane.errors import DriverError

QEMU_USER = "libvirt-qemu"
KVM_DEVICE = Path("/dev/kvm")
MOUNTS = Path("/proc/self/mountinfo")
ID_MAP = Path("/proc/self/uid_map")
# sun_path holds 108 bytes with its end; libvirt appends /lib/qemu/domain-<id>-<20 characters>/monitor.sock.
LONGEST_ROOT = 107 - 31 - 20 - 5
ROOM = 1 << 20  # bytes, beside what the states of running guests take


@dataclass(frozen=True, slots=True)
class EmbeddedRoot:
    """A prepared root. `user` is whom guests run as: root only where that is
    the one that works and was allowed, and then `warning` says why. `group` is one that guests
    are in, and as few others as there is one for. `uids` are those that guests have one each of, none where
    they share `user`; `shared` says why, where they were not to. With `unaided` they run under emulation as
    a user who may not open /dev/kvm, which is there (see `unaided.py`)."""

    path: Path
    user: str
    group: int
    warning: str = ""
    unaided: bool = False
    uids: range = range(0)
    shared: str = ""

    @property
    def uri(self) -> str:
        """What libvirt opens."""
        return root_uri(self.path)


def root_uri(path: Path) -> str:
    """A URI (RFC 3986), in which libvirt reads a path with percent signs."""
    return f"qemu:///embed?root={quote(os.fsencode(path))}"


def prepare(
    path: Path, *, kvm: bool = False, allow_root: bool = False, uids: range = range(0)
) -> EmbeddedRoot:
    """Make the folder and write its `etc/qemu.conf`. `kvm`: guests are to run under KVM. `uids`: each as
    another of these users, where the host allows.

    Raises:
        DriverError: libvirt cannot work in it, or guests could run as root only, which is not allowed.
    """
    path = path.resolve()
    if len(os.fsencode(path)) > LONGEST_ROOT:
        raise DriverError(
            f"{path} is too long for the sockets libvirt makes in it (at most {LONGEST_ROOT} bytes)",
            remedy="use a state directory with a shorter path",
        )
    try:
        account = pwd.getpwnam(QEMU_USER)
    except KeyError as error:
        raise DriverError(
            f"the user {QEMU_USER} does not exist and libvirt cannot open without it",
            remedy="apt-get install libvirt-daemon-system",
        ) from error
    try:
        (path / "etc").mkdir(parents=True, exist_ok=True)
        path.chmod(0o711)
        (path / "etc").chmod(0o755)
        hindrance = _obstacle(path, account, kvm=kvm)
        if hindrance and not allow_root:
            raise DriverError(
                f"guests could run as root only: {hindrance}", remedy="or set hypervisor.allow_root = true"
            )
        user, group = ("root", 0) if hindrance else (QEMU_USER, account.pw_gid)
        _write(path / "etc/qemu.conf", _configuration(user, group, own_mounts=_is_mount_point("/")))
        _try_room(path)
    except OSError as error:
        raise DriverError(f"{path} cannot be prepared: {error}") from error
    own = 0 if hindrance else _own_group(account)
    shared = ""
    if uids:
        device = _kvm_group(account, own) if kvm and not hindrance else own
        shared = sharing(uids) or ("" if device is not None else f"only {QEMU_USER} may open {KVM_DEVICE}")
        uids, own = (range(0), own) if hindrance or shared or device is None else (uids, device)
    warning = f"guests run as root: {hindrance}" if hindrance else ""
    unaided = not kvm and not hindrance and KVM_DEVICE.exists() and not _may_use(KVM_DEVICE, account)
    return EmbeddedRoot(path, user, own, warning, unaided, uids, shared)


def obstacle(path: Path, *, kvm: bool) -> str:
    """What would keep guests from running as a user of their own below that folder, which need not be there
    yet, with what would change it; empty where nothing does. Touches nothing."""
    try:
        return _obstacle(path.resolve(), pwd.getpwnam(QEMU_USER), kvm=kvm)
    except KeyError:
        return f"the user {QEMU_USER} does not exist (apt-get install libvirt-daemon-system)"
    except OSError as error:
        return f"{error.filename} cannot be read: {error.strerror}"


def sharing(uids: range) -> str:
    """What would keep guests from having a user each of those; empty where nothing does."""
    # user_namespaces(7): lines of the first id inside, the one outside, and how many.
    lines = [[int(field) for field in line.split()] for line in ID_MAP.read_text().splitlines()]
    if not any(first <= uids.start and uids.stop <= first + count for first, _, count in lines):
        return (
            f"the user namespace of the agent does not have the user ids {uids.start} to {uids.stop - 1} "
            "(set hypervisor.uid_base and uid_count to a part that it has)"
        )
    for account in pwd.getpwall():
        if account.pw_uid in uids:
            return f"{account.pw_name} has the user id {account.pw_uid} (set another hypervisor.uid_base)"
    return ""


def _kvm_group(account: pwd.struct_passwd, own: int) -> int | None:
    """The group that a user needs for /dev/kvm: `own` where all may, None where only the account."""
    status = KVM_DEVICE.stat()
    mode = stat.S_IMODE(status.st_mode)
    if mode & 0o060 == 0o060 and status.st_gid in os.getgrouplist(account.pw_name, account.pw_gid):
        return status.st_gid
    return own if mode & 0o006 == 0o006 and status.st_gid != own else None


def _own_group(account: pwd.struct_passwd) -> int:
    """The group of the account's own name; its primary one is that of everybody who may use KVM."""
    with suppress(KeyError):
        own = grp.getgrnam(account.pw_name).gr_gid
        if own in os.getgrouplist(account.pw_name, account.pw_gid):
            return own
    return account.pw_gid


def _configuration(user: str, group: int, *, own_mounts: bool) -> str:
    # Files that guests read are ours and readable by all, so libvirt must not change their owners. There is
    # no log daemon that would hold a guest's console. A confinement profile would be written into /etc.
    # Each guest gets a mount namespace of its own with a /dev of few devices, but libvirt fails to make one
    # where / is no mount point, as in a plain chroot.
    namespaces = '["mount"]' if own_mounts else "[]"
    return (
        f'user = "{user}"\n'
        f'group = "+{group}"\n'
        'stdio_handler = "file"\n'
        'security_driver = "none"\n'
        "dynamic_ownership = 0\n"
        "remember_owner = 0\n"
        "max_core = 0\n"
        f"namespaces = {namespaces}\n"
    )


def _is_mount_point(path: str) -> bool:
    # proc_pid_mountinfo(5): the fifth field is the mount point, as seen from this process's root.
    return any(line.split(" ")[4] == path for line in MOUNTS.read_text().splitlines())


def _try_room(path: Path) -> None:
    # Opening, libvirt writes the state of each running guest anew, and ends the guest where it cannot.
    needed = ROOM + sum(file.stat().st_size for file in path.glob("run/qemu/*.xml"))
    try:
        with tempfile.TemporaryFile(dir=path) as file:
            os.posix_fallocate(file.fileno(), 0, needed)
    except OSError as error:
        raise DriverError(
            f"{path} has no room for the {needed} bytes that libvirt writes when it opens: {error.strerror}",
            remedy="free some space; running guests were left alone, and would have been ended",
        ) from error


def _obstacle(path: Path, account: pwd.struct_passwd, *, kvm: bool) -> str:
    """Why guests cannot run as that account here, with what would change it; empty where they can."""
    for folder in (*reversed(path.parents), path):
        if folder.exists() and not stat.S_IMODE(folder.stat().st_mode) & stat.S_IXOTH:
            return f"{QEMU_USER} cannot enter {folder} (chmod o+x {folder})"
    if kvm and not _may_use(KVM_DEVICE, account):
        return f"{QEMU_USER} may not open {KVM_DEVICE} (chgrp kvm {KVM_DEVICE}; chmod 0660 {KVM_DEVICE})"
    return ""


def _may_use(device: Path, account: pwd.struct_passwd) -> bool:
    try:
        status = device.stat()
    except FileNotFoundError:
        return False
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid == account.pw_uid:
        return mode & 0o600 == 0o600
    if status.st_gid in os.getgrouplist(account.pw_name, account.pw_gid):
        return mode & 0o060 == 0o060
    return mode & 0o006 == 0o006


def _write(path: Path, text: str) -> None:
    if path.exists() and path.read_text() == text:
        return
    temporary = path.with_suffix(".new")
    with temporary.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
