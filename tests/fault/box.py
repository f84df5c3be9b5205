"""A box for fault injection: a namespace with strangers in it, a state directory, a sabotaged agent."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from e2e.place import Place, tool
from fault import snapshot
from fault.snapshot import Snapshot
from hypervisor.scenario import REPOSITORY, end_guests, keep_answers, lend_answers
from twinplane_client import Client, Target, TwinplaneError

# With a fixed one all names are the same in each run, so that points can be told by name.
INSTANCE = "3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10"
STRANGER = "11111111-6d0a-4c55-9a53-0b8d2f1a7e10"
PATIENCE = 80.0  # seconds; a start beside other work, or libvirt that waits 30 s for a lock
NOTHING = {"delete": ["/interfaces/interface[name=nowhere]"]}

# A guest that is none of ours, in the same libvirt.
STRANGERS_GUEST = """<domain type="qemu"><name>stranger</name><memory unit="MiB">16</memory>
<os><type arch="x86_64" machine="q35">hvm</type></os></domain>"""
DEFINE = """
import sys, libvirt
libvirt.virEventRegisterDefaultImpl()
connection = libvirt.open(sys.argv[1])
connection.defineXML(sys.argv[2])
"""


@dataclass(frozen=True, slots=True)
class Strike:
    """What happens at the n-th turn of a key (a pattern) since it was armed: it fails, or the process is
    killed before, in or after it, or ``soon`` (`delay` seconds later, wherever it is then), or as long after
    libvirt first ``recorded`` a guest. A lasting one happens at every later turn too. The key ``effect`` has
    a turn with each single change of the host."""

    key: str
    how: str
    turn: int = 1
    lasting: bool = False
    delay: float = 0.0


class Box:
    """One agent at a time on one state directory in one namespace. `sound` is False while a test works on it:
    what a failed test leaves is not built upon."""

    def __init__(self, place: Place, images: Path) -> None:
        self._place = place
        self._images = images
        self._root = Path(tempfile.mkdtemp(prefix="tpf", dir="/var/tmp"))
        self._root.chmod(0o711)
        self._process: subprocess.Popen[bytes] | None = None
        self._log_start = 0
        self._number = 0
        self.state = self._root / "0"
        self.sound = False
        self.is_at = ""

    # the host

    def rebuild(self) -> None:
        """A new state directory, the namespace as it was, nothing of before left."""
        self.close()
        for link in json.loads(self._place.ip("-json", "link", "show")):
            if link["ifname"] not in ("lo", "mgmt0"):
                self._place.ip("link", "delete", link["ifname"], check=False)
        self._number += 1
        self.state = self._root / str(self._number)
        self.state.mkdir(mode=0o711)
        (self.state / "instance-id").write_text(f"{INSTANCE}\n")
        lend_answers(self.state / "libvirt")
        self._furnish()
        self.start()
        self.stop()
        self._define_stranger()
        keep_answers(self.state / "libvirt")
        self.start()
        self.is_at = "empty"
        self.sound = True

    def _furnish(self) -> None:
        """Host ports, and objects that are none of our business."""
        ip, tc = self._place.ip, self._place.tc
        for port in ("hp0", "hp1"):
            ip("link", "add", port, "type", "veth", "peer", "name", f"{port}x")
            ip("link", "set", port, "up")
        tc(
            "qdisc",
            "add",
            "dev",
            "hp0",
            "root",
            "handle",
            "7:",
            "tbf",
            "rate",
            "1gbit",
            "burst",
            "100k",
            "latency",
            "50ms",
        )
        ip("link", "add", "br-alien", "type", "bridge")
        ip(
            "link",
            "set",
            "br-alien",
            "alias",
            f"twinplane:{STRANGER}:/virtual-switches/virtual-switch[name=lan]",
        )
        ip("address", "add", "10.99.0.1/24", "dev", "br-alien")
        ip("link", "set", "br-alien", "up")
        ip("link", "add", "alien0", "type", "ifb")
        tc("qdisc", "replace", "dev", "alien0", "root", "handle", "7470:", "htb", "default", "1")
        tc("class", "add", "dev", "alien0", "parent", "7470:", "classid", "7470:1", "htb", "rate", "3mbit")

    def _define_stranger(self) -> None:
        uri = f"qemu:///embed?root={self.state}/libvirt"
        tool(*self._place.command(sys.executable, "-c", DEFINE, uri, STRANGERS_GUEST))

    # the agent

    @property
    def log(self) -> Path:
        """What the agents wrote."""
        return self._root / "log"

    def start(self) -> None:
        """Start the agent; wait until it has recovered and serves."""
        self.log.touch()
        self._log_start = self.log.stat().st_size
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(str(REPOSITORY / folder) for folder in ("agent", "proto", "tests")),
            "TWINPLANE_AGENT_STATE_DIR": str(self.state),
            "TWINPLANE_AGENT_IMAGE_DIR": str(self._images),
            "TWINPLANE_LISTEN_ADDRESSES": "127.0.0.1:9339",
            "TWINPLANE_HYPERVISOR_ACCELERATOR": "TCG",
        }
        with self.log.open("ab") as log:
            script = str(Path(__file__).with_name("agent.py"))
            self._process = subprocess.Popen(
                self._place.command(sys.executable, script, str(self._strikes)),
                stdout=log,
                stderr=log,
                env=environment,
                start_new_session=True,
            )
        end = time.monotonic() + PATIENCE
        while not ("serving gNMI" in (said := self._said()) and "adopted" in said):
            assert time.monotonic() < end, f"the agent does not serve: {said[-3000:]}"
            time.sleep(0.05)

    def stop(self) -> None:
        """End it in order."""
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            self._process.wait(timeout=20)

    def close(self) -> None:
        """End everything."""
        self.disarm()
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
            self._process.wait(timeout=20)
        end_guests(self.state)

    def remove(self) -> None:
        """And take everything away."""
        self.close()
        shutil.rmtree(self._root, ignore_errors=True)

    def killed(self) -> bool:
        """Whether the agent died by SIGKILL."""
        assert self._process is not None
        return self._process.wait(timeout=20) == -signal.SIGKILL

    def _said(self) -> str:
        assert self._process is not None
        with self.log.open(errors="replace") as log:
            log.seek(self._log_start)
            text = log.read()
        assert self._process.poll() is None, text[-3000:]
        return text

    # requests

    def set(self, request: Mapping[str, Any]) -> TwinplaneError | None:
        """One Set; its error, if it has one."""
        with Client(Target(f"unix:{self.state}/run/admin.sock", timeout=60)) as client:
            try:
                client.set(**request)
            except TwinplaneError as error:
                return error
        return None

    def wait(self, condition: Callable[[], bool], what: str, limit: float = PATIENCE) -> None:
        """Wait until something is so."""
        end = time.monotonic() + limit
        while not condition():
            assert time.monotonic() < end, what
            time.sleep(0.05)

    def wait_for_writes(self) -> None:
        """Wait until a Set that changes nothing is accepted, and nothing is left over."""
        self.wait(lambda: self.set(NOTHING) is None and not self.left_over(), "all is repaired")

    def left_over(self) -> bool:
        """Whether an alarm says that something could not be undone."""
        with Client(Target(f"unix:{self.state}/run/admin.sock", timeout=60)) as client:
            (system,) = client.get("/system")
        return "UNDO_FAILED" in str(system)

    # strikes

    @property
    def _strikes(self) -> Path:
        return self._root / "strikes"

    @contextmanager
    def armed(self, strikes: Sequence[Strike]) -> Iterator[None]:
        """Strike inside the block."""
        self._strikes.with_suffix(".struck").unlink(missing_ok=True)
        text = json.dumps({"number": time.monotonic_ns(), "strikes": [asdict(strike) for strike in strikes]})
        temporary = self._root / "strikes.new"
        temporary.write_text(text)
        temporary.rename(self._strikes)
        try:
            yield
        finally:
            self.disarm()

    def disarm(self) -> None:
        """No strikes any more."""
        self._strikes.unlink(missing_ok=True)

    def struck(self) -> list[str]:
        """What was reached."""
        file = self._strikes.with_suffix(".struck")
        return file.read_text().splitlines() if file.exists() else []

    # looking

    def look(self) -> Snapshot:
        """The host and the datastore as they are."""
        return snapshot.take(self._place, self.state)

    def steps(self) -> tuple[str, ...]:
        """The steps in the journal's row, printed."""
        rows = snapshot.rows(self.state, "SELECT body FROM journal")
        return tuple(json.loads(rows[0])["steps"]) if rows else ()
