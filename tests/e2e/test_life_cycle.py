"""An appliance from create to delete, as a client sees it; one guest, booted once, started three times."""

import json
import os
import queue
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, MIB, appliance, image, switch, switch_path, vnic
from e2e.guest import guest, guests, left_behind, says
from e2e.place import Place
from twinplane_client import Notification, RefusedError

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(120)]

STATUS = f"{APPLIANCE}/state/oper-status"
ADMIN = f"{APPLIANCE}/config/admin-state"
DAY_0 = f"{APPLIANCE}/bootstrap/files"
ETH0 = f"{APPLIANCE}/vnics/vnic[name=eth0]"


@pytest.fixture(scope="module")
def empty(agent: Agent) -> dict[str, Any]:
    """The host before anything was asked of the agent."""
    return standing(agent.place)


@pytest.fixture(scope="module")
def box(agent: Agent, images: Path, empty: dict[str, Any]) -> Agent:
    """An agent with an appliance, defined and not yet started."""
    document = appliance("fw1", vnic("eth0", 0, "lan"), **{"admin-state": "STOPPED"})
    document["compute"] = {"share": {"config": {"limit": 1500}}}
    files = {"network": "eth0 192.0.2.1/24\n", "rules.nft": "table inet fw {\n}\n"}
    document["bootstrap"] = {
        "files": {
            "file": [
                {"target": target, "config": {"target": target, "content": content}}
                for target, content in files.items()
            ]
        }
    }
    with agent.client() as client:
        client.set(
            replace={
                IMAGE: image(images),
                switch_path("lan"): switch("lan"),
                switch_path("wan"): switch("wan"),
                APPLIANCE: document,
            }
        )
        assert value(client, STATUS) == "STOPPED"
    return agent


@pytest.fixture
def running(box: Agent) -> int:
    """The process id of the guest, which runs; whatever the test before left."""
    with box.client() as client:
        if value(client, STATUS) != "RUNNING":
            client.set(update={ADMIN: "STOPPED"})
            until(lambda: value(client, STATUS) == "STOPPED", "it is off")
            client.set(update={ADMIN: "RUNNING"})
            assert value(client, STATUS) == "RUNNING"
    return guest(box.state_dir)


def standing(place: Place) -> dict[str, Any]:
    """What stands in the namespace."""
    links = json.loads(place.ip("-json", "link"))
    # Counters of qdiscs and the like are not shown here; whether a cable is plugged is.
    return {
        "links": {row["ifname"]: (row["mtu"], row.get("master"), row["flags"]) for row in links},
        "qdiscs": sorted(place.tc("qdisc").splitlines()),
    }


@contextmanager
def watching(box: Agent, path: str) -> Iterator["queue.SimpleQueue[Any]"]:
    """The values of a leaf from now on, as an ON_CHANGE subscription tells them."""
    values: queue.SimpleQueue[Any] = queue.SimpleQueue()
    with box.client() as client:

        def read() -> None:
            for item in client.subscribe(path):
                if isinstance(item, Notification):
                    for update in item.updates:
                        values.put(update.value)

        def run() -> None:
            try:
                read()
            except Exception as error:
                values.put(error)

        thread = threading.Thread(target=run)
        thread.start()
        yield values
    thread.join(10)


def seen_until(values: "queue.SimpleQueue[Any]", last: str) -> list[Any]:
    """The values up to one, which has to come."""
    seen = []
    while not seen or seen[-1] != last:
        seen.append(values.get(timeout=30))
        assert not isinstance(seen[-1], Exception), seen
    return seen


def test_a_start_is_a_set(box: Agent) -> None:
    with box.client() as client, watching(box, STATUS) as values:
        assert values.get(timeout=10) == "STOPPED"
        done = client.set(update={ADMIN: "RUNNING"})
        assert value(client, STATUS) == "RUNNING"
        assert seen_until(values, "RUNNING")[-1] == "RUNNING"
        state = value(client, f"{APPLIANCE}/state")
        assert abs(int(state["twinplane-appliance:start-time"]) - done.timestamp) < 60_000_000_000
    assert len(guests(box.state_dir)) == 1


def test_live_changes_keep_the_process(box: Agent, running: int) -> None:
    with box.client() as client:
        client.set(
            update={
                f"{APPLIANCE}/compute/share/config": {"limit": 1200, "guarantee": 300},
                f"{ETH0}/share/ingress/config/limit": "10000000",
                f"{ETH0}/share/egress/config/limit": "20000000",
            }
        )
        share = value(client, f"{APPLIANCE}/compute/share/state")
        assert share["twinplane-appliance:limit"] == 1200
        assert share["twinplane-appliance:guarantee"] == 300
        assert value(client, f"{ETH0}/share/ingress/state/limit") == "10000000"
        assert value(client, f"{ETH0}/share/egress/state/limit") == "20000000"
        assert "rate 10Mbit" in box.place.tc("class", "show", "dev", tap(box))
        client.set(delete=[f"{ETH0}/share"])
        assert "htb" not in box.place.tc("qdisc", "show", "dev", tap(box))
        assert value(client, f"{ETH0}/share/ingress/state/limit") is None
    assert guest(box.state_dir) == running


def tap(box: Agent) -> str:
    """The only tap."""
    (name,) = (name for name in standing(box.place)["links"] if name.startswith("tp"))
    return str(name)


@pytest.mark.parametrize(
    "operations",
    [
        {"update": {f"{APPLIANCE}/memory/config/size": str(300 * MIB)}},
        {"update": {f"{APPLIANCE}/compute/config/vcpus": 2}},
        {"replace": {f"{APPLIANCE}/vnics/vnic[name=eth1]": vnic("eth1", 1, "lan")}},
        {"delete": [ETH0]},
        {"update": {f"{ETH0}/config/mtu": 1400}},
        {"update": {f"{ETH0}/config/virtual-switch": "wan"}},
        {"update": {f"{DAY_0}/file[target=network]/config/content": "eth0 192.0.2.9/24\n"}},
        {"update": {f"{IMAGE}/config/command-line": "console=ttyS0"}},
    ],
    ids=["memory", "vcpus", "new vnic", "no vnic", "mtu", "another switch", "day-0 file", "command line"],
)
def test_what_a_running_guest_cannot_take_is_refused(
    box: Agent, running: int, operations: dict[str, Any]
) -> None:
    before = standing(box.place)
    with box.client() as client:
        configured = value(client, "/", kind="config")
        with pytest.raises(RefusedError) as caught:
            client.set(**operations)
        assert caught.value.violations[0].path.startswith(APPLIANCE)
        assert "set admin-state STOPPED first" in caught.value.message
        assert value(client, "/", kind="config") == configured
    assert standing(box.place) == before
    assert guest(box.state_dir) == running


def test_ctrl_c_ends_the_agent_and_no_guest(box: Agent, running: int) -> None:
    assert box.process is not None
    os.killpg(box.process.pid, signal.SIGINT)  # as a terminal does: to all of the foreground group
    assert box.process.wait(20) == 0
    assert guest(box.state_dir) == running
    box.start()
    with box.client() as client:
        assert value(client, STATUS) == "RUNNING"
    assert guest(box.state_dir) == running


def test_a_stop_asks_the_guest(box: Agent, running: int) -> None:
    until(lambda: says(box.state_dir, "twinplane-firewall: up"), "the guest is up", 60)
    with box.client() as client, watching(box, STATUS) as values:
        assert values.get(timeout=10) == "RUNNING"
        client.set(update={ADMIN: "STOPPED"})
        assert seen_until(values, "STOPPED")[:-1] in (["STOPPING"], [])
        assert says(box.state_dir, "power button")
        assert value(client, STATUS) == "STOPPED"
        assert value(client, f"{APPLIANCE}/state/start-time") is None
    assert guests(box.state_dir) == {}


def test_what_is_off_can_be_changed_and_starts_with_the_change(box: Agent, running: int) -> None:
    with box.client() as client:
        client.set(update={ADMIN: "STOPPED", f"{APPLIANCE}/config/stop-timeout": 1})
        until(lambda: value(client, STATUS) == "STOPPED", "it is off")
        client.set(
            update={
                f"{APPLIANCE}/compute/config/vcpus": 2,
                f"{APPLIANCE}/memory/config/size": str(320 * MIB),
                f"{ETH0}/config/mtu": 1400,
                ADMIN: "RUNNING",
            },
            replace={f"{APPLIANCE}/vnics/vnic[name=eth1]": vnic("eth1", 1, "wan")},
        )
        assert value(client, STATUS) == "RUNNING"
        assert value(client, f"{APPLIANCE}/compute/state/vcpus") == 2
        assert value(client, f"{APPLIANCE}/memory/state/size") == str(320 * MIB)
        rows = value(client, "/interfaces")["twinplane-interfaces:interface"]
        assert {"fw1:eth0", "fw1:eth1"} <= {row["name"] for row in rows}
    assert guest(box.state_dir) != running


def test_a_guest_that_does_not_listen_is_stopped_when_its_time_is_over(box: Agent) -> None:
    with box.client() as client:
        client.set(update={ADMIN: "STOPPED", f"{APPLIANCE}/config/stop-timeout": 1})
        until(lambda: value(client, STATUS) == "STOPPED", "it is off")
        client.set(update={ADMIN: "RUNNING", f"{APPLIANCE}/config/stop-timeout": 2})
        # It has only just begun to boot: nobody in there has a power button yet.
        with watching(box, STATUS) as values:
            assert values.get(timeout=10) == "RUNNING"
            client.set(update={ADMIN: "STOPPED"})
            assert value(client, STATUS) in ("STOPPING", "STOPPED")
            assert seen_until(values, "STOPPED") == ["STOPPING", "STOPPED"]
    assert guests(box.state_dir) == {}


def test_a_guest_that_dies_is_shown(box: Agent, running: int) -> None:
    with box.client() as client, watching(box, STATUS) as values:
        assert values.get(timeout=10) == "RUNNING"
        os.kill(running, signal.SIGKILL)
        assert values.get(timeout=30) == "CRASHED"
        assert value(client, STATUS) == "CRASHED"
        assert value(client, f"{APPLIANCE}/state/start-time") is None
        assert value(client, ADMIN) == "RUNNING"
        assert value(client, f"{APPLIANCE}/state/oper-reason")
    with box.client() as client:
        client.set(update={f"{APPLIANCE}/config/description": "what is dead can be described"})
        assert value(client, STATUS) == "CRASHED"


def test_a_delete_leaves_nothing(box: Agent, running: int, empty: dict[str, Any]) -> None:
    with box.client() as client:
        client.set(delete=["/appliances", "/virtual-switches", "/images"])
        assert value(client, APPLIANCE) is None
        assert value(client, "/appliances") is None
        names = {row["name"] for row in value(client, "/interfaces")["twinplane-interfaces:interface"]}
        assert names == set(empty["links"])
        components = value(client, "/components")["twinplane-platform:component"]
        assert {row["name"] for row in components} == {"chassis"}
    assert standing(box.place) == empty
    assert left_behind(box.state_dir) == []
    assert not [line for line in box.lines() if "Traceback" in line or " ERROR " in line]
