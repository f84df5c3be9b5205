"""Run the demo: `make demo`. Needs root; leaves the host as it was."""

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from clients.examples.demo import host, intent, lab
from clients.examples.demo.agent import ADDRESS, Agent

from twinplane_client import Client, Notification, RefusedError, Target
from twinplane_client._build import DataType
from twinplane_wire.path import parse
from twinplane_wire.value import Value

ROOT = Path(__file__).parents[3]
IMAGES = ROOT / "build/images"


class Demo:
    """The seven acts, in order; each says what it does and what it saw."""

    def __init__(self, work: Path) -> None:
        self.agent = Agent(work / "state", IMAGES, work / "agent.log")
        self._failures: list[str] = []

    def say(self, text: str) -> None:
        """One line of narration."""
        print(f"   {text}", flush=True)

    def expect(self, holds: bool, text: str) -> None:
        """A line of what was seen, marked by whether it is what the product promises."""
        print(f"   {'ok  ' if holds else 'FAIL'} {text}", flush=True)
        if not holds:
            self._failures.append(text)

    def client(self) -> Client:
        """A gNMI client with the administrator's certificate that the agent made."""
        tls = self.agent.state_dir / "tls"
        return Client(
            Target(ADDRESS, ca=tls / "ca.pem", certificate=tls / "admin.pem", key=tls / "admin.key")
        )

    def run(self) -> int:
        """All acts; 0 when every expectation held."""
        acts: tuple[tuple[str, Callable[[], None]], ...] = (
            ("The image: a firewall built from Debian packages", self.image),
            ("The agent, and one Set that makes everything", self.create),
            ("Traffic through the firewall, and its counters live", self.traffic),
            ("New shares while traffic runs", self.shares),
            ("The agent goes away and comes back", self.survive),
            ("A request that cannot be satisfied", self.refuse),
            ("Everything deleted", self.delete),
        )
        start = time.monotonic()
        with ExitStack() as cleanup:
            cleanup.callback(self.leave)
            for station in (lab.CLIENT, lab.SERVER):
                cleanup.callback(station.remove)
            for number, (title, act) in enumerate(acts, 1):
                print(f"\n{number}. {title}", flush=True)
                act()
        took = time.monotonic() - start
        print(f"\n{'Done' if not self._failures else 'FAILED'} in {took:.0f} s.")
        for failure in self._failures:
            print(f"   FAIL {failure}")
        return 1 if self._failures else 0

    def leave(self) -> None:
        """Leave nothing behind, whatever act it ended in."""
        if self.agent.runs:
            with self.client() as client:
                client.set(delete=["/appliances", "/virtual-switches", "/images"])
        self.agent.stop()

    def image(self) -> None:
        """The builder ran before the demo (make images); show what came out."""
        self.firewall_image = json.loads((IMAGES / "firewall/image.json").read_text())
        config = self.firewall_image["twinplane-image:config"]
        for name in ("kernel", "initrd"):
            file = IMAGES / config[f"{name}-source"]
            self.say(f"{name}: {file.stat().st_size / 2**20:.1f} MiB, {config[f'{name}-digest'][:23]}…")

    def create(self) -> None:
        """Start the agent; register the image, two switches and the appliance in one Set."""
        for station in (lab.CLIENT, lab.SERVER):
            station.remove()
            station.build()
        self.before = host.snapshot(self.agent.state_dir)
        self.agent.start()
        self.say(f"agent serves gNMI on {ADDRESS}, mutual TLS")
        with self.client() as client:
            start = time.monotonic()
            client.set(
                replace={
                    intent.IMAGE: self.firewall_image,
                    intent.LAN: intent.switch("lan", lab.CLIENT.port),
                    intent.WAN: intent.switch("wan", lab.SERVER.port),
                    intent.FIREWALL: intent.firewall(),
                }
            )
            took = time.monotonic() - start
            state = value(client, f"{intent.FIREWALL}/state/oper-status")
            self.expect(state == "RUNNING", f"one Set, {took:.1f} s: appliance fw1 is {state}")
        self.pid = self.guest()
        self.say(f"guest process {self.pid}; client and server namespaces are ports of lan and wan")

    def guest(self) -> int:
        """The process id of the only guest."""
        (pid,) = host.guests(self.agent.state_dir).values()
        return pid

    def traffic(self) -> None:
        """Allowed passes, denied is dropped, counters move on a live subscription."""
        self.expect(lab.wait_for_ping(60), "the guest is up: the client reaches the server through it")
        with self.client() as client, lab.sink() as server, lab.sink(lab.DENIED_PORT):
            self.expect(lab.reaches(lab.ALLOWED_PORT), f"TCP {lab.ALLOWED_PORT} (allowed) passes")
            self.expect(not lab.reaches(lab.DENIED_PORT), f"TCP {lab.DENIED_PORT} (denied) is dropped")
            assert server.stdout is not None
            server.stdout.readline()  # what the probe sent
            counters = {
                "/interfaces": "/interfaces/interface[name=fw1:lan]/state/counters/out-octets",
                "/appliances": f"{intent.FIREWALL}/vnics/vnic[name=lan]/state/counters/out-octets",
            }
            seen: dict[str, list[int]] = {path: [] for path in counters.values()}
            paths = {parse(path): path for path in seen}
            pinging = lab.Pinging()
            end = time.monotonic() + 4
            stream = client.subscribe(*seen, mode="sample", sample_interval=1.0)
            for item in stream:
                if isinstance(item, Notification):
                    for update in item.updates:
                        seen[paths[update.path]].append(int(str(update.value)))
                if time.monotonic() > end:
                    break
            stream.close()
            pinging.stop()
            for tree, path in counters.items():
                values = seen[path]
                moved = len(values) > 1 and values[-1] > values[0]
                self.expect(moved, f"counters in {tree} move: out-octets {values[:1]} → {values[-1:]}")

    def shares(self) -> None:
        """CPU limit and bandwidth limit, before and after, measured; the guest's process stays."""
        with self.client() as client, lab.sink() as server:
            before, cpu_before = lab.rate(server, 3), self.load()
            client.set(update={intent.LAN_LIMIT: "20000000", intent.CPU_LIMIT: 250})
            self.say("one Set: towards fw1 on lan 50 → 20 Mbit/s, CPU limit 800 → 250 millicores")
            after, cpu_after = lab.rate(server, 3), self.load()
            self.expect(40 < before <= 52, f"client → server before: {before:.1f} Mbit/s of 50")
            self.expect(15 < after <= 21, f"client → server after:  {after:.1f} Mbit/s of 20")
            self.expect(cpu_before > 260, f"guest flooded with packets before: {cpu_before:.0f} millicores")
            self.expect(cpu_after <= 270, f"guest flooded with packets after:  {cpu_after:.0f} millicores")
            client.set(update={intent.LAN_LIMIT: "50000000", intent.CPU_LIMIT: 800})
        self.expect(self.guest() == self.pid, f"the guest is the same process, {self.pid}")

    def load(self) -> float:
        """Millicores the guest uses while it is flooded, from its process's CPU time."""
        stat = Path(f"/proc/{self.pid}/stat")

        def ticks() -> int:
            fields = stat.read_text().rpartition(")")[2].split()
            return int(fields[11]) + int(fields[12])

        flood = lab.flood(3.0)
        time.sleep(0.5)
        start, used = time.monotonic(), ticks()
        time.sleep(2)
        millicores = (ticks() - used) * 10 / (time.monotonic() - start)
        flood.wait()
        return millicores

    def survive(self) -> None:
        """SIGTERM, then SIGKILL; traffic goes on and the appliance is adopted untouched."""
        pinging = lab.Pinging()
        for how in (signal.SIGTERM, signal.SIGKILL):
            took = self.agent.stop(how)
            self.say(f"{how.name}: the agent is gone after {took:.1f} s")
            time.sleep(1)
            adopted = self.agent.start()
            self.expect("0 netlink writes, 0 modifying libvirt calls" in adopted, f"restarted: {adopted}")
        sent, lost = pinging.stop()
        self.expect(lost == 0, f"pings through the firewall meanwhile: {sent} sent, {lost} lost")
        self.expect(self.guest() == self.pid, f"the guest is the same process, {self.pid}")
        with self.client() as client:
            state = value(client, f"{intent.FIREWALL}/state/oper-status")
            self.expect(state == "RUNNING", f"state after adoption: {state}")

    def refuse(self) -> None:
        """More memory than the host has, beside a good change: both refused, with what would fit."""
        big = intent.firewall()
        big["twinplane-appliance:config"]["name"] = "big"
        big["twinplane-appliance:memory"]["config"]["size"] = str(10 * 2**40)
        with self.client() as client:
            before = value(client, "/", "config")
            try:
                client.set(update={intent.CPU_LIMIT: 400}, replace={"/appliances/appliance[name=big]": big})
                self.expect(False, "a Set that asks for 10 TiB is refused")
            except RefusedError as error:
                self.expect(bool(error.violations), f"refused: {error.code}")
                for violation in error.violations:
                    self.say(str(violation))
            unchanged = value(client, "/", "config") == before
            self.expect(unchanged, "nothing changed, the good part included")

    def delete(self) -> None:
        """Everything gone over gNMI; the host is as it was."""
        with self.client() as client:
            start = time.monotonic()
            client.set(delete=["/appliances", "/virtual-switches", "/images"])
            self.say(f"one Set deletes appliance, switches and image, {time.monotonic() - start:.1f} s")
        after = host.snapshot(self.agent.state_dir)
        for kind, things in self.before.items():
            left = sorted(set(after[kind]) - set(things))
            gone = sorted(set(things) - set(after[kind]))
            self.expect(not left and not gone, f"{kind}: as before" + (f", left {left}" if left else ""))
        self.agent.stop()


def value(client: Client, path: str, kind: DataType = "all") -> Value:
    """What is at one path."""
    (notification,) = client.get(path, kind=kind)
    return notification.updates[0].value if notification.updates else None


def main() -> int:
    """The demo in a working directory of its own."""
    work = Path(tempfile.mkdtemp(prefix="tp-demo-", dir="/var/tmp"))
    work.chmod(0o711)  # guests run as a user of their own, who has to get through
    try:
        code = Demo(work).run()
    except BaseException:
        print(f"   (the agent's log is {work}/agent.log)", file=sys.stderr)
        raise
    if code == 0:
        shutil.rmtree(work)
    return code


if __name__ == "__main__":
    sys.exit(main())
