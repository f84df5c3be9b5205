"""Guests that run as root raise an alarm, which ends with them."""

import asyncio
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from twinplane import privilege
from twinplane.errors import DriverError
from twinplane.hypervisor.root import EmbeddedRoot
from twinplane.privilege import Privilege, as_root
from twinplane.state.raised import Raised

WARNING = "guests run as root: libvirt-qemu may not open /dev/kvm"


class Silent:
    """A libvirt that does not answer."""

    async def domains(self):
        raise DriverError("no answer")


class Titled:
    """A libvirt with two domains."""

    async def domains(self):
        records = [SimpleNamespace(name="vm1", title="fw1"), SimpleNamespace(name="vm2", title="fw2")]
        return SimpleNamespace(records=records)


def watching(monkeypatch, connection, warning, *looks):
    """What is reported in some looks at hosts that have these guests as root."""
    reported = []
    remaining = list(looks)
    monkeypatch.setattr(privilege, "as_root", lambda root: remaining.pop(0))
    hypervisor = SimpleNamespace(
        connection=connection, root=EmbeddedRoot(Path("/nowhere"), "libvirt-qemu", 0, warning)
    )
    watch = Privilege(hypervisor, Raised(reported.extend))

    async def look():
        for _ in looks:
            await watch.look()

    asyncio.run(look())
    return [(alarm.kind, alarm.severity, alarm.text, alarm.cleared) for alarm in reported]


def test_the_alarm_names_the_appliances_and_why_and_ends_with_the_last(monkeypatch):
    found = watching(monkeypatch, Titled(), WARNING, ["vm1", "vm2"], ["vm2"], ["vm2"], [], [])
    assert found == [
        ("GUESTS_AS_ROOT", "MAJOR", f"fw1, fw2: {WARNING}", False),
        ("GUESTS_AS_ROOT", "MAJOR", f"fw2: {WARNING}", False),
        ("GUESTS_AS_ROOT", "MAJOR", f"fw2: {WARNING}", True),
    ]


def test_one_that_was_started_before_is_named_though_others_do_not(monkeypatch):
    ((_, _, text, _),) = watching(monkeypatch, Titled(), "", ["vm1"])
    assert text == "fw1: guests run as root that were started before; stop and start them"


def test_it_is_raised_also_where_libvirt_does_not_answer(monkeypatch):
    ((_, _, text, _),) = watching(monkeypatch, Silent(), WARNING, [f"vm{n:02}" for n in range(12)])
    assert text.startswith("vm00, ")
    assert "vm09 and 2 more: " in text


@pytest.mark.skipif(Path("/proc/self").stat().st_uid != 0, reason="needs root")
def test_whose_a_guest_is_is_read_from_its_process(monkeypatch):
    processes = {
        name: subprocess.Popen(["sleep", "60"], user=user) for name, user in (("a", 0), ("b", 65534))
    }
    try:
        guests = {name: process.pid for name, process in processes.items()} | {"gone": 2**22}
        monkeypatch.setattr(privilege.process, "guests", lambda root: guests)
        assert as_root(Path("/nowhere")) == ["a"]
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
