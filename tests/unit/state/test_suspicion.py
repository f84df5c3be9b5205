"""What casts doubt on an object: what configuration decides and a source tells otherwise; nothing else."""

from dataclasses import replace

from twinplane.plan.resource import Htb, Key, Noun, Redirect
from twinplane.state.facts import DomainFact, DomainGone, Fact, LinkCounters, LinkFact, LinkGone, ResourceGone
from twinplane.state.suspicion import suspects
from twinplane.state.translate import registry
from twinplane.state.translate.known import Known
from twinplane.tree.node import Container
from twinplane_wire.path import Path, parse

FW1 = parse("/appliances/appliance[name=fw1]")
VNIC = parse("/appliances/appliance[name=fw1]/vnics/vnic[name=lan]")
LAN = parse("/virtual-switches/virtual-switch[name=lan]")
ETH = parse("/interfaces/interface[name=eth7]")
TAP = LinkFact("tp0", 4, "tun", 1500, "fe:aa:00:00:00:02", VNIC, True, "UP", True, 1, "br0")
BRIDGE = LinkFact("br0", 3, "bridge", 1500, "02:aa:00:00:00:01", LAN, True, "UP", True, 1, None)
PORT = LinkFact("eth7", 2, "", 1500, "52:54:00:00:00:07", None, True, "UP", True, 1, "br0")
HTB = Htb("tp0", 8_000_000, 10_000, VNIC)
REDIRECT = Redirect("tp0", "fb0", VNIC)
DOMAIN = DomainFact("vm0", "u", FW1, "running", "booted", 1, 1, "", 1, 1)


def known() -> Known:
    """A running appliance on a switch with a host port, which is managed too."""
    made = Known()
    for fact in (TAP, BRIDGE, PORT, HTB, REDIRECT, DOMAIN):
        list(registry.learn(made, fact))
    made.want_ports(LAN, frozenset({"eth7"}))
    made.config[ETH] = Container()
    return made


def doubted(*facts: Fact) -> set[Path]:
    return set(suspects(known(), facts))


def test_what_is_known_and_what_moves_by_itself_casts_no_doubt() -> None:
    counters = LinkCounters("tp0", 1, 2, 3, 4, 5, 6, 7, 8)
    flapped = replace(TAP, oper="DOWN", carrier=False, carrier_changes=2)
    addressed = replace(PORT, addressed=True)
    stranger = replace(PORT, name="eth1", master="docker0")
    assert doubted(TAP, BRIDGE, PORT, HTB, REDIRECT, DOMAIN, counters, flapped, addressed, stranger) == set()
    assert doubted(LinkGone("eth1"), replace(DOMAIN, reason="migrated")) == set()


def test_devices_cast_doubt_on_their_owners() -> None:
    for changed in (
        replace(TAP, up=False),
        replace(TAP, mtu=9000),
        replace(TAP, master=None),
        LinkGone("tp0"),
    ):
        assert doubted(changed) == {FW1}
    assert doubted(replace(TAP, owner=None)) == {FW1, LAN}  # nobody's, and in our bridge
    assert doubted(replace(BRIDGE, mac="02:00:00:00:00:01")) == {LAN}
    assert doubted(replace(PORT, name="tp9", owner=VNIC)) == {FW1}


def test_host_ports_cast_doubt_on_who_wants_them() -> None:
    assert doubted(replace(PORT, master=None)) == {LAN, ETH}
    assert doubted(replace(PORT, alternatives=("enp0s7",))) == {LAN, ETH}
    assert doubted(LinkGone("eth7")) == {LAN, ETH}  # it may go by another name now
    assert doubted(replace(PORT, name="lan0")) == {LAN}  # in our bridge, and nobody configured it
    assert doubted(replace(PORT, name="lan0", master=None, alternatives=("eth7",))) == {LAN, ETH}


def test_shaping_and_domains_cast_doubt_on_their_appliance() -> None:
    gone = ResourceGone(Key(Noun.QDISC, "tp0 root"), VNIC)
    for changed in (replace(HTB, rate=9_000_000), gone, replace(REDIRECT, target="fb1")):
        assert doubted(changed) == {FW1}
    assert doubted(ResourceGone(Key(Noun.QDISC, "tp9 root"), VNIC)) == set()
    assert doubted(replace(DOMAIN, state="paused")) == doubted(DomainGone("vm0", FW1)) == {FW1}
