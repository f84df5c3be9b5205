"""The agent that strangers talk to: a process, on the wire, with an appliance that runs."""

import queue
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from e2e.agent import Agent, until, value
from e2e.documents import APPLIANCE, IMAGE, appliance, image, switch, switch_path, vnic
from e2e.place import Place

LAN = switch_path("lan")
STATUS = f"{APPLIANCE}/state/oper-status"
USER, SECRET = "alice", "right-horse"
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client needs to reach an agent: files in PEM, the name in the server's certificate."""

    host: str
    port: int
    ca: Path
    certificate: Path
    key: Path
    server_name: str = "localhost"
    username: str = ""
    password: str = ""

    @property
    def address(self) -> str:
        """host:port"""
        return f"{self.host}:{self.port}"


def credentials(agent: Agent, port: int = 9339, username: str = "", password: str = "") -> Credentials:
    """Those of the administrator."""
    tls = agent.state_dir / "tls"
    return Credentials(
        agent.place.address,
        port,
        tls / "ca.pem",
        tls / "admin.pem",
        tls / "admin.key",
        "localhost",
        username,
        password,
    )


@contextmanager
def with_appliance(place: Place, images: Path) -> Iterator[Agent]:
    """An agent with a switch, an image and a running appliance."""
    with Agent(place, images) as agent:
        agent.start()
        with agent.client() as client:
            document = appliance("fw1", vnic("eth0", 0, "lan"), **{"admin-state": "RUNNING"})
            client.set(
                replace={
                    IMAGE: image(images),
                    LAN: switch("lan", mtu=1500, description="a/b[c=d] ü"),
                    APPLIANCE: document,
                }
            )
            until(lambda: value(client, STATUS) == "RUNNING", "the appliance runs", PATIENCE)
        yield agent


@contextmanager
def with_password(place: Place, images: Path, port: int = 9341) -> Iterator[Agent]:
    """An agent that asks for a name and a password, and has one user for it."""
    settings = {"LISTEN_MODE": "PASSWORD", "LISTEN_ADDRESSES": f"{place.address}:{port}"}
    with Agent(place, images, **settings) as agent:
        agent.start()
        added = subprocess.run(
            agent.command("user", "add", USER, "--role", "admin", "--password"),
            input=f"{SECRET}\n",
            env=agent.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert added.returncode == 0, added.stderr
        yield agent


def output(
    *command: str | Path, limit: float = PATIENCE, fails: bool = False, stdin: str | None = None
) -> str:
    """Run a client to its end; what it wrote. `fails` says how it has to end."""
    done = subprocess.run(
        [str(one) for one in command], capture_output=True, text=True, timeout=limit, check=False, input=stdin
    )
    assert (done.returncode != 0) is fails, f"{done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done.stdout + (done.stderr if fails else "")


class Running:
    """A client that goes on, and what it has written so far."""

    def __init__(self, *command: str | Path) -> None:
        self._process = subprocess.Popen(
            [str(one) for one in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self.text = ""

    def __enter__(self) -> "Running":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()

    def _read(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as output:
            for line in output:
                self._lines.put(line)
        self._lines.put("")  # the end

    def until(self, pattern: str, limit: float = PATIENCE) -> str:
        """Read on until the text not yet matched has this in it; the match. Fails after `limit` seconds."""
        end = time.monotonic() + limit
        while (found := re.search(pattern, self.text, re.DOTALL)) is None:
            try:
                line = self._lines.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {pattern!r} in {limit:g} s:\n{self.text}") from None
            assert line, f"ended without {pattern!r}:\n{self.text}"
            self.text += line
        self.text = self.text[found.end() :]
        return found.group()
