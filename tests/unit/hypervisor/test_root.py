"""The folder of embedded libvirt."""

import os
import pwd
import subprocess
import tempfile
from pathlib import Path

import pytest

from twinplane.errors import DriverError
from twinplane.hypervisor import root
from twinplane.state_dir import StateDir

pytestmark = pytest.mark.skipif(
    not any(user.pw_name == root.QEMU_USER for user in pwd.getpwall()), reason="needs libvirt's packages"
)


@pytest.fixture
def short():
    """A short path, as a state directory has; those of pytest are far longer."""
    with tempfile.TemporaryDirectory(prefix="tp", dir="/tmp") as folder:
        Path(folder).chmod(0o711)
        yield Path(folder)


def test_guests_run_unprivileged_where_nothing_is_in_the_way(short, monkeypatch):
    monkeypatch.setattr(root, "KVM_DEVICE", short / "no-kvm")
    prepared = root.prepare(short / "libvirt")
    account = pwd.getpwnam(root.QEMU_USER)
    assert (prepared.user, prepared.warning) == (root.QEMU_USER, "")
    text = (short / "libvirt/etc/qemu.conf").read_text()
    assert f'user = "{root.QEMU_USER}"\ngroup = "+{account.pw_gid}"\n' in text
    assert 'stdio_handler = "file"' in text


@pytest.mark.parametrize(
    ("mode", "group", "usable"), [(0o600, 0, False), (0o660, 0, False), (0o666, 0, True), (0o660, None, True)]
)
def test_only_kvm_needs_its_device(short, monkeypatch, mode, group, usable):
    device = short / "kvm"
    device.write_bytes(b"")
    device.chmod(mode)
    os.chown(device, 0, pwd.getpwnam(root.QEMU_USER).pw_gid if group is None else group)
    monkeypatch.setattr(root, "KVM_DEVICE", device)
    emulated = root.prepare(short / "libvirt")
    assert (emulated.user, emulated.warning, emulated.unaided) == (root.QEMU_USER, "", not usable)
    if usable:
        prepared = root.prepare(short / "libvirt", kvm=True)
        assert (prepared.user, prepared.unaided) == (root.QEMU_USER, False)
        return
    with pytest.raises(DriverError, match=f"as root only: .* may not open {device} ") as refusal:
        root.prepare(short / "libvirt", kvm=True)
    assert "allow_root = true" in refusal.value.remedy
    allowed = root.prepare(short / "libvirt", kvm=True, allow_root=True)
    assert (allowed.user, allowed.group, allowed.unaided) == ("root", 0, False)
    assert str(device) in allowed.warning


def test_what_guests_are_started_from_is_for_guests_alone(short, monkeypatch):
    """A file for day 0 may hold passwords, and where it is stands in the process list."""
    monkeypatch.setattr(root, "KVM_DEVICE", short / "no-kvm")
    account = pwd.getpwnam(root.QEMU_USER)
    with StateDir(short) as state:
        state.admit(root.prepare(state.folder("libvirt")).group)
        seed = state.folder("appliances") / "some/seed.iso"
        seed.parent.mkdir(mode=0o711)
        seed.touch(mode=0o444)
        guest = {"user": account.pw_uid, "group": account.pw_gid}
        members = os.getgrouplist(account.pw_name, account.pw_gid)
        assert subprocess.run(["cat", seed], extra_groups=members, **guest, check=False).returncode == 0
        for group in (account.pw_gid, 65534):
            other = {"user": 65534, "group": group, "extra_groups": []}
            assert subprocess.run(["cat", seed], **other, check=False).returncode != 0
        state.admit(account.pw_gid)
        assert seed.stat().st_mode & 0o777 == 0o400, "one of an earlier version, which guests could all read"
        assert state.folder("trash").stat().st_mode & 0o777 == 0o700


def test_a_folder_on_the_way_that_is_closed_is_named(short, monkeypatch):
    monkeypatch.setattr(root, "KVM_DEVICE", short / "no-kvm")
    short.chmod(0o700)
    with pytest.raises(DriverError, match=f"cannot enter {short} "):
        root.prepare(short / "libvirt")
    assert str(short) in root.prepare(short / "libvirt", allow_root=True).warning


@pytest.mark.parametrize(("mount", "namespaces"), [("/", '["mount"]'), ("/proc", "[]")])
def test_guests_get_mounts_of_their_own_only_where_root_is_a_mount(short, monkeypatch, mount, namespaces):
    mounts = short / "mountinfo"
    mounts.write_text(f"24 1 0:22 / {mount} rw,relatime shared:1 - ext4 /dev/vda rw\n")
    monkeypatch.setattr(root, "MOUNTS", mounts)
    root.prepare(short / "libvirt")
    assert f"\nnamespaces = {namespaces}\n" in (short / "libvirt/etc/qemu.conf").read_text()


def test_a_path_that_sockets_cannot_have_is_refused(short):
    with pytest.raises(DriverError, match="too long"):
        root.prepare(short / ("x" * 60))


@pytest.mark.parametrize("taken", ["libvirt/etc/qemu.conf", "libvirt/etc/qemu.new"])
def test_a_configuration_that_cannot_be_written_is_said(short, taken):
    (short / taken).mkdir(parents=True)
    with pytest.raises(DriverError, match="cannot be prepared"):
        root.prepare(short / "libvirt")
