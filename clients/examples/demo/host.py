"""What stands on the host, so that before and after can be compared."""

import json
from pathlib import Path

from clients.examples.demo.lab import run

_CGROUPS = Path("/sys/fs/cgroup")


def snapshot(state_dir: Path) -> dict[str, list[str]]:
    """Devices, qdiscs, nftables, guests, control groups and files that the agent could leave behind."""
    links = json.loads(run("ip", "-json", "link", "show"))
    return {
        "network devices": sorted(link["ifname"] for link in links),
        "qdiscs": sorted(line for line in run("tc", "qdisc", "show").splitlines() if "noqueue" not in line),
        "guest processes": sorted(guests(state_dir)),
        "control groups": sorted(str(path) for path in _CGROUPS.glob("**/qemu-embed-*"))
        + sorted(str(path) for path in _CGROUPS.glob("*/machine")),
        "files of appliances": sorted(
            str(path.relative_to(state_dir))
            for folder in ("images", "appliances", "trash")
            for path in (state_dir / folder).glob("**/*")
        ),
    }


def guests(state_dir: Path) -> dict[str, int]:
    """QEMU processes of this state directory: name of the guest → process id."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if b"qemu-system" in words[0] and any(str(state_dir).encode() in word for word in words):
            name = next((word for word in words if word.startswith(b"guest=")), b"guest=?")
            found[name.decode().partition("=")[2].split(",")[0]] = int(process.name)
    return found
