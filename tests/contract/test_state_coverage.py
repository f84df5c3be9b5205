"""Nothing is shown that nobody read: each state leaf comes from a translator or derivation, out of facts."""

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path as File

import pytest

from twinplane.clock import Clock
from twinplane.schema.compile import load_schema
from twinplane.schema.defaults import with_defaults
from twinplane.schema.json_ietf import decode
from twinplane.schema.resolve import resolve
from twinplane.state.facts import Batch, Fact
from twinplane.state.operational import Operational
from twinplane.tree.diff import diff
from twinplane.tree.node import Container
from twinplane.tree.query import leaves
from twinplane_wire.path import ROOT
from unit.state.capture import read

Names = tuple[str, ...]
TABLE = load_schema(File(__file__).parents[2] / "yang", None).default
CASES = sorted((File(__file__).parents[1] / "cases/state").iterdir())
# Beside what was read: that something is configured and not there yet is told from the configuration.
FROM_CONFIGURATION = {
    "appliances/appliance/state/name",
    "appliances/appliance/state/oper-status",
    "appliances/appliance/state/oper-reason",
    "appliances/appliance/state/last-change",
    "images/image/state/name",
    "images/image/state/status",
    "images/image/state/reason",
    "images/image/state/users",
    "virtual-switches/virtual-switch/state/name",
    "virtual-switches/virtual-switch/state/oper-status",
    "virtual-switches/virtual-switch/ports/port/state/interface",
    "virtual-switches/virtual-switch/ports/port/state/oper-status",
    "virtual-switches/virtual-switch/ports/port/state/oper-reason",
}


def shown(configuration: bytes | None, facts: Iterable[Fact]) -> set[Names]:
    """Schema paths of the state leaves that a configuration and facts give."""
    clock = Clock()
    tree = Operational(clock, partial(with_defaults, TABLE))
    if configuration is not None:
        running = decode(TABLE, resolve(TABLE, ROOT, write=True), configuration)
        assert isinstance(running, Container)
        tree.committed(diff(Container(), running).objects, (), clock.now_ns(), 1)
    tree.apply(Batch("capture", tuple(facts)))
    given = {tuple(elem.name for elem in path.elems) for path, _ in leaves(tree.view, ROOT)}
    return given & state_leaves()


def state_leaves() -> set[Names]:
    keys = {(*node.path, key) for node in TABLE.nodes() for key in node.keys}
    return {leaf.path for leaf in TABLE.leaves() if not leaf.config and leaf.supported} - keys


def captured(case: File) -> list[Fact]:
    return [fact for file in sorted((case / "capture").iterdir()) for fact in read(file)]


def everything(without: str = "") -> set[Names]:
    given: set[Names] = set()
    for case in CASES:
        facts = [fact for fact in captured(case) if type(fact).__name__ != without]
        given |= shown((case / "running.json").read_bytes(), facts)
    return given


def test_every_state_leaf_is_given_by_something() -> None:
    missing = state_leaves() - everything()
    assert not missing, f"nobody gives {sorted(missing)}: translate them, or take them out of the models"


@pytest.mark.parametrize(
    ("fact", "leaf"),
    [
        ("LinkCounters", "interfaces/interface/state/counters/in-octets"),
        ("DomainFact", "appliances/appliance/state/start-time"),
        ("DomainUsage", "appliances/appliance/compute/share/state/delivered"),
        ("Scheduler", "appliances/appliance/compute/share/state/limit"),
        ("Htb", "appliances/appliance/vnics/vnic/share/ingress/state/limit"),
        ("Seed", "appliances/appliance/bootstrap/state/delivered-digest"),
        ("ImageFile", "images/image/state/size"),
        ("HostFact", "system/state/hostname"),
        ("AlarmFact", "system/alarms/alarm/state/text"),
    ],
)
def test_without_a_fact_there_is_no_leaf(fact: str, leaf: str) -> None:
    assert tuple(leaf.split("/")) in everything() - everything(without=fact)


def test_state_is_not_a_copy_of_the_configuration() -> None:
    """Values that reality can answer are absent until it has."""
    given: set[Names] = set()
    for case in CASES:
        given |= shown((case / "running.json").read_bytes(), ())
    assert {"/".join(path) for path in given} <= FROM_CONFIGURATION


def test_facts_win_over_the_configuration() -> None:
    (case,) = (case for case in CASES if case.name == "firewall")
    running = json.loads((case / "running.json").read_text())
    appliances = running["twinplane-appliance:appliances"]["appliance"]
    appliances[0]["memory"]["config"]["size"] = str(512 << 20)
    clock = Clock()
    tree = Operational(clock, partial(with_defaults, TABLE))
    root = decode(TABLE, resolve(TABLE, ROOT, write=True), json.dumps(running).encode())
    assert isinstance(root, Container)
    tree.committed(diff(Container(), root).objects, (), clock.now_ns(), 1)
    tree.apply(Batch("capture", tuple(captured(case))))
    sizes = {
        path.elems[-2].name: value
        for path, value in leaves(tree.view, ROOT)
        if [elem.name for elem in path.elems[2:3]] == ["memory"] and path.elems[-1].name == "size"
    }
    assert sizes == {"config": 512 << 20, "state": 256 << 20}
