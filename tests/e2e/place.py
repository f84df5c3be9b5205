"""A network namespace for an agent, with one cable to the tests: what it makes there disturbs nobody."""

import itertools
import json
import os
import subprocess
from types import TracebackType
from typing import Self

_MADE = itertools.count()


def tool(*arguments: str, check: bool = True) -> str:
    """Run a command; its output."""
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=30, check=False)
    assert not check or done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
    return done.stdout


class Place:
    """The namespace. `address` is the agent's end of the cable, which is the device `mgmt0` in there."""

    def __init__(self) -> None:
        # Two test runs on one host, and two places of one run, get different names and addresses
        # (198.18.0.0/15: RFC 2544).
        number = (os.getpid() + 4099 * next(_MADE)) % 16384
        net = f"198.18.{number >> 6}.{(number & 63) << 2}".rpartition(".")
        self.name = f"tpe{number}"
        self._near, self.address = (f"{net[0]}.{int(net[2]) + host}" for host in (1, 2))

    def __enter__(self) -> Self:
        self._remove()
        tool("ip", "netns", "add", self.name)
        peer = ("peer", "name", "mgmt0", "netns", self.name)
        tool("ip", "link", "add", self.name, "type", "veth", *peer)
        tool("ip", "address", "add", f"{self._near}/30", "dev", self.name)
        tool("ip", "link", "set", self.name, "up")
        for device in ("lo", "mgmt0"):
            self.ip("link", "set", device, "up")
        self.ip("address", "add", f"{self.address}/30", "dev", "mgmt0")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._remove()

    def command(self, *arguments: str) -> tuple[str, ...]:
        """A command line that runs in there; it keeps the mounts, of control groups above all. (`ip -n` would
        remount /sys, and cannot where / is no mount point, as in a plain chroot.)"""
        return ("nsenter", f"--net=/run/netns/{self.name}", "--", *arguments)

    def ip(self, *arguments: str, check: bool = True) -> str:
        """`ip` in there."""
        return tool(*self.command("ip", *arguments), check=check)

    def tc(self, *arguments: str) -> str:
        """`tc` in there."""
        return tool(*self.command("tc", *arguments))

    def sweep(self) -> None:
        """Take away what appliances and switches of an agent that is gone have left: they outlive it."""
        for row in json.loads(self.ip("-json", "link")):
            if row["ifname"] not in ("lo", "mgmt0"):
                self.ip("link", "delete", row["ifname"], check=False)

    def _remove(self) -> None:
        tool("ip", "link", "delete", self.name, check=False)
        tool("ip", "netns", "delete", self.name, check=False)
