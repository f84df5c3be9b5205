"""What stands on the host, so that before and after can be compared.

Others may work on the host meanwhile: of what comes and goes, only what carries the agent's marks counts.
"""

import hashlib
import json
import re
from pathlib import Path

from clients.examples.demo.lab import CLIENT, SERVER, run

_CGROUPS = Path("/sys/fs/cgroup")
_OURS = re.compile(r"(br|tp|fb)[a-z2-7]{11}")  # how the agent names its devices


def snapshot(state_dir: Path) -> dict[str, list[str]]:
    """Devices, qdiscs, nftables, guests, control groups and files that the agent could leave behind."""
    names = {link["ifname"]: link.get("ifalias", "") for link in json.loads(run("ip", "-json", "link"))}
    ours = [name for name, alias in names.items() if _OURS.fullmatch(name) or "twinplane:" in alias]
    ports = [port.port for port in (CLIENT, SERVER) if port.port in names]
    root = hashlib.sha256(str((state_dir / "libvirt").resolve()).encode()).hexdigest()[:8]
    return {
        "network devices": sorted(ours),
        "the two host ports": [_without_counters(run("ip", "-d", "link", "show", port)) for port in ports],
        "qdiscs": sorted(
            line
            for line in run("tc", "qdisc", "show").splitlines()
            if any(name in line for name in (*ours, *ports)) and "noqueue" not in line
        ),
        "guest processes": sorted(guests(state_dir)),
        "control groups": sorted(str(path) for path in _CGROUPS.glob(f"**/qemu-embed-{root}-*")),
        "files of appliances": sorted(
            str(path.relative_to(state_dir))
            for folder in ("images", "appliances", "trash")
            for path in (state_dir / folder).glob("**/*")
        ),
    }


def _without_counters(text: str) -> str:
    return re.sub(r"promiscuity \d+ ", "", text)


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
