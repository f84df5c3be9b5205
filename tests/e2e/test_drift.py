"""Drift on a real host: what the agent does itself is none, what others do is told until it is over."""

import json
from pathlib import Path

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from twinplane_client import ConfigClient, RefusedError
from twinplane_client.config import Event

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(120)]

SHAPED = {"config": {"limit": "20000000"}}


def alarms(agent: Agent) -> list[str]:
    """All alarms."""
    with agent.client() as client:
        (notification,) = client.get("/system/alarms/alarm[id=*]/state")
        return [json.dumps(update.value) for update in notification.updates]


def events(agent: Agent) -> list[object]:
    """The events about differences so far."""
    with ConfigClient(agent.target) as config:
        told = config.notifications(kinds=("drift", "share-violation"), after_sequence=0, stop_at_now=True)
        return [one for one in told if isinstance(one, Event)]


@pytest.fixture(scope="module")
def box(agent: Agent, images: Path) -> Agent:
    """An agent with a running appliance, shaped and limited, whose share was changed while it ran."""
    document = appliance("fw1", vnic("eth0", 0, "lan"))
    document["compute"] = {"share": {"config": {"guarantee": 200, "limit": 900}}}
    document["vnics"]["vnic"][0]["share"] = {"ingress": SHAPED, "egress": SHAPED}
    with agent.client() as client:
        client.set(replace={IMAGE: image(images), switch_path("lan"): switch("lan"), APPLIANCE: document})
        client.set(update={f"{APPLIANCE}/compute/share/config/limit": 800})
        client.set(update={f"{APPLIANCE}/vnics/vnic[name=eth0]/share/ingress/config/limit": "30000000"})
        assert value(client, f"{APPLIANCE}/state/oper-status") == "RUNNING"
    return agent


def device(agent: Agent, kind: str) -> str:
    """The kernel's name of the one device of a kind (`tp`: tap, `br`: bridge)."""
    links = json.loads(agent.place.ip("-json", "link"))
    (name,) = (row["ifname"] for row in links if row["ifname"].startswith(kind))
    return str(name)


def test_what_the_agent_did_itself_is_none(box: Agent) -> None:
    until(lambda: not alarms(box), "nothing differs", 5)
    assert events(box) == []


@pytest.mark.parametrize(
    ("break_it", "mend_it", "kind"),
    [
        (("link", "set", "{tap}", "nomaster"), ("link", "set", "{tap}", "master", "{bridge}"), "DRIFT"),
        (("link", "set", "{tap}", "mtu", "1400"), ("link", "set", "{tap}", "mtu", "1500"), "DRIFT"),
    ],
)
def test_what_others_do_is_told_until_it_is_over(
    box: Agent, break_it: tuple[str, ...], mend_it: tuple[str, ...], kind: str
) -> None:
    tap, bridge = device(box, "tp"), device(box, "br")
    before = len(events(box))
    box.place.ip(*(word.format(tap=tap, bridge=bridge) for word in break_it))
    until(lambda: any(kind in one and tap in one for one in alarms(box)), "the alarm is raised")
    box.place.ip(*(word.format(tap=tap, bridge=bridge) for word in mend_it))
    until(lambda: not alarms(box), "the alarm is gone")
    assert len(events(box)) == before + 2


def test_a_change_puts_right_what_it_is_about(box: Agent) -> None:
    box.place.ip("link", "delete", device(box, "fb"))
    until(lambda: any("SHARE_VIOLATION" in one for one in alarms(box)), "the alarm is raised")
    with box.client() as client:
        client.set(update={f"{APPLIANCE}/vnics/vnic[name=eth0]/share/egress/config/limit": "15000000"})
    until(lambda: not alarms(box), "the alarm is gone")
    assert "rate 15Mbit" in box.place.tc("class", "show", "dev", device(box, "fb"))
    assert device(box, "fb") in box.place.tc("filter", "show", "dev", device(box, "tp"), "ingress")


def test_the_next_change_puts_its_switch_right(box: Agent) -> None:
    """Also one that needs no effect of its own."""
    tap = device(box, "tp")
    box.place.ip("link", "set", tap, "nomaster")
    until(lambda: any("DRIFT" in one and tap in one for one in alarms(box)), "the alarm is raised")
    with box.client() as client:
        client.set(update={f"{switch_path('lan')}/config/description": "served"})
    until(lambda: not alarms(box), "the alarm is gone")
    (row,) = json.loads(box.place.ip("-json", "link", "show", tap))
    assert row["master"] == device(box, "br")


def test_a_guest_that_lost_its_tap_gets_another_with_its_next_start(box: Agent) -> None:
    """And the box takes changes of everything else all the time."""
    tap = device(box, "tp")
    box.place.ip("link", "delete", tap)
    until(lambda: any("DRIFT" in one for one in alarms(box)), "the alarm is raised")
    admin = f"{APPLIANCE}/config/admin-state"
    with box.client() as client:
        with pytest.raises(RefusedError, match="set admin-state STOPPED first"):
            client.set(update={f"{APPLIANCE}/vnics/vnic[name=eth0]/share/ingress/config/limit": "15000000"})
        client.set(update={f"{switch_path('lan')}/config/description": "all right"})
        client.set(update={f"{APPLIANCE}/config/stop-timeout": 1, admin: "STOPPED"})
        until(lambda: value(client, f"{APPLIANCE}/state/oper-status") == "STOPPED", "it is off")
        client.set(update={admin: "RUNNING"})
        until(lambda: not alarms(box), "the alarm is gone")
        assert value(client, f"{APPLIANCE}/vnics/vnic[name=eth0]/state/oper-status") == "UP"
    assert device(box, "tp") == tap


def test_a_stop_a_start_and_a_delete_are_none(box: Agent) -> None:
    before = len(events(box))
    status, admin = f"{APPLIANCE}/state/oper-status", f"{APPLIANCE}/config/admin-state"
    with box.client() as client:
        client.set(update={f"{APPLIANCE}/config/stop-timeout": 1})
        client.set(update={admin: "STOPPED"})
        until(lambda: value(client, status) == "STOPPED", "it is off")
        client.set(update={f"{APPLIANCE}/compute/share/config/limit": 700})
        client.set(update={admin: "RUNNING"})
        until(lambda: value(client, status) == "RUNNING", "it runs")
        client.set(delete=[APPLIANCE])
        client.set(delete=[switch_path("lan")])
    assert alarms(box) == []
    assert len(events(box)) == before
