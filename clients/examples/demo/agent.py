"""The agent as a process of the demo: started, stopped, killed and started again."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

ADDRESS = "localhost:19339"
_STARTED = re.compile(r"serving")
_ADOPTED = re.compile(r"adopted .*")


class Agent:
    """`twinplane-agent run` with all its state under `state_dir`; its log goes to `log`."""

    def __init__(self, state_dir: Path, image_dir: Path, log: Path) -> None:
        self.state_dir = state_dir
        self.log = log
        self._environment = {
            **os.environ,
            "TWINPLANE_AGENT_STATE_DIR": str(state_dir),
            "TWINPLANE_AGENT_IMAGE_DIR": str(image_dir),
            "TWINPLANE_LISTEN_ADDRESSES": ADDRESS,
        }
        self._process: subprocess.Popen[bytes] | None = None
        self._from = 0

    def start(self, deadline: float = 60) -> str:
        """Start it, wait until it serves, and return what it says about adoption."""
        self.log.touch()
        self._from = self.log.stat().st_size
        with self.log.open("ab") as stream:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "twinplane", "run"],
                stdout=stream,
                stderr=stream,
                env=self._environment,
                start_new_session=True,
            )
        end = time.monotonic() + deadline
        while time.monotonic() < end:
            if self._process.poll() is not None:
                raise RuntimeError(f"the agent ended: {self.lines()[-1] if self.lines() else '?'}")
            adopted = [found.group() for line in self.lines() if (found := _ADOPTED.search(line))]
            if adopted and any(_STARTED.search(line) for line in self.lines()):
                return adopted[-1]
            time.sleep(0.05)
        raise RuntimeError(f"the agent did not serve within {deadline:.0f} s, see {self.log}")

    @property
    def runs(self) -> bool:
        """Whether it is there."""
        return self._process is not None and self._process.poll() is None

    def lines(self) -> list[str]:
        """What it has logged since its last start."""
        with self.log.open(encoding="utf-8", errors="replace") as stream:
            stream.seek(self._from)
            return stream.read().splitlines()

    def stop(self, with_signal: signal.Signals = signal.SIGTERM) -> float:
        """End it with a signal; return how long that took, in seconds."""
        if self._process is None or self._process.poll() is not None:
            return 0.0
        start = time.monotonic()
        self._process.send_signal(with_signal)
        self._process.wait(timeout=20)
        return time.monotonic() - start
