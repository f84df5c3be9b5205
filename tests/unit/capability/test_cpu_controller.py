"""The cpu controller of cgroups is found where libvirt looks for it, or what is missing is named."""

import pytest

from twinplane.capability.cgroup import probe_cpu_controller
from twinplane.hypervisor.cgroup import Hierarchy


def unified(folder, controllers, handed_down=""):
    (folder / "cgroup.controllers").write_text(f"{controllers}\n")
    (folder / "cgroup.subtree_control").write_text(f"{handed_down}\n")
    return Hierarchy(folder, ())


def probe(*found):
    return probe_cpu_controller(found)


def test_a_host_without_cgroups_lacks_it():
    found = probe()
    assert not found.available
    assert "; remedy: mount " in found.reason


def test_a_unified_hierarchy_that_offers_it_has_it(tmp_path):
    assert probe(unified(tmp_path, "cpuset cpu io memory")).available
    assert [file.name for file in tmp_path.iterdir() if file.is_dir()] == []


@pytest.mark.parametrize("controllers", ["", "cpuset io memory"])
def test_a_unified_hierarchy_that_does_not_offer_it_lacks_it(tmp_path, controllers):
    assert "does not offer the controller cpu" in probe(unified(tmp_path, controllers)).reason


def test_groups_that_have_no_limit_are_not_enough(tmp_path):
    assert "cpu.weight, cpu.max" in probe(unified(tmp_path, "cpu", "cpu")).reason
    assert "cpu.cfs_quota_us" in probe(Hierarchy(tmp_path, ("cpu", "cpuacct"))).reason
    assert not [file for file in tmp_path.iterdir() if file.is_dir()]


def test_a_v1_hierarchy_counts_beside_a_unified_one_without_it(tmp_path):
    found = probe(unified(tmp_path, ""), Hierarchy(tmp_path / "gone", ("cpu",)))
    assert found.reason.startswith(f"no group can be made in {tmp_path / 'gone'}")
