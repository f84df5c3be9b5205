"""SIGKILL while libvirt starts a guest, so many milliseconds after it wrote its record of the guest.

In the first 30 to 50 the record has no pid yet: libvirt by itself would hold the lock of that start for good.
Whenever it was: the next start serves, the host is as before or as asked for, a write on every object is
done, and when the guest is stopped again the host is to the last file what it was.
"""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from e2e import documents
from e2e.documents import APPLIANCE, IMAGE, switch_path
from fault.box import Box, Strike
from fault.snapshot import Snapshot
from fault.test_points import IMAGES, bring, look_until, settle

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(240)]

LAN, PORT = switch_path("lan"), "/interfaces/interface[name=hp0]"
SWEEP = range(61)  # ms
# before there is a QEMU, and about when there is one that is not recorded
POINTS = (1, 40)


@pytest.fixture(scope="module", autouse=True)
def cleared(box: Box) -> Iterator[None]:
    """Others find the box as they know it."""
    yield
    if box.sound:
        bring(box, "empty")


def wanted(state: str, *, mtu: int = 1600, description: str = "as before") -> dict[str, Any]:
    """A write on every object, with the guest in this state."""
    vnic = documents.vnic("lan", 0, "lan")
    texts = {"description": description, "admin-state": state, "stop-timeout": 0}
    return {
        "replace": {
            IMAGE: documents.image(IMAGES),
            LAN: documents.switch("lan", "hp0", description=description),
            PORT: {"config": {"name": "hp0", "mtu": mtu}},
            APPLIANCE: documents.appliance("fw1", vnic, **texts),
        }
    }


@pytest.mark.parametrize("delay", POINTS)
def test_two_milliseconds(box: Box, delay: int) -> None:
    """One of each kind."""
    kill(box, delay)


@pytest.mark.long
@pytest.mark.sweep
@pytest.mark.parametrize("delay", SWEEP)
def test_every_millisecond(box: Box, delay: int) -> None:
    """All of them."""
    kill(box, delay)


_parked: dict[str, Snapshot] = {}


def park(box: Box) -> Snapshot:
    """Everything is configured and the guest does not run."""
    if not box.sound or box.is_at != "parked":
        bring(box, "empty")
        box.sound = False
        # Once up and down: what the first start of all leaves for good is there from now on.
        for state in ("STOPPED", "RUNNING", "STOPPED"):
            assert (error := box.set(wanted(state))) is None, error
        box.wait(lambda: not box.look().processes, "the guest has ended")
        _parked[str(box.state)] = box.look()
        box.is_at, box.sound = "parked", True
    return _parked[str(box.state)]


def kill(box: Box, delay: int) -> None:
    """Start the guest and be killed so many ms after its record was written."""
    before = park(box)
    box.sound = False
    with box.armed([Strike("begin", "recorded", delay=delay / 1000)]):
        error = box.set(wanted("RUNNING"))
        assert box.struck(), error
        assert box.killed()
    begun = time.monotonic()
    box.start()
    settle(box)
    print(f"{delay} ms: writes were accepted {time.monotonic() - begun:.1f} s after the next start")
    found = look_until(box, before)
    if found.lines["running"] == before.lines["running"]:
        assert not (difference := found.difference(before)), difference
    else:
        assert set(found.processes) != set()
    for step in (wanted("RUNNING", mtu=1650, description="another"), wanted("STOPPED")):
        assert (refused := box.set(step)) is None, refused
    found = look_until(box, before)
    assert not (difference := found.difference(before)), difference
    box.sound = True
