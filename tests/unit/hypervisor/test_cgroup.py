"""Folders of guests, in a tree that looks like cgroups."""

import hashlib
import os
import shutil
from pathlib import Path

import pytest

from twinplane.hypervisor import process
from twinplane.hypervisor.cgroup import CpuClock, Hierarchy, LeftOvers, hierarchies, unified

HYBRID = """\
24 30 0:22 / /sys rw,nosuid - sysfs sysfs rw
29 24 0:27 / /srv/chroot/sys/fs/cgroup/cpu,cpuacct rw,nosuid - cgroup cgroup rw,cpu,cpuacct
31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:9 - cgroup cgroup rw,cpu,cpuacct
32 24 0:28 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
33 24 0:29 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,xattr,name=systemd
"""


def test_mounted_hierarchies_are_found():
    assert hierarchies(HYBRID) == (
        Hierarchy(Path("/sys/fs/cgroup/cpu,cpuacct"), ("cpu", "cpuacct")),
        Hierarchy(Path("/sys/fs/cgroup/unified"), ()),
        Hierarchy(Path("/sys/fs/cgroup/systemd"), ("name=systemd",)),
    )


def test_whose_controller_shares_the_processors() -> None:
    assert not unified(hierarchies(HYBRID))
    assert unified(hierarchies("30 1 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n"))


def test_cpu_time_of_a_process_without_cgroup_is_the_kernels_own_count():
    before = CpuClock().cpu_time(os.getpid())
    assert before is not None
    while CpuClock().cpu_time(os.getpid()) == before:  # one clock tick of work
        sum(range(10_000))
    assert CpuClock().cpu_time(2**22 + 1) is None


class Tree:
    """A root folder and two hierarchies; the second has had a `machine` folder before us."""

    def __init__(self, folder: Path) -> None:
        self.root = folder / "libvirt"
        self.root.mkdir()
        self.first, self.second = folder / "first", folder / "second"
        self.first.mkdir()
        (self.second / "machine").mkdir(parents=True)
        self.hierarchies = (Hierarchy(self.first, ("cpu",)), Hierarchy(self.second, ()))
        self.prefix = f"qemu-embed-{hashlib.sha256(str(self.root).encode()).hexdigest()[:8]}"

    def left_overs(self) -> LeftOvers:
        return LeftOvers(self.root, self.hierarchies)

    def guest(self, name: str) -> Path:
        for mount in (self.first, self.second):
            (mount / "machine" / name / "emulator").mkdir(parents=True)
        return self.first / "machine" / name


def test_folders_of_an_ended_guest_go_and_those_of_others_stay(tmp_path):
    tree = Tree(tmp_path)
    tree.left_overs().remember()
    ended = tree.guest(f"{tree.prefix}-1-vmaaa.libvirt-qemu")
    other = tree.guest(f"{tree.prefix}-2-vmbbb.libvirt-qemu")
    foreign = tree.guest("qemu-embed-00000000-1-vmaaa.libvirt-qemu")
    tree.left_overs().clean("vmaaa")
    assert not ended.exists()
    assert other.exists()
    assert foreign.exists()


def test_what_a_start_that_was_cut_off_leaves_of_a_guest_goes(tmp_path, monkeypatch):
    tree = Tree(tmp_path)
    files = [tree.root / "lib/qemu" / name for name in ("domain-1-vmaaa", "domain-2-vmbbb", "domain-3-vmccc")]
    for folder in files:
        folder.mkdir(parents=True)
        (folder / "master-key.aes").write_text("key")
    (tree.root / "run/qemu").mkdir(parents=True)
    files += [tree.root / "run/qemu" / f"{name}.xml.new" for name in ("vmaaa", "vmbbb", "vmccc")]
    for half in files[3:]:
        half.write_text("<domstatus")
    monkeypatch.setattr(process, "pid_of", lambda _, name: 1 if name == "vmbbb" else None)
    tree.left_overs().clean("vmaaa")
    assert [folder.exists() for folder in files] == [False, True, True] * 2
    tree.left_overs().sweep()
    assert [folder.exists() for folder in files] == [False, True, False] * 2


def test_a_sweep_takes_the_folders_of_guests_that_have_ended(tmp_path, monkeypatch):
    """Where a start was cut off while its folders were made, nobody else takes them away."""
    tree = Tree(tmp_path)
    ended = tree.guest(f"{tree.prefix}-1-vmaaa.libvirt-qemu")
    other = tree.guest(f"{tree.prefix}-2-vmbbb.libvirt-qemu")
    foreign = tree.guest("qemu-embed-00000000-1-vmaaa.libvirt-qemu")
    monkeypatch.setattr(process, "pid_of", lambda _, name: 1 if name == "vmbbb" else None)
    tree.left_overs().sweep()
    assert [folder.exists() for folder in (ended, other, foreign)] == [False, True, True]


def test_where_a_dev_was_to_be_mounted_goes_with_the_guest(tmp_path, monkeypatch):
    tree = Tree(tmp_path)
    run = tree.root / "run/qemu"
    places = [run / f"{number}-vmaaa.{name}" for number, name in ((1, "dev"), (1, "pts"), (12, "shm"))]
    for place in (*places, run / "2-vmbbb.dev"):
        place.mkdir(parents=True)
    monkeypatch.setattr(process, "pid_of", lambda _, name: 1 if name == "vmbbb" else None)
    tree.left_overs().clean("vmaaa")
    tree.left_overs().sweep()
    assert [file.name for file in run.iterdir()] == ["2-vmbbb.dev"]


def test_machine_folders_go_with_the_last_guest_unless_they_were_there_before(tmp_path):
    tree = Tree(tmp_path)
    tree.left_overs().remember()
    tree.guest(f"{tree.prefix}-1-vmaaa.libvirt-qemu")
    tree.left_overs().remember()  # a second start of the agent does not take ours for somebody else's
    tree.left_overs().clean("vmaaa")
    assert not (tree.first / "machine").exists()
    assert (tree.second / "machine").exists()


def test_a_folder_that_holds_something_stays(tmp_path):
    tree = Tree(tmp_path)
    guest = tree.guest(f"{tree.prefix}-1-vmaaa.libvirt-qemu")
    (guest / "emulator" / "held").write_text("")  # stands for EBUSY
    tree.left_overs().clean("vmaaa")
    assert (guest / "emulator").exists()


def test_a_folder_that_goes_by_itself_meanwhile_is_no_error(tmp_path, monkeypatch):
    tree = Tree(tmp_path)
    tree.guest(f"{tree.prefix}-1-vmaaa.libvirt-qemu")
    left_overs = tree.left_overs()
    seen = left_overs.guests()
    shutil.rmtree(tree.first / "machine")
    monkeypatch.setattr(left_overs, "guests", lambda: seen)
    left_overs.clean("vmaaa")
    assert not (tree.second / f"machine/{tree.prefix}-1-vmaaa.libvirt-qemu").exists()


V1 = "7:cpu,cpuacct:/machine/qemu-embed-00-1-vmaaa.libvirt-qemu/vcpu0\n0::/system.slice/agent\n"
HYBRID_GUEST = "7:cpu,cpuacct:/\n0::/machine/qemu-embed-00-1-vmaaa.libvirt-qemu/libvirt/emulator\n"
V2 = "0::/machine.slice/machine-qemu\\x2d1\\x2dvmaaa.scope/libvirt/emulator\n"


@pytest.mark.parametrize(
    ("text", "folder", "spent"),
    [
        (V1, "v1/machine/qemu-embed-00-1-vmaaa.libvirt-qemu", 123_456_789),
        (HYBRID_GUEST, "v2/machine/qemu-embed-00-1-vmaaa.libvirt-qemu", 4_000_000_000),
        (V2, "v2/machine.slice/machine-qemu\\x2d1\\x2dvmaaa.scope", 4_000_000_000),
    ],
    ids=["v1", "hybrid", "v2"],
)
def test_cpu_time_is_that_of_the_whole_guest_in_every_kind_of_hierarchy(tmp_path, text, folder, spent):
    group = tmp_path / folder
    group.mkdir(parents=True)
    (group / "cpuacct.usage").write_text("123456789\n")
    (group / "cpu.stat").write_text("usage_usec 4000000\nuser_usec 3\nsystem_usec 1\n")
    found = (Hierarchy(tmp_path / "v1", ("cpu", "cpuacct")), Hierarchy(tmp_path / "v2", ()))
    assert CpuClock(found, cgroups=lambda _: text).cpu_time(os.getpid()) == spent
