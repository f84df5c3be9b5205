"""The index: evolved change by change it equals the one built from scratch."""

from hypothesis import given
from hypothesis import strategies as st

from twinplane.model.names import derived_mac
from twinplane.tree.node import Container
from twinplane_wire.path import parse
from unit.model.entries import INSTANCE, appliance, box, changes, image, index_of, switch, vnic

MACS = (None, "02:00:00:00:00:01", "02:00:00:00:00:02")


@st.composite
def boxes(draw: st.DrawFn) -> Container:
    some = st.booleans()
    appliances = []
    for name in ("a1", "a2"):
        if draw(some):
            vnics = {
                key: vnic(key, number, draw(st.sampled_from(["lan", "wan"])), mac=draw(st.sampled_from(MACS)))
                for number, key in enumerate(("v1", "v2"))
                if draw(some)
            }
            appliances.append(
                appliance(
                    name,
                    vnics=vnics,
                    image_name=draw(st.sampled_from(["fw", "ips"])),
                    memory=draw(st.sampled_from([16 << 20, 32 << 20])),
                    guarantee=draw(st.sampled_from([None, 100])),
                )
            )
    switches = [
        switch(name, *draw(st.sets(st.sampled_from(["p", "q"])))) for name in ("lan", "wan") if draw(some)
    ]
    return box(images=[image("fw")] if draw(some) else [], switches=switches, appliances=appliances)


@given(boxes(), boxes())
def test_evolving_equals_building(old: Container, new: Container) -> None:
    assert index_of(old).evolve(changes(old, new)) == index_of(new)


def test_what_it_holds() -> None:
    root = box(
        images=[image("firewall")],
        switches=[switch("lan", "eth9")],
        appliances=[appliance("fw1", vnics={"v": vnic("v", 0, "lan")}, guarantee=250)],
    )
    index = index_of(root)
    path = parse("/appliances/appliance[name=fw1]/vnics/vnic[name=v]")
    assert index.macs == {derived_mac(INSTANCE, path): {path}}
    assert index.plugged == {"eth9": {parse("/virtual-switches/virtual-switch[name=lan]")}}
    assert index.referrers == {
        parse("/images/image[name=firewall]"): {parse("/appliances/appliance[name=fw1]/config/image")},
        parse("/virtual-switches/virtual-switch[name=lan]"): {path.child("config").child("virtual-switch")},
    }
    assert (index.promised, index.appliances) == ({"memory": 256 << 20, "cpu": 250}, 1)
    assert set(map(str, index.models)) == {
        "/images/image[name=firewall]",
        "/virtual-switches/virtual-switch[name=lan]",
        "/appliances/appliance[name=fw1]",
    }
    assert index.evolve(()) == index
