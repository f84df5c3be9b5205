"""vNICs of an appliance: the host's end, the guest's end as defined, and the shaping of both directions."""

from collections.abc import Iterator

from twinplane.plan.resource import Htb
from twinplane.state.section import Section, present
from twinplane.state.translate.interface import works
from twinplane.state.translate.known import Known
from twinplane.tree.node import Leaf
from twinplane_wire.path import Path

POLLED = (("appliances", "appliance", "vnics", "vnic", "state", "counters"),)


def translate(known: Known, vnic: Path) -> Iterator[Section]:
    """State of one vNIC, counters apart."""
    tap = known.device_of(vnic, "tun")
    if tap is None:
        return
    leaves: dict[str, Leaf | None] = {
        "name": vnic.elems[-1].keys[0][1],
        "interface": tap.name,
        "oper-status": "UP" if works(tap) else "DOWN",
    }
    domain = known.domains.get(Path(vnic.elems[:2], vnic.origin))
    for end in () if domain is None else domain.vnics:
        if end.device == tap.name:
            leaves["mac-address"] = end.mac
            leaves["index"] = end.index
    yield Section(vnic.child("state"), present(leaves))


def translate_share(known: Known, vnic: Path) -> Iterator[Section]:
    """The shaping of one vNIC: towards the appliance by its tap, from it by the device that queues for it."""
    tap = known.device_of(vnic, "tun")
    queue = known.device_of(vnic, "ifb")
    if tap is not None and (shaper := known.shapers.get(tap.name)):
        yield _direction(vnic, "ingress", shaper)
    if queue is not None and (shaper := known.shapers.get(queue.name)):
        yield _direction(vnic, "egress", shaper)


def _direction(vnic: Path, name: str, shaper: Htb) -> Section:
    return Section(
        vnic.child("share").child(name).child("state"),
        {"limit": shaper.rate, "burst": shaper.burst},
    )
