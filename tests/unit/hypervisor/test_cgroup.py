"""Folders of guests, in a tree that looks like cgroups."""

import hashlib
import os
import shutil
from pathlib import Path

from twinplane.hypervisor.cgroup import CpuClock, Hierarchy, LeftOvers, hierarchies

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
