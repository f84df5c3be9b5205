"""Host ports: plugged when there, waited for when not, refused when in use, given back as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.agent import Agent, until, value
from e2e.cable import cable, clear, port, row
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from twinplane_client import AlreadyExistsError, InvalidError, RefusedError

pytestmark = pytest.mark.hypervisor

LAN = switch_path("lan")


@pytest.fixture(autouse=True)
def tidy(agent: Agent) -> Iterator[None]:
    """Nothing is configured and no device of a test is there, before and after."""
    clear(agent)
    yield
    clear(agent)
    assert not [line for line in agent.lines() if "Traceback" in line or " ERROR " in line]


def test_a_port_that_is_there_is_plugged_and_given_back(agent: Agent) -> None:
    cable(agent.place, "host0", mtu="1450")
    agent.place.ip("link", "set", "host0", "up")
    before = row(agent.place, "host0")
    with agent.client() as client:
        client.set(replace={LAN: switch("lan", "host0")})
        state = value(client, f"{port('lan', 'host0')}/state")
        assert state["twinplane-virtual-switch:oper-status"] == "UP"
        bridge = value(client, f"{LAN}/state/interface")
        assert row(agent.place, "host0")["master"] == bridge
        assert row(agent.place, "host0")["addresses"] == []
        client.set(delete=[port("lan", "host0")])
        assert row(agent.place, "host0") == before
        client.set(replace={LAN: switch("lan", "host0")})
        client.set(delete=[LAN])
    assert row(agent.place, "host0") == before


def test_a_port_that_is_not_there_is_waited_for(agent: Agent) -> None:
    with agent.client() as client:
        client.set(replace={LAN: switch("lan", "host1")})
        state = value(client, f"{port('lan', 'host1')}/state")
        assert state["twinplane-virtual-switch:oper-status"] == "WAITING"
        assert state["twinplane-virtual-switch:oper-reason"]
        cable(agent.place, "host1")
        status = f"{port('lan', 'host1')}/state/oper-status"
        until(lambda: value(client, status) in ("UP", "DOWN"), "it is plugged")
        bridge = value(client, f"{LAN}/state/interface")
        assert row(agent.place, "host1")["master"] == bridge
        # And again, when it went away and came back.
        agent.place.ip("link", "delete", "host1")
        until(lambda: value(client, status) == "WAITING", "it is missed")
        cable(agent.place, "host1")
        until(lambda: value(client, status) in ("UP", "DOWN"), "it is plugged again")
        assert row(agent.place, "host1")["master"] == bridge


def test_a_port_with_an_address_is_refused(agent: Agent) -> None:
    """The cable that the client's own request came through, above all."""
    with agent.client() as client:
        with pytest.raises(RefusedError) as caught:
            client.set(replace={LAN: switch("lan", "mgmt0")})
        (violation,) = caught.value.violations
        assert violation.path == f"{port('lan', 'mgmt0')}/config/interface"
        assert "mgmt0 carries an IP address of the host" in violation.constraint
        assert "remove the address first" in violation.constraint
        assert value(client, LAN) is None


def test_a_port_of_a_bridge_of_the_host_is_refused(agent: Agent) -> None:
    agent.place.ip("link", "add", "hostbr", "type", "bridge")
    cable(agent.place, "host2", master="hostbr")
    with agent.client() as client, pytest.raises(RefusedError, match="host2 is a port of hostbr"):
        client.set(replace={LAN: switch("lan", "host2")})
    assert row(agent.place, "host2")["master"] == "hostbr"


def test_a_port_of_another_switch_is_refused(agent: Agent) -> None:
    cable(agent.place, "host3")
    with agent.client() as client:
        client.set(replace={LAN: switch("lan", "host3")})
        with pytest.raises(InvalidError) as caught:
            client.set(replace={switch_path("wan"): switch("wan", "host3")})
        assert f"host3 is a port of {LAN} too" in caught.value.message
        # Moving it is one request.
        client.set(delete=[port("lan", "host3")], replace={switch_path("wan"): switch("wan", "host3")})
        bridge = value(client, f"{switch_path('wan')}/state/interface")
    assert row(agent.place, "host3")["master"] == bridge


def test_an_address_that_appears_later_does_not_take_the_port_away(agent: Agent) -> None:
    cable(agent.place, "host4")
    with agent.client() as client:
        client.set(replace={LAN: switch("lan", "host4")})
        agent.place.ip("address", "add", "192.0.2.9/24", "dev", "host4")
        client.set(update={f"{LAN}/config/description": "still mine"})
        assert row(agent.place, "host4")["master"] == value(client, f"{LAN}/state/interface")


def test_what_an_entry_of_interfaces_took_is_given_back(agent: Agent) -> None:
    cable(agent.place, "host5", mtu="1450")
    agent.place.ip("link", "set", "host5", "up")
    before = row(agent.place, "host5")
    path = "/interfaces/interface[name=host5]"
    with agent.client() as client:
        client.set(replace={path: {"config": {"name": "host5", "mtu": 1300, "enabled": False}}})
        now = row(agent.place, "host5")
        assert now["mtu"] == 1300
        assert "UP" not in now["flags"]
        assert value(client, f"{path}/state/mtu") == 1300
        assert value(client, f"{path}/state/admin-status") == "DOWN"
        client.set(update={f"{path}/config/mtu": 1400})
        assert row(agent.place, "host5")["mtu"] == 1400
        client.set(delete=[path])
    assert row(agent.place, "host5") == before


def test_what_was_taken_is_remembered_over_a_restart(agent: Agent) -> None:
    cable(agent.place, "host6", mtu="1450")
    before = row(agent.place, "host6")
    path = "/interfaces/interface[name=host6]"
    with agent.client() as client:
        client.set(replace={path: {"config": {"name": "host6", "mtu": 1300}}, LAN: switch("lan", "host6")})
    assert agent.stop() == 0
    assert row(agent.place, "host6")["mtu"] == 1300
    agent.start()
    assert "1300" in agent.place.ip("link", "show", "host6")
    assert "0 netlink writes" in agent.wait_for("adopted")
    with agent.client() as client:
        client.set(delete=[path, LAN])
    assert row(agent.place, "host6") == before


def test_a_device_of_somebody_else_under_our_name_is_not_taken(agent: Agent, images: Path) -> None:
    with agent.client() as client:
        client.set(replace={LAN: switch("lan")})
        name = value(client, f"{LAN}/state/interface")
        client.set(delete=[LAN])
        agent.place.ip("link", "add", name, "type", "bridge")
        try:
            with pytest.raises(AlreadyExistsError) as caught:
                client.set(replace={LAN: switch("lan")})
            assert name in caught.value.message
            assert value(client, LAN) is None
            assert row(agent.place, name)["ifalias"] is None
        finally:
            agent.place.ip("link", "delete", name)


def test_a_vnic_is_a_row_of_interfaces(agent: Agent, images: Path) -> None:
    with agent.client() as client:
        client.set(
            replace={
                IMAGE: image(images),
                LAN: switch("lan"),
                APPLIANCE: appliance("fw1", vnic("eth0", 0, "lan"), **{"admin-state": "STOPPED"}),
            }
        )
        rows = value(client, "/interfaces")["twinplane-interfaces:interface"]
        names = {each["name"] for each in rows}
        assert {"fw1:eth0", "switch:lan", "mgmt0", "lo"} <= names
        tap = value(client, f"{APPLIANCE}/vnics/vnic[name=eth0]/state/interface")
        assert row(agent.place, tap)["master"] == value(client, f"{LAN}/state/interface")
        assert tap not in names
        with pytest.raises(InvalidError, match="a vNIC is attached at its appliance"):
            client.set(replace={port("lan", "fw1:eth0"): {"config": {"interface": "fw1:eth0"}}})
