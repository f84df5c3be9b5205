"""`twinplane-agent check` on this host, as it is and with parts of it hidden."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from e2e.agent import Agent
from e2e.place import Place
from e2e.test_start import without

pytestmark = pytest.mark.hypervisor

FEATURES = (
    "qemu",
    "libvirt",
    "kvm",
    "bridge",
    "tun",
    "ifb",
    "htb",
    "ingress",
    "u32",
    "mirred",
    "cpu-controller",
    "guest-user",
)
LINE = re.compile(r"(ok     |without|MISSING) ([\w-]+)(?:: .+)?")


@pytest.fixture
def candidate(place: Place, images: Path) -> Iterator[Agent]:
    """An agent that is not started."""
    with Agent(place, images) as agent:
        yield agent


def checked(agent: Agent, *prefix: str) -> "subprocess.CompletedProcess[str]":
    """Run it, perhaps where something is hidden."""
    return subprocess.run(
        (*prefix, *agent.command("check")),
        capture_output=True,
        text=True,
        env=agent.environment,
        timeout=60,
        check=False,
    )


def verdicts(output: str) -> dict[str, str]:
    """Feature → what is said of it."""
    found = {}
    for line in output.splitlines()[2:]:
        match = LINE.fullmatch(line)
        assert match, line
        found[match[2]] = match[1].strip()
    return found


def test_a_host_that_is_in_order(candidate: Agent) -> None:
    done = checked(candidate)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""
    settings, host = done.stdout.splitlines()[:2]
    assert re.fullmatch(r"ok      settings; \d+ YANG modules", settings)
    assert re.fullmatch(r"ok      \d+ CPUs, \d+ MiB; guests run under TCG", host)
    found = verdicts(done.stdout)
    assert set(found) >= set(FEATURES)
    assert {name for name, mark in found.items() if mark == "ok"} >= {"qemu", "libvirt", "bridge", "tun"}
    assert "MISSING" not in found.values()
    assert not candidate.state_dir.exists(), "it looks and writes nothing"


def test_guests_do_not_run_as_root_unasked(candidate: Agent) -> None:
    candidate.root.chmod(0o700)
    done = checked(candidate)
    assert done.returncode == 1
    assert verdicts(done.stdout)["guest-user"] == "MISSING"
    assert f"chmod o+x {candidate.root}" in done.stdout
    allowed = candidate.ask("check", HYPERVISOR_ALLOW_ROOT="true")
    assert allowed.returncode == 0
    assert verdicts(allowed.stdout)["guest-user"] == "without"


def test_what_is_missing_is_marked_with_its_remedy(candidate: Agent) -> None:
    folder = "/usr/lib/x86_64-linux-gnu/libvirt/connection-driver"
    done = checked(candidate, *without(f"mount -t tmpfs tmpfs {folder}", "mount -t tmpfs tmpfs /dev/net"))
    assert done.returncode == 1
    found = verdicts(done.stdout)
    assert {name for name, mark in found.items() if mark == "MISSING"} == {"libvirt", "tun"}
    for name in ("libvirt", "tun"):
        (line,) = (line for line in done.stdout.splitlines() if f" {name}:" in line)
        assert "apt-get install" in line or "remedy: " in line
