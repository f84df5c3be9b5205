"""Words for plans: what was read back and is not what was wanted."""

from twinplane.plan.resource import Bridge, Htb, Port, Resource, Tap
from twinplane.plan.text import unlike
from twinplane_wire.path import parse

SWITCH = parse("/virtual-switches/virtual-switch[name=lan]")
BRIDGE = Bridge("br0", SWITCH, 1500, "02:00:00:00:00:01")


def test_only_what_differs_is_named() -> None:
    found = Bridge("br0", SWITCH, 1400, "02:00:00:00:00:02")
    assert unlike(found, BRIDGE) == "mtu is 1400, not 1500; mac is 02:00:00:00:00:02, not 02:00:00:00:00:01"
    port = Port("tp0", SWITCH, None, up=False)
    wanted = Port("tp0", SWITCH, "br0", up=True)
    assert unlike(port, wanted) == "master is none, not br0; up is no, not yes"


def test_a_burst_is_told_in_bytes() -> None:
    assert unlike(Htb("tp0", 8000, 100, SWITCH), Htb("tp0", 8000, 200, SWITCH)) == "burst is 100, not 200"


def test_what_is_not_there_or_something_else_is_said() -> None:
    other: Resource = Tap("br0", SWITCH, 1500, "02:00:00:00:00:01")
    assert unlike(None, BRIDGE) == "is absent"
    assert unlike(other, BRIDGE) == "is tap br0"
