"""That KVM does not answer is found out once; a QEMU that hangs stands for it."""

import asyncio
import json
import os
from pathlib import Path

import pytest

from twinplane.capability import hypervisor, memory
from twinplane.capability.hypervisor import EXIT_CODE, NO_ANSWER, probe_hypervisor
from twinplane.capability.memory import FILE, KvmMemory
from twinplane.capability.report import Wanted, probe
from twinplane.model.host import Accelerator

HANGS, WORKS, REFUSES = "sleep 600", f"exit {EXIT_CODE}", "echo no such accelerator >&2; exit 1"


class Host:
    """A QEMU that does as it is told and leaves a line for each time it was started."""

    def __init__(self, folder: Path) -> None:
        self.qemu = folder / "qemu"
        self.device = folder / "kvm"
        self.boot = folder / "boot_id"
        self.cache = folder / "cache"
        self._runs = folder / "runs"
        self.device.touch()
        self.boot.write_text("one\n")
        self.cache.mkdir()
        self.does(HANGS)

    def does(self, what: str) -> None:
        """In place: it stays the same file of the same size and age."""
        before = self.qemu.stat() if self.qemu.exists() else None
        self.qemu.write_text(f"#!/bin/sh\necho x >> {self._runs}\n{what:<60}\n")
        self.qemu.chmod(0o755)
        if before is not None:
            os.utime(self.qemu, ns=(before.st_atime_ns, before.st_mtime_ns))

    @property
    def runs(self) -> int:
        return len(self._runs.read_text().splitlines()) if self._runs.exists() else 0

    def start(self) -> tuple[KvmMemory, str]:
        """The memory of a start, and the reason why there is no KVM."""
        made = KvmMemory(self.cache)
        verdict = probe_hypervisor(None, made.recall_or_probe)
        (kvm,) = [feature for feature in verdict.features if feature.name == "kvm"]
        assert (verdict.accelerator is Accelerator.KVM) == kvm.available
        return made, kvm.reason


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    made = Host(tmp_path)
    monkeypatch.setattr(hypervisor, "QEMU", str(made.qemu))
    monkeypatch.setattr(hypervisor, "KVM_DEVICE", made.device)
    monkeypatch.setattr(hypervisor, "DEADLINE", 0.3)
    monkeypatch.setattr(memory, "BOOT_ID", made.boot)
    return made


def test_the_second_start_does_not_wait(host: Host) -> None:
    assert host.start()[1] == NO_ANSWER
    assert "earlier start" in host.start()[1]
    assert host.runs == 1


@pytest.mark.parametrize(
    "what", ["boot", "size", "age", "mode", "device", "damaged", "empty", "other", "gone"]
)
def test_in_other_circumstances_it_is_found_out_anew(host: Host, what: str) -> None:
    host.start()
    file = host.cache / FILE
    match what:
        case "boot":
            host.boot.write_text("two\n")
        case "size":
            host.qemu.write_text(host.qemu.read_text() + "#\n")
        case "age":
            host.qemu.touch()
        case "mode":
            host.device.chmod(0o600)
        case "device":
            host.device.rename(host.device.with_name("old"))
            host.device.touch()
        case "damaged":
            file.write_bytes(file.read_bytes()[:-9])
        case "empty":
            file.write_bytes(b"")
        case "other":
            file.write_text(json.dumps(["\ud800", None]))
        case "gone":
            file.unlink()
    assert host.start()[1] == NO_ANSWER
    assert host.runs == 2
    assert "earlier start" in host.start()[1]


@pytest.mark.parametrize("does", [WORKS, REFUSES])
def test_an_answer_is_not_remembered(host: Host, does: str) -> None:
    host.does(does)
    for number in (1, 2):
        assert host.start()[1] != NO_ANSWER
        assert host.runs == number
    assert list(host.cache.iterdir()) == []


def test_kvm_that_answers_after_all_is_reported_and_used_by_the_next_start(host: Host) -> None:
    host.start()
    found, _ = host.start()
    host.does(WORKS)
    said: list[str] = []
    asyncio.run(found.verify(said.append, pause=0))
    assert said == [memory.CHANGED]
    assert host.start()[1] == ""


def test_kvm_that_still_does_not_answer_stays_remembered(host: Host) -> None:
    host.start()
    found, _ = host.start()
    said: list[str] = []
    asyncio.run(found.verify(said.append, pause=0))
    assert (said, host.runs) == ([], 2)
    assert "earlier start" in host.start()[1]


def test_a_start_that_probed_does_not_probe_again(host: Host) -> None:
    found, _ = host.start()
    asyncio.run(found.verify(lambda _: None, pause=0))
    assert host.runs == 1


def test_the_probe_beside_guests_ends_with_the_agent(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.start()
    found, _ = host.start()
    monkeypatch.setattr(hypervisor, "DEADLINE", 600.0)

    async def scenario() -> None:
        probing = asyncio.create_task(found.verify(lambda _: None, pause=0))
        while host.runs < 2:
            await asyncio.sleep(0.01)
        probing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await probing

    asyncio.run(scenario())
    text = f"{host.qemu}\0".encode()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            left = text in (process / "cmdline").read_bytes() and "Z" not in (process / "stat").read_text()
        except OSError:
            continue
        assert not left


def test_kvm_that_is_insisted_on_is_always_probed(host: Host) -> None:
    host.start()
    found = KvmMemory(host.cache)
    host.does(WORKS)
    assert asyncio.run(probe(Wanted(Accelerator.KVM, 0, 0), found)).has("kvm")


def test_a_cache_that_cannot_be_written_is_none(host: Host) -> None:
    host.cache.rmdir()
    for _ in range(2):
        assert host.start()[1] == NO_ANSWER
    assert host.runs == 2
