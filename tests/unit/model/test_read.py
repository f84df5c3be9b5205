"""Readers: entries to typed objects, leaf by leaf."""

import pytest

from twinplane.model.appliance import AdminState, Appliance, CpuShare, RateLimit, SeedFile, Vnic
from twinplane.model.image import Image, ImageFile
from twinplane.model.port import HostPort
from twinplane.model.registry import read
from twinplane.model.switch import VirtualSwitch
from twinplane.tree.node import Container
from twinplane_wire.path import parse
from unit.model.entries import DIGEST, appliance, image, interface, switch, vnic


def test_image() -> None:
    path = parse("/images/image[name=fw]")
    assert read(path, image("fw")) == Image(
        "fw", ImageFile("fw/vmlinuz", DIGEST), ImageFile("fw/initrd.img", DIGEST), "console=ttyS0"
    )
    bare = image("fw", initrd_source=None, initrd_digest=None, command_line=None)
    assert read(path, bare) == Image("fw", ImageFile("fw/vmlinuz", DIGEST), None, "")


def test_switch_with_its_ports_by_name() -> None:
    path = parse("/virtual-switches/virtual-switch[name=lan]")
    assert read(path, switch("lan", "p2", "p1", mtu=9000)) == VirtualSwitch("lan", 9000, ("p1", "p2"))
    assert read(path, switch("lan")) == VirtualSwitch("lan", 1500, ())


def test_host_port() -> None:
    path = parse("/interfaces/interface[name=e0]")
    assert read(path, interface("e0", enabled=False, mtu=1400)) == HostPort("e0", False, 1400)
    assert read(path, interface("e0")) == HostPort("e0", True, None)


def test_appliance_with_vnics_by_index_and_files_by_target() -> None:
    vnics = {
        "b": vnic("b", 2, "wan", mtu=1400, mac="02:00:00:00:00:01"),
        "a": vnic("a", 1, "lan", ingress=50_000_000, ingress_burst=9000, egress=20_000_000),
    }
    entry = appliance(
        "fw1", vnics=vnics, files={"z": "2", "a": "1"}, guarantee=250, limit=500, state="STOPPED", vcpus=2
    )
    assert read(parse("/appliances/appliance[name=fw1]"), entry) == Appliance(
        name="fw1",
        image="firewall",
        admin_state=AdminState.STOPPED,
        stop_timeout=60,
        vcpus=2,
        cpu=CpuShare(250, 500),
        memory=256 << 20,
        vnics=(
            Vnic("a", 1, None, 1500, "lan", RateLimit(50_000_000, 9000), RateLimit(20_000_000, None)),
            Vnic("b", 2, "02:00:00:00:00:01", 1400, "wan", None, None),
        ),
        files=(SeedFile("a", "1"), SeedFile("z", "2")),
    )


def test_what_no_planner_reads_is_none() -> None:
    assert read(parse("/system/clock"), Container({"x": 1})) is None


def test_an_entry_that_was_not_judged_is_a_mistake_of_the_program() -> None:
    with pytest.raises(TypeError, match="config/mtu is missing"):
        read(
            parse("/virtual-switches/virtual-switch[name=x]"), Container({"config": Container({"name": "x"})})
        )
    with pytest.raises(TypeError, match="not a text"):
        read(parse("/virtual-switches/virtual-switch[name=x]"), Container({"config": Container({"name": 1})}))
