"""The verdict on the hypervisor; guests are run in tests/hypervisor."""

from twinplane.capability import hypervisor
from twinplane.capability.hypervisor import boot_sector, probe_hypervisor
from twinplane.model.host import Accelerator


def test_boot_sector_is_one_that_firmware_starts():
    sector = boot_sector()
    assert len(sector) == 512
    assert sector[510:] == b"\x55\xaa"
    assert hypervisor.ANSWER.to_bytes() in sector  # what the exit code is made of


def test_without_qemu_nothing_is_tried_and_the_package_is_named(monkeypatch):
    monkeypatch.setattr(hypervisor, "QEMU", "qemu-that-is-not-there")
    verdict = probe_hypervisor(None)
    assert verdict.accelerator is Accelerator.TCG
    unavailable = {feature.name: feature.reason for feature in verdict.features if not feature.available}
    assert "apt-get install qemu-system-x86" in unavailable["qemu"]
    assert "kvm" in unavailable


def test_without_the_device_kvm_is_not_chosen(monkeypatch, tmp_path):
    monkeypatch.setattr(hypervisor, "KVM_DEVICE", tmp_path / "kvm")
    assert probe_hypervisor(None).accelerator is Accelerator.TCG
