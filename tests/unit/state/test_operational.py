"""One pass: what differs, with one time, to one listener."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest

from twinplane.clock import Clock
from twinplane.model.appliance import appliance_path, vnic_path
from twinplane.model.port import interface_path
from twinplane.model.switch import switch_path
from twinplane.plan.resource import Htb, Key, Noun, Port, Tap
from twinplane.state.change import Change
from twinplane.state.facts import (
    Batch,
    DomainFact,
    DomainGone,
    LinkCounters,
    LinkFact,
    LinkGone,
    ResourceGone,
    SourceFact,
)
from twinplane.state.freshness import Freshness
from twinplane.state.operational import Operational, polled
from twinplane.tree.node import Container, Entries, Leaf, Node
from twinplane.tree.query import get, leaves
from twinplane_wire.path import ROOT, Path, parse

FW1 = appliance_path("fw1")
LAN = vnic_path("fw1", "lan")
NOW = 1_700_000_000_000_000_000

ETH0 = LinkFact("eth0", 2, "", 1500, "52:54:00:00:00:01", None, True, "UP", True, 1, None)
TAP = LinkFact("tp1", 3, "tun", 1500, "fe:54:00:00:00:01", LAN, True, "UP", True, 1, None)
GUEST = DomainFact("vm1", "u", FW1, "running", "booted", 1, 1 << 28, "", NOW, 7)


@dataclass(frozen=True, slots=True)
class Configured:
    path: Path
    after: Node | None


class Recorder:
    """The listener: every pass as it came."""

    def __init__(self, tree: Operational) -> None:
        self.passes: list[list[Change]] = []
        tree.listen(self._take)

    def _take(self, changes: Sequence[Change]) -> None:
        self.passes.append(list(changes))

    def clear(self) -> None:
        self.passes.clear()

    @property
    def updates(self) -> dict[str, Leaf]:
        return {str(path): value for seen in self.passes for one in seen for path, value in one.updates}

    @property
    def deletes(self) -> list[str]:
        return [str(path) for seen in self.passes for one in seen for path in one.deletes]


@pytest.fixture
def tree(clock: Clock) -> Operational:
    return Operational(clock)


@pytest.fixture
def seen(tree: Operational) -> Recorder:
    return Recorder(tree)


def facts(*given: object, source: str = "netlink", complete: bool = False) -> Batch:
    return Batch(source, given, complete)  # type: ignore[arg-type]


def counters(name: str, octets: int) -> LinkCounters:
    return LinkCounters(name, octets, 1, 0, 0, 2 * octets, 2, 0, 0)


def value(tree: Operational, text: str) -> object:
    return get(tree.view, parse(text))


def test_equal_facts_say_nothing(tree: Operational, seen: Recorder) -> None:
    tree.apply(facts(ETH0, counters("eth0", 5)))
    assert value(tree, "/interfaces/interface[name=eth0]/state/counters/in-octets") == 5
    seen.clear()
    tree.apply(facts(replace(ETH0), counters("eth0", 5)))
    assert seen.passes == []


def test_only_what_differs_is_told_and_keys_are_leaves_too(tree: Operational, seen: Recorder) -> None:
    tree.apply(facts(ETH0))
    assert seen.updates["/interfaces/interface[name=eth0]/name"] == "eth0"
    seen.clear()
    tree.apply(facts(replace(ETH0, up=False, oper="DOWN")))
    row = "/interfaces/interface[name=eth0]/state"
    assert seen.updates.keys() == {
        f"{row}/enabled",
        f"{row}/admin-status",
        f"{row}/oper-status",
        f"{row}/last-change",
    }


def test_last_change_moves_with_the_status_only(tree: Operational) -> None:
    tree.apply(facts(ETH0))
    first = value(tree, "/interfaces/interface[name=eth0]/state/last-change")
    tree.apply(facts(replace(ETH0, mtu=9000)))
    assert value(tree, "/interfaces/interface[name=eth0]/state/last-change") == first
    tree.apply(facts(replace(ETH0, mtu=9000, oper="DOWN")))
    later = value(tree, "/interfaces/interface[name=eth0]/state/last-change")
    assert isinstance(first, int) and isinstance(later, int) and later > first


def test_vanished_device_is_one_delete_later_than_its_leaves(tree: Operational, seen: Recorder) -> None:
    tree.apply(facts(TAP, counters("tp1", 5)))
    updated = max(change.time for one in seen.passes for change in one)
    seen.clear()
    tree.apply(facts(LinkGone("tp1")))
    assert sorted(seen.deletes) == ["/appliances/appliance[name=fw1]", "/interfaces/interface[name=fw1:lan]"]
    assert seen.updates == {}
    assert all(change.time > updated for one in seen.passes for change in one)
    assert not any(leaves(tree.view, ROOT))


def test_complete_batch_deletes_what_it_lacks(tree: Operational, seen: Recorder) -> None:
    tree.apply(facts(ETH0, TAP, counters("eth0", 5), complete=True))
    tree.apply(facts(GUEST, source="hypervisor", complete=True))
    seen.clear()
    tree.apply(facts(ETH0, complete=True))
    assert "/interfaces/interface[name=fw1:lan]" in seen.deletes
    assert value(tree, "/interfaces/interface[name=eth0]/state/counters/in-octets") == 5  # polled: not gone
    assert value(tree, "/appliances/appliance[name=fw1]/state/oper-status") == "RUNNING"  # not its source
    tree.apply(facts(source="hypervisor", complete=True))
    assert value(tree, "/appliances/appliance[name=fw1]") is None


def test_commit_shows_config_and_state_in_one_pass_with_its_time(
    tree: Operational, seen: Recorder, clock: Clock
) -> None:
    switch = switch_path("lan")
    config = Container({"name": "lan", "config": Container({"name": "lan", "mtu": 1500})})
    tree.hold(frozenset({Key(Noun.TAP, "tp1")}), frozenset({switch, FW1}))
    tree.apply(facts(replace(TAP, owner=None, up=False, oper="DOWN")))  # not marked yet, known by its name
    tree.apply(facts(TAP))
    tree.apply(facts(ETH0))
    assert value(tree, "/interfaces/interface[name=tp1]") is None
    assert value(tree, "/interfaces/interface[name=eth0]") is not None
    seen.clear()
    time = clock.now_ns()
    tree.committed(
        [Configured(switch, config)], (Tap("tp1", LAN, 1500, ""), Port("tp1", LAN, None, True)), time, 7
    )
    assert tree.revision == 7
    (changes,) = seen.passes
    assert {change.time for change in changes} == {time}
    assert seen.updates["/virtual-switches/virtual-switch[name=lan]/config/mtu"] == 1500
    assert seen.updates["/interfaces/interface[name=fw1:lan]/state/oper-status"] == "UP"
    seen.clear()
    tree.release()
    assert seen.passes == []


def test_what_is_held_back_follows_and_counters_are_not_held(tree: Operational, seen: Recorder) -> None:
    tree.apply(facts(TAP))
    tree.hold(frozenset(), frozenset({FW1}))
    seen.clear()
    tree.apply(facts(replace(TAP, oper="DOWN"), counters("tp1", 9)))
    assert "/interfaces/interface[name=fw1:lan]/state/counters/out-octets" in seen.updates
    assert "/interfaces/interface[name=fw1:lan]/state/oper-status" not in seen.updates
    tree.release()
    assert seen.updates["/interfaces/interface[name=fw1:lan]/state/oper-status"] == "DOWN"


def test_what_is_gathered_settles_as_if_it_had_come_one_by_one(clock: Clock) -> None:
    switch = switch_path("lan")
    config = Container({"name": "lan", "config": Container({"name": "lan", "mtu": 1500})})

    def feed(tree: Operational) -> None:
        tree.committed([Configured(switch, config), Configured(FW1, Container({"name": "fw1"}))], (), NOW, 7)
        tree.apply(facts(ETH0, TAP, counters("tp1", 5), complete=True))
        tree.apply(facts(GUEST, source="hypervisor", complete=True))
        tree.observed((Htb("tp1", 50_000_000, 20_000, LAN), Port("tp1", LAN, None, False)))
        tree.apply(facts(LinkGone("eth0")))
        tree.failed(FW1, "no")

    at_once, settled = Operational(clock), Operational(clock)
    feed(at_once)
    told = Recorder(settled)
    settled.gather()
    feed(settled)
    assert not any(leaves(settled.view, ROOT))
    settled.settle()
    assert told.passes == []

    def shown(tree: Operational) -> dict[str, Leaf]:
        found = {str(path): leaf for path, leaf in leaves(tree.view, ROOT)}
        return {path: leaf for path, leaf in found.items() if not path.endswith("/last-change")}

    assert shown(settled) == shown(at_once)
    assert settled.revision == 7
    settled.apply(facts(replace(TAP, mtu=9000)))
    assert told.updates["/interfaces/interface[name=fw1:lan]/state/mtu"] == 9000
    (change, *_) = told.passes[0]
    assert change.time > NOW


def test_commit_time_never_goes_behind_what_was_read_or_told(
    tree: Operational, seen: Recorder, clock: Clock
) -> None:
    path = interface_path("eth0")
    time = clock.now_ns()
    read = tree.stamp()
    config = Container({"name": "eth0", "config": Container({"name": "eth0", "mtu": 1500})})
    tree.committed([Configured(path, config)], (), time, 1)
    (change,) = seen.passes[0]
    assert change.time > read > time


def test_return_to_default_is_an_update(clock: Clock) -> None:
    def complete(path: Path, node: Container) -> Container:
        leaves_ = node.children["config"]
        assert isinstance(leaves_, Container)
        return Container({**node.children, "config": Container({"mtu": 1500, **leaves_.children})})

    tree = Operational(clock, complete)
    seen = Recorder(tree)
    path = switch_path("lan")
    tree.committed([Configured(path, Container({"config": Container({"mtu": 9000})}))], (), NOW, 1)
    seen.clear()
    tree.committed([Configured(path, Container({"config": Container({"name": "lan"})}))], (), NOW + 1, 2)
    assert seen.updates["/virtual-switches/virtual-switch[name=lan]/config/mtu"] == 1500
    assert seen.deletes == []


def test_configuration_and_state_of_an_object_come_and_go_apart(tree: Operational, seen: Recorder) -> None:
    path = interface_path("eth0")
    config = Container({"name": "eth0", "config": Container({"name": "eth0", "enabled": True})})
    tree.apply(facts(ETH0))
    tree.committed([Configured(path, config)], (), NOW, 1)
    seen.clear()
    tree.committed([Configured(path, None)], (), NOW + 100, 2)
    assert seen.deletes == ["/interfaces/interface[name=eth0]/config"]
    tree.committed([Configured(path, config)], (), NOW + 200, 3)
    seen.clear()
    tree.apply(facts(LinkGone("eth0")))
    assert seen.deletes == ["/interfaces/interface[name=eth0]/state"]
    assert value(tree, "/interfaces/interface[name=eth0]/config/enabled") is True


def test_device_that_a_crash_left_unmarked_belongs_to_no_object(tree: Operational) -> None:
    tree.observed([Tap("tp1", ROOT, 1500, "fe:54:00:00:00:01"), Htb("tp1", 8_000_000, 15_625, ROOT)])
    assert value(tree, "/interfaces/interface[name=tp1]/state/mtu") == 1500
    tree.observed([ResourceGone(Key(Noun.TAP, "tp1"), ROOT), ResourceGone(Key(Noun.QDISC, "tp1 root"), ROOT)])
    assert not any(leaves(tree.view, ROOT))


def test_waiting_port_is_seen_when_its_device_appears(tree: Operational) -> None:
    switch = switch_path("lan")
    ports = Container({"interface": "eth0", "config": Container({"interface": "eth0"})})

    config = Container(
        {
            "name": "lan",
            "config": Container({"name": "lan"}),
            "ports": Container({"port": Entries(("interface",), {("eth0",): ports})}),
        }
    )
    row = "/virtual-switches/virtual-switch[name=lan]/ports/port[interface=eth0]/state"
    bridge = LinkFact("br1", 9, "bridge", 1500, "", switch, True, "UP", True, 1, None)
    tree.committed([Configured(switch, config)], (), NOW, 1)
    assert value(tree, f"{row}/oper-status") == "WAITING"
    tree.apply(facts(replace(ETH0, master="br1")))
    tree.apply(facts(bridge))
    assert value(tree, f"{row}/oper-status") == "UP"
    tree.apply(facts(LinkGone("eth0")))
    assert value(tree, f"{row}/oper-status") == "WAITING"


def test_failed_object_says_why_until_it_does_not(tree: Operational, seen: Recorder) -> None:
    tree.committed([Configured(FW1, Container({"config": Container({"name": "fw1"})}))], (), NOW, 1)
    tree.failed(FW1, "no tap")
    assert value(tree, "/appliances/appliance[name=fw1]/state/oper-status") == "FAILED"
    assert value(tree, "/appliances/appliance[name=fw1]/state/oper-reason") == "no tap"
    tree.failed(FW1, None)
    tree.observed((GUEST,))
    assert value(tree, "/appliances/appliance[name=fw1]/state/oper-reason") is None
    tree.apply(facts(DomainGone("vm1", FW1), source="hypervisor"))
    assert value(tree, "/appliances/appliance[name=fw1]/state/oper-status") == "UNKNOWN"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", True),
        ("/interfaces", True),
        ("/interfaces/interface[name=eth0]/state/counters/in-octets", True),
        ("/interfaces/interface[name=eth0]/state/oper-status", False),
        ("/interfaces/*/state", True),
        ("/appliances/appliance/config", False),
        ("/.../counters", True),
    ],
)
def test_polled_says_where_a_poll_helps(path: str, expected: bool) -> None:
    assert polled(parse(path)) is expected


async def _fresh(tree: Operational, path: str, polls: list[float]) -> None:
    async def serve() -> None:
        while True:
            await tree.freshness.wanted()
            await asyncio.sleep(0)
            polls.append(asyncio.get_running_loop().time())
            tree.apply(facts(SourceFact("x", "OK", "", len(polls))))
            tree.freshness.done()

    server = asyncio.ensure_future(serve())
    await asyncio.gather(*(tree.fresh([parse(path)]) for _ in range(5)))
    await tree.fresh([parse(path)])
    server.cancel()


def test_all_callers_share_one_poll(tree: Operational) -> None:
    polls: list[float] = []
    asyncio.run(_fresh(tree, "/interfaces", polls))
    assert len(polls) == 1
    asyncio.run(_fresh(tree, "/virtual-switches", polls))
    assert len(polls) == 1


def test_a_poll_that_never_ends_delays_nobody_longer_than_the_limit(clock: Clock) -> None:

    tree = Operational(clock, freshness=Freshness(limit=0.01))
    asyncio.run(asyncio.wait_for(tree.fresh([ROOT]), 5))
