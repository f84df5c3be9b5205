"""What the host lacks is refused where it is asked for, and nowhere else."""

from dataclasses import replace

from twinplane.errors import Fault, RequestError, Violation
from twinplane.model.host import Accelerator, Capabilities, Capability
from twinplane.model.rules import Host, check
from twinplane.tree.node import EMPTY_ROOT, Container
from unit.model.entries import CAPABILITIES, appliance, box, changes, image, index_of, switch, vnic

NOWHERE = Host(lambda _: None, lambda _: None)
VNIC = "/appliances/appliance[name=a]/vnics/vnic[name=v]"
ALL = ("bridge", "tun", "ifb", "htb", "ingress", "u32", "mirred", "kvm", "cpu-controller")


def without(*names: str, accelerator: Accelerator = Accelerator.TCG) -> Capabilities:
    """A host that lacks these and has all others."""
    features = (
        Capability(name, name not in names, "" if name not in names else f"no {name}; remedy: get {name}")
        for name in ALL
    )
    return replace(CAPABILITIES, features=tuple(features), accelerator=accelerator)


def violations(host: Capabilities, **shaping: int) -> list[Violation]:
    new = box(
        images=[image("firewall")],
        switches=[switch("lan")],
        appliances=[appliance("a", vnics={"v": vnic("v", 0, "lan", **shaping)})],
    )
    return judged(host, new)


def judged(host: Capabilities, new: Container) -> list[Violation]:
    try:
        check(changes(EMPTY_ROOT, new), index_of(new), NOWHERE, host)
    except RequestError as error:
        return list(error.violations)
    return []


def paths(host: Capabilities, **shaping: int) -> list[str]:
    found = violations(host, **shaping)
    assert all(violation.fault is Fault.CAPABILITY for violation in found)
    return [str(violation.path) for violation in found]


def test_a_host_that_has_all_or_was_not_probed_refuses_nothing() -> None:
    assert paths(without(), ingress=64_000, egress=64_000) == []
    assert paths(CAPABILITIES, ingress=64_000, egress=64_000) == []


def test_a_limit_needs_its_queue_and_no_limit_needs_none() -> None:
    assert paths(without("htb")) == []
    assert paths(without("htb"), ingress=64_000) == [f"{VNIC}/share/ingress/config/limit"]
    assert paths(without("ifb", "u32", "mirred", "ingress"), ingress=64_000) == []
    assert paths(without("u32", "mirred"), egress=64_000) == [f"{VNIC}/share/egress/config/limit"] * 2


def test_the_feature_and_its_remedy_are_named() -> None:
    (violation,) = violations(without("ifb"), egress=64_000)
    assert violation.constraint == "this host lacks ifb: no ifb"
    assert violation.remedy == "get ifb"


def test_switches_need_bridges_and_vnics_taps() -> None:
    assert paths(without("bridge")) == ["/virtual-switches/virtual-switch[name=lan]/config"]
    assert paths(without("tun")) == [f"{VNIC}/config"]


def test_only_who_is_to_run_under_kvm_needs_it() -> None:
    assert paths(without("kvm")) == []
    path = "/appliances/appliance[name=a]/config/type"
    assert paths(without("kvm", accelerator=Accelerator.KVM)) == [path]


def test_what_is_deleted_needs_nothing() -> None:
    old = box(switches=[switch("lan")])
    check(changes(old, EMPTY_ROOT), index_of(EMPTY_ROOT), NOWHERE, without("bridge"))


def test_a_guest_runs_only_where_shares_can_be_given() -> None:
    assert paths(without("cpu-controller")) == ["/appliances/appliance[name=a]/cpu"]
