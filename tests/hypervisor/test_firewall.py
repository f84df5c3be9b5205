"""The firewall appliance between two namespaces: forwards what its rules allow, drops the rest."""

import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest

from hypervisor.appliance import INSTANCE, drivers, firewall
from hypervisor.scenario import alone, until
from twinplane.hypervisor.embedded import open_embedded
from twinplane.model.appliance import Vnic
from twinplane.model.names import tap_name
from twinplane.plan.resource import Run
from twinplane.state.facts import DomainFact
from twinplane.state.sources.hypervisor import HypervisorSource

pytestmark = pytest.mark.hypervisor

NETWORK = "lan 192.0.2.1/24\nwan 198.51.100.1/24\n"
RULES = """\
table inet fw {
  chain forward {
    type filter hook forward priority 0; policy drop;
    ct state established,related accept
    icmp type echo-request accept
    tcp dport 8080 accept
    counter drop
  }
}
"""
LISTEN = """\
import socket
servers = [socket.create_server(("198.51.100.2", port)) for port in (8080, 9090)]
print("ready", flush=True)
import time; time.sleep(100)
"""
CONNECT = "import socket, sys; socket.create_connection(('198.51.100.2', int(sys.argv[1])), 3).close()"


class Station:
    """A namespace with one address, plugged to a tap by a bridge."""

    def __init__(self, stack: ExitStack, name: str, tap: str, address: str, gateway: str) -> None:
        holder = subprocess.Popen(["unshare", "--net", "sleep", "200"])
        stack.callback(holder.wait)
        stack.callback(holder.kill)
        self._enter = ["nsenter", "--target", str(holder.pid), "--net"]
        tool(f"ip link add br{name} type bridge")
        tool(f"ip tuntap add {tap} mode tap")
        tool(f"ip link add ve{name} type veth peer name eth0 netns {_other_namespace(holder.pid)}")
        for device in (tap, f"ve{name}"):
            tool(f"ip link set {device} master br{name} up")
        tool(f"ip link set br{name} up")
        self.run("ip", "link", "set", "lo", "up")
        self.run("ip", "address", "add", address, "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        self.run("ip", "route", "add", "default", "via", gateway)

    def run(self, *command: str) -> None:
        """Run a program there; it must succeed."""
        subprocess.run([*self._enter, *command], check=True, capture_output=True, timeout=30)

    def works(self, *command: str) -> bool:
        """True when a program succeeds there."""
        done = subprocess.run([*self._enter, *command], check=False, capture_output=True, timeout=30)
        return done.returncode == 0

    def start(self, stack: ExitStack, *command: str) -> None:
        """Start a program there that says a line when it is ready."""
        program = stack.enter_context(
            subprocess.Popen([*self._enter, *command], stdout=subprocess.PIPE, text=True)
        )
        stack.callback(program.kill)
        assert program.stdout is not None
        assert program.stdout.readline() == "ready\n"


def tool(command: str) -> None:
    """Run a program in the namespace of the test."""
    subprocess.run(command.split(), check=True, capture_output=True, timeout=30)


def _other_namespace(pid: int) -> int:
    """The process id, once it has left our namespace."""
    ours = Path("/proc/self/ns/net").readlink()
    while Path(f"/proc/{pid}/ns/net").readlink() == ours:
        pass
    return pid


@alone
async def test_allowed_traffic_passes_and_the_rest_does_not(state: Path) -> None:
    vnics = tuple(
        Vnic(name, index, None, 1500, name, None, None) for index, name in enumerate(("lan", "wan"))
    )
    fw = firewall(state, vnics, network=NETWORK, rules_nft=RULES)
    taps = [tap_name(INSTANCE, fw.model.vnic_path(vnic.name)) for vnic in vnics]
    with ExitStack() as stack:
        client = Station(stack, "lan", taps[0], "192.0.2.2/24", "192.0.2.1")
        server = Station(stack, "wan", taps[1], "198.51.100.2/24", "198.51.100.1")
        server.start(stack, "python3", "-c", LISTEN)
        embedded = await open_embedded(state / "libvirt")
        made = drivers(embedded, state)
        await fw.place_files(made)
        running = fw.domain(Run.RUNNING)
        assert await made.domain.ensure(running.key, running) == running
        await until(lambda: fw.says("twinplane-firewall: up"), "the guest is up")

        assert client.works("ping", "-c", "2", "-W", "3", "198.51.100.2")
        assert client.works("python3", "-c", CONNECT, "8080")
        assert not client.works("python3", "-c", CONNECT, "9090")
        assert not server.works("ping", "-c", "1", "-W", "2", "203.0.113.1")

        batch = await HypervisorSource(INSTANCE, embedded.connection).everything()
        (fact,) = (fact for fact in batch.facts if isinstance(fact, DomainFact))
        assert [(vnic.device, vnic.index) for vnic in fact.vnics] == [(taps[0], 0), (taps[1], 1)]

        assert await made.domain.force_stop(fw.name) == fw.domain(Run.STOPPED)
        assert await made.domain.ensure(running.key, None) is None
        await embedded.close()
