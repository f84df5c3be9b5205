"""A guest whose QEMU does not answer any more: it is in nobody's way, and can be stopped and deleted."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from e2e.guest import guest, guests, left_behind
from e2e.place import Place
from twinplane_client import Client, TwinplaneError

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(180)]

PATIENCE = 20.0  # seconds; libvirt waits for such a guest for 30, or for good
STATUS = f"{APPLIANCE}/state/oper-status"


def timed(what: str, work: Callable[[], Any]) -> Any:
    """Do it, and neither wait nor hold up the next longer than `PATIENCE`."""
    start = time.monotonic()
    done = work()
    spent = time.monotonic() - start
    print(f"{what}: {spent:.2f} s")
    assert spent < PATIENCE, what
    return done


def alarms(client: Client) -> list[str]:
    """The kinds of alarm there are about the appliance."""
    found = value(client, "/system/alarms") or {}
    rows = found.get("twinplane-system:alarm", [])
    return [row["state"]["type-id"] for row in rows if "appliance" in row["state"]["resource"]]


def other(client: Client, number: int) -> None:
    """A change of another object."""
    client.set(update={f"{switch_path('lan')}/config/description": f"number {number}"})


def test_a_guest_that_hangs_is_in_nobodys_way(place: Place, images: Path) -> None:
    with Agent(place, images) as agent:
        agent.start()
        document = appliance("fw1", vnic("eth0", 0, "lan"), **{"stop-timeout": 600})
        with agent.client() as client:
            client.set(replace={IMAGE: image(images), switch_path("lan"): switch("lan"), APPLIANCE: document})
            os.kill(guest(agent.state_dir), signal.SIGSTOP)

            limit = {f"{APPLIANCE}/compute/share/config/limit": 900}
            timed("a change of the guest", lambda: client.set(update=limit))
            timed("another object", lambda: other(client, 1))
            stop = {f"{APPLIANCE}/config/admin-state": "STOPPED"}
            timed("a stop of the guest", lambda: client.set(update=stop))
            timed("another object", lambda: other(client, 2))
            assert any("FINAL_STEP_FAILED" in kind for kind in alarms(client))

            pid = guest(agent.state_dir)
            timed("its delete", lambda: client.set(delete=[APPLIANCE]))
            timed("another object", lambda: other(client, 3))
            assert guests(agent.state_dir) == {}
            assert not Path(f"/proc/{pid}").exists()
            until(lambda: not alarms(client), "no alarm is left")
            client.set(replace={APPLIANCE: document})
            assert value(client, STATUS) == "RUNNING"
            os.kill(guest(agent.state_dir), signal.SIGSTOP)
            # Also for an agent that finds it so.
            agent.stop()
            agent.start()
            timed("another object", lambda: other(client, 4))
            try:
                timed("the delete of one that runs", lambda: client.set(delete=["/appliances", "/images"]))
            except TwinplaneError as error:
                raise AssertionError(error) from error
            assert guests(agent.state_dir) == {}
            until(lambda: not left_behind(agent.state_dir), "nothing is left")
            client.set(delete=["/virtual-switches"])
