"""The systemd unit keeps appliances alive when the agent stops or is upgraded."""

from pathlib import Path

import pytest

from twinplane import app
from twinplane.hypervisor import opening

UNIT = (Path(__file__).parents[2] / "agent/packaging/twinplane-agent.service").read_text().splitlines()


@pytest.mark.parametrize(
    "line", ["KillMode=process", "Delegate=yes", "Restart=on-failure", "Type=notify", "PrivateTmp=no"]
)
def test_the_unit_says(line: str) -> None:
    assert line in UNIT


def test_the_supervisor_is_more_patient_than_the_agent() -> None:
    allowed = dict(line.split("=") for line in UNIT if line.startswith("Timeout"))
    assert float(allowed["TimeoutStartSec"]) > opening.LIMIT + app.FIRST_FACTS + app.RECOVERY
    assert float(allowed["TimeoutStopSec"]) > app.GRACE


def test_limits_are_raised() -> None:
    assert any(line.startswith("LimitNOFILE=") for line in UNIT)


def test_guests_inherit_no_protected_file_systems() -> None:
    protecting = [line for line in UNIT if line.startswith("ProtectSystem=")]
    assert all(line.endswith("=no") for line in protecting)


def test_the_agent_is_not_kept_alive_at_the_expense_of_its_guests() -> None:
    assert "OOMScoreAdjust=0" in UNIT
    assert not any(line.startswith(("MemoryMax", "MemoryHigh", "LimitAS", "LimitDATA")) for line in UNIT)
