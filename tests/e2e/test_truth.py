"""Every number that `/components` and `/system` give is that of the host, read here from /proc and /sys."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, MIB, appliance, image
from e2e.guest import guest
from e2e.place import Place

pytestmark = [pytest.mark.hypervisor, pytest.mark.timeout(120)]

CHASSIS = "/components/component[name=chassis]"
GUARANTEE = 250  # millicores
SIZE = 128 * MIB
OVERHEAD = 256 * MIB  # of a guest under emulation
RESERVE = 512  # MiB
PAGE = os.sysconf("SC_PAGE_SIZE")


@pytest.fixture(scope="module")
def box(place: Place, images: Path) -> Iterator[Agent]:
    """An agent that keeps some of the host for itself, with one guest that runs."""
    with Agent(place, images, RESERVE_CPU="300", RESERVE_MEMORY=str(RESERVE)) as agent:
        agent.start()
        document = appliance(size=SIZE)
        document["compute"] = {"share": {"config": {"guarantee": GUARANTEE}}}
        with agent.client() as client:
            client.set(replace={IMAGE: image(images), APPLIANCE: document})
        yield agent


def row(agent: Agent, name: str) -> dict[str, int]:
    """One row of utilization, as numbers."""
    with agent.client() as client:
        found = value(client, f"{CHASSIS}/chassis/utilization/resources/resource[name={name}]/state")
    return {key.split(":")[-1]: int(number) for key, number in found.items() if not key.endswith("name")}


def processor_time(pid: int) -> float:
    """Seconds of CPU that a process has used (proc(5))."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident(pid: int) -> int:
    """Bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE


def field(file: str, name: str) -> int:
    """The number after a name in a file of /proc."""
    (line,) = (line for line in Path(file).read_text().splitlines() if line.split()[0].rstrip(":") == name)
    return int(line.split()[1])


def test_processors(box: Agent) -> None:
    cpu = row(box, "cpu")
    online = Path("/sys/devices/system/cpu/online").read_text().strip()
    cpus = sum(
        int(last or first) - int(first) + 1
        for first, _, last in (part.partition("-") for part in online.split(","))
    )
    assert cpu["max-limit"] == cpus * 1000 - 300
    assert cpu["committed"] == GUARANTEE
    assert cpu["free"] == cpu["max-limit"] - GUARANTEE
    assert 0 <= cpu["used"] <= cpus * 1000


def test_used_processors_are_what_the_guests_process_used(box: Agent) -> None:
    """The average since the poll before cannot be more than the process has used since then."""
    pid = guest(box.state_dir)
    delivered = f"{APPLIANCE}/compute/share/state/delivered"
    with box.client() as client:
        until(lambda: value(client, delivered) is not None, "a first value")
        before = processor_time(pid)
        (first,) = client.get(delivered)

        def later() -> Any:
            (now,) = client.get(delivered)
            return now if now.timestamp > first.timestamp else None

        second = until(later, "a later value")
        after = processor_time(pid)
    seconds = (second.timestamp - first.timestamp) / 1e9
    slack = 1.0  # of the first value's poll, which may be a second older than `before`
    assert second.updates[0].value / 1000 * seconds <= after - before + slack


def test_memory(box: Agent) -> None:
    pid = guest(box.state_dir)

    def settled() -> Any:
        held, memory = resident(pid), row(box, "memory")
        return memory if abs(memory["used"] - held) <= held * 0.05 else None

    memory = until(settled, "used is what the guest's process holds, to five percent")
    total = field("/proc/meminfo", "MemTotal") * 1024
    assert memory["max-limit"] == total - RESERVE * MIB
    assert memory["committed"] == SIZE + OVERHEAD
    assert memory["free"] == memory["max-limit"] - memory["committed"]
    assert memory["used"] != SIZE


def test_system(box: Agent) -> None:
    with box.client() as client:
        system = value(client, "/system")
        state = value(client, APPLIANCE)["twinplane-appliance:state"]
    assert system["twinplane-system:state"]["hostname"] == socket.gethostname()
    booted = field("/proc/stat", "btime")
    assert int(system["twinplane-system:state"]["boot-time"]) == booted * 10**9
    host = system["twinplane-system:host"]
    assert host["state"]["instance-id"] == (box.state_dir / "instance-id").read_text().strip()
    started = int(Path(f"/proc/{guest(box.state_dir)}/stat").read_text().rpartition(")")[2].split()[19])
    assert int(state["start-time"]) == booted * 10**9 + started * 10**9 // os.sysconf("SC_CLK_TCK")
    printed = box.ask("check").stdout
    for capability in host["capabilities"]["capability"]:
        found = capability["state"]
        mark = "ok     " if found["available"] else ("without", "MISSING")
        assert any(line.startswith(mark) and found["name"] in line for line in printed.splitlines()), found


def test_what_does_not_run_uses_nothing(box: Agent) -> None:
    with box.client() as client:
        client.set(
            update={f"{APPLIANCE}/config/stop-timeout": 0, f"{APPLIANCE}/config/admin-state": "STOPPED"}
        )
        until(lambda: value(client, f"{APPLIANCE}/state/oper-status") == "STOPPED", "it is off")
    assert (row(box, "memory")["used"], row(box, "cpu")["used"]) == (0, 0)
    assert row(box, "memory")["committed"] == SIZE + OVERHEAD
