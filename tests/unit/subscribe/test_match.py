"""The tree of subscriptions against the obvious way, and its upkeep."""

import pytest

from twinplane.model.appliance import vnic_path
from twinplane.state.change import Change, Part
from twinplane.subscribe.match import Selection, Subscriptions, match, union
from twinplane.subscribe.parcel import parcels
from twinplane_wire.path import Path, parse

VNIC = vnic_path("fw", "lan")
CHANGE = Change(
    Path(VNIC.elems[:2]),
    1,
    (
        Part(VNIC.child("state"), (("oper-status", "UP"), ("interface", "tp"))),
        Part(VNIC.child("state").child("counters"), (("in-octets", 1),)),
    ),
)


def chosen(pattern: str) -> set[str] | None:
    """The leaves of CHANGE that match; None where nobody is concerned."""
    subscriptions: Subscriptions[str] = Subscriptions()
    subscriptions.add(parse(pattern), "me")
    found = match(subscriptions, CHANGE)
    if not found:
        return None
    assert all("me" in point.members for point in found)
    selection = union(CHANGE, found.values())
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


def test_overlapping_paths_of_one_member_are_joined_and_shared_by_equals() -> None:
    subscriptions: Subscriptions[str] = Subscriptions()
    state = "/appliances/appliance/vnics/vnic/state"
    for member in ("one", "two"):
        subscriptions.add(parse(f"{state}/oper-status"), member)
        subscriptions.add(parse(f"{state}/counters"), member)
    subscriptions.add(parse(f"{state}/interface"), "three")
    found = dict(parcels(subscriptions, [CHANGE]))
    assert found["one"] is found["two"]
    (offer,) = found["one"].offers
    assert [part.leaves[position][0] for part, position in offer.leaves()] == ["in-octets", "oper-status"]
    assert found["three"].size == 1


def test_union_keeps_the_broadest_deletes_and_knows_the_whole() -> None:
    change = Change(CHANGE.object, 1, (), (VNIC,))
    narrow, broad, leaf = Selection(), Selection(), Selection()
    narrow.deletes[VNIC.child("state")] = None
    broad.deletes[VNIC] = None
    leaf.deletes[VNIC.child("state").child("mtu")] = None
    joined = union(change, [narrow, leaf])
    assert joined is not None
    assert list(joined.deletes) == [VNIC.child("state")]
    assert union(change, [leaf, narrow, broad]) is None
    assert union(change, [narrow, None]) is None
