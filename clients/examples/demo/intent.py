"""What the demo asks the box for, as gNMI paths and JSON_IETF values."""

import json
from pathlib import Path
from typing import Any

IMAGE = "/images/image[name=firewall]"
LAN = "/virtual-switches/virtual-switch[name=lan]"
WAN = "/virtual-switches/virtual-switch[name=wan]"
FIREWALL = "/appliances/appliance[name=fw1]"
CPU_LIMIT = f"{FIREWALL}/compute/share/config/limit"
LAN_LIMIT = f"{FIREWALL}/vnics/vnic[name=lan]/share/ingress/config/limit"

_FIREWALL = Path(__file__).parents[1] / "firewall.json"


def switch(name: str, port: str) -> dict[str, Any]:
    """A switch with one host port."""
    return {
        "twinplane-virtual-switch:config": {"name": name},
        "twinplane-virtual-switch:ports": {"port": [{"interface": port, "config": {"interface": port}}]},
    }


def firewall() -> dict[str, Any]:
    """The appliance: 0.8 of a core at most, 256 MiB, two vNICs, 50 Mbit/s each way on the LAN side; its day-0
    files give it addresses and rules: TCP 8080 and echo requests pass."""
    document: dict[str, Any] = json.loads(_FIREWALL.read_text(encoding="utf-8"))
    return document
