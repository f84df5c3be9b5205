"""An accelerator counts when a guest has executed with it."""

import pytest

from twinplane.capability.hypervisor import run_probe_guest

pytestmark = pytest.mark.hypervisor


def test_emulation_executes_a_guest():
    assert run_probe_guest("tcg").available


def test_an_accelerator_that_does_not_start_is_named_with_its_reason():
    verdict = run_probe_guest("xen")
    assert not verdict.available
    assert "xen" in verdict.reason
