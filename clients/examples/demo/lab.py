"""The world around the box: a client and a server in network namespaces of their own, and real traffic."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

CLIENT_ADDRESS = "192.0.2.10"
SERVER_ADDRESS = "198.51.100.10"
ALLOWED_PORT = 8080
DENIED_PORT = 23

# Both run inside a namespace. The sink prints, after each connection, the bytes and seconds between the first
# second (slow start, full buckets) and the end: what is measured is the rate that is kept up.
_SINK = """
import socket, sys, time, json
server = socket.create_server(("", int(sys.argv[1])))
print("ready", flush=True)
while True:
    peer, _ = server.accept()
    start, counted, since = time.monotonic(), 0, None
    while data := peer.recv(1 << 16):
        now = time.monotonic()
        if since is None and now - start > 1:
            since, counted = now, 0
        counted += len(data)
        last = now
    print(json.dumps([counted, last - since if since else 0]), flush=True)
"""
_SOURCE = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[3])
peer = socket.create_connection((sys.argv[1], int(sys.argv[2])), timeout=5)
block = bytes(1 << 14)
while time.monotonic() < end:
    peer.sendall(block)
"""

# Small datagrams, as many as go: what a firewall's processor feels is packets, not bits.
_FLOOD = """
import socket, sys, time
end = time.monotonic() + float(sys.argv[3])
peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
peer.connect((sys.argv[1], int(sys.argv[2])))
while time.monotonic() < end:
    for _ in range(20):
        peer.send(b"twinplane")
    time.sleep(0.0005)
"""


def run(*command: str, check: bool = True) -> str:
    """Run a command and return what it printed."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip()}")
    return done.stdout


@dataclass(frozen=True, slots=True)
class Station:
    """One end of the wire: a namespace, whose veth peer is a port of the host."""

    namespace: str
    port: str
    address: str
    gateway: str

    def command(self, *arguments: str) -> list[str]:
        """A command line that runs inside the namespace."""
        # Not `ip netns exec`, which remounts /sys and cannot where / is no mount point (a plain chroot).
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *arguments]

    def build(self) -> None:
        """Make namespace and veth pair; the host's end stays where it is, up."""
        run("ip", "netns", "add", self.namespace)
        run("ip", "link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", self.namespace)
        run("ip", "link", "set", self.port, "up")
        for arguments in (
            ("link", "set", "lo", "up"),
            ("link", "set", "eth0", "up"),
            ("address", "add", f"{self.address}/24", "dev", "eth0"),
            ("route", "add", "default", "via", self.gateway),
        ):
            run(*self.command("ip", *arguments))

    def remove(self) -> None:
        """Take it away; the veth pair goes with the namespace."""
        run("ip", "netns", "delete", self.namespace, check=False)
        run("ip", "link", "delete", self.port, check=False)


CLIENT = Station("twinplane-client", "demo-c", CLIENT_ADDRESS, "192.0.2.1")
SERVER = Station("twinplane-server", "demo-s", SERVER_ADDRESS, "198.51.100.1")


@contextmanager
def sink(port: int = ALLOWED_PORT) -> Iterator["subprocess.Popen[str]"]:
    """A server that swallows what it is sent."""
    process = subprocess.Popen(
        SERVER.command(sys.executable, "-c", _SINK, str(port)), stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        process.stdout.readline()  # ready
        yield process
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def rate(server: "subprocess.Popen[str]", seconds: float) -> float:
    """Megabit per second that TCP keeps up from the client to the server."""
    subprocess.run(
        CLIENT.command(sys.executable, "-c", _SOURCE, SERVER_ADDRESS, str(ALLOWED_PORT), str(seconds + 1)),
        check=True,
    )
    assert server.stdout is not None
    counted, took = json.loads(server.stdout.readline())
    return float(counted * 8 / took / 1e6) if took else 0.0


def flood(seconds: float) -> "subprocess.Popen[bytes]":
    """Keep the firewall busy with small datagrams, which it drops."""
    return subprocess.Popen(
        CLIENT.command(sys.executable, "-c", _FLOOD, SERVER_ADDRESS, str(DENIED_PORT), str(seconds))
    )


def reaches(port: int) -> bool:
    """Whether a TCP connection from the client to that port of the server opens within two seconds."""
    probe = f"import socket; socket.create_connection(({SERVER_ADDRESS!r}, {port}), timeout=2)"
    return (
        subprocess.run(
            CLIENT.command(sys.executable, "-c", probe), capture_output=True, check=False
        ).returncode
        == 0
    )


def wait_for_ping(deadline: float) -> bool:
    """Wait until the server answers the client's ping; False when the deadline (seconds) passed."""
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        if run(*CLIENT.command("ping", "-n", "-c", "1", "-W", "1", SERVER_ADDRESS), check=False).count(
            " 0% packet loss"
        ):
            return True
    return False


class Pinging:
    """A ping that goes on while other things happen: ten a second until `stop`."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            CLIENT.command("ping", "-n", "-i", "0.1", "-W", "2", SERVER_ADDRESS),
            stdout=subprocess.PIPE,
            text=True,
        )

    def stop(self) -> tuple[int, int]:
        """End it; return how many were sent and how many answers are missing."""
        time.sleep(0.5)
        self._process.send_signal(2)
        output, _ = self._process.communicate(timeout=10)
        summary = next(line for line in output.splitlines() if "packets transmitted" in line)
        words = summary.split()
        sent, received = int(words[0]), int(words[3])
        # The one that was on its way when it ended has had no time to be answered.
        return sent, max(0, sent - received - 1) if sent - received == 1 else sent - received
