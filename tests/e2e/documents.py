"""What the tests ask the box for, as gNMI paths and JSON_IETF values."""

import json
from pathlib import Path
from typing import Any

IMAGE = "/images/image[name=firewall]"
APPLIANCE = "/appliances/appliance[name=fw1]"
MIB = 1 << 20


def switch_path(name: str) -> str:
    """The path of a switch."""
    return f"/virtual-switches/virtual-switch[name={name}]"


def switch(name: str, *ports: str, **config: Any) -> dict[str, Any]:
    """A switch with host ports."""
    return {
        "config": {"name": name, **config},
        "ports": {"port": [{"interface": port, "config": {"interface": port}} for port in ports]},
    }


def image(images: Path, **changes: Any) -> dict[str, Any]:
    """The firewall image, as its builder describes it."""
    document: dict[str, Any] = json.loads((images / "firewall/image.json").read_text())
    document["twinplane-image:config"].update(changes)
    return document


def appliance(
    name: str = "fw1", *vnics: dict[str, Any], size: int = 256 * MIB, **config: Any
) -> dict[str, Any]:
    """An appliance of that image."""
    return {
        "config": {
            "name": name,
            "type": "twinplane-types:VIRTUAL_MACHINE",
            "image": "firewall",
            **config,
        },
        "memory": {"config": {"size": str(size)}},
        "vnics": {"vnic": list(vnics)},
    }


def vnic(name: str, index: int, switch: str, **config: Any) -> dict[str, Any]:
    """A vNIC on a switch."""
    return {"name": name, "config": {"name": name, "index": index, "virtual-switch": switch, **config}}
