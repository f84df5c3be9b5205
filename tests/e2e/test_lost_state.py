"""A state directory that lost a part, beside a guest that runs: nothing ends, and each way on is taken
once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from e2e.guest import guest, guests
from e2e.place import Place
from twinplane_client import NotFoundError

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(240)]


@pytest.fixture
def box(place: Place, images: Path) -> Iterator[Agent]:
    """An agent of its own, whose state directory is taken apart."""
    with Agent(place, images) as agent:
        yield agent


def unconfigured(box: Agent) -> set[str]:
    """The objects that an alarm says are left alone."""
    with box.client() as client:
        try:
            (notification,) = client.get("/system/alarms/alarm[id=*]/state")
        except NotFoundError:
            return set()
    states = [
        {name.rpartition(":")[2]: held for name, held in update.value.items()}
        for update in notification.updates
    ]
    return {one["resource"] for one in states if one["type-id"].endswith(":UNCONFIGURED")}


def alone(box: Agent, objects: set[str]) -> bool:
    """Wait until the host was surveyed and these objects, and no others, are left alone."""
    return bool(until(lambda: unconfigured(box) == objects, f"{objects} are left alone"))


def test_a_guest_outlives_its_database_and_is_taken_over_again(box: Agent, images: Path) -> None:
    wanted: dict[str, Any] = {
        IMAGE: image(images),
        switch_path("lan"): switch("lan"),
        APPLIANCE: appliance("fw1", vnic("eth0", 0, "lan")),
    }
    box.start()
    with box.client() as client:
        client.set(replace=wanted)
    pid = guest(box.state_dir)
    links = box.place.ip("-oneline", "link")
    box.stop()

    for file in (*box.state_dir.glob("twinplane.db*"), box.state_dir / "instance-id"):
        file.unlink()
    code, lines = box.refused()
    assert code == 2 and "lacks twinplane.db" in lines[-1] and "and instance-id" in lines[-1], lines
    assert list(guests(box.state_dir).values()) == [pid] and box.place.ip("-oneline", "link") == links

    asked = box.ask("state", "forget")
    assert asked.returncode == 1 and "will be removed: guest" in asked.stdout and "--yes" in asked.stdout
    asked = box.ask("state", "adopt")
    assert asked.returncode == 0, asked.stderr
    box.start()
    assert list(guests(box.state_dir).values()) == [pid] and alone(box, set(wanted))
    with box.client() as client:
        client.set(replace=wanted)
        assert value(client, f"{APPLIANCE}/state/oper-status") == "RUNNING"
    assert list(guests(box.state_dir).values()) == [pid] and alone(box, set())
    box.stop()

    # From a copy it goes on as well; and it ends where that is asked for.
    copies = box.state_dir / "copies"
    asked = box.ask("state", "copy")
    assert asked.returncode == 0, asked.stderr
    for file in box.state_dir.glob("twinplane.db*"):
        file.unlink()
    asked = box.ask("state", "restore")
    assert asked.returncode == 0 and len(list(copies.glob("2*.db"))) == 1, asked.stderr
    box.start()
    assert list(guests(box.state_dir).values()) == [pid] and alone(box, set())
    box.stop()
    for file in box.state_dir.glob("twinplane.db*"):
        file.unlink()
    assert box.ask("state", "forget", "--yes").returncode == 0
    box.start()
    until(lambda: guests(box.state_dir) == {}, "it ended")
