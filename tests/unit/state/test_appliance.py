"""oper-status is a function of what is asked for, what the hypervisor says and why."""

import pytest

from twinplane.model.appliance import appliance_path
from twinplane.state.facts import DomainFact, DomainUsage
from twinplane.state.translate.appliance import delivered, oper_status

FW1 = appliance_path("fw1")


def domain(state: str, reason: str = "") -> DomainFact:
    return DomainFact("vm", "u", FW1, state, reason, 1, 1, "", None, None)


@pytest.mark.parametrize(
    ("admin", "state", "reason", "status", "explained"),
    [
        ("RUNNING", "running", "booted", "RUNNING", False),
        ("STOPPED", "running", "booted", "STOPPING", True),
        ("RUNNING", "running", "crashed", "CRASHED", True),
        ("RUNNING", "paused", "starting-up", "PAUSED", True),
        ("RUNNING", "paused", "io-error", "CRASHED", True),
        ("STOPPED", "shutdown", "user", "STOPPING", False),
        ("RUNNING", "shutdown", "user", "STOPPING", True),
        ("RUNNING", "shutoff", "shutdown", "STOPPED", True),
        ("RUNNING", "shutoff", "failed", "CRASHED", True),
        ("RUNNING", "shutoff", "crashed", "CRASHED", True),
        ("RUNNING", "shutoff", "unknown", "DEFINED", True),
        ("STOPPED", "shutoff", "unknown", "STOPPED", False),
        ("STOPPED", "shutoff", "destroyed", "STOPPED", False),
        ("STOPPED", "shutoff", "failed", "STOPPED", False),
        (None, "running", "booted", "RUNNING", False),
        ("RUNNING", "nostate", "", "UNKNOWN", True),
    ],
)
def test_oper_status(admin: str | None, state: str, reason: str, status: str, explained: bool) -> None:
    found, why = oper_status(admin, domain(state, reason), None)
    assert (found, bool(why)) == (status, explained)


def test_failure_shows_where_nothing_runs() -> None:
    assert oper_status("RUNNING", None, "no memory") == ("FAILED", "no memory")
    assert oper_status("RUNNING", domain("shutoff"), "no memory") == ("FAILED", "no memory")
    assert oper_status("RUNNING", domain("running"), "no qdisc") == ("RUNNING", "no qdisc")
    assert oper_status("RUNNING", None, None)[0] == "UNKNOWN"


def test_delivered_is_the_average_between_two_polls() -> None:
    first = DomainUsage("vm", FW1, 1_000_000_000, 10_000_000_000)
    assert delivered(first, DomainUsage("vm", FW1, 1_500_000_000, 11_000_000_000)) == 500
    assert delivered(first, DomainUsage("vm", FW1, 0, 11_000_000_000)) == 0  # started anew
