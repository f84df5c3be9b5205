"""What the tests use around the drivers: names, owners, and a look at the kernel by iproute2."""

import json
import subprocess
from typing import Any
from uuid import UUID

from twinplane.plan.resource import Bridge, Ifb, Tap
from twinplane_wire.path import Path, parse

INSTANCE = UUID("3f2b7c1e-6d0a-4c55-9a53-0b8d2f1a7e10")
STRANGER = UUID("00000000-0000-4000-8000-000000000001")
SWITCH: Path = parse("/virtual-switches/virtual-switch[name=lan]")
VNIC: Path = parse("/appliances/appliance[name=fw1]/vnics/vnic[name=lan]")

BRIDGE = Bridge("brtest", SWITCH, 1500, "02:aa:00:00:00:01")
TAP = Tap("tptest", VNIC, 1500, "fe:aa:00:00:00:02")
IFB = Ifb("fbtest", VNIC, 1500)


def tool(*arguments: str) -> str:
    """Run a command in the namespace of the calling thread; its output."""
    done = subprocess.run(arguments, check=False, capture_output=True, text=True, timeout=20)
    assert done.returncode == 0, f"{' '.join(arguments)}: {done.stderr}"
    return done.stdout


def show(name: str) -> dict[str, Any]:
    """What ``ip -details link show`` says about a device."""
    (row,) = json.loads(tool("ip", "-json", "-details", "link", "show", name))
    return dict(row)


def names() -> set[str]:
    """The devices of the namespace."""
    return {row["ifname"] for row in json.loads(tool("ip", "-json", "link"))}


def addresses(name: str) -> list[str]:
    """The IP addresses of a device."""
    (row,) = json.loads(tool("ip", "-json", "address", "show", name))
    return [entry["local"] for entry in row["addr_info"]]
