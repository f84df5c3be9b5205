"""What is polled below a path, and changes without it."""

import pytest

from twinplane.model.port import interface_path
from twinplane.state.change import Change, Part
from twinplane.state.operational import POLLED
from twinplane.subscribe.pace import announced, sampled
from twinplane.subscribe.parcel import Offer, Parcel
from twinplane_wire.path import parse

COUNTERS = ("interfaces", "interface", "state", "counters")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/interfaces/interface[name=a]", {"/interfaces/interface[name=a]/state/counters"}),
        ("/interfaces/interface", {"/interfaces/interface/state/counters"}),
        ("/interfaces/*/state", {"/interfaces/interface/state/counters"}),
        (
            "/interfaces/interface[name=a]/state/counters/in-octets",
            {"/interfaces/interface[name=a]/state/counters/in-octets"},
        ),
        ("/interfaces/interface[name=a]/config", set()),
        ("/interfaces/interface[name=a]/state/mtu", set()),
        ("/", {"/" + "/".join(names) for names in POLLED}),
    ],
)
def test_what_is_sampled_below_a_path(path: str, expected: set[str]) -> None:
    assert {str(found) for found in sampled(parse(path))} == expected


def test_deep_wildcards_meet_every_polled_path() -> None:
    found = {str(path) for path in sampled(parse("/.../counters"))}
    assert "/interfaces/interface/state/counters" in found
    assert not sampled(parse("/images/image[name=x]"))


def test_announced_leaves() -> None:
    assert announced(COUNTERS, ("in-octets", "out-octets")) == ()
    assert announced(COUNTERS[:3], ("mtu", "oper-status")) == (0, 1)
    leaf = next(names for names in POLLED if names[-1] == "last-update")
    assert announced(leaf[:-1], ("name", "last-update", "status")) == (0, 2)


def test_a_parcel_without_counters() -> None:
    state = interface_path("a").child("state")
    counters = Part(state.child("counters"), (("in-octets", 1),))
    events = Part(state, (("oper-status", "UP"), ("mtu", 1500)))
    change = Change(interface_path("a"), 1, (events, counters), (state.child("x"),))
    parcel = Parcel([Offer(change, None)])
    left = parcel.announced()
    assert [(part, position) for offer in left.offers for part, position in offer.leaves()] == [
        (events, 0),
        (events, 1),
    ]
    assert [list(offer.deletes) for offer in left.offers] == [[state.child("x")]]
    assert left is parcel.announced()  # made once for all who ask
    only_counters = Parcel([Offer(Change(interface_path("a"), 1, (counters,)), None)])
    assert not only_counters.announced().offers
    nothing_polled = Parcel([Offer(Change(interface_path("a"), 1, (events,)), None)])
    assert nothing_polled.announced() is nothing_polled
