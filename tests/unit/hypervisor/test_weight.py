"""The weight of the group of all guests: raised, given back, across crashes."""

from collections.abc import Callable
from pathlib import Path

import pytest

from twinplane.errors import DriverError
from twinplane.hypervisor.cgroup import Hierarchy
from twinplane.hypervisor.weight import MachineWeight

GUESTS = {"vmaaa": 1}
V1 = "5:cpu,cpuacct:/machine/qemu-embed-00-1-vmaaa.libvirt-qemu/emulator\n"
SYSTEMD = "0::/machine.slice/machine-qemu\\x2d1\\x2dvmaaa.scope/libvirt/emulator\n"


class Host:
    """A libvirt root and one hierarchy; `guests` are ours."""

    def __init__(self, folder: Path, controllers: tuple[str, ...], file: str, weight: int, text: str) -> None:
        self.root = folder / "libvirt"
        self.root.mkdir()
        self.file = folder / "cgroup" / file
        self.file.parent.mkdir(parents=True)
        self.file.write_text(f"{weight}\n")
        self.guests: dict[str, int] = {}
        self._hierarchies = (Hierarchy(folder / "cgroup", controllers),)
        self._text = text

    def agent(self, shares: int = 20_480, cgroups: Callable[[int], str] | None = None) -> MachineWeight:
        """That of an agent that has just started."""
        found = cgroups or (lambda _: self._text)
        return MachineWeight(self.root, shares, self._hierarchies, guests=lambda: self.guests, cgroups=found)

    @property
    def weight(self) -> int:
        return int(self.file.read_text())


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path, ("cpu", "cpuacct"), "machine/cpu.shares", 700, V1)


def test_it_is_raised_with_the_first_guest_and_given_back_with_the_last(host: Host) -> None:
    weight = host.agent()
    weight.settle()
    assert host.weight == 700
    host.guests = GUESTS
    weight.settle()
    assert host.weight == 20_480
    host.guests = {}
    weight.settle()
    assert host.weight == 700
    assert list(host.root.iterdir()) == []


def test_where_it_is_right_nothing_is_written(host: Host) -> None:
    host.guests = GUESTS
    host.agent().settle()
    before = host.file.stat().st_mtime_ns
    host.agent().settle()
    assert host.file.stat().st_mtime_ns == before


@pytest.mark.parametrize("shares", [20_480, 4_096])
def test_an_agent_that_comes_after_a_crash_knows_the_old_weight(host: Host, shares: int) -> None:
    host.guests = GUESTS
    host.agent().settle()
    host.agent(shares).settle()
    assert host.weight == shares
    host.guests = {}
    host.agent(shares).settle()
    assert host.weight == 700


def test_killed_before_the_change_nothing_is_given_back_that_was_not_taken(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    host.guests = GUESTS
    write = Path.write_text

    def killed(path: Path, text: str) -> int:
        if path == host.file:
            raise OSError("here it dies")
        return write(path, text)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "write_text", killed)
        with pytest.raises(DriverError, match="here it dies"):
            host.agent().settle()
    host.guests = {}
    host.agent().settle()
    assert host.weight == 700


def test_what_somebody_else_set_meanwhile_is_left_alone(host: Host) -> None:
    host.guests = GUESTS
    host.agent().settle()
    host.file.write_text("999")
    host.guests = {}
    host.agent().settle()
    assert host.weight == 999


def test_a_group_that_went_with_its_last_guest_needs_nothing(host: Host) -> None:
    host.guests = GUESTS
    host.agent().settle()
    host.file.unlink()
    host.guests = {}
    host.agent().settle()
    assert list(host.root.iterdir()) == []


@pytest.mark.parametrize(("shares", "weight"), [(1024, 100), (20_480, 2_000), (262_144, 10_000)])
def test_in_the_unified_hierarchy_a_task_weighs_a_hundred(tmp_path: Path, shares: int, weight: int) -> None:
    host = Host(tmp_path, (), "machine.slice/cpu.weight", 50, SYSTEMD)
    host.guests = GUESTS
    host.agent(shares).settle()
    assert host.weight == weight


@pytest.mark.parametrize("text", ["4:memory:/machine/vm\n", "5:cpu:/user.slice\n", "0::/\n"])
def test_a_guest_in_no_such_group_changes_nothing(tmp_path: Path, text: str) -> None:
    host = Host(tmp_path, ("cpu",), "machine/cpu.shares", 700, text)
    host.guests = GUESTS
    host.agent().settle()
    assert host.weight == 700


def test_a_guest_that_dies_meanwhile_hides_no_other(host: Host) -> None:
    host.guests = {"vmaaa": 7, "vmbbb": 1}

    def cgroups(pid: int) -> str:
        if pid == 7:
            raise ProcessLookupError(3, "No such process")
        return V1

    host.agent(cgroups=cgroups).settle()
    assert host.weight == 20_480
