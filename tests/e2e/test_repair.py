"""Repair on demand on a real kernel: bridge, port and row are what is configured again."""

from collections.abc import Iterator

import pytest

from e2e.agent import Agent, until, value
from e2e.cable import cable, clear, row
from e2e.documents import switch, switch_path
from twinplane_client import ConfigClient

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(120)]

LAN = switch_path("lan")
ROW = "/interfaces/interface[name=host0]"


@pytest.fixture(autouse=True)
def tidy(agent: Agent) -> Iterator[None]:
    """Nothing is configured and no device of a test is there, before and after."""
    clear(agent)
    yield
    clear(agent)


def test_what_others_changed_is_put_right(agent: Agent) -> None:
    cable(agent.place, "host0", mtu="1450")
    before = row(agent.place, "host0")
    with agent.client() as client, ConfigClient(agent.target) as config:
        client.set(
            replace={LAN: switch("lan", "host0"), ROW: {"config": {"name": "host0", "mtu": 1400}}},
        )
        whole, bridge = row(agent.place, "host0"), value(client, f"{LAN}/state/interface")
        assert config.reconcile().steps == ()
        agent.place.ip("link", "delete", bridge)
        agent.place.ip("link", "set", "host0", "mtu", "1300")
        planned = config.reconcile(dry_run=True)
        assert {str(one.path) for one in planned.effects} == {LAN, ROW}
        assert row(agent.place, "host0")["mtu"] == 1300
        assert [step.object for step in config.reconcile(ROW).steps] == ["link host0"]
        done = config.reconcile()
        assert not done.failed and f"bridge {bridge}" in {step.object for step in done.steps}
        until(lambda: value(client, f"{LAN}/state/oper-status") == "UP", "the switch is there")
        assert row(agent.place, "host0") == whole
        client.set(delete=[LAN, ROW])
    assert row(agent.place, "host0") == before
