"""How much the host has."""

import os

import pytest

from twinplane.capability.host import MIB, capabilities, total_memory
from twinplane.model.host import Accelerator, Capability


def test_memory_is_that_of_the_host():
    assert total_memory("MemTotal:        1024 kB\nMemFree: 1 kB\n") == 1024 * 1024
    with pytest.raises(OSError, match="MemTotal"):
        total_memory("MemFree: 1 kB\n")


def test_emulation_costs_more_than_kvm():
    feature = Capability("tun", available=True)
    found = capabilities(Accelerator.TCG, (feature,), reserve_cpu=0, reserve_memory=1024 * MIB)
    assert found.cpus == os.sysconf("SC_NPROCESSORS_ONLN")
    assert found.overhead == 256 * MIB
    assert found.has("tun")
