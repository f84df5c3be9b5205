"""`twinplane-agent run` as a process: started, asked, ended, with everything it wrote at hand."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import grpc

from e2e.place import Place
from hypervisor.scenario import end_guests
from twinplane_client import Client, NotFoundError, Target

REPOSITORY = Path(__file__).parents[2]
PORT = 9339
SERVES = "serving gNMI on"
PATIENCE = 40.0  # seconds for the start, beside other work


class Agent:
    """One agent and its state directory; leaving the context ends both, and the guests."""

    def __init__(self, place: Place, images: Path, **settings: str) -> None:
        """`settings` are environment variables of the agent, without their prefix."""
        self.place = place
        self.root = Path(tempfile.mkdtemp(prefix="tpe", dir="/var/tmp"))
        self.root.chmod(0o711)  # guests run as a user of their own
        self.state_dir = self.root / "s"
        self.address = f"{place.address}:{PORT}"
        self.log = self.root / "log"
        self._settings = {
            "AGENT_STATE_DIR": str(self.state_dir),
            "AGENT_IMAGE_DIR": str(images),
            "LISTEN_ADDRESSES": self.address,
            "HYPERVISOR_ACCELERATOR": "TCG",
            **settings,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self._from = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is not None and self.log.exists():
            print(self.log.read_text(errors="replace")[-8000:], file=sys.stderr)
        self.stop()
        end_guests(self.state_dir)
        self.place.sweep()
        blocked = [line for line in self._everything() if line.startswith("BLOCKED")]
        shutil.rmtree(self.root, ignore_errors=True)
        assert not blocked, blocked

    @property
    def environment(self) -> dict[str, str]:
        """What the agent finds in its environment."""
        paths = os.pathsep.join(str(REPOSITORY / folder) for folder in ("agent", "proto", "tests"))
        settings = {f"TWINPLANE_{name}": value for name, value in self._settings.items()}
        return {**os.environ, "PYTHONPATH": paths, **settings}

    def command(self, *arguments: str) -> tuple[str, ...]:
        """The command line of one of its commands."""
        return self.place.command(sys.executable, "-m", "e2e.guarded", *arguments)

    def start(self, *, prefix: tuple[str, ...] = (), environ: Mapping[str, str] | None = None) -> None:
        """Start it and wait until it serves."""
        self.log.touch()
        self._from = self.log.stat().st_size
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                (*prefix, *self.command("run")),
                stdout=log,
                stderr=log,
                env={**self.environment, **(environ or {})},
                start_new_session=True,
            )
        self.wait_for(SERVES, PATIENCE)

    def refused(self, *prefix: str, **settings: str) -> tuple[int, list[str]]:
        """Start it where it cannot; its exit code and the lines it wrote on standard error."""
        environ = self.environment | {f"TWINPLANE_{name}": value for name, value in settings.items()}
        done = subprocess.run(
            (*prefix, *self.command("run")),
            capture_output=True,
            text=True,
            env=environ,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stderr.splitlines()

    def ask(self, *arguments: str, **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the agent with the same settings."""
        environ = self.environment | {f"TWINPLANE_{name}": value for name, value in settings.items()}
        return subprocess.run(
            self.command(*arguments), capture_output=True, text=True, env=environ, timeout=60, check=False
        )

    def _everything(self) -> list[str]:
        return self.log.read_text(errors="replace").splitlines() if self.log.exists() else []

    def lines(self) -> list[str]:
        """What it has logged since its last start."""
        with self.log.open(encoding="utf-8", errors="replace") as log:
            log.seek(self._from)
            return log.read().splitlines()

    def wait_for(self, text: str, limit: float = 20.0, *, since: int = 0) -> str:
        """Wait for a line with this text among those after the first `since`; that line."""
        end = time.monotonic() + limit
        while time.monotonic() < end:
            for line in self.lines()[since:]:
                if text in line:
                    return line
            assert self.process is not None
            if self.process.poll() is not None:
                raise AssertionError(f"the agent ended with {self.process.returncode}: {self.lines()}")
            time.sleep(0.05)
        raise AssertionError(f"no line with {text!r} in {limit:g} s: {self.lines()}")

    def stop(self, with_signal: signal.Signals = signal.SIGTERM, limit: float = 20.0) -> int:
        """End it with a signal and wait; its exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.send_signal(with_signal)
        return self.process.wait(limit)

    @property
    def target(self) -> Target:
        """Where it listens, and the administrator's certificate."""
        tls = self.state_dir / "tls"
        return Target(
            self.address,
            ca=tls / "ca.pem",
            certificate=tls / "admin.pem",
            key=tls / "admin.key",
            server_name="localhost",
            timeout=60,
        )

    def channel(self) -> grpc.Channel:
        """A channel for what the client would not send."""
        name = ("grpc.ssl_target_name_override", "localhost")
        return grpc.secure_channel(self.address, self.target.credentials(), options=(name,))

    def client(self, **changes: Any) -> Client:
        """A client with the administrator's certificate, or what `changes` of the target say."""
        return Client(replace(self.target, **changes))


def value(client: Client, path: str, **options: Any) -> Any:
    """What is at one path, None where nothing is."""
    try:
        (notification,) = client.get(path, **options)
    except NotFoundError:
        return None
    return notification.updates[0].value if notification.updates else None


def until(condition: Any, what: str, limit: float = 30.0) -> Any:
    """Wait until a condition holds; returns what it returned."""
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.1)
    raise AssertionError(f"not within {limit:g} s: {what}")
