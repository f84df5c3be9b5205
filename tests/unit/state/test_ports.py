"""Ports of a switch one by one: whatever came in whatever order, they are as if all had just been seen."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from twinplane.clock import Clock
from twinplane.model.appliance import vnic_path
from twinplane.model.switch import switch_path
from twinplane.state.facts import Batch, Fact, LinkFact, LinkGone
from twinplane.state.operational import Operational
from twinplane.state.translate import registry, switch
from twinplane.state.translate.known import Known
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane.tree.query import leaves
from twinplane_wire.path import ROOT, Path

SWITCHES = {"br1": switch_path("one"), "br2": switch_path("two")}
OWNERS = {"eth0": None, "eth1": None, "tp1": vnic_path("fw1", "lan")}


@dataclass(frozen=True, slots=True)
class Configured:
    path: Path
    after: Node | None


def link(
    name: str, master: str | None, up: bool = True, marked: bool = True, other: bool = False
) -> LinkFact:
    owner = {**SWITCHES, **OWNERS}[name] if marked else None
    names = ("eth2",) if name == "eth0" and other else ()
    kind = "bridge" if name in SWITCHES else "tun" if name == "tp1" else ""
    return LinkFact(name, 1, kind, 1500, "", owner, up, "UP" if up else "DOWN", up, 0, master, False, names)


def config(path: Path, ports: frozenset[str]) -> Container:
    name = path.elems[-1].keys[0][1]
    listed = {
        (name,): Container({"interface": name, "config": Container({"interface": name})})
        for name in sorted(ports)
    }
    return Container(
        {
            "name": name,
            "config": Container({"name": name}),
            "ports": Container({"port": Entries(("interface",), listed)}),
        }
    )


PORTS = st.sampled_from(["eth0", "eth1", "eth2"])
MASTERS = st.sampled_from([None, *SWITCHES])
EVENTS = st.one_of(
    st.builds(link, st.sampled_from(list(OWNERS)), MASTERS, *[st.booleans()] * 3),
    st.builds(link, st.sampled_from(list(SWITCHES)), st.none(), st.booleans(), st.booleans()),
    st.builds(LinkGone, st.sampled_from([*SWITCHES, *OWNERS])),
    st.tuples(
        st.sampled_from(list(SWITCHES.values())), st.frozensets(st.sampled_from(["eth0", "eth1", "eth2"]))
    ),
)


def shown(tree: Operational) -> dict[str, Leaf]:
    found = {str(path): leaf for path, leaf in leaves(tree.view, ROOT)}
    return {path: leaf for path, leaf in found.items() if not path.endswith("/last-change")}


@settings(deadline=None, max_examples=300)
@given(st.lists(EVENTS, max_size=25))
def test_order_makes_no_difference(events: list[Fact | tuple[Path, frozenset[str]]]) -> None:
    tree, fresh = Operational(Clock()), Operational(Clock())
    links: dict[str, Fact] = {}
    configured: dict[Path, Configured] = {}
    for event in events:
        if isinstance(event, tuple):
            configured[event[0]] = Configured(event[0], config(*event))
            tree.committed([configured[event[0]]], (), 1, 1)
            continue
        tree.apply(Batch("netlink", (event,)))
        if isinstance(event, LinkFact):
            links[event.name] = event
        elif isinstance(event, LinkGone):
            links.pop(event.name, None)
    fresh.committed(list(configured.values()), (), 1, 1)
    fresh.apply(Batch("netlink", tuple(links.values()), complete=True))
    assert shown(tree) == shown(fresh)


def test_an_event_of_a_port_concerns_that_port_alone() -> None:
    known = Known()
    for fact in (link("br1", None), link("eth0", "br1"), link("eth1", "br1")):
        list(registry.learn(known, fact))
    concerned = [unit.subject for unit in registry.learn(known, link("eth0", "br1", up=False))]
    assert concerned == ["eth0", switch.Port(SWITCHES["br1"], "eth0")]
