"""The tree of subscriptions against the obvious way, and its upkeep."""

import pytest

from twinplane.model.appliance import vnic_path
from twinplane.state.change import Change, Part
from twinplane.subscribe.match import Selection, Subscriptions, match
from twinplane_wire.path import Path, parse

VNIC = vnic_path("fw", "lan")
CHANGE = Change(
    Path(VNIC.elems[:2]),
    1,
    (
        Part(VNIC.child("state"), (("oper-status", "UP"), ("interface", "tp"))),
        Part(VNIC.child("state").child("counters"), (("in-octets", 1),)),
    ),
    (),
    None,
    None,
)


def chosen(pattern: str) -> set[str] | None:
    """The leaves of CHANGE that match; None where nobody is concerned."""
    subscriptions: Subscriptions[str] = Subscriptions()
    subscriptions.add(parse(pattern), "me")
    found = match(subscriptions, CHANGE)
    if "me" not in found:
        return None
    selection = found["me"]
    everything = {name for part in CHANGE.parts for name, _ in part.leaves}
    if selection is None:
        return everything
    assert isinstance(selection, Selection)
    names = {name for index in selection.parts for name, _ in CHANGE.parts[index].leaves}
    for index, positions in selection.leaves.items():
        names |= {CHANGE.parts[index].leaves[position][0] for position in positions}
    return names


ALL = {"oper-status", "interface", "in-octets"}


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("/", ALL),
        ("/appliances", ALL),
        ("/appliances/appliance", ALL),
        ("/appliances/appliance[name=fw]", ALL),
        ("/appliances/appliance[name=*]/vnics", ALL),
        ("/appliances/appliance[name=other]", None),
        ("/interfaces", None),
        ("/appliances/appliance/vnics/vnic[name=lan]/state/counters", {"in-octets"}),
        ("/appliances/appliance/vnics/vnic[name=wan]/state/counters", None),
        ("/appliances/appliance/vnics/vnic/state/oper-status", {"oper-status"}),
        ("/appliances/*/vnics/*/state/interface", {"interface"}),
        ("/*/*/*/*/*", ALL),
        ("/.../counters", {"in-octets"}),
        ("/appliances/.../vnic/.../interface", {"interface"}),
        ("/...", ALL),
        ("/appliances/appliance/state", None),
    ],
)
def test_match(pattern: str, expected: set[str] | None) -> None:
    assert chosen(pattern) == expected


def test_discarding_leaves_nothing_behind() -> None:
    subscriptions: Subscriptions[str] = Subscriptions()
    paths = [parse(text) for text in ("/", "/a", "/a/b[k=1]/c", "/a/b[k=*]/c", "/a/.../c", "/a/b[k=1]/c")]
    for path in paths:
        subscriptions.add(path, "me")
    for path in paths:
        assert not subscriptions.top.bare
        subscriptions.discard(path, "me")
    assert subscriptions.top.bare
    subscriptions.discard(parse("/a/b"), "me")
