"""Rules: each on its own, then together: all violations, in path order, and admission only after them."""

from dataclasses import dataclass

import pytest

from twinplane.errors import Fault, RequestError, Violation
from twinplane.model.rules import Host, check
from twinplane.tree.node import EMPTY_ROOT, Container
from twinplane_wire.path import Path, parse
from unit.model.entries import (
    CAPABILITIES,
    appliance,
    box,
    changes,
    image,
    index_of,
    interface,
    switch,
    vnic,
)


@dataclass(frozen=True)
class Device:
    owner: Path | None = None
    addressed: bool = False
    master: str | None = None
    kind: str = ""
    names: tuple[str, ...] = ()


DEVICES = {
    "eth0": Device(addressed=True),
    "eth1": Device(),
    "eth2": Device(master="docker0"),
    "docker0": Device(kind="bridge"),
    "lo": Device(kind="loopback"),
    "eth3": Device(master="brours"),
    "eth4": Device(names=("eth4", "enp0s4")),
    "enp0s4": Device(names=("eth4", "enp0s4")),
    "brours": Device(owner=parse("/virtual-switches/virtual-switch[name=old]")),
}
HOST = Host(DEVICES.get, lambda name: "iana-if-type:ethernetCsmacd" if name in DEVICES else None)


def violations(old: Container, new: Container) -> list[Violation]:
    try:
        check(changes(old, new), index_of(new), HOST, CAPABILITIES)
    except RequestError as error:
        return list(error.violations)
    return []


def found(new: Container, old: Container = EMPTY_ROOT) -> list[tuple[str, Fault]]:
    return [(str(violation.path), violation.fault) for violation in violations(old, new)]


GOOD = box(
    images=[image("firewall")],
    switches=[switch("lan", "eth1")],
    appliances=[appliance("fw1", vnics={"v": vnic("v", 0, "lan")}, files={"a/b": "x"})],
    interfaces=[interface("eth1", type_="iana-if-type:ethernetCsmacd")],
)


def test_a_good_box_passes_at_once_and_piece_by_piece() -> None:
    assert violations(EMPTY_ROOT, GOOD) == []
    assert violations(GOOD, EMPTY_ROOT) == []


def test_a_reference_to_nothing_is_named_at_the_referrer() -> None:
    bad = box(switches=[switch("lan")], appliances=[appliance("fw1", vnics={"v": vnic("v", 0, "wan")})])
    base = "/appliances/appliance[name=fw1]"
    assert found(bad) == [
        (f"{base}/config/image", Fault.REFERENCE),
        (f"{base}/vnics/vnic[name=v]/config/virtual-switch", Fault.REFERENCE),
    ]
    assert "/images/image[name=firewall], which is not configured" in str(violations(EMPTY_ROOT, bad)[0])


def test_deleting_what_is_referred_to_is_named_at_the_target_with_the_referrer() -> None:
    without = box(
        switches=[switch("lan", "eth1")],
        appliances=[appliance("fw1", vnics={"v": vnic("v", 0, "lan")}, files={"a/b": "x"})],
        interfaces=[interface("eth1", type_="iana-if-type:ethernetCsmacd")],
    )
    (violation,) = violations(GOOD, without)
    assert (str(violation.path), violation.fault) == ("/images/image[name=firewall]", Fault.REFERENCE)
    assert "/appliances/appliance[name=fw1]/config/image refers to it" in violation.constraint
    assert violation.remedy


def test_macs_are_unique_in_the_box_and_may_be_exchanged() -> None:
    one, two = "02:00:00:00:00:01", "02:00:00:00:00:02"

    def pair(first: str, second: str) -> Container:
        rows = [
            appliance("a", vnics={"v": vnic("v", 0, "lan", mac=first)}),
            appliance("b", vnics={"v": vnic("v", 0, "lan", mac=second)}),
        ]
        return box(images=[image("firewall")], switches=[switch("lan")], appliances=rows)

    assert found(pair(two, one), pair(one, two)) == []
    leaf = "/appliances/appliance[name=b]/vnics/vnic[name=v]/config/mac-address"
    assert found(pair(one, one), pair(one, two)) == [(leaf, Fault.CONSTRAINT)]


def test_a_derived_mac_counts_too() -> None:
    taken = next(iter(index_of(GOOD).macs))
    rows = [
        appliance("fw1", vnics={"v": vnic("v", 0, "lan")}, files={"a/b": "x"}),
        appliance("fw2", vnics={"v": vnic("v", 0, "lan", mac=taken)}),
    ]
    both = box(images=[image("firewall")], switches=[switch("lan", "eth1")], appliances=rows)
    assert found(both, GOOD) == [
        ("/appliances/appliance[name=fw2]/vnics/vnic[name=v]/config/mac-address", Fault.CONSTRAINT)
    ]


def test_a_host_port_has_one_switch_and_may_move() -> None:
    lan, wan = [switch("lan", "p"), switch("wan")], [switch("lan"), switch("wan", "p")]
    assert found(box(switches=wan), box(switches=lan)) == []
    assert found(box(switches=[switch("lan", "p"), switch("wan", "p")]), box(switches=lan)) == [
        (
            "/virtual-switches/virtual-switch[name=wan]/ports/port[interface=p]/config/interface",
            Fault.CONSTRAINT,
        )
    ]


@pytest.mark.parametrize(
    ("port", "fault"),
    [
        ("eth0", Fault.STATE),
        ("eth1", None),
        ("eth2", Fault.STATE),
        ("eth3", None),
        ("brours", Fault.VALUE),
        ("docker0", Fault.STATE),
        ("lo", Fault.STATE),
        ("absent", None),
    ],
)
def test_a_port_in_use_by_the_host_is_not_taken(port: str, fault: Fault | None) -> None:
    assert [what for _, what in found(box(switches=[switch("lan", port)]))] == ([fault] if fault else [])


def test_a_port_that_the_switch_has_already_is_not_asked_again() -> None:
    assert found(box(switches=[switch("lan", "eth0", mtu=1400)]), box(switches=[switch("lan", "eth0")])) == []


LISTED, ROWS = box(switches=[switch("a", "enp0s4")]), box(interfaces=[interface("enp0s4")])


def test_a_device_is_configured_under_one_name() -> None:
    """A port and a row may have different names: neither sets what the other does."""
    leaf = "/virtual-switches/virtual-switch[name={}]/ports/port[interface={}]/config/interface"
    assert found(LISTED) == found(ROWS) == []
    second = box(switches=[switch("a", "enp0s4"), switch("b", "eth4")])
    assert found(second, LISTED) == [(leaf.format("b", "eth4"), Fault.STATE)]
    (violation,) = violations(LISTED, second)
    assert "[name=a]" in violation.constraint and "one of the names" in violation.remedy
    assert [what for _, what in found(box(switches=[switch("a", "enp0s4", "eth4")]))] == [Fault.STATE] * 2
    rows = box(interfaces=[interface("enp0s4"), interface("eth4")])
    assert found(rows, ROWS) == [("/interfaces/interface[name=eth4]", Fault.STATE)]
    assert found(box(switches=[switch("a", "enp0s4")], interfaces=[interface("eth4")])) == []


def test_two_names_that_became_one_device_later_can_be_told_apart() -> None:
    """Whoever has both already may change what he has, and give up either."""
    both = box(switches=[switch("a", "enp0s4"), switch("b", "eth4")])
    assert found(box(switches=[switch("a", "enp0s4", mtu=1400), switch("b", "eth4")]), both) == []
    assert found(box(switches=[switch("a"), switch("b", "eth4")]), both) == []


@pytest.mark.parametrize(
    ("row", "owner"),
    [
        ("fw1:lan", "/appliances/appliance[name=fw1]/vnics/vnic[name=lan]"),
        ("switch:lan", "/virtual-switches/virtual-switch[name=lan]"),
        ("brours", "/virtual-switches/virtual-switch[name=old]"),
    ],
)
def test_rows_that_belong_elsewhere_are_read_only(row: str, owner: str) -> None:
    (violation,) = violations(EMPTY_ROOT, box(interfaces=[interface(row)]))
    assert (str(violation.path), violation.fault) == (f"/interfaces/interface[name={row}]", Fault.READ_ONLY)
    assert owner in violation.remedy


@pytest.mark.parametrize("name", ["ü" * 7 + "x", "x" * 15])
def test_a_name_that_a_device_can_have_is_taken(name: str) -> None:
    assert found(box(switches=[switch("lan", name)], interfaces=[interface(name)])) == []


def test_a_name_is_as_long_as_its_bytes() -> None:
    name = "ü" * 8  # eight characters, and one byte more than the kernel has room for
    assert found(box(switches=[switch("lan", name)], interfaces=[interface(name)])) == [
        (f"/interfaces/interface[name={name}]/config/name", Fault.VALUE),
        (
            f"/virtual-switches/virtual-switch[name=lan]/ports/port[interface={name}]/config/interface",
            Fault.VALUE,
        ),
    ]


def test_processors_that_the_machine_has_no_room_for() -> None:
    def counted(vcpus: int) -> Container:
        return box(images=[image("firewall")], appliances=[appliance("a", vcpus=vcpus)])

    assert found(counted(255)) == []
    assert found(counted(256)) == [("/appliances/appliance[name=a]/compute/config/vcpus", Fault.VALUE)]


def test_the_name_switch_is_reserved() -> None:
    new = box(images=[image("firewall")], appliances=[appliance("switch")])
    assert found(new) == [("/appliances/appliance[name=switch]/config/name", Fault.VALUE)]


def test_an_interface_has_the_type_that_it_has() -> None:
    wrong = box(interfaces=[interface("eth1", type_="iana-if-type:bridge")])
    assert found(wrong) == [("/interfaces/interface[name=eth1]/config/type", Fault.VALUE)]
    assert found(box(interfaces=[interface("gone", type_="iana-if-type:bridge")])) == []


@pytest.mark.parametrize(
    "target",
    ["/a", "a//b", "../a", "a/../b", "./a", "meta-data", "meta-data/x", "a:b", "x" * 65, "a/" * 7 + "b"],
)
def test_seed_targets_that_cannot_be(target: str) -> None:
    new = box(images=[image("firewall")], appliances=[appliance("a", files={target: ""})])
    assert [fault for _, fault in found(new)] == [Fault.VALUE]


def test_a_seed_file_is_not_a_directory_too() -> None:
    new = box(images=[image("firewall")], appliances=[appliance("a", files={"etc": "", "etc/x": ""})])
    (violation,) = violations(EMPTY_ROOT, new)
    assert "etc is a file" in violation.constraint


def test_seed_content_is_counted_in_bytes() -> None:
    def sized(content: str) -> Container:
        return box(images=[image("firewall")], appliances=[appliance("a", files={"f": content})])

    assert found(sized("x" * (1 << 20))) == []
    assert [fault for _, fault in found(sized("ü" * (1 << 19) + "x"))] == [Fault.VALUE]


def test_a_burst_that_the_kernel_cannot_hold_is_refused_with_the_most_it_holds() -> None:
    def shaped(burst: int) -> Container:
        rows = {"v": vnic("v", 0, "lan", egress=64_000, egress_burst=burst)}
        return box(
            images=[image("firewall")], switches=[switch("lan")], appliances=[appliance("a", vnics=rows)]
        )

    (violation,) = violations(EMPTY_ROOT, shaped(1 << 31))
    assert str(violation.path).endswith("vnic[name=v]/share/egress/config/burst")
    most = int(violation.constraint.split()[-2])
    assert found(shaped(most)) == []
    assert len(found(shaped(most + 1))) == 1


@pytest.mark.parametrize("burst", [None, 100_000])
def test_a_rate_whose_burst_no_leaf_can_show_is_refused(burst: int | None) -> None:
    def shaped(limit: int) -> Container:
        rows = {"v": vnic("v", 0, "lan", ingress=limit, ingress_burst=burst)}
        return box(
            images=[image("firewall")], switches=[switch("lan")], appliances=[appliance("a", vnics=rows)]
        )

    leaf = "/appliances/appliance[name=a]/vnics/vnic[name=v]/share/ingress/config/limit"
    assert found(shaped(10**12)) == []
    assert found(shaped(10**12 + 1)) == [(leaf, Fault.VALUE)]
    assert found(shaped((1 << 64) - 1)) == [(leaf, Fault.VALUE)]


def test_a_burst_that_the_kernel_rounds_up_beyond_its_leaf_is_refused() -> None:
    rows = {"v": vnic("v", 0, "lan", ingress=10**12, ingress_burst=0xFFFFFFFF)}
    new = box(images=[image("firewall")], switches=[switch("lan")], appliances=[appliance("a", vnics=rows)])
    (violation,) = violations(EMPTY_ROOT, new)
    assert str(violation.path).endswith("/config/burst")
    assert 0 < int(violation.constraint.split()[-2]) < 0xFFFFFFFF


def test_image_files_lie_below_the_directory_and_are_verified() -> None:
    base = "/images/image[name=i]/config"
    assert found(box(images=[image("i", kernel_source="a/../../b")])) == [
        (f"{base}/kernel-source", Fault.VALUE)
    ]
    assert found(box(images=[image("i", initrd_source="/b")])) == [(f"{base}/initrd-source", Fault.VALUE)]
    assert found(box(images=[image("i", initrd_digest=None)])) == [
        (f"{base}/initrd-digest", Fault.CONSTRAINT)
    ]


def test_unknown_kinds_are_refused() -> None:
    kinds = box(images=[image("firewall", format="DISK")], appliances=[appliance("a", kind="x:CONTAINER")])
    assert found(kinds) == [
        ("/appliances/appliance[name=a]/config/type", Fault.CAPABILITY),
        ("/images/image[name=firewall]/config/format", Fault.CAPABILITY),
    ]


def test_all_violations_come_at_once_in_path_order() -> None:
    bad = box(
        images=[image("i", kernel_source="/k")],
        switches=[switch("lan", "eth0")],
        appliances=[appliance("switch", files={"meta-data": ""})],
        interfaces=[interface("a:b")],
    )
    paths = [path for path, _ in found(bad)]
    assert len(paths) == 6
    assert [parse(path) for path in paths] == sorted(parse(path) for path in paths)
